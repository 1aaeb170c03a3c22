"""An event that happens again and again."""

from __future__ import annotations

import trio


class Pulse:
    """Wakes everybody who waits, each time it beats; nobody waits for a beat that is past."""

    def __init__(self) -> None:
        self._next = trio.Event()

    def beat(self) -> None:
        last, self._next = self._next, trio.Event()
        last.set()

    async def wait(self) -> None:
        """Wait for the next beat."""
        await self._next.wait()
