"""The sweep: every few seconds, one query compares how far local streams have got with the database.

The loss of the *last* hint shows nowhere among the hints; this finds it. So even a dead bus only delays: while it is down,
what other workers commit is found within two seconds, at the cost of one query per second for a thousand local users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import trio

from greenroom.actors.addresses import stream_of
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.user_stream import SweptTo
from greenroom.schema.errors import Unavailable
from greenroom.storage.ports import Bus, Streams
from greenroom.supervisor import Actor, Timer

SWEEP_S: Final = (5.0, 10.0)
"""Jittered between these, so that workers do not ask in step."""

SWEEP_WITHOUT_BUS_S: Final = (0.6, 1.2)
"""The same while the bus is down, and this is the only way."""

SWEEP_AGAIN_S: Final = 0.2
"""At least between two sweeps: a bus that loses something all the time asks for them all the time."""

SWEEP_USERS_MAX: Final = 1_000
"""Users per query."""


@dataclass(frozen=True, slots=True)
class SweepNow:
    """Something may have been lost: do not wait for the next turn."""


@dataclass(frozen=True, slots=True)
class SweepDue:
    """To itself: the next turn has come."""


class Sweep(Actor[SweepNow | SweepDue]):
    """Runs every few seconds, and when asked to."""

    def __init__(self, *, streams: Streams, feeds: LocalFeeds, bus: Bus) -> None:
        self._streams = streams
        self._feeds = feeds
        self._bus = bus
        self._due: Timer | None = None
        self._last_at = -SWEEP_AGAIN_S
        self._sweeps = 0
        self._repaired = 0

    async def init(self) -> None:
        self._schedule()

    async def handle(self, message: SweepNow | SweepDue) -> None:
        again_at = self._last_at + SWEEP_AGAIN_S
        if trio.current_time() < again_at:
            self._schedule_at(again_at)
            return
        self._last_at = trio.current_time()
        # Also when asked: that it was is often the first sign of a bus that is down.
        self._schedule()
        await self.run_once()

    def view(self) -> Mapping[str, object]:
        return {"sweeps": self._sweeps, "repaired": self._repaired}

    async def run_once(self) -> None:
        """Compare all connected users, in pages; a database that is away is asked again at the next turn."""
        self._sweeps += 1
        users = self._feeds.users()
        for start in range(0, len(users), SWEEP_USERS_MAX):
            try:
                heads = await self._streams.heads(users[start : start + SWEEP_USERS_MAX])
            except Unavailable:
                return
            tails = self._feeds.tails(heads)
            for user_id, head in heads.items():
                if user_id in tails and head.last_seq > tails[user_id]:
                    self._repaired += 1
                    stream_of(self.ctx.system, user_id).tell(SweptTo(head.last_seq))

    def _schedule(self) -> None:
        period_s = SWEEP_S if self._bus.is_up else SWEEP_WITHOUT_BUS_S
        self._schedule_at(trio.current_time() + self.ctx.rng.uniform(*period_s))

    def _schedule_at(self, moment: float) -> None:
        """Set the one timer."""
        if self._due is not None:
            self._due.cancel()
        self._due = self.ctx.tell_after(max(0.0, moment - trio.current_time()), SweepDue())
