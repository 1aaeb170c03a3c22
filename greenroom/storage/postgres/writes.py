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

from greenroom.schema.bookings import Booking, Slot
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
from greenroom.storage.postgres.transactions import in_transaction
from greenroom.storage.postgres.write_queries import (
    ADD_REACTIONS,
    APPEND_EDITS,
    APPEND_EVENTS,
    APPEND_MESSAGES,
    CONVERSATIONS_OF_PAIRS,
    LAST_MESSAGES,
    LOCK_CONVERSATIONS,
    LOCK_STREAMS,
    LOCKED_CONVERSATIONS,
    MESSAGES,
    OPEN_CONVERSATIONS,
    ORDINALS_AT,
    REMOVE_REACTIONS,
    SAVE_CONVERSATIONS,
    SAVE_MESSAGES,
    SAVE_PARTICIPANTS,
    SENT_MESSAGES,
    STREAM_POSITIONS,
    SYSTEM_MESSAGES,
    USERS,
)


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
