"""Reads of conversations and messages in Postgres."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from greenroom.schema.bookings import UPCOMING_MAX, Booking
from greenroom.schema.ids import ConversationId, MessageId, UserId
from greenroom.schema.records import ConversationState, ConversationView, Message, MessageEdit
from greenroom.storage.ports import ConversationPageKey
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.bookings import UPCOMING, by_conversation, upcoming_params
from greenroom.storage.postgres.pool import Pool

PARTICIPANTS: Final = """
-- participants: the two users of a conversation.
SELECT student_id, instructor_id FROM conversations WHERE id = %(conversation_id)s
"""

CONVERSATION_BETWEEN: Final = """
-- conversation_between: that of a pair, whose users are given in ascending order; by conversations_pair_key.
SELECT id FROM conversations
 WHERE LEAST(student_id, instructor_id) = %(first_id)s AND GREATEST(student_id, instructor_id) = %(second_id)s
"""

VIEW: Final = """
-- view: one conversation as one of its participants sees it.
SELECT c.id, c.student_id, c.instructor_id, c.last_seq, c.created_at, c.last_message_at,
       me.conversation_id, me.user_id, me.peer_id, me.state, me.received_ordinal, me.read_ordinal,
       me.read_seq, me.delivered_seq,
       o.conversation_id, o.user_id, o.peer_id, o.state, o.received_ordinal, o.read_ordinal,
       o.read_seq, o.delivered_seq,
       u.id, u.email, u.display_name, u.role, u.is_active, u.created_at,
       m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM conversations c
  JOIN participants me ON me.conversation_id = c.id AND me.user_id = %(user_id)s
  JOIN participants o ON o.conversation_id = c.id AND o.user_id = me.peer_id
  JOIN users u ON u.id = me.peer_id
  LEFT JOIN LATERAL (
       SELECT * FROM shown_messages WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) m ON true
 WHERE c.id = %(conversation_id)s
"""

PAGE: Final = """
-- page: a user's conversations in some states, newest activity first, after a key.
-- Each arm walks its own index in order and stops at the limit.
SELECT c.id, c.student_id, c.instructor_id, c.last_seq, c.created_at, c.last_message_at,
       me.conversation_id, me.user_id, me.peer_id, me.state, me.received_ordinal, me.read_ordinal,
       me.read_seq, me.delivered_seq,
       o.conversation_id, o.user_id, o.peer_id, o.state, o.received_ordinal, o.read_ordinal,
       o.read_seq, o.delivered_seq,
       u.id, u.email, u.display_name, u.role, u.is_active, u.created_at,
       m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM (
       (SELECT a.id, a.last_message_at
          FROM conversations a
          JOIN participants p ON p.conversation_id = a.id AND p.user_id = %(user_id)s
         WHERE a.student_id = %(user_id)s AND p.state = ANY(%(states)s::text[])
           AND (a.last_message_at, a.id)
             < (COALESCE(%(before_at)s::timestamptz, 'infinity'), COALESCE(%(before_id)s::text, ''))
         ORDER BY a.last_message_at DESC, a.id DESC LIMIT %(limit)s)
       UNION ALL
       (SELECT b.id, b.last_message_at
          FROM conversations b
          JOIN participants p ON p.conversation_id = b.id AND p.user_id = %(user_id)s
         WHERE b.instructor_id = %(user_id)s AND p.state = ANY(%(states)s::text[])
           AND (b.last_message_at, b.id)
             < (COALESCE(%(before_at)s::timestamptz, 'infinity'), COALESCE(%(before_id)s::text, ''))
         ORDER BY b.last_message_at DESC, b.id DESC LIMIT %(limit)s)
       ORDER BY last_message_at DESC, id DESC LIMIT %(limit)s) page
  JOIN conversations c ON c.id = page.id
  JOIN participants me ON me.conversation_id = c.id AND me.user_id = %(user_id)s
  JOIN participants o ON o.conversation_id = c.id AND o.user_id = me.peer_id
  JOIN users u ON u.id = me.peer_id
  LEFT JOIN LATERAL (
       SELECT * FROM shown_messages WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) m ON true
 ORDER BY c.last_message_at DESC, c.id DESC
"""

TOTAL_UNREAD: Final = """
-- total_unread: over conversations that are not trashed; reads those with something unread only.
SELECT COALESCE(sum(received_ordinal - read_ordinal), 0)::bigint FROM participants
 WHERE user_id = %(user_id)s AND received_ordinal > read_ordinal AND state <> 'trashed'
"""

MESSAGES_BEFORE: Final = """
-- messages_before: the newest messages below a seq, newest first. Walks the primary key backwards.
SELECT id, conversation_id, seq, version, kind, sender_id, sender_ordinal, content, client_id, booking_id,
       created_at, edited_at, deleted_at, reactions
  FROM shown_messages
 WHERE conversation_id = %(conversation_id)s AND seq < COALESCE(%(before)s::bigint, 9223372036854775807)
 ORDER BY seq DESC LIMIT %(limit)s
"""

MESSAGES_AFTER: Final = """
-- messages_after: the oldest messages above a seq, oldest first. Walks the primary key.
SELECT id, conversation_id, seq, version, kind, sender_id, sender_ordinal, content, client_id, booking_id,
       created_at, edited_at, deleted_at, reactions
  FROM shown_messages
 WHERE conversation_id = %(conversation_id)s AND seq > %(after)s ORDER BY seq LIMIT %(limit)s
"""

CONVERSATION_OF: Final = """
-- conversation_of: where a message is.
SELECT conversation_id FROM messages WHERE id = %(message_id)s
"""

MESSAGE: Final = """
-- message: one, for somebody who has a part in its conversation.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM shown_messages m
  JOIN participants p ON p.conversation_id = m.conversation_id AND p.user_id = %(user_id)s
 WHERE m.id = %(message_id)s
"""

EDITS: Final = """
-- edits: former versions of a message, oldest first.
SELECT message_id, version, content, written_at FROM message_edits WHERE message_id = %(message_id)s ORDER BY version
"""

PEERS: Final = """
-- peers: the other users of some users' conversations, most recently active first. Walks one index each way per user.
SELECT wanted.id, newest.peer_id
  FROM unnest(%(user_ids)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
    (SELECT instructor_id AS peer_id, last_message_at, id FROM conversations WHERE student_id = wanted.id
      ORDER BY last_message_at DESC, id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT student_id, last_message_at, id FROM conversations WHERE instructor_id = wanted.id
      ORDER BY last_message_at DESC, id DESC LIMIT %(limit)s)
    ORDER BY last_message_at DESC, id DESC LIMIT %(limit)s) newest
 ORDER BY wanted.id, newest.last_message_at DESC, newest.id DESC
"""


def page_params(
    user_id: UserId, *, states: Iterable[ConversationState], before: ConversationPageKey | None, limit: int
) -> dict[str, Any]:
    """Parameters of :data:`PAGE`."""
    return {
        "user_id": user_id,
        "states": [state.value for state in states],
        "before_at": before.last_message_at if before else None,
        "before_id": before.conversation_id if before else None,
        "limit": limit,
    }


def with_upcoming(views: Sequence[ConversationView], upcoming: Iterable[Booking]) -> list[ConversationView]:
    """The conversations with their next lessons."""
    of_conversation = by_conversation(upcoming)
    return [replace(view, upcoming=tuple(of_conversation.get(view.conversation.id, ()))) for view in views]


class PostgresConversations:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def participants(self, conversation_id: ConversationId) -> tuple[UserId, UserId] | None:
        found = await self._pool.fetch(PARTICIPANTS, {"conversation_id": conversation_id}, rows.pair_of_users)
        return found[0] if found else None

    async def conversation_between(self, one: UserId, other: UserId) -> ConversationId | None:
        params = {"first_id": min(one, other), "second_id": max(one, other)}
        found = await self._pool.fetch(CONVERSATION_BETWEEN, params, rows.conversation_id)
        return found[0] if found else None

    async def view(
        self, conversation_id: ConversationId, user_id: UserId, *, now: datetime
    ) -> ConversationView | None:
        params = {"conversation_id": conversation_id, "user_id": user_id}
        found = await self._with_upcoming(await self._pool.fetch(VIEW, params, rows.view), now)
        return found[0] if found else None

    async def page(
        self,
        user_id: UserId,
        *,
        state: ConversationState,
        before: ConversationPageKey | None,
        limit: int,
        now: datetime,
    ) -> list[ConversationView]:
        params = page_params(user_id, states=[state], before=before, limit=limit)
        return await self._with_upcoming(await self._pool.fetch(PAGE, params, rows.view), now)

    async def _with_upcoming(self, views: Sequence[ConversationView], now: datetime) -> list[ConversationView]:
        if not views:
            return []
        params = upcoming_params((view.conversation.id for view in views), now=now, limit=UPCOMING_MAX)
        return with_upcoming(views, await self._pool.fetch(UPCOMING, params, rows.booking))

    async def total_unread(self, user_id: UserId) -> int:
        (total,) = await self._pool.fetch(TOTAL_UNREAD, {"user_id": user_id}, int)
        return total

    async def messages_before(
        self, conversation_id: ConversationId, before: int | None, *, limit: int
    ) -> list[Message]:
        params = {"conversation_id": conversation_id, "before": before, "limit": limit}
        return (await self._pool.fetch(MESSAGES_BEFORE, params, rows.message))[::-1]

    async def messages_after(self, conversation_id: ConversationId, after: int, *, limit: int) -> list[Message]:
        params = {"conversation_id": conversation_id, "after": after, "limit": limit}
        return await self._pool.fetch(MESSAGES_AFTER, params, rows.message)

    async def conversation_of(self, message_id: MessageId) -> ConversationId | None:
        found = await self._pool.fetch(CONVERSATION_OF, {"message_id": message_id}, rows.conversation_id)
        return found[0] if found else None

    async def message(self, message_id: MessageId, user_id: UserId) -> Message | None:
        params = {"message_id": message_id, "user_id": user_id}
        found = await self._pool.fetch(MESSAGE, params, rows.message)
        return found[0] if found else None

    async def edits(self, message_id: MessageId) -> list[MessageEdit]:
        return await self._pool.fetch(EDITS, {"message_id": message_id}, MessageEdit)

    async def peers(self, user_ids: Sequence[UserId], *, limit: int) -> Mapping[UserId, Sequence[UserId]]:
        params = {"user_ids": list(user_ids), "limit": limit}
        peers: dict[UserId, list[UserId]] = {}
        for user_id, peer_id in await self._pool.fetch(PEERS, params, rows.user_and_peer):
            peers.setdefault(user_id, []).append(peer_id)
        return peers
