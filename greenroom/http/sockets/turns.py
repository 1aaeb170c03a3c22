"""Going one after the other, in the order of coming, where several are about the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import trio


class Turns:
    """Turns by key. What is kept is bounded by how many wait or have their turn at once."""

    def __init__(self) -> None:
        self._last: dict[Hashable, trio.Event] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Wait until all who came earlier for this key are done; the place is taken before anything is waited for."""
        before, mine = self._last.get(key), trio.Event()
        self._last[key] = mine
        try:
            if before is not None:
                await before.wait()
            yield
        finally:
            mine.set()
            if self._last[key] is mine:
                del self._last[key]
