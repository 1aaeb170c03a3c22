"""The bus of a single process: every subscription has a bounded buffer, and what does not fit is dropped and confessed."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import trio

from greenroom.schema.ids import UserId
from greenroom.storage.ports import BusBatch, BusNote, BusSubscription

BUFFER_NOTES_MAX: Final = 10_000
"""Some seconds of a busy worker's notes at about 1 KiB each; a reader further behind asks the database anyway."""

NoteFilter = Callable[[BusNote], bool]
"""Says whether a note arrives; for tests that lose some."""


@dataclass(frozen=True, slots=True)
class LocalBusStatistics:
    """Counts since the bus was made, over all subscriptions."""

    subscriptions: int
    published: int
    dropped: int


class LocalBus:
    """Hands notes to every subscriber in this process, in the order published."""

    def __init__(self, *, buffer_notes_max: int = BUFFER_NOTES_MAX, arrives: NoteFilter | None = None) -> None:
        """
        Args:
            buffer_notes_max: notes held per subscription before the next ones are dropped.
            arrives: asked for each note and subscription; a note it refuses is lost without a trace, as a wire
                between machines may lose it.
        """
        self._buffer_notes_max = buffer_notes_max
        self._arrives = arrives
        self._subscriptions: dict[_LocalSubscription, None] = {}
        self._published = 0
        self._dropped = 0

    @property
    def is_up(self) -> bool:
        """Always: nothing lies between."""
        return True

    async def publish(self, notes: Sequence[BusNote]) -> None:
        # No checkpoint: the committer publishes between two transactions, and would wait for everybody it has just answered.
        self._published += len(notes)
        for subscription in self._subscriptions:
            arriving = notes if self._arrives is None else [note for note in notes if self._arrives(note)]
            self._dropped += subscription.offer(arriving)

    def subscribe(
        self, *, concerns: Callable[[UserId], bool] | None = None
    ) -> AbstractAsyncContextManager[BusSubscription]:
        return self._subscribe(concerns)

    def wants(self, user_id: UserId) -> bool:
        """Whether a subscription would have what concerns this user's stream."""
        return any(sub.concerns is None or sub.concerns(user_id) for sub in self._subscriptions)

    @asynccontextmanager
    async def _subscribe(self, concerns: Callable[[UserId], bool] | None) -> AsyncIterator[BusSubscription]:
        subscription = _LocalSubscription(self._buffer_notes_max, concerns)
        self._subscriptions[subscription] = None
        try:
            yield subscription
        finally:
            del self._subscriptions[subscription]

    def interrupt(self) -> None:
        """Make every subscription suspect, as losing and regaining a wire would."""
        for subscription in self._subscriptions:
            subscription.suspect()

    def statistics(self) -> LocalBusStatistics:
        return LocalBusStatistics(len(self._subscriptions), self._published, self._dropped)


class _LocalSubscription:
    def __init__(self, notes_max: int, concerns: Callable[[UserId], bool] | None) -> None:
        self.concerns = concerns
        self._notes_max = notes_max
        self._notes: deque[BusNote] = deque()
        self._is_suspect = False
        self._lot = trio.lowlevel.ParkingLot()

    def offer(self, notes: Sequence[BusNote]) -> int:
        """Buffer what fits; return how many notes were dropped."""
        fitting = notes[: self._notes_max - len(self._notes)]
        self._notes.extend(fitting)
        dropped = len(notes) - len(fitting)
        if dropped:
            self._is_suspect = True
        self._lot.unpark()
        return dropped

    def suspect(self) -> None:
        self._is_suspect = True
        self._lot.unpark()

    async def receive(self) -> BusBatch:
        await trio.lowlevel.checkpoint()
        while not self._notes and not self._is_suspect:
            await self._lot.park()
        batch = BusBatch(notes=tuple(self._notes), is_suspect=self._is_suspect)
        self._notes.clear()
        self._is_suspect = False
        return batch
