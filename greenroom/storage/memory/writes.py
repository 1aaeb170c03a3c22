"""Write transactions in memory: changes gather in a draft that only its transaction sees, and are applied at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime

from greenroom.schema.bookings import Booking, BookingStatus, Slot
from greenroom.schema.errors import Conflict, ConversationNotFound, SlotTaken, UserNotFound
from greenroom.schema.ids import BookingId, ConversationId, MessageId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.reactions import ReactionsChange, with_reaction, without_reaction
from greenroom.schema.records import (
    Conversation,
    Message,
    MessageEdit,
    MessageReaction,
    Participant,
    StoredEvent,
    StreamHead,
    User,
)
from greenroom.storage.lock_ledger import LockLedger, Pair, pair_of
from greenroom.storage.memory.checks import check_booking, check_conversation, check_message, check_participant
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.draft import Draft
from greenroom.storage.memory.tables import total_unread
from greenroom.storage.ports import (
    ClientKey,
    Locked,
    MarkQuery,
    OpenedConversation,
    StreamPosition,
    WriteTransaction,
)


class MemoryTransaction:
    """One write transaction. A statement that failed spoils it: it can only be rolled back."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._draft = Draft(database.tables)
        self._ledger = LockLedger()
        self._has_failed = False

    async def open_conversations(self, wanted: Sequence[Conversation]) -> list[OpenedConversation]:
        async with self._statement("open_conversations"):
            self._ledger.before_opening()
            opened: dict[Pair, OpenedConversation] = {}
            answers: list[OpenedConversation] = []
            for conversation in wanted:
                pair = pair_of(conversation)
                existing = self._draft.conversation_of(pair)
                if existing is None:
                    self._insert(conversation)
                    opened[pair] = OpenedConversation(conversation.id, created=True)
                    answers.append(opened[pair])
                else:
                    answers.append(OpenedConversation(existing, created=False))
            self._ledger.opened(answer.conversation_id for answer in opened.values())
            return answers

    def _insert(self, conversation: Conversation) -> None:
        check_conversation(conversation)
        if self._draft.conversation(conversation.id) is not None:
            raise Conflict(f"Conversation {conversation.id} exists.")
        if any(self._draft.user(user_id) is None for user_id in pair_of(conversation)):
            raise UserNotFound("No such user.")
        self._draft.conversations[conversation.id] = conversation
        self._draft.pairs[pair_of(conversation)] = conversation.id
        student, instructor = conversation.student_id, conversation.instructor_id
        for user_id, peer_id in ((student, instructor), (instructor, student)):
            self._draft.participants[conversation.id, user_id] = Participant(conversation.id, user_id, peer_id)

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
        async with self._statement("lock"):
            self._ledger.before_locking()
            found = {
                i: self._draft.locked(conversation)
                for i in conversations
                if (conversation := self._draft.conversation(i))
            }
            told = [*users, *(u for row in found.values() for u in pair_of(row.conversation))]
            locked = Locked(
                conversations=found,
                streams={i: self._position(head) for i in told if (head := self._draft.head(i))},
                sent={key: message for key in keys if (message := self._draft.sent_message(key))},
                ordinals={mark: self._ordinal_at(mark, reader.peer_id) for mark, reader in self._readers(marks)},
                messages={
                    i: message
                    for i in messages
                    if (message := self._draft.message(i)) and message.conversation_id in found
                },
                bookings={
                    i: booking
                    for i in bookings
                    if (booking := self._draft.booking(i)) and booking.conversation_id in found
                }
                | (
                    {i: b for i, b in self._draft.all_bookings().items() if _lies_across(b, slots)}
                    if slots
                    else {}
                ),
            )
            self._ledger.locked(locked)
            return locked

    def _readers(self, marks: Sequence[MarkQuery]) -> Iterator[tuple[MarkQuery, Participant]]:
        for mark in marks:
            if (reader := self._draft.participant((mark.conversation_id, mark.reader_id))) is not None:
                yield mark, reader

    def _ordinal_at(self, mark: MarkQuery, sender_id: UserId) -> int:
        kept = self._draft.messages_of(mark.conversation_id)
        return max((m.sender_ordinal for m in kept if m.sender_id == sender_id and m.seq <= mark.seq), default=0)

    def _position(self, head: StreamHead) -> StreamPosition:
        return StreamPosition(head.last_seq, total_unread(self._draft.participants_of(head.user_id)))

    async def last_messages(self, ids: Sequence[ConversationId]) -> Mapping[ConversationId, Message]:
        async with self._statement("last_messages"):
            return {i: message for i in ids if (message := self._draft.last_message(i))}

    async def users(self, ids: Sequence[UserId]) -> Mapping[UserId, User]:
        async with self._statement("users"):
            return {i: user for i in ids if (user := self._draft.user(i))}

    async def upcoming_bookings(
        self, ids: Sequence[ConversationId], *, now: datetime, limit: int
    ) -> Mapping[ConversationId, Sequence[Booking]]:
        async with self._statement("upcoming_bookings"):
            upcoming = sorted(
                (b for b in self._draft.all_bookings().values() if b.is_upcoming(now)),
                key=lambda b: (b.starts_at, b.id),
            )
            of_conversation = {i: [b for b in upcoming if b.conversation_id == i][:limit] for i in ids}
            return {i: found for i, found in of_conversation.items() if found}

    async def save_bookings(self, bookings: Sequence[Booking]) -> None:
        async with self._statement("save_bookings"):
            self._ledger.before_saving(bookings)
            for booking in bookings:
                self._save_booking(booking)

    def _save_booking(self, booking: Booking) -> None:
        check_booking(booking)
        if not self._draft.has_service(booking):
            raise Conflict("The change contradicts bookings_service_id_fkey.")
        if booking.status is not BookingStatus.CANCELLED:
            for other in self._draft.all_bookings().values():
                if other.id != booking.id and _lies_across(other, [booking.slot]):
                    raise SlotTaken("The instructor has another lesson at that time.")
        stored = self._draft.booking(booking.id)
        if stored is not None:
            booking = replace(
                stored,
                starts_at=booking.starts_at,
                ends_at=booking.ends_at,
                status=booking.status,
                version=booking.version,
                updated_at=booking.updated_at,
                closed_by=booking.closed_by,
                cancel_reason=booking.cancel_reason,
                reminded_version=booking.reminded_version,
            )
        self._draft.bookings[booking.id] = booking

    async def append_jobs(self, jobs: Sequence[NewJob]) -> None:
        async with self._statement("append_jobs"):
            self._ledger.before_saving(jobs)
            for job in jobs:
                if self._draft.has_job(job):
                    raise Conflict("The change contradicts outbox_event_handler_key.")
                self._draft.jobs.append(job)

    async def append_messages(self, messages: Sequence[Message]) -> None:
        async with self._statement("append_messages"):
            self._ledger.before_appending_messages(messages)
            for message in messages:
                self._append(message)

    def _append(self, message: Message) -> None:
        check_message(message)
        if self._draft.message(message.id) is not None:
            raise Conflict(f"Message {message.id} exists.")
        sender_id = message.sender_id
        if sender_id is not None and self._draft.participant((message.conversation_id, sender_id)) is None:
            raise ConversationNotFound("The sender has no part in this conversation.")
        if message.client_id is not None:
            key = ClientKey(message.conversation_id, message.sender_id, message.client_id)
            if self._draft.sent_message(key) is not None:
                raise Conflict("This client id was used before.")
            self._draft.sent[key] = message.id
        if message.booking_id is not None and self._draft.booking(message.booking_id) is None:
            raise Conflict("The change contradicts messages_booking_id_fkey.")
        self._draft.message_ids[message.id] = message
        self._draft.messages.setdefault(message.conversation_id, []).append(message)

    async def save_messages(self, messages: Sequence[Message]) -> None:
        async with self._statement("save_messages"):
            self._ledger.before_changing(messages)
            for message in messages:
                check_message(message)
                if (stored := self._draft.message(message.id)) is None:
                    continue
                is_deleted = message.deleted_at is not None
                self._draft.changed_messages[message.id] = replace(
                    stored,
                    version=message.version,
                    content=message.content,
                    edited_at=message.edited_at,
                    deleted_at=message.deleted_at,
                    reactions=() if is_deleted else stored.reactions,
                )
                if is_deleted:
                    self._draft.edits[message.id] = []

    async def append_edits(self, edits: Sequence[MessageEdit]) -> None:
        async with self._statement("append_edits"):
            self._ledger.before_annotating(edit.message_id for edit in edits)
            for edit in edits:
                kept = self._draft.edits_of(edit.message_id)
                if any(former.version == edit.version for former in kept):
                    raise Conflict("This version is kept already.")
                self._draft.edits[edit.message_id] = [*kept, edit]

    async def add_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        async with self._statement("add_reactions"):
            self._ledger.before_annotating(reaction.message_id for reaction in reactions)
            for reaction in reactions:
                self._change_reactions(reaction, with_reaction)

    async def remove_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        async with self._statement("remove_reactions"):
            self._ledger.before_annotating(reaction.message_id for reaction in reactions)
            for reaction in reactions:
                self._change_reactions(reaction, without_reaction)

    def _change_reactions(self, reaction: MessageReaction, change: ReactionsChange) -> None:
        if (stored := self._draft.message(reaction.message_id)) is not None:
            changed = replace(stored, reactions=change(stored.reactions, reaction.emoji, reaction.user_id))
            self._draft.changed_messages[stored.id] = changed

    async def save_conversations(self, conversations: Sequence[Conversation]) -> None:
        async with self._statement("save_conversations"):
            self._ledger.before_saving(conversations)
            for conversation in conversations:
                check_conversation(conversation)
                if (stored := self._draft.conversation(conversation.id)) is not None:
                    self._draft.conversations[conversation.id] = replace(
                        stored, last_seq=conversation.last_seq, last_message_at=conversation.last_message_at
                    )

    async def save_participants(self, participants: Sequence[Participant]) -> None:
        async with self._statement("save_participants"):
            self._ledger.before_saving(participants)
            for participant in participants:
                check_participant(participant)
                key = (participant.conversation_id, participant.user_id)
                if (stored := self._draft.participant(key)) is not None:
                    self._draft.participants[key] = replace(participant, peer_id=stored.peer_id)

    async def append_events(self, events: Sequence[StoredEvent]) -> None:
        async with self._statement("append_events"):
            self._ledger.before_appending_events(events)
            self._draft.events.extend(events)

    def commit(self) -> None:
        """Apply the draft.

        Raises:
            Conflict: a statement failed before, and its failure was swallowed by the caller.
        """
        self._require_usable()
        self._draft.apply()

    @asynccontextmanager
    async def _statement(self, name: str) -> AsyncIterator[None]:
        self._require_usable()
        try:
            async with self._database.operation(f"writes.{name}"):
                yield
        except BaseException:
            self._has_failed = True
            raise

    def _require_usable(self) -> None:
        if self._has_failed:
            raise Conflict("A statement of this transaction failed; it can only be rolled back.")


def _lies_across(booking: Booking, slots: Sequence[Slot]) -> bool:
    return booking.status is not BookingStatus.CANCELLED and any(booking.slot.overlaps(slot) for slot in slots)


class MemoryWrites:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    def transaction(self) -> AbstractAsyncContextManager[WriteTransaction]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[WriteTransaction]:
        async with self._database.sole_writer():
            async with self._database.operation("writes.begin"):
                transaction = MemoryTransaction(self._database)
            yield transaction
            async with self._database.operation("writes.commit"):
                transaction.commit()
