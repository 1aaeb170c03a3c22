"""How many connections there may be at a time, and waiting for one to end."""

from __future__ import annotations

import trio


class Room:
    """So many places. Several may wait for one; when one is given back all of them look, and whoever is first takes it.

    Args:
        places: at least 1.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._waiting = trio.lowlevel.ParkingLot()

    async def wait(self) -> None:
        """Wait until there is a place; it is there until the next checkpoint. Not a checkpoint itself if there is one."""
        while self._taken >= self._places:
            await self._waiting.park()

    def take(self) -> None:
        self._taken += 1

    def give_back(self) -> None:
        self._taken -= 1
        self._waiting.unpark_all()
