"""Write transactions in Postgres: set-based statements in one pipeline.

A statement whose rows nobody waits for travels with the next one whose rows somebody does, the last ones with COMMIT.
So a batch of messages takes two round trips, whatever its length: lock and read; write and commit.
READ COMMITTED gives each statement a snapshot of its own: so what a lock protects is read by a *later* statement than the
one that waited for the lock, or it would be as old as the wait.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Final

from greenroom.schema.bookings import Booking, Slot
from greenroom.schema.errors import Conflict
from greenroom.schema.ids import BookingId, ConversationId, MessageId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.records import (
    Conversation,
    Message,
    MessageEdit,
    MessageReaction,
    Participant,
    StoredEvent,
    User,
)
from greenroom.storage.lock_ledger import LockLedger, pair_of
from greenroom.storage.ports import (
    ClientKey,
    Locked,
    MarkQuery,
    OpenedConversation,
    WriteTransaction,
)
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.bookings import (
    LOCKED_BOOKINGS,
    TAKEN,
    UPCOMING,
    by_conversation,
    saving,
    slot_params,
    upcoming_params,
)
from greenroom.storage.postgres.columns import bigints, moments, texts
from greenroom.storage.postgres.outbox import appending
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.session import Query, Sent, Session

SET_TIMEOUTS: Final = """
-- set_timeouts: for this transaction, where the session can't hold them.
SELECT set_config('statement_timeout', %(statement_timeout)s, true),
       set_config('lock_timeout', %(lock_timeout)s, true),
       set_config('idle_in_transaction_session_timeout', %(idle_in_transaction_session_timeout)s, true)
"""

OPEN_CONVERSATIONS: Final = """
-- open_conversations: insert those whose pair has none, with both participants; returns the ids inserted.
-- Inserted in the order of pairs, so that two transactions opening the same ones wait for each other in one direction.
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::text[], %(student_ids)s::text[], %(instructor_ids)s::text[],
                         %(last_seqs)s::bigint[], %(created_ats)s::timestamptz[], %(last_message_ats)s::timestamptz[])
             WITH ORDINALITY AS w (id, student_id, instructor_id, last_seq, created_at, last_message_at, place)),
opened AS (
    INSERT INTO conversations (id, student_id, instructor_id, last_seq, created_at, last_message_at)
    SELECT id, student_id, instructor_id, last_seq, created_at, last_message_at FROM wanted
     ORDER BY LEAST(student_id COLLATE "C", instructor_id COLLATE "C"),
              GREATEST(student_id COLLATE "C", instructor_id COLLATE "C"), place
        ON CONFLICT (LEAST(student_id, instructor_id), GREATEST(student_id, instructor_id)) DO NOTHING
    RETURNING id, student_id, instructor_id),
joined AS (
    INSERT INTO participants (conversation_id, user_id, peer_id)
    SELECT id, student_id, instructor_id FROM opened UNION ALL SELECT id, instructor_id, student_id FROM opened)
SELECT id FROM opened
"""

CONVERSATIONS_OF_PAIRS: Final = """
-- conversations_of_pairs: the pair's users in ascending order, and its conversation.
SELECT w.first_id, w.second_id, c.id
  FROM unnest(%(first_ids)s::text[], %(second_ids)s::text[]) AS w (first_id, second_id)
  JOIN conversations c ON LEAST(c.student_id, c.instructor_id) = w.first_id
                      AND GREATEST(c.student_id, c.instructor_id) = w.second_id
"""

LOCK_CONVERSATIONS: Final = """
-- lock_conversations: in id order. Only against other writers: a foreign key may still point here.
SELECT id FROM conversations WHERE id = ANY(%(ids)s::text[]) ORDER BY id FOR NO KEY UPDATE
"""

LOCKED_CONVERSATIONS: Final = """
-- locked_conversations: with both participants.
SELECT c.id, c.student_id, c.instructor_id, c.last_seq, c.created_at, c.last_message_at,
       s.conversation_id, s.user_id, s.peer_id, s.state, s.received_ordinal, s.read_ordinal,
       s.read_seq, s.delivered_seq,
       i.conversation_id, i.user_id, i.peer_id, i.state, i.received_ordinal, i.read_ordinal,
       i.read_seq, i.delivered_seq
  FROM conversations c
  JOIN participants s ON s.conversation_id = c.id AND s.user_id = c.student_id
  JOIN participants i ON i.conversation_id = c.id AND i.user_id = c.instructor_id
 WHERE c.id = ANY(%(ids)s::text[])
"""

SENT_MESSAGES: Final = """
-- sent_messages: those already stored under these client ids.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM unnest(%(conversation_ids)s::text[], %(sender_ids)s::text[], %(client_ids)s::text[])
       AS k (conversation_id, sender_id, client_id)
  JOIN shown_messages m ON m.conversation_id = k.conversation_id AND m.sender_id = k.sender_id
                 AND m.client_id = k.client_id
"""

SYSTEM_MESSAGES: Final = """
-- system_messages: those already stored for these events.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM unnest(%(conversation_ids)s::text[], %(client_ids)s::text[]) AS k (conversation_id, client_id)
  JOIN shown_messages m ON m.conversation_id = k.conversation_id AND m.client_id = k.client_id AND m.kind = 'system'
"""

ORDINALS_AT: Final = """
-- ordinals_at: per query, the highest ordinal at or below a seq among what the reader got. Walks messages_ordinals
-- backwards. A stranger gets no row.
SELECT q.conversation_id, q.reader_id, q.seq, COALESCE(m.sender_ordinal, 0)
  FROM unnest(%(conversation_ids)s::text[], %(reader_ids)s::text[], %(seqs)s::bigint[]) AS q (conversation_id, reader_id, seq)
  JOIN participants p ON p.conversation_id = q.conversation_id AND p.user_id = q.reader_id
  LEFT JOIN LATERAL (
       SELECT sender_ordinal FROM messages
        WHERE conversation_id = q.conversation_id AND sender_id = p.peer_id AND seq <= q.seq AND kind = 'user'
        ORDER BY seq DESC LIMIT 1) m ON true
"""

LAST_MESSAGES: Final = """
-- last_messages: the newest of each conversation.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM unnest(%(ids)s::text[]) AS c (id)
 CROSS JOIN LATERAL (
       SELECT * FROM shown_messages WHERE conversation_id = c.id ORDER BY seq DESC LIMIT 1) m
"""

MESSAGES: Final = """
-- messages: by id, of some conversations.
SELECT m.id, m.conversation_id, m.seq, m.version, m.kind, m.sender_id, m.sender_ordinal, m.content, m.client_id,
       m.booking_id, m.created_at, m.edited_at, m.deleted_at, m.reactions
  FROM shown_messages m
 WHERE m.id = ANY(%(message_ids)s::text[]) AND m.conversation_id = ANY(%(conversation_ids)s::text[])
"""

USERS: Final = """
-- users: by id.
SELECT id, email, display_name, role, is_active, created_at FROM users WHERE id = ANY(%(ids)s::text[])
"""

APPEND_MESSAGES: Final = """
-- append_messages: with the sequences they carry.
INSERT INTO messages (id, conversation_id, seq, version, kind, sender_id, sender_ordinal, content, client_id,
                      booking_id, created_at, edited_at, deleted_at)
SELECT * FROM unnest(%(ids)s::text[], %(conversation_ids)s::text[], %(seqs)s::bigint[], %(versions)s::bigint[],
                     %(kinds)s::text[], %(sender_ids)s::text[], %(sender_ordinals)s::bigint[], %(contents)s::text[],
                     %(client_ids)s::text[], %(booking_ids)s::text[], %(created_ats)s::timestamptz[],
                     %(edited_ats)s::timestamptz[], %(deleted_ats)s::timestamptz[])
"""

SAVE_MESSAGES: Final = """
-- save_messages: what they say now. Those that are deleted lose what they said before and what was felt about it.
WITH wanted AS (
    SELECT * FROM unnest(%(ids)s::text[], %(versions)s::bigint[], %(contents)s::text[],
                         %(edited_ats)s::timestamptz[], %(deleted_ats)s::timestamptz[])
             AS w (id, version, content, edited_at, deleted_at)),
unsaid AS (
    DELETE FROM message_edits e USING wanted w WHERE e.message_id = w.id AND w.deleted_at IS NOT NULL),
unfelt AS (
    DELETE FROM message_reactions r USING wanted w WHERE r.message_id = w.id AND w.deleted_at IS NOT NULL)
UPDATE messages m
   SET version = w.version, content = w.content, edited_at = w.edited_at, deleted_at = w.deleted_at
  FROM wanted w
 WHERE m.id = w.id
"""

APPEND_EDITS: Final = """
-- append_edits: former versions.
INSERT INTO message_edits (message_id, version, content, written_at)
SELECT * FROM unnest(%(message_ids)s::text[], %(versions)s::bigint[], %(contents)s::text[], %(written_ats)s::timestamptz[])
"""

ADD_REACTIONS: Final = """
-- add_reactions: those that are not there.
INSERT INTO message_reactions (message_id, emoji, user_id)
SELECT * FROM unnest(%(message_ids)s::text[], %(emojis)s::text[], %(user_ids)s::text[])
    ON CONFLICT (message_id, emoji, user_id) DO NOTHING
"""

REMOVE_REACTIONS: Final = """
-- remove_reactions: those that are there.
DELETE FROM message_reactions r
 USING unnest(%(message_ids)s::text[], %(emojis)s::text[], %(user_ids)s::text[]) AS w (message_id, emoji, user_id)
 WHERE r.message_id = w.message_id AND r.emoji = w.emoji AND r.user_id = w.user_id
"""

SAVE_CONVERSATIONS: Final = """
-- save_conversations: where each has come to.
UPDATE conversations c SET last_seq = w.last_seq, last_message_at = w.last_message_at
  FROM unnest(%(ids)s::text[], %(last_seqs)s::bigint[], %(last_message_ats)s::timestamptz[])
       AS w (id, last_seq, last_message_at)
 WHERE c.id = w.id
"""

SAVE_PARTICIPANTS: Final = """
-- save_participants: state and marks.
UPDATE participants p
   SET state = w.state, received_ordinal = w.received_ordinal, read_ordinal = w.read_ordinal,
       read_seq = w.read_seq, delivered_seq = w.delivered_seq
  FROM unnest(%(conversation_ids)s::text[], %(user_ids)s::text[], %(states)s::text[], %(received_ordinals)s::bigint[],
              %(read_ordinals)s::bigint[], %(read_seqs)s::bigint[], %(delivered_seqs)s::bigint[])
       AS w (conversation_id, user_id, state, received_ordinal, read_ordinal, read_seq, delivered_seq)
 WHERE p.conversation_id = w.conversation_id AND p.user_id = w.user_id
"""

LOCK_STREAMS: Final = """
-- lock_streams: of some users and of some conversations' participants, in user id order.
SELECT s.user_id FROM user_streams s
 WHERE s.user_id = ANY(%(user_ids)s::text[] || ARRAY(
       SELECT p.user_id FROM participants p WHERE p.conversation_id = ANY(%(conversation_ids)s::text[])))
 ORDER BY s.user_id FOR NO KEY UPDATE
"""

STREAM_POSITIONS: Final = """
-- stream_positions: newest sequence and total unread of those streams.
SELECT s.user_id, s.last_seq,
       (SELECT COALESCE(sum(p.received_ordinal - p.read_ordinal), 0)::bigint FROM participants p
         WHERE p.user_id = s.user_id AND p.received_ordinal > p.read_ordinal AND p.state <> 'trashed')
  FROM user_streams s
 WHERE s.user_id = ANY(%(user_ids)s::text[] || ARRAY(
       SELECT p.user_id FROM participants p WHERE p.conversation_id = ANY(%(conversation_ids)s::text[])))
"""

APPEND_EVENTS: Final = """
-- append_events: and raise each stream to its newest event.
WITH appended AS (
    INSERT INTO user_events (user_id, seq, at, name, data)
    SELECT user_id, seq, at, name, data::json
      FROM unnest(%(user_ids)s::text[], %(seqs)s::bigint[], %(ats)s::timestamptz[], %(names)s::text[], %(datas)s::text[])
           AS e (user_id, seq, at, name, data)
    RETURNING user_id, seq)
UPDATE user_streams s SET last_seq = e.last_seq
  FROM (SELECT user_id, max(seq) AS last_seq FROM appended GROUP BY user_id) e
 WHERE s.user_id = e.user_id
"""


class PostgresTransaction:
    """See :class:`~greenroom.storage.ports.WriteTransaction`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ledger = LockLedger()

    async def open_conversations(self, wanted: Sequence[Conversation]) -> list[OpenedConversation]:
        self._ledger.before_opening()
        pairs = [pair_of(conversation) for conversation in wanted]
        inserting = await self._session.send_for(
            OPEN_CONVERSATIONS,
            {
                "ids": texts(c.id for c in wanted),
                "student_ids": texts(c.student_id for c in wanted),
                "instructor_ids": texts(c.instructor_id for c in wanted),
                "last_seqs": bigints(c.last_seq for c in wanted),
                "created_ats": moments(c.created_at for c in wanted),
                "last_message_ats": moments(c.last_message_at for c in wanted),
            },
            rows.conversation_id,
        )
        distinct = sorted(set(pairs))
        existing = await self._session.fetch(
            CONVERSATIONS_OF_PAIRS,
            {
                "first_ids": texts(first for first, _ in distinct),
                "second_ids": texts(second for _, second in distinct),
            },
            rows.conversation_of_pair,
        )
        of_pair = dict(existing)
        created = set(await inserting.rows())
        self._ledger.opened(created)
        answers = []
        for pair in pairs:
            conversation_id = of_pair[pair]
            answers.append(OpenedConversation(conversation_id, created=conversation_id in created))
            created.discard(conversation_id)
        return answers

    async def lock(
        self,
        *,
        conversations: Sequence[ConversationId] = (),
        users: Sequence[UserId] = (),
        keys: Sequence[ClientKey] = (),
        marks: Sequence[MarkQuery] = (),
        messages: Sequence[MessageId] = (),
        bookings: Sequence[BookingId] = (),
        slots: Sequence[Slot] = (),
    ) -> Locked:
        self._ledger.before_locking()
        ids, user_ids = texts(conversations), texts(users)
        await self._session.send(LOCK_CONVERSATIONS, {"ids": ids})
        found = await self._session.send_for(LOCKED_CONVERSATIONS, {"ids": ids}, rows.locked_conversation)
        sent = [await asking for asking in self._sent_messages(keys)]
        ordinals = await self._send_for_ordinals(marks) if marks else None
        named = None
        if messages:
            params = {"message_ids": texts(messages), "conversation_ids": ids}
            named = await self._session.send_for(MESSAGES, params, rows.identified_message)
        booked = None
        if bookings:
            booking_params = {"booking_ids": texts(bookings), "conversation_ids": ids}
            booked = await self._session.send_for(LOCKED_BOOKINGS, booking_params, rows.booking)
        of_streams = {"user_ids": user_ids, "conversation_ids": ids}
        await self._session.send(LOCK_STREAMS, of_streams)
        # After the streams: who holds the instructor's decides about the instructor's time.
        taken = await self._session.send_for(TAKEN, slot_params(slots), rows.booking) if slots else None
        streams = await self._session.fetch(STREAM_POSITIONS, of_streams, rows.stream_position)
        locked = Locked(
            conversations={row.conversation.id: row for row in await found.rows()},
            streams=dict(streams),
            sent={key: message for found in sent for key, message in await found.rows()},
            ordinals=dict(await ordinals.rows()) if ordinals else {},
            messages=dict(await named.rows()) if named else {},
            bookings={b.id: b for rows_of in (booked, taken) if rows_of for b in await rows_of.rows()},
        )
        self._ledger.locked(locked)
        return locked

    def _sent_messages(self, keys: Sequence[ClientKey]) -> Iterator[Awaitable[Sent[tuple[ClientKey, Message]]]]:
        """Users' messages and system messages are each found by an index of their own."""
        if users := [key for key in keys if key.sender_id is not None]:
            params = {
                "conversation_ids": texts(key.conversation_id for key in users),
                "sender_ids": texts(key.sender_id for key in users),
                "client_ids": texts(key.client_id for key in users),
            }
            yield self._session.send_for(SENT_MESSAGES, params, rows.sent_message)
        if systems := [key for key in keys if key.sender_id is None]:
            params = {
                "conversation_ids": texts(key.conversation_id for key in systems),
                "client_ids": texts(key.client_id for key in systems),
            }
            yield self._session.send_for(SYSTEM_MESSAGES, params, rows.sent_message)

    async def _send_for_ordinals(self, marks: Sequence[MarkQuery]) -> Sent[tuple[MarkQuery, int]]:
        params = {
            "conversation_ids": texts(mark.conversation_id for mark in marks),
            "reader_ids": texts(mark.reader_id for mark in marks),
            "seqs": bigints(mark.seq for mark in marks),
        }
        return await self._session.send_for(ORDINALS_AT, params, rows.ordinal)

    async def last_messages(self, ids: Sequence[ConversationId]) -> Mapping[ConversationId, Message]:
        last = await self._session.fetch(LAST_MESSAGES, {"ids": texts(ids)}, rows.message)
        return {message.conversation_id: message for message in last}

    async def users(self, ids: Sequence[UserId]) -> Mapping[UserId, User]:
        found = await self._session.fetch(USERS, {"ids": texts(ids)}, rows.user)
        return {user.id: user for user in found}

    async def upcoming_bookings(
        self, ids: Sequence[ConversationId], *, now: datetime, limit: int
    ) -> Mapping[ConversationId, Sequence[Booking]]:
        params = upcoming_params(ids, now=now, limit=limit)
        return by_conversation(await self._session.fetch(UPCOMING, params, rows.booking))

    async def save_bookings(self, bookings: Sequence[Booking]) -> None:
        self._ledger.before_saving(bookings)
        await self._session.send(*saving(bookings))

    async def append_jobs(self, jobs: Sequence[NewJob]) -> None:
        self._ledger.before_saving(jobs)
        await self._session.send(*appending(jobs))

    async def append_messages(self, messages: Sequence[Message]) -> None:
        self._ledger.before_appending_messages(messages)
        await self._session.send(
            APPEND_MESSAGES,
            {
                "ids": texts(m.id for m in messages),
                "conversation_ids": texts(m.conversation_id for m in messages),
                "seqs": bigints(m.seq for m in messages),
                "versions": bigints(m.version for m in messages),
                "kinds": texts(m.kind.value for m in messages),
                "sender_ids": texts(m.sender_id for m in messages),
                "sender_ordinals": bigints(m.sender_ordinal for m in messages),
                "contents": texts(m.content for m in messages),
                "client_ids": texts(m.client_id for m in messages),
                "booking_ids": texts(m.booking_id for m in messages),
                "created_ats": moments(m.created_at for m in messages),
                "edited_ats": moments(m.edited_at for m in messages),
                "deleted_ats": moments(m.deleted_at for m in messages),
            },
        )

    async def save_messages(self, messages: Sequence[Message]) -> None:
        self._ledger.before_changing(messages)
        await self._session.send(
            SAVE_MESSAGES,
            {
                "ids": texts(m.id for m in messages),
                "versions": bigints(m.version for m in messages),
                "contents": texts(m.content for m in messages),
                "edited_ats": moments(m.edited_at for m in messages),
                "deleted_ats": moments(m.deleted_at for m in messages),
            },
        )

    async def append_edits(self, edits: Sequence[MessageEdit]) -> None:
        self._ledger.before_annotating(edit.message_id for edit in edits)
        await self._session.send(
            APPEND_EDITS,
            {
                "message_ids": texts(e.message_id for e in edits),
                "versions": bigints(e.version for e in edits),
                "contents": texts(e.content for e in edits),
                "written_ats": moments(e.written_at for e in edits),
            },
        )

    async def add_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        await self._change_reactions(ADD_REACTIONS, reactions)

    async def remove_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        await self._change_reactions(REMOVE_REACTIONS, reactions)

    async def _change_reactions(self, query: Query, reactions: Sequence[MessageReaction]) -> None:
        self._ledger.before_annotating(reaction.message_id for reaction in reactions)
        await self._session.send(
            query,
            {
                "message_ids": texts(r.message_id for r in reactions),
                "emojis": texts(r.emoji for r in reactions),
                "user_ids": texts(r.user_id for r in reactions),
            },
        )

    async def save_conversations(self, conversations: Sequence[Conversation]) -> None:
        self._ledger.before_saving(conversations)
        await self._session.send(
            SAVE_CONVERSATIONS,
            {
                "ids": texts(c.id for c in conversations),
                "last_seqs": bigints(c.last_seq for c in conversations),
                "last_message_ats": moments(c.last_message_at for c in conversations),
            },
        )

    async def save_participants(self, participants: Sequence[Participant]) -> None:
        self._ledger.before_saving(participants)
        await self._session.send(
            SAVE_PARTICIPANTS,
            {
                "conversation_ids": texts(p.conversation_id for p in participants),
                "user_ids": texts(p.user_id for p in participants),
                "states": texts(p.state.value for p in participants),
                "received_ordinals": bigints(p.received_ordinal for p in participants),
                "read_ordinals": bigints(p.read_ordinal for p in participants),
                "read_seqs": bigints(p.read_seq for p in participants),
                "delivered_seqs": bigints(p.delivered_seq for p in participants),
            },
        )

    async def append_events(self, events: Sequence[StoredEvent]) -> None:
        self._ledger.before_appending_events(events)
        await self._session.send(
            APPEND_EVENTS,
            {
                "user_ids": texts(e.user_id for e in events),
                "seqs": bigints(e.seq for e in events),
                "ats": moments(e.at for e in events),
                "names": texts(e.name for e in events),
                "datas": texts(e.data for e in events),
            },
        )

    def before_commit(self) -> None:
        """
        Raises:
            Conflict: the ledger refused something, and the caller went on regardless.
        """
        self._ledger.before_commit()


class PostgresWrites:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def transaction(self) -> AbstractAsyncContextManager[WriteTransaction]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[WriteTransaction]:
        async with in_transaction(self._pool, "BEGIN ISOLATION LEVEL READ COMMITTED") as session:
            transaction = PostgresTransaction(session)
            yield transaction
            transaction.before_commit()


@asynccontextmanager
async def in_transaction(pool: Pool, begin: Query, *, timeout_s: float | None = None) -> AsyncIterator[Session]:
    """Run one transaction in one pipeline: committed on leaving, rolled back by the pool if left by an exception.

    Raises:
        Conflict: a statement failed and its error was swallowed; nothing was committed.
    """
    async with pool.session(timeout_s=timeout_s) as session:
        async with session.pipeline():
            await session.send(begin)
            if not pool.options.prepare:
                await session.send(SET_TIMEOUTS, pool.options.timeouts())
            yield session
            ending = await session.send("COMMIT")
        if ending.status != "COMMIT":
            # Committing a failed transaction is no error to Postgres: it says ROLLBACK, and does it.
            raise Conflict("A statement of this transaction failed; it was rolled back.")
