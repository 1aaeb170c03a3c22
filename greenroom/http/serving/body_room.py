"""What the bodies of all requests may hold together, so that many small ones are not too much either."""

from __future__ import annotations

import trio


class BodyRoom:
    """Counts bytes. Who would read more than there is room for waits, and TCP makes the client wait.

    A quarter of the room is kept for bodies that have begun: otherwise all could be begun and none be ended, until each has run
    out of time.

    Args:
        size: in bytes. What was received along with a head is counted, but was never waited for.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held = 0
        self._waiting = trio.lowlevel.ParkingLot()

    @property
    def held(self) -> int:
        return self._held

    async def wait(self, *, has_begun: bool) -> None:
        """Wait until another piece may be read; may be until the next checkpoint. No checkpoint itself if it may at once."""
        while self._held >= (self._size if has_begun else self._size - self._size // 4):
            await self._waiting.park()

    def take(self, size: int) -> None:
        self._held += size

    def give_back(self, size: int) -> None:
        self._held -= size
        if self._held < self._size:
            self._waiting.unpark_all()
