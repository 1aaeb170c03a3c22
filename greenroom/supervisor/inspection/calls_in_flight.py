"""The messages that have been handled for longest."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.inspection.node import Node, node_of


class CallsInFlight:
    """Keeps the actors that have been at a message for longest, among those it is shown."""

    def __init__(self, now: float, *, limit: int) -> None:
        self._now = now
        self._limit = limit
        self._longest: list[tuple[float, str, Cell]] = []

    def look_at(self, children: Iterable[Child]) -> None:
        """Consider these too."""
        found = [
            (self._now - child.current_since, child.path, child)
            for child in children
            if isinstance(child, Cell) and child.current is not None
        ]
        if found:
            self._longest = heapq.nlargest(self._limit, self._longest + found)

    def nodes(self) -> tuple[Node, ...]:
        """Those that are at it still."""
        return tuple(node_of(cell) for _, _, cell in self._longest if cell.current is not None)
