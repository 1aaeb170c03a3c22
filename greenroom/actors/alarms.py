"""Alarms: what wakes a quiet connection, one timer for all connections of a worker.

A connection waits for events, its next heartbeat and the end of its session. A timeout of its own around each of its
waits would be made anew for every event that comes, and cost more than to write the event. So a connection says once per
heartbeat when it wants to be woken, and one task wakes whoever is due.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import trio

from greenroom.supervisor import Actor


class Alarms:
    """Moments at which to call somebody, soonest first. They can't be taken back, so a call must be harmless."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()  # calls can't be compared
        self._sleeping = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._due)

    def at(self, moment: float, call: Callable[[], None]) -> None:
        """Call ``call`` at ``moment`` of Trio's clock, or soon if that is past."""
        heappush(self._due, (moment, next(self._numbers), call))
        self._sleeping.deadline = min(self._sleeping.deadline, moment)

    async def ring(self) -> None:
        """Make the calls, for as long as this runs."""
        while True:
            with trio.CancelScope(deadline=self._due[0][0] if self._due else math.inf) as self._sleeping:
                await trio.sleep_forever()
            while self._due and self._due[0][0] <= trio.current_time():
                heappop(self._due)[2]()


class AlarmClock(Actor[None]):
    """Rings for as long as it lives; it has no messages of its own."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    async def init(self) -> None:
        self.ctx.start_task(self._alarms.ring)

    async def handle(self, message: None) -> None:
        """Nothing is sent to it."""

    def view(self) -> dict[str, object]:
        return {"waiting": len(self._alarms)}
