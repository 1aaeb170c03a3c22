"""Users' event streams as clients meet them: live, as a log, and as a snapshot to start from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

import trio

from greenroom.actors.addresses import presence, stream_of
from greenroom.actors.alarms import Alarms
from greenroom.actors.asking import ask
from greenroom.actors.feeds import Feed, LocalFeeds
from greenroom.actors.identity import Identity
from greenroom.actors.presence import ConnectionsChanged, PresenceBoard
from greenroom.actors.replay import CursorRefused, Replay
from greenroom.actors.stream_connection import StreamConnection
from greenroom.actors.user_stream import Follow, Following
from greenroom.schema.cursor import Cursor
from greenroom.schema.errors import OutOfService, StorageUnavailable, Unavailable
from greenroom.schema.ids import UserId
from greenroom.schema.records import ConversationView, StoredEvent
from greenroom.storage.ports import Streams
from greenroom.supervisor import ActorSystem

ATTACH_TIMEOUT_S: Final = 10.0
"""Longer than other requests wait: a stream that is refused is one that an EventSource gives up for good."""

ATTACH_PAUSE_S: Final = 0.5

RETRY_MS: Final = (2_000, 6_000)
SYNC_CONVERSATIONS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class EventLog:
    """``cursor`` is where to go on, also when there was nothing."""

    events: Sequence[tuple[str, StoredEvent]]
    cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Sync:
    """State at ``cursor``: applying the events after it gives the state now. ``online`` names connected peers."""

    conversations: Sequence[ConversationView]
    total_unread: int
    online: Sequence[UserId]
    cursor: str


class EventStreams:
    """Opens, reads and summarises streams.

    Args:
        rng: jitters what clients are told to wait before they reconnect.
    """

    def __init__(
        self,
        *,
        system: ActorSystem,
        streams: Streams,
        replay: Replay,
        feeds: LocalFeeds,
        board: PresenceBoard,
        alarms: Alarms,
        wall: Callable[[], datetime],
        rng: Random,
    ) -> None:
        self._system = system
        self._streams = streams
        self._replay = replay
        self._feeds = feeds
        self._board = board
        self._alarms = alarms
        self._wall = wall
        self._rng = rng

    def retry_ms(self) -> int:
        """What to tell a client to wait before it reconnects: each another, so that they don't come together."""
        return self._rng.randint(*RETRY_MS)

    @asynccontextmanager
    async def open(self, identity: Identity, cursor: str | None) -> AsyncIterator[StreamConnection]:
        """Attach a connection at ``cursor``, or at the tail without one; detach it at the end.

        A cursor that can't be served does not fail this: the connection says ``reset`` and goes on from the tail.

        Raises:
            Unavailable: the stream can't be read now.
        """
        identity.require("conversations:read")
        async with self._follow(identity) as (feed, following):
            last_sent, reset = following.tail, None
            if cursor is not None:
                try:
                    last_sent = await self._replay.seq_of(identity.user.id, cursor, tail=following.tail)
                except CursorRefused as refused:
                    reset = refused.reset
                    last_sent = Cursor.parse(reset.current).seq
            yield StreamConnection(
                identity.user.id,
                feed,
                self._replay,
                self._alarms,
                following=following,
                last_sent=last_sent,
                reset=reset,
                expires_in_s=(identity.expires_at - self._wall()).total_seconds(),
                retry_ms=self.retry_ms(),
            )

    async def log(self, identity: Identity, *, after: str | None, limit: int, wait_s: float) -> EventLog:
        """Read events after a cursor (the tail without one); with nothing there, wait up to ``wait_s`` for some.

        Raises:
            CursorRefused: the cursor can't be served.
            Unavailable: the stream can't be read now.
        """
        identity.require("conversations:read")
        user_id = identity.user.id
        async with self._follow(identity, announce=False) as (feed, following):
            tail = following.tail
            start = tail if after is None else await self._replay.seq_of(user_id, after, tail=tail)
            events: Sequence[StoredEvent] = ()
            if start < tail:
                events = await self._replay.page(user_id, start, tail=tail, limit=limit + 1)
            if not events and wait_s > 0:
                with trio.move_on_after(wait_s):
                    while not events and feed.closing is None:
                        await feed.wait()
                        arrived = feed.take()
                        if arrived.events or arrived.is_behind:
                            events = await self._replay.page(user_id, start, tail=tail, limit=limit + 1)
        shown = events[:limit]
        return EventLog(
            events=[(self._replay.cursor(event.seq), event) for event in shown],
            cursor=self._replay.cursor(shown[-1].seq if shown else start),
            has_more=len(events) > limit,
        )

    async def sync(self, identity: Identity) -> Sync:
        """Read everything a client needs to start, from one database snapshot."""
        identity.require("conversations:read")
        snapshot = await self._streams.snapshot(
            identity.user.id, conversations_max=SYNC_CONVERSATIONS_MAX, now=self._wall()
        )
        peers = dict.fromkeys(view.other.user_id for view in snapshot.conversations)
        return Sync(
            conversations=snapshot.conversations,
            total_unread=snapshot.total_unread,
            online=[user_id for user_id in peers if self._board.is_online(user_id)],
            cursor=self._replay.cursor(snapshot.head.last_seq),
        )

    @asynccontextmanager
    async def _follow(self, identity: Identity, *, announce: bool = True) -> AsyncIterator[tuple[Feed, Following]]:
        """Register a feed first and learn the tail second, so that nothing can fall in between."""
        user_id = identity.user.id
        feed = Feed(identity.session_id)
        self._feeds.add(user_id, feed)
        try:
            if announce:
                presence(self._system).tell(ConnectionsChanged(user_id))
            yield feed, await self._attach(user_id, feed)
        finally:
            self._feeds.remove(user_id, feed)
            if announce:
                presence(self._system).tell(ConnectionsChanged(user_id))

    async def _attach(self, user_id: UserId, feed: Feed) -> Following:
        """Ask the stream actor to follow, again if it is restarting or overrun; a database that is away is told at once."""
        give_up_at = trio.current_time() + ATTACH_TIMEOUT_S
        while True:
            try:
                left_s = give_up_at - trio.current_time()
                address = stream_of(self._system, user_id)
                return await ask(self._system, address, Follow(feed), timeout_s=left_s)
            except Unavailable as exc:
                pause_s = min(exc.retry_after_s, ATTACH_PAUSE_S)
                if (
                    isinstance(exc, StorageUnavailable | OutOfService)
                    or trio.current_time() + pause_s >= give_up_at
                ):
                    raise Unavailable(
                        "Your event stream can't be opened now.", retry_after_s=exc.retry_after_s
                    ) from exc
                await trio.sleep(pause_s)
