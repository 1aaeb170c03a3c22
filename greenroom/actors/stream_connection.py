"""One connection's way through its user's stream: what to write next, however the past and the present arrive.

The rule that makes loss and repetition impossible: a connection writes ``last_sent + 1`` and nothing else. What lies at
or below ``last_sent`` is dropped; a jump is filled from Postgres. Its feed was registered before the past was read, so
it does not matter on which side of that race an event falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from greenroom.actors.alarms import Alarms
from greenroom.actors.feeds import Feed
from greenroom.actors.replay import REPLAY_PAGE, CursorRefused, Replay
from greenroom.actors.ring import Placed
from greenroom.actors.user_stream import Following
from greenroom.schema.cursor import Cursor
from greenroom.schema.errors import Unavailable
from greenroom.schema.events import Closing, ClosingReason, Frame, Heartbeat, Ready, Reset
from greenroom.schema.ids import UserId
from greenroom.schema.records import StoredEvent
from greenroom.schema.wire import to_json

HEARTBEAT_S: Final = 15.0
"""Half of the shortest idle timeout common among proxies."""

STALLED_S: Final = 10.0
"""A connection that takes nothing for this long while something waits is a slow consumer."""

WRITE_BYTES_MAX: Final = 128 * 1024
"""Of past events in one write, as it is what a client that stops reading holds on to. The first event always goes."""

BACKFILL_RETRY_S: Final = 1.0
"""Pause before asking a database again that did not answer; the stream stays open meanwhile."""

_COMES_BACK: Final = frozenset({ClosingReason.SLOW_CONSUMER, ClosingReason.DRAINING})
"""Reasons after which the same client should reconnect."""


class StreamConnection:
    """What one SSE or WebSocket connection writes, in order.

    Use :meth:`receive` from one task until it returns nothing.

    Args:
        following: the stream's answer after ``feed`` was registered.
        last_sent: where this connection starts: the client's cursor, or the tail. Beyond ``following.tail`` if another
            worker has shown more to this client than this one knows of; until it does, nothing is written.
        reset: says that the client's cursor could not be served.
        expires_in_s: when the session behind it ends.
        retry_ms: what an EventSource should wait before it reconnects.
    """

    def __init__(
        self,
        user_id: UserId,
        feed: Feed,
        replay: Replay,
        alarms: Alarms,
        *,
        following: Following,
        last_sent: int,
        reset: Reset | None,
        expires_in_s: float,
        retry_ms: int,
    ) -> None:
        self.retry_ms = retry_ms
        self._user_id = user_id
        self._feed = feed
        self._replay = replay
        self._alarms = alarms
        self._last_sent = last_sent
        self._tail = max(following.tail, last_sent)
        self._ring = following.ring
        self._is_ring_enough = True  # what was missed is in the ring, unless it is too old for it
        self._is_behind = last_sent < following.tail
        self._page_events = REPLAY_PAGE
        self._has_ended = False
        self._left_at = trio.current_time()
        self._look_again_at = 0.0
        self._expires_at = self._left_at + expires_in_s
        self._heartbeat_at = self._next_heartbeat(self._left_at)
        ready = Ready(user_id=user_id, cursor=replay.cursor(last_sent), tail=replay.cursor(self._tail))
        self._opening = [Frame(id=ready.cursor, event="ready", data=to_json(ready))]
        if reset is not None:
            self._opening.append(_reset_frame(reset))

    async def receive(self) -> Sequence[Frame]:
        """Wait for something to write and return all there is, in order; empty once the stream has ended.

        Never raises for a database that is away: the connection waits for it, and heartbeats go on.
        """
        if self._has_ended:
            return ()
        if self._opening:
            frames, self._opening = self._opening, []
            return self._leave(frames)
        if self._feed.has_arrivals and trio.current_time() - self._left_at > STALLED_S:
            self._feed.close(ClosingReason.SLOW_CONSUMER)
        while True:
            if self._feed.closing is not None:
                return self._close(self._feed.closing)
            now = trio.current_time()
            if now >= self._expires_at:
                return self._close(ClosingReason.EXPIRED)
            frames = self._follow() if self._feed.has_arrivals else []
            if self._is_behind:
                frames = await self._catch_up() + frames
            if now >= self._heartbeat_at:
                frames.append(self._heartbeat())
            if frames:
                return self._leave(frames)
            if self._is_behind and now >= self._look_again_at:
                self._look_again_at = now + BACKFILL_RETRY_S
                self._alarms.at(self._look_again_at, self._feed.nudge)
            await self._feed.wait()

    def _follow(self) -> list[Frame]:
        """Take what the feed has. Durable events beyond a gap are dropped here and read from the database instead."""
        arrived = self._feed.take()
        fresh = arrived.events
        if fresh and fresh[0].seq <= self._last_sent:
            fresh = [event for event in fresh if event.seq > self._last_sent]
        if fresh:
            self._tail = max(self._tail, fresh[-1].seq)
        if arrived.is_behind:
            self._is_ring_enough = False
        if arrived.is_behind or arrived.has_overflowed or (fresh and fresh[0].seq != self._last_sent + 1):
            self._is_behind = True
        frames = [] if self._is_behind else self._advance(fresh)
        if arrived.ephemerals:
            frames += [Frame(id=None, event=e.name, data=e.data) for e in arrived.ephemerals]
        return frames

    async def _catch_up(self) -> list[Frame]:
        """Take one write's worth of the past; stay behind while there is more, or the database does not answer."""
        recent = self._ring.after(self._last_sent) if self._is_ring_enough else None
        if recent:  # with nothing there, it may be the ring of an actor that crashed: the database knows
            self._tail = max(self._tail, recent[-1].seq)
            frames = self._advance(_first_of(recent))
            self._is_behind = self._last_sent < self._tail
            return frames
        try:
            page = await self._read_page()
        except Unavailable:
            return []
        except CursorRefused as refused:
            self._is_behind = False
            self._last_sent = self._tail = Cursor.parse(refused.reset.current).seq
            return [_reset_frame(refused.reset)]
        if page is None:
            return []
        taken = _first_of([self._replay.place(event) for event in page])
        frames = self._advance(taken)
        is_last = len(page) < self._page_events
        if is_last:
            self._tail = max(self._tail, page[-1].seq if page else 0)
            self._is_ring_enough = True
        # What did not fit is read again, so where events are long, pages are short.
        self._page_events = len(taken) if len(taken) < len(page) else min(2 * self._page_events, REPLAY_PAGE)
        self._is_behind = not is_last or self._last_sent < self._tail
        return frames

    async def _read_page(self) -> Sequence[StoredEvent] | None:
        """Read the next page of the past; None when a heartbeat, the end of the session or of the stream comes first."""
        with self._feed.reading(until=min(self._heartbeat_at, self._expires_at)):
            return await self._replay.page(
                self._user_id, self._last_sent, tail=self._tail, limit=self._page_events
            )
        return None

    def _advance(self, events: Sequence[Placed]) -> list[Frame]:
        if events:
            self._last_sent = events[-1].seq
            self._tail = max(self._tail, self._last_sent)
        return [event.frame for event in events]

    def _heartbeat(self) -> Frame:
        self._heartbeat_at = self._next_heartbeat(trio.current_time())
        beat = Heartbeat(cursor=self._replay.cursor(self._last_sent), tail=self._replay.cursor(self._tail))
        return Frame(id=beat.cursor, event="heartbeat", data=to_json(beat))

    def _next_heartbeat(self, now: float) -> float:
        """When it will be, having seen to it that this connection is awake then, or at the end of its session."""
        self._alarms.at(min(now + HEARTBEAT_S, self._expires_at), self._feed.nudge)
        return now + HEARTBEAT_S

    def _close(self, reason: ClosingReason) -> Sequence[Frame]:
        self._has_ended = True
        closing = Closing(reason=reason, reconnect=reason in _COMES_BACK)
        return (Frame(id=None, event="closing", data=to_json(closing)),)

    def _leave(self, frames: list[Frame]) -> Sequence[Frame]:
        self._left_at = trio.current_time()
        return frames


def _first_of(events: Sequence[Placed]) -> Sequence[Placed]:
    """As many as go into one write."""
    size = 0
    for n, event in enumerate(events):
        size += event.size
        if size > WRITE_BYTES_MAX and n > 0:
            return events[:n]
    return events


def _reset_frame(reset: Reset) -> Frame:
    return Frame(id=reset.current, event="reset", data=to_json(reset))
