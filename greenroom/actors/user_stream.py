"""A user's stream on this worker: one actor per connected user, between the bus and the user's connections.

It keeps ``tail``, the highest sequence up to which it has seen everything, and a small ring of the newest events.
A hint that begins at tail + 1 is passed on; one that lies at or below the tail was seen; one that begins later shows a
gap, which is filled from Postgres. Commit order is sequence order, so a gap means a lost hint and never an event that
is still to come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from greenroom.actors.feeds import Feed, LocalFeeds
from greenroom.actors.replay import Replay
from greenroom.actors.ring import Ring
from greenroom.schema.errors import DomainError, Unavailable
from greenroom.schema.ids import UserId
from greenroom.schema.records import StoredEvent
from greenroom.storage.ports import Ephemeral
from greenroom.supervisor import Actor, ExitReason, Request

GAP_EVENTS_MAX: Final = 128
"""Missed events that are read for all connections at once; beyond it each reads them at its own pace."""


@dataclass(frozen=True, slots=True)
class Following:
    """Where the stream stands, and its newest events: those that will come are put into the same ``ring``."""

    tail: int
    ring: Ring


@dataclass(frozen=True, slots=True)
class Follow(Request[Following]):
    """Asked by a connection whose feed is registered: from ``tail`` on, its feed gets everything."""

    feed: Feed


@dataclass(frozen=True, slots=True)
class Grown:
    """A hint: these contiguous events were committed."""

    events: Sequence[StoredEvent]


@dataclass(frozen=True, slots=True)
class SweptTo:
    """The database says the stream has reached ``last_seq``."""

    last_seq: int


@dataclass(frozen=True, slots=True)
class LookForFeeds:
    """To itself, some time after the stream was last followed: with no connection left, it can go."""


StreamMessage = Follow | Grown | SweptTo | Ephemeral | LookForFeeds


class UserStream(Actor[StreamMessage]):
    """Follows one user's stream while the user has connections here.

    Args:
        idle_s: how long to stay after the last connection went, so that a quick reconnect finds the ring warm.
    """

    refusals = (DomainError,)

    def __init__(
        self,
        user_id: UserId,
        *,
        replay: Replay,
        feeds: LocalFeeds,
        idle_s: float,
    ) -> None:
        self._user_id = user_id
        self._replay = replay
        self._feeds = feeds
        self._idle_s = idle_s
        self._tail: int | None = None
        self._ring = Ring()

    async def init(self) -> None:
        # Connections may be there already, if an incarnation before this one crashed; what it had seen is unknown.
        self._feeds.mark_behind(self._user_id)
        self._feeds.follow(self._user_id)
        self.ctx.tell_after(self._idle_s, LookForFeeds())

    async def terminate(self, reason: ExitReason) -> None:
        self._feeds.unfollow(self._user_id)

    async def handle(self, message: StreamMessage) -> Following | None:
        match message:
            case Follow(feed):
                tail = await self._known_tail()
                feed.is_following = True
                return Following(tail=tail, ring=self._ring)
            case Grown(events):
                await self._grow(events)
            case SweptTo(last_seq):
                if self._tail is None or last_seq > self._tail:
                    await self._fill_gap()
            case Ephemeral():
                for feed in self._feeds.of(self._user_id):
                    feed.offer_ephemeral(message)
            case LookForFeeds():
                if self._feeds.is_connected(self._user_id):
                    self.ctx.tell_after(self._idle_s, LookForFeeds())
                else:
                    self.ctx.passivate()
            case _:
                assert_never(message)
        return None

    def view(self) -> Mapping[str, object]:
        return {"tail": self._tail, "ring": len(self._ring), "connections": len(self._feeds.of(self._user_id))}

    async def _known_tail(self) -> int:
        if self._tail is not None:
            return self._tail
        head = await self._replay.head(self._user_id)
        self._set_tail(head.last_seq)
        # Hints up to this tail will be dropped as seen, so whoever was connected before it has to look for itself.
        self._feeds.mark_behind(self._user_id)
        return head.last_seq

    async def _grow(self, events: Sequence[StoredEvent]) -> None:
        if self._tail is None or events[0].seq > self._tail + 1:
            await self._fill_gap()
        elif events[-1].seq > self._tail:
            self._pass_on([event for event in events if event.seq > self._tail])

    async def _fill_gap(self) -> None:
        """Catch up with the database; when that is not to be had or much was missed, let each connection do it."""
        try:
            if self._tail is None:
                await self._known_tail()
                return
            missed = await self._replay.events_after(self._user_id, self._tail, limit=GAP_EVENTS_MAX)
        except Unavailable:
            # A connection that is behind asks the database itself, patiently, so nothing is lost by forgetting.
            self._forget()
            return
        if len(missed) == GAP_EVENTS_MAX or (missed and missed[0].seq != self._tail + 1):
            self._forget()
        elif missed:
            self._pass_on(missed)

    def _forget(self) -> None:
        self._tail = None
        self._ring.clear()
        self._feeds.mark_behind(self._user_id)

    def _pass_on(self, events: Sequence[StoredEvent]) -> None:
        placed = [self._replay.place(event) for event in events]
        deletions = [n for n, event in enumerate(events) if event.name == "message.deleted"]
        if deletions:
            # What is remembered from before may hold the words that are gone; the database tells it without them.
            self._ring.clear()
        self._ring.extend(placed[deletions[-1] :] if deletions else placed)
        self._set_tail(events[-1].seq)
        for feed in self._feeds.of(self._user_id):
            feed.offer(placed)

    def _set_tail(self, tail: int) -> None:
        self._tail = tail
        self._feeds.note_tail(self._user_id, tail)
