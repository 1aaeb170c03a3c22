"""Reads of users' past events, and the check whether a cursor can be served."""

from __future__ import annotations

from typing import Final

import trio

from greenroom.actors.ring import Placed
from greenroom.actors.stream_heads import StreamHeads
from greenroom.schema.cursor import Cursor, MalformedCursor
from greenroom.schema.events import Frame, Reset, ResetReason
from greenroom.schema.ids import UserId
from greenroom.schema.records import StoredEvent, StreamHead
from greenroom.storage.ports import Streams

REPLAY_PAGE: Final = 200

REPLAY_QUERIES_MAX: Final = 4
"""Replay queries at once per worker, so that a storm of reconnects leaves database connections for everything else."""


class CursorRefused(Exception):
    """A cursor can't be served; ``reset`` says why and where to go on."""

    def __init__(self, reset: Reset) -> None:
        super().__init__(reset.reason.value)
        self.reset = reset


class Replay:
    """Reads past events, a bounded number of queries at once per worker; whoever has to wait is served in turn.

    Args:
        epoch: the name of this database's history.
    """

    def __init__(self, streams: Streams, *, epoch: str) -> None:
        self.epoch = epoch
        self._streams = streams
        self._heads = StreamHeads(streams)
        self._limiter = trio.CapacityLimiter(REPLAY_QUERIES_MAX)

    def cursor(self, seq: int) -> str:
        return str(Cursor(self.epoch, seq))

    def place(self, event: StoredEvent) -> Placed:
        """Make of an event what connections write."""
        frame = Frame(id=self.cursor(event.seq), event=event.name, data=event.data)
        return Placed(event.seq, frame, size=len(event.data.encode()))

    async def head(self, user_id: UserId) -> StreamHead:
        """Where the user's stream stands; see :meth:`StreamHeads.read`."""
        return await self._heads.read(user_id)

    async def events_after(self, user_id: UserId, after: int, *, limit: int) -> list[StoredEvent]:
        """Read as :meth:`Streams.events_after` does, in turn."""
        async with self._limiter:
            return await self._streams.events_after(user_id, after, limit=limit)

    async def page(self, user_id: UserId, after: int, *, tail: int, limit: int = REPLAY_PAGE) -> list[StoredEvent]:
        """The ``limit`` oldest events after ``after``, without a gap.

        Args:
            tail: a sequence the stream is known to have reached.

        Raises:
            CursorRefused: events after ``after`` have expired.
        """
        events = await self.events_after(user_id, after, limit=limit)
        if events[0].seq != after + 1 if events else after < tail:
            raise await self.refusal(ResetReason.CURSOR_EXPIRED, user_id, tail=tail)
        return events

    async def seq_of(self, user_id: UserId, cursor: str, *, tail: int) -> int:
        """Read a client's cursor. It may lie beyond ``tail``: another worker showed what this one has not heard of yet.

        Raises:
            CursorRefused: malformed, of another epoch, or ahead of the stream.
            Unavailable: the database would have to be asked, and does not answer.
        """
        try:
            wanted = Cursor.parse(cursor)
        except MalformedCursor:
            raise await self.refusal(ResetReason.MALFORMED, user_id, tail=tail) from None
        if wanted.epoch != self.epoch:
            raise await self.refusal(ResetReason.EPOCH_CHANGED, user_id, tail=tail)
        if wanted.seq > tail and wanted.seq > (await self.head(user_id)).last_seq:
            raise await self.refusal(ResetReason.CURSOR_AHEAD, user_id, tail=tail)
        return wanted.seq

    async def refusal(self, reason: ResetReason, user_id: UserId, *, tail: int) -> CursorRefused:
        """Make the error that says where the kept events begin and where the stream stands."""
        head = await self.head(user_id)
        return CursorRefused(
            Reset(
                reason=reason,
                oldest=self.cursor(head.floor_seq),
                current=self.cursor(max(tail, head.last_seq)),
            )
        )
