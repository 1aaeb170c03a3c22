"""The wire between workers, and the notes on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import StoredEvent


@dataclass(frozen=True, slots=True)
class Hint:
    """Says that a user's stream grew; ``events`` are contiguous and never empty. A hint may be lost: it is never the truth."""

    user_id: UserId
    epoch: str
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """An event that is never stored. Of those with the same ``key``, only the latest matters."""

    user_ids: tuple[UserId, ...]
    name: str
    key: str
    data: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """A session ended: its streams must close."""

    user_id: UserId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class GrownTo:
    """Says that a user's stream reached ``last_seq``, without the events: a hint that was too long for the wire."""

    user_id: UserId
    epoch: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Present:
    """A worker's word that these users are connected to it, good for ``lease_s`` seconds; 0: they no longer are."""

    worker: str
    user_ids: tuple[UserId, ...]
    lease_s: float


@dataclass(frozen=True, slots=True)
class RollCall:
    """``worker`` is new, or has missed something, and asks all others to say who is connected to them."""

    worker: str


BusNote = Hint | GrownTo | Ephemeral | Revocation | Present | RollCall


@dataclass(frozen=True, slots=True)
class BusBatch:
    """What arrived. ``is_suspect``: something before these notes may have been lost, so compare with the database."""

    notes: tuple[BusNote, ...]
    is_suspect: bool


class BusSubscription(Protocol):
    """One subscriber's notes, in the order they came; good for as long as its context is open."""

    async def receive(self) -> BusBatch:
        """Wait for notes; bounded inside: what does not fit is dropped and the next batch says so."""
        ...


class Bus(Protocol):
    """The wire between workers: at most once, never the truth."""

    @property
    def is_up(self) -> bool:
        """Whether notes reach the other workers, as far as is known; if not, only the sweep finds what they did."""
        ...

    async def publish(self, notes: Sequence[BusNote]) -> None:
        """Hand notes to every subscriber, this worker's included. Never raises for a bus that is down."""
        ...

    def subscribe(
        self, *, concerns: Callable[[UserId], bool] | None = None
    ) -> AbstractAsyncContextManager[BusSubscription]:
        """Receive what is published from now on, by any worker.

        Args:
            concerns: whether the subscriber has to do with a user. What another worker tells of the streams of users
                with whom nobody here has to do, in that moment, may be left out.
        """
        ...
