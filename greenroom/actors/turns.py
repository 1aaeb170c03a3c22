"""One after the other: what must not be done twice at once for the same name, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio


class NoTurn(Exception):
    """Too many wait already, or the turn did not come in time; nothing was done."""


@dataclass(slots=True, eq=False)
class _Line:
    """``count`` is who is in it: the one whose turn it is, and those that wait."""

    free: trio.Semaphore = field(default_factory=lambda: trio.Semaphore(1, max_value=1))
    count: int = 0


class Turns:
    """Gives turns by name, in the order they are asked for. A name that nobody asks for takes no room.

    Args:
        waiting_max: that wait for the same name.
        timeout_s: longest wait.
    """

    def __init__(self, *, waiting_max: int, timeout_s: float) -> None:
        self._waiting_max = waiting_max
        self._timeout_s = timeout_s
        self._lines: dict[str, _Line] = {}

    def __len__(self) -> int:
        return len(self._lines)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for the turn of ``name``, and have it for the length of the block.

        Raises:
            NoTurn: see there; the block is not entered.
        """
        line = self._lines.setdefault(name, _Line())
        if line.count > self._waiting_max:
            raise NoTurn
        line.count += 1
        try:
            with trio.move_on_after(self._timeout_s) as waiting:
                await line.free.acquire()
            if waiting.cancelled_caught:
                raise NoTurn
            try:
                yield
            finally:
                line.free.release()
        finally:
            line.count -= 1
            if not line.count:
                del self._lines[name]
