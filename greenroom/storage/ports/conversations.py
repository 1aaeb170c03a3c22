"""Conversations and their messages, as they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from greenroom.schema.ids import ConversationId, MessageId, UserId
from greenroom.schema.records import ConversationState, ConversationView, Message, MessageEdit


@dataclass(frozen=True, slots=True)
class ConversationPageKey:
    """Where a page of conversations ended. Newest activity first, ties by id descending."""

    last_message_at: datetime
    conversation_id: ConversationId


class Conversations(Protocol):
    """Plain reads of conversations and messages."""

    async def participants(self, conversation_id: ConversationId) -> tuple[UserId, UserId] | None:
        """Return (student, instructor), or None if there is no such conversation."""
        ...

    async def conversation_between(self, one: UserId, other: UserId) -> ConversationId | None:
        """Return the conversation of two users, whichever way round; None if they have none."""
        ...

    async def view(
        self, conversation_id: ConversationId, user_id: UserId, *, now: datetime
    ) -> ConversationView | None:
        """Return the conversation as ``user_id`` sees it; None for a stranger or an unknown id.

        Args:
            now: the moment from which on lessons are upcoming; so wherever a conversation is read.
        """
        ...

    async def page(
        self,
        user_id: UserId,
        *,
        state: ConversationState,
        before: ConversationPageKey | None,
        limit: int,
        now: datetime,
    ) -> list[ConversationView]:
        """One page of a user's conversations, newest activity first; two queries at any size."""
        ...

    async def total_unread(self, user_id: UserId) -> int:
        """Sum of the user's unread counts over conversations that are not trashed."""
        ...

    async def messages_before(
        self, conversation_id: ConversationId, before: int | None, *, limit: int
    ) -> list[Message]:
        """The ``limit`` newest messages with ``seq`` < ``before`` (None: the newest of all), returned oldest first."""
        ...

    async def messages_after(self, conversation_id: ConversationId, after: int, *, limit: int) -> list[Message]:
        """The ``limit`` oldest messages with ``seq`` > ``after``, oldest first."""
        ...

    async def conversation_of(self, message_id: MessageId) -> ConversationId | None:
        """Return the conversation a message is in, which it never leaves; None if there is no such message."""
        ...

    async def message(self, message_id: MessageId, user_id: UserId) -> Message | None:
        """Return a message of one of the user's conversations; None for a stranger or an unknown id."""
        ...

    async def edits(self, message_id: MessageId) -> list[MessageEdit]:
        """Former versions of a message, oldest first; none of a deleted one."""
        ...

    async def peers(self, user_ids: Sequence[UserId], *, limit: int) -> Mapping[UserId, Sequence[UserId]]:
        """For each user, the ``limit`` users they share the most recently active conversations with, in that order.

        One query for all; those who have no conversation are absent.
        """
        ...
