"""Reads of conversations and messages, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from greenroom.schema.ids import ConversationId, MessageId, UserId
from greenroom.schema.records import ConversationState, ConversationView, Message, MessageEdit
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.tables import total_unread
from greenroom.storage.ports import ConversationPageKey


class MemoryConversations:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def participants(self, conversation_id: ConversationId) -> tuple[UserId, UserId] | None:
        async with self._database.operation("conversations.participants"):
            conversation = self._database.tables.conversations.get(conversation_id)
            return None if conversation is None else (conversation.student_id, conversation.instructor_id)

    async def conversation_between(self, one: UserId, other: UserId) -> ConversationId | None:
        async with self._database.operation("conversations.conversation_between"):
            return self._database.tables.pairs.get((min(one, other), max(one, other)))

    async def view(
        self, conversation_id: ConversationId, user_id: UserId, *, now: datetime
    ) -> ConversationView | None:
        async with self._database.operation("conversations.view"):
            tables = self._database.tables
            if (conversation_id, user_id) not in tables.participants:
                return None
            return tables.view(tables.conversations[conversation_id], user_id, now)

    async def page(
        self,
        user_id: UserId,
        *,
        state: ConversationState,
        before: ConversationPageKey | None,
        limit: int,
        now: datetime,
    ) -> list[ConversationView]:
        async with self._database.operation("conversations.page"):
            tables = self._database.tables
            return tables.views(user_id, before=before, states=[state], limit=limit, now=now)

    async def total_unread(self, user_id: UserId) -> int:
        async with self._database.operation("conversations.total_unread"):
            return total_unread(self._database.tables.participants_of(user_id))

    async def messages_before(
        self, conversation_id: ConversationId, before: int | None, *, limit: int
    ) -> list[Message]:
        async with self._database.operation("conversations.messages_before"):
            return self._database.tables.messages_below(conversation_id, before, limit)

    async def messages_after(self, conversation_id: ConversationId, after: int, *, limit: int) -> list[Message]:
        async with self._database.operation("conversations.messages_after"):
            return self._database.tables.messages_above(conversation_id, after, limit)

    async def conversation_of(self, message_id: MessageId) -> ConversationId | None:
        async with self._database.operation("conversations.conversation_of"):
            place = self._database.tables.message_places.get(message_id)
            return None if place is None else place[0]

    async def message(self, message_id: MessageId, user_id: UserId) -> Message | None:
        async with self._database.operation("conversations.message"):
            tables = self._database.tables
            found = tables.message(message_id)
            is_theirs = found is not None and (found.conversation_id, user_id) in tables.participants
            return found if is_theirs else None

    async def edits(self, message_id: MessageId) -> list[MessageEdit]:
        async with self._database.operation("conversations.edits"):
            return list(self._database.tables.edits.get(message_id, ()))

    async def peers(self, user_ids: Sequence[UserId], *, limit: int) -> Mapping[UserId, Sequence[UserId]]:
        async with self._database.operation("conversations.peers"):
            tables = self._database.tables
            newest = {user_id: tables.newest_first(user_id)[:limit] for user_id in user_ids}
            return {
                user_id: [tables.participants[conversation.id, user_id].peer_id for conversation in conversations]
                for user_id, conversations in newest.items()
                if conversations
            }
