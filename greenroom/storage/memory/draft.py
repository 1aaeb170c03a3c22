"""What one transaction has changed and nobody else sees yet."""

from __future__ import annotations

from dataclasses import replace

from greenroom.schema.bookings import Booking
from greenroom.schema.ids import BookingId, ConversationId, MessageId, UserId
from greenroom.schema.outbox import Job, JobState, NewJob
from greenroom.schema.records import (
    Conversation,
    LockedConversation,
    Message,
    MessageEdit,
    Participant,
    StoredEvent,
    StreamHead,
    User,
)
from greenroom.storage.lock_ledger import Pair
from greenroom.storage.memory.tables import ParticipantKey, Tables
from greenroom.storage.ports import (
    ClientKey,
)


class Draft:
    """Uncommitted rows over committed tables."""

    def __init__(self, committed: Tables) -> None:
        self._committed = committed
        self.conversations: dict[ConversationId, Conversation] = {}
        self.pairs: dict[Pair, ConversationId] = {}
        self.participants: dict[ParticipantKey, Participant] = {}
        self.messages: dict[ConversationId, list[Message]] = {}
        self.message_ids: dict[MessageId, Message] = {}
        self.sent: dict[ClientKey, MessageId] = {}
        self.changed_messages: dict[MessageId, Message] = {}
        self.edits: dict[MessageId, list[MessageEdit]] = {}
        self.events: list[StoredEvent] = []
        self.bookings: dict[BookingId, Booking] = {}
        self.jobs: list[NewJob] = []

    def booking(self, booking_id: BookingId) -> Booking | None:
        return self.bookings.get(booking_id) or self._committed.bookings.get(booking_id)

    def all_bookings(self) -> dict[BookingId, Booking]:
        return self._committed.bookings | self.bookings

    def has_job(self, job: NewJob) -> bool:
        written: list[NewJob | Job] = [*self.jobs, *self._committed.outbox.values()]
        return any(
            each.id == job.id or (each.event_id, each.handler) == (job.event_id, job.handler) for each in written
        )

    def has_service(self, booking: Booking) -> bool:
        return booking.service_id in self._committed.services

    def conversation(self, conversation_id: ConversationId) -> Conversation | None:
        return self.conversations.get(conversation_id) or self._committed.conversations.get(conversation_id)

    def conversation_of(self, pair: Pair) -> ConversationId | None:
        return self.pairs.get(pair) or self._committed.pairs.get(pair)

    def participant(self, key: ParticipantKey) -> Participant | None:
        return self.participants.get(key) or self._committed.participants.get(key)

    def locked(self, conversation: Conversation) -> LockedConversation:
        student, instructor = (
            self.participants.get(key) or self._committed.participants[key]
            for key in (
                (conversation.id, conversation.student_id),
                (conversation.id, conversation.instructor_id),
            )
        )
        return LockedConversation(conversation, student, instructor)

    def participants_of(self, user_id: UserId) -> list[Participant]:
        mine = {p.conversation_id: p for p in self._committed.participants_of(user_id)}
        mine |= {p.conversation_id: p for p in self.participants.values() if p.user_id == user_id}
        return list(mine.values())

    def messages_of(self, conversation_id: ConversationId) -> list[Message]:
        return self._committed.messages.get(conversation_id, []) + self.messages.get(conversation_id, [])

    def last_message(self, conversation_id: ConversationId) -> Message | None:
        kept = self.messages.get(conversation_id) or self._committed.messages.get(conversation_id)
        return self.message(kept[-1].id) if kept else None

    def sent_message(self, key: ClientKey) -> Message | None:
        message_id = self.sent.get(key) or self._committed.sent.get(key)
        return None if message_id is None else self.message(message_id)

    def message(self, message_id: MessageId) -> Message | None:
        return (
            self.changed_messages.get(message_id)
            or self.message_ids.get(message_id)
            or self._committed.message(message_id)
        )

    def edits_of(self, message_id: MessageId) -> list[MessageEdit]:
        kept = self.edits.get(message_id)
        return list(self._committed.edits.get(message_id, ())) if kept is None else kept

    def head(self, user_id: UserId) -> StreamHead | None:
        return self._committed.streams.get(user_id)

    def user(self, user_id: UserId) -> User | None:
        return self._committed.users.get(user_id)

    def apply(self) -> None:
        """Commit. Nothing here waits or can fail, so nobody sees half of it."""
        tables = self._committed
        for conversation in self.conversations.values():
            if conversation.id not in tables.conversations:
                for user_id in (conversation.student_id, conversation.instructor_id):
                    tables.conversations_of.setdefault(user_id, []).append(conversation.id)
        tables.conversations |= self.conversations
        tables.pairs |= self.pairs
        tables.participants |= self.participants
        for conversation_id, messages in self.messages.items():
            kept = tables.messages.setdefault(conversation_id, [])
            for message in messages:
                tables.message_places[message.id] = (conversation_id, len(kept))
                kept.append(message)
        for message in self.changed_messages.values():
            conversation_id, index = tables.message_places[message.id]
            tables.messages[conversation_id][index] = message
        tables.edits |= self.edits
        tables.sent |= self.sent
        for booking in self.bookings.values():
            if booking.id not in tables.bookings:
                tables.bookings_of.setdefault(booking.conversation_id, []).append(booking.id)
        tables.bookings |= self.bookings
        for job in self.jobs:
            tables.outbox_place += 1
            tables.outbox[tables.outbox_place] = _written(job, tables.outbox_place)
        for event in self.events:
            tables.events.setdefault(event.user_id, []).append(event)
            tables.streams[event.user_id] = replace(tables.streams[event.user_id], last_seq=event.seq)


def _written(job: NewJob, place: int) -> Job:
    return Job(
        place=place,
        id=job.id,
        event_id=job.event_id,
        type=job.type,
        handler=job.handler,
        aggregate_id=job.aggregate_id,
        payload=job.payload,
        planned_at=job.planned_at,
        due_at=job.planned_at,
        state=JobState.PENDING,
        attempts=0,
        claimed_by=None,
        claimed_until=None,
        last_error=None,
        created_at=job.created_at,
        finished_at=None,
    )
