"""What the bodies of all requests may hold together, so that many small ones are not too much either."""

from __future__ import annotations

import trio


class BodyRoom:
    """Counts bytes. Who would read more than there is room for waits, and TCP makes the client wait.

    Three quarters are for everybody. Were that all, bodies could fill it that have all begun and of which none can end; so the
    last quarter is for as many as it has room for to their end, one after the other as they come. Who gets into it keeps its
    place until its request is answered, and thus some can always end.

    Args:
        size: in bytes. What was received along with a head is counted, but was never waited for.
        longest: bytes of the longest body that is let through to its end.
    """

    def __init__(self, size: int, *, longest: int) -> None:
        reserved = size // 4
        self._open_to_all = size - reserved
        self._places_left = max(1, reserved // longest)
        self._held = 0
        self._waiting = trio.lowlevel.ParkingLot()

    @property
    def held(self) -> int:
        return self._held

    def share(self) -> BodyShare:
        """A share for one request, which holds nothing yet."""
        return BodyShare(self)


class BodyShare:
    """What one request's body holds of the room."""

    __slots__ = ("_has_place", "_held", "_room")

    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self._held = 0
        self._has_place = False  # among those that may read to their end

    async def wait(self) -> None:
        """Wait until another piece may be read; may be until the next checkpoint. No checkpoint itself if it may at once."""
        while not self._may_read():
            await self._room._waiting.park()

    def take(self, size: int) -> None:
        self._held += size
        self._room._held += size

    def give_back(self) -> None:
        """Give back all of it, once the request is answered."""
        if not self._held:
            return
        room = self._room
        room._held -= self._held
        room._places_left += self._has_place
        self._held, self._has_place = 0, False
        room._waiting.unpark_all()

    def _may_read(self) -> bool:
        room = self._room
        if self._has_place or room._held < room._open_to_all:
            return True
        if not self._held or not room._places_left:
            return False
        room._places_left -= 1
        self._has_place = True
        return True
