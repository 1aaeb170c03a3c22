"""A follower of one stream, as the server's stream actors are: hints show what is new, the truth fills what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from greenroom.schema.ids import UserId
from greenroom.storage.ports import Bus, BusNote, GrownTo, Hint
from tests.storage.bus.notes import MAYA


class Follower:
    """Follows ``user_id``; ``truth`` says how far the stream has got in the database."""

    def __init__(self, truth: Callable[[], int], *, user_id: UserId = MAYA) -> None:
        self.seen: list[int] = []
        self.repairs = 0
        self._truth = truth
        self._user_id = user_id
        self._changed = trio.Event()

    @property
    def tail(self) -> int:
        return self.seen[-1] if self.seen else 0

    async def until(self, seq: int, *, within_s: float) -> None:
        """Wait until the stream was seen up to ``seq``."""
        with trio.fail_after(within_s):
            while self.tail < seq:
                self._changed = trio.Event()
                await self._changed.wait()

    async def follow(self, bus: Bus, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with bus.subscribe() as subscription:
            task_status.started()
            while True:
                batch = await subscription.receive()
                if batch.is_suspect:
                    self._repair()
                for note in batch.notes:
                    self._take(note)
                self._changed.set()

    def _take(self, note: BusNote) -> None:
        match note:
            case Hint(user_id=user_id, events=events) if user_id == self._user_id:
                if events[0].seq > self.tail + 1:
                    self._repair()
                self.seen += [event.seq for event in events if event.seq > self.tail]
            case GrownTo(user_id=user_id) if user_id == self._user_id:
                self._repair()

    def _repair(self) -> None:
        self.repairs += 1
        self.seen += range(self.tail + 1, self._truth() + 1)


@asynccontextmanager
async def following(bus: Bus, truth: Callable[[], int]) -> AsyncIterator[Follower]:
    """A follower for the length of the block."""
    follower = Follower(truth)
    async with trio.open_nursery() as nursery:
        await nursery.start(follower.follow, bus)
        yield follower
        nursery.cancel_scope.cancel()


class Writer:
    """Commits to the stream and hints at it, one event at a time."""

    def __init__(self) -> None:
        self.committed = 0

    async def write(self, bus: Bus, hint: Callable[[int], Hint], *, events: int, pause_s: float = 0.0) -> None:
        for _ in range(events):
            self.committed += 1
            await bus.publish([hint(self.committed)])
            if pause_s:
                await trio.sleep(pause_s)
