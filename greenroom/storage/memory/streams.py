"""Event streams and their retention, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.schema.errors import UserNotFound
from greenroom.schema.ids import MessageId, UserId
from greenroom.schema.records import ConversationState, StoredEvent, StreamHead, SyncSnapshot
from greenroom.schema.redaction import message_in, without_words
from greenroom.storage.event_weeks import week_of, week_starts, weeks_to_prepare
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.tables import Tables, total_unread


class MemoryStreams:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def epoch(self) -> str:
        async with self._database.operation("streams.epoch"):
            return self._database.epoch

    async def head(self, user_id: UserId) -> StreamHead:
        async with self._database.operation("streams.head"):
            return self._head(user_id)

    async def heads(self, user_ids: Sequence[UserId]) -> Mapping[UserId, StreamHead]:
        async with self._database.operation("streams.heads"):
            streams = self._database.tables.streams
            return {user_id: streams[user_id] for user_id in user_ids if user_id in streams}

    async def events_after(self, user_id: UserId, after: int, *, limit: int) -> list[StoredEvent]:
        async with self._database.operation("streams.events_after"):
            tables = self._database.tables
            return [_as_told(event, tables) for event in tables.events_above(user_id, after, limit)]

    async def snapshot(self, user_id: UserId, *, conversations_max: int, now: datetime) -> SyncSnapshot:
        async with self._database.operation("streams.snapshot"):
            tables = self._database.tables
            states = [state for state in ConversationState if state is not ConversationState.TRASHED]
            views = tables.views(user_id, before=None, states=states, limit=conversations_max, now=now)
            return SyncSnapshot(
                conversations=tuple(views),
                total_unread=total_unread(tables.participants_of(user_id)),
                head=self._head(user_id),
            )

    async def keep_events_since(self, moment: datetime, now: datetime) -> int:
        async with self._database.operation("streams.keep_events_since"):
            tables = self._database.tables
            cutoff = week_starts(week_of(moment))
            for user_id, kept in tables.events.items():
                floor = max((event.seq for event in kept if event.at < cutoff), default=0)
                if floor:
                    tables.streams[user_id] = replace(tables.streams[user_id], floor_seq=floor)
                    tables.events[user_id] = tables.events_above(user_id, floor, len(kept))
            old = {week for week in tables.event_weeks if week < week_of(moment)}
            unprepared = {week_of(event.at) for kept in tables.events.values() for event in kept}
            tables.event_weeks -= old
            tables.event_weeks.update(w for w in weeks_to_prepare(now) if w not in unprepared)
            return len(old)

    def _head(self, user_id: UserId) -> StreamHead:
        head = self._database.tables.streams.get(user_id)
        if head is None:
            raise UserNotFound("No such user.")
        return head


def _as_told(event: StoredEvent, tables: Tables) -> StoredEvent:
    """The event, without the words of a message that has been deleted since."""
    message_id = message_in(event.name, event.data)
    message = None if message_id is None else tables.message(MessageId(message_id))
    if message is None or message.deleted_at is None:
        return event
    return replace(event, data=without_words(event.data, message.deleted_at))
