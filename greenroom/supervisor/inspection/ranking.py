"""The actors that stand out by one measure, a page at a time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.inspection.node import Node, node_of

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem


class Sort(Enum):
    """What to order :func:`top` by, highest first."""

    DEPTH = "depth"
    OLDEST = "oldest"
    BUSY = "busy"
    RESTARTS = "restarts"
    BYTES = "bytes"
    IDLE = "idle"
    HANDLED = "handled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """Actors of one listing. ``cursor`` gives the next page; None on the last. Values change between pages, so an
    actor may be seen twice or not at all."""

    actors: tuple[Node, ...]
    cursor: str | None


def top(
    system: ActorSystem,
    *,
    sort: Sort = Sort.DEPTH,
    limit: int = 50,
    kind: str | None = None,
    state: str | None = None,
    key_prefix: str = "",
    cursor: str | None = None,
) -> Page:
    """The actors that stand out by ``sort``, highest first, ``limit`` of them.

    Looks at every actor once (some 0.3 us each), and makes nodes only for those it returns.
    """
    ranking = Ranking(
        system.now(), sort=sort, limit=limit, kind=kind, state=state, key_prefix=key_prefix, cursor=cursor
    )
    ranking.look_at(system.registry.children())
    return ranking.page()


class Ranking:
    """Keeps the actors that stand out among those it is shown, ``limit`` of them and one more.

    Raises:
        ValueError: ``cursor`` is none of this listing.
    """

    def __init__(
        self,
        now: float,
        *,
        sort: Sort,
        limit: int,
        kind: str | None = None,
        state: str | None = None,
        key_prefix: str = "",
        cursor: str | None = None,
    ) -> None:
        self._now = now
        self._rank = _RANKS[sort]
        self._limit = limit
        self._kind = kind
        self._state = state
        self._key_prefix = key_prefix
        self._after = _read_cursor(cursor)
        self._best: list[tuple[float, str, Cell]] = []

    def look_at(self, children: Iterable[Child]) -> None:
        """Consider these too. Paths are unique, so cells themselves are never compared."""
        now, rank, after = self._now, self._rank, self._after
        found = [
            (rank(child, now), child.path, child)
            for child in children
            if isinstance(child, Cell) and self._is_asked(child)
        ]
        if after is not None:
            found = [row for row in found if row[:2] < after]
        self._best = heapq.nlargest(self._limit + 1, self._best + found)

    def page(self) -> Page:
        page, more = self._best[: self._limit], self._best[self._limit :]
        nodes = tuple(node_of(cell) for _, _, cell in page)
        return Page(nodes, f"{page[-1][0]!r}|{page[-1][1]}" if more and page else None)

    def _is_asked(self, cell: Cell) -> bool:
        return (
            (self._kind is None or cell.kind == self._kind)
            and (not self._key_prefix or (cell.key or "").startswith(self._key_prefix))
            and (self._state is None or cell.status.value == self._state)
        )


def _read_cursor(cursor: str | None) -> tuple[float, str] | None:
    """Parse a page's cursor.

    Raises:
        ValueError: it is not one.
    """
    if cursor is None:
        return None
    value, _, path = cursor.partition("|")
    place = float(value)
    if math.isnan(place):
        raise ValueError("not a float that anything compares with")
    return place, path


# By moments, not by the time since: that grows between two pages, and the next would leave out what has passed its cursor.
_RANKS: dict[Sort, Callable[[Cell, float], float]] = {
    Sort.DEPTH: lambda cell, _now: len(cell.mailbox.queue),
    Sort.OLDEST: lambda cell, _now: -cell.mailbox.queue[0].enqueued_at if cell.mailbox.queue else -math.inf,
    Sort.BUSY: lambda cell, now: cell.meter.busy_share(now),
    Sort.RESTARTS: lambda cell, _now: cell.restarts,
    Sort.BYTES: lambda cell, _now: cell.mailbox.bytes,
    Sort.IDLE: lambda cell, _now: -cell.meter.last_handled,
    Sort.HANDLED: lambda cell, _now: cell.meter.handled,
    Sort.FAILED: lambda cell, _now: cell.meter.failed,
}
