"""Feeds: what waits for one connection, and which users have connections on this worker.

A feed holds references to a bounded number of events, never the whole backlog: over the bound it forgets them and says
that it is behind, and its connection then reads from Postgres, by cursor, at its own pace. So a slow reader costs its
own feed and nobody else anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from greenroom.actors.ring import Placed
from greenroom.schema.events import ClosingReason
from greenroom.schema.ids import SessionId, UserId
from greenroom.storage.ports import Ephemeral

FEED_EVENTS_MAX: Final = 256
"""References one feed holds: a burst of a few seconds. What is beyond is read from the user's ring or the database."""

FEED_BYTES_MAX: Final = 64 * 1024
"""What those events may have together, or a client that never reads could hold on to megabytes."""

FEED_EPHEMERALS_MAX: Final = 64
"""Ephemeral events kept per feed, latest per key: more peers than that typing at once tell a reader nothing."""

FEEDS_PER_USER_MAX: Final = 20
"""Streams one user may hold on a worker; the oldest is evicted beyond it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a feed had when it was taken from.

    Attributes:
        has_overflowed: some of what was offered did not fit and was forgotten.
        is_behind: there may be more in the database than was ever offered.
    """

    events: Sequence[Placed]
    ephemerals: Sequence[Ephemeral]
    has_overflowed: bool
    is_behind: bool


class Feed:
    """The bounded inbox of one connection.

    Attributes:
        closing: why the connection is to end its stream, if it is.
        is_following: the user's stream actor has told the connection where the stream stands, so it relies on being
            offered everything from there on.
    """

    __slots__ = (
        "_ephemerals",
        "_events",
        "_has_overflowed",
        "_is_behind",
        "_is_nudged",
        "_lot",
        "_reading",
        "_size",
        "closing",
        "is_following",
        "session_id",
    )

    def __init__(self, session_id: SessionId) -> None:
        self.session_id = session_id
        self.closing: ClosingReason | None = None
        self.is_following = False
        self._events: list[Placed] = []
        self._ephemerals: dict[str, Ephemeral] = {}
        self._size = 0
        self._has_overflowed = False
        self._is_behind = False
        self._is_nudged = False
        self._lot = trio.lowlevel.ParkingLot()
        self._reading: trio.CancelScope | None = None

    @property
    def has_arrivals(self) -> bool:
        return bool(
            self._events or self._ephemerals or self._has_overflowed or self._is_behind or self.closing is not None
        )

    def offer(self, events: Sequence[Placed]) -> None:
        """Hand over contiguous durable events; never waits."""
        self._events.extend(events)
        self._size += sum(event.size for event in events)
        if len(self._events) > FEED_EVENTS_MAX or self._size > FEED_BYTES_MAX:
            self._events, self._size = [], 0
            self._has_overflowed = True
        self._lot.unpark_all()

    def offer_ephemeral(self, ephemeral: Ephemeral) -> None:
        """Hand over an ephemeral event; it replaces an earlier one with the same key."""
        self._ephemerals.pop(ephemeral.key, None)
        if len(self._ephemerals) >= FEED_EPHEMERALS_MAX:
            del self._ephemerals[next(iter(self._ephemerals))]
        self._ephemerals[ephemeral.key] = ephemeral
        self._lot.unpark_all()

    def mark_behind(self) -> None:
        """Say that the database may hold events this feed was never offered."""
        self._is_behind = True
        self._lot.unpark_all()

    def close(self, reason: ClosingReason) -> None:
        """Have the connection end its stream; the first reason stands."""
        self.closing = self.closing or reason
        self._lot.unpark_all()
        if self._reading is not None:
            self._reading.cancel(reason="the stream is closing")

    def reading(self, *, until: float) -> trio.CancelScope:
        """A scope for a read that is to be given up at ``until``, or when this feed is closed."""
        self._reading = trio.CancelScope(deadline=until)
        return self._reading

    def take(self) -> Arrived:
        """Remove and return everything that arrived."""
        arrived = Arrived(self._events, list(self._ephemerals.values()), self._has_overflowed, self._is_behind)
        self._events, self._ephemerals, self._size = [], {}, 0
        self._has_overflowed = self._is_behind = False
        return arrived

    def nudge(self) -> None:
        """End the wait that is under way, or the next one, although nothing has arrived."""
        self._is_nudged = True
        self._lot.unpark_all()

    async def wait(self) -> None:
        """Wait until :attr:`has_arrivals`, or a nudge."""
        while not (self.has_arrivals or self._is_nudged):
            await self._lot.park()
        self._is_nudged = False


@dataclass(slots=True)
class _UserFeeds:
    feeds: list[Feed] = field(default_factory=list)
    is_followed: bool = False
    tail: int = 0


class LocalFeeds:
    """The feeds of every user connected to this worker.

    It outlives the stream actors: one that was restarted finds its user's connections here.
    """

    def __init__(self) -> None:
        self._users: dict[UserId, _UserFeeds] = {}
        self._count = 0
        self._closed: ClosingReason | None = None

    def is_connected(self, user_id: UserId) -> bool:
        """Say whether the user has a connection on this worker."""
        return bool(self.of(user_id))

    def concerns(self, user_id: UserId) -> bool:
        """Say whether news of this user's stream matters here: connected, or followed in case of a quick return."""
        return user_id in self._users

    def follow(self, user_id: UserId) -> None:
        """Note that the user's stream actor keeps up with the stream, connected or not."""
        self._users.setdefault(user_id, _UserFeeds()).is_followed = True

    def unfollow(self, user_id: UserId) -> None:
        """Note that it no longer does."""
        if entry := self._users.get(user_id):
            entry.is_followed = False
            self._forget_if_idle(user_id, entry)

    def __len__(self) -> int:
        """Feeds of all users."""
        return self._count

    def add(self, user_id: UserId, feed: Feed) -> None:
        """Register a connection; beyond the user's bound the oldest one is told to close, and after
        :meth:`close_all` the new one is."""
        if self._closed is not None:
            feed.close(self._closed)
        feeds = self._users.setdefault(user_id, _UserFeeds()).feeds
        feeds.append(feed)
        self._count += 1
        for surplus in feeds[:-FEEDS_PER_USER_MAX]:
            surplus.close(ClosingReason.EVICTED)

    def remove(self, user_id: UserId, feed: Feed) -> None:
        """Forget a connection that was added."""
        entry = self._users[user_id]
        entry.feeds.remove(feed)
        self._count -= 1
        self._forget_if_idle(user_id, entry)

    def of(self, user_id: UserId) -> Sequence[Feed]:
        entry = self._users.get(user_id)
        return () if entry is None else entry.feeds

    def users(self) -> list[UserId]:
        """Users whose streams concern this worker, in the order in which they first did."""
        return list(self._users)

    def note_tail(self, user_id: UserId, tail: int) -> None:
        """Remember how far the user's stream actor has got, for the sweep to compare with."""
        if entry := self._users.get(user_id):
            entry.tail = tail

    def tails(self, user_ids: Iterable[UserId]) -> dict[UserId, int]:
        """How far the streams of users that concern this worker have got; others are absent."""
        return {u: entry.tail for u in user_ids if (entry := self._users.get(u)) is not None}

    def sessions(self) -> list[tuple[UserId, SessionId]]:
        """Every session that has a connection here, once, and whose it is."""
        return list(
            dict.fromkeys((user, feed.session_id) for user, entry in self._users.items() for feed in entry.feeds)
        )

    def close_session(self, user_id: UserId, session_id: SessionId, reason: ClosingReason) -> None:
        """Have a session's connections end their streams."""
        for feed in self.of(user_id):
            if feed.session_id == session_id:
                feed.close(reason)

    def mark_behind(self, user_id: UserId) -> None:
        """Have those look into the database who relied on being offered everything; the others are yet to be told."""
        for feed in self.of(user_id):
            if feed.is_following:
                feed.mark_behind()

    def _forget_if_idle(self, user_id: UserId, entry: _UserFeeds) -> None:
        if not entry.feeds and not entry.is_followed:
            del self._users[user_id]

    def close_all(self, reason: ClosingReason) -> None:
        """Have every connection of this worker end its stream, and those that come later too."""
        self.close_newcomers(reason)
        for feed in self.everybodys():
            feed.close(reason)

    def close_newcomers(self, reason: ClosingReason) -> None:
        """Have connections that come from now on end their streams at once."""
        self._closed = reason

    def everybodys(self) -> list[Feed]:
        """All feeds there are now."""
        return [feed for entry in self._users.values() for feed in entry.feeds]
