"""Records for storage tests, and the way a committer would write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from greenroom.schema.bookings import Booking, BookingStatus
from greenroom.schema.ids import BookingId, ConversationId, EventId, JobId, MessageId, ServiceId, SessionId, UserId
from greenroom.schema.outbox import NewJob
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    Message,
    MessageKind,
    Role,
    Service,
    Session,
    StoredEvent,
    User,
)
from greenroom.storage.ports import OpenedConversation, Storage

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""A Monday."""

ANN, BEN, CLEO, DAN = (UserId(f"01USER{name:A>20}") for name in ("ANN", "BEN", "CEO", "DAN"))
NOBODY = UserId("01USERNOBODY00000000000000")


def a_user(user_id: UserId, *, role: Role = Role.STUDENT, **changes: object) -> User:
    user = User(
        id=user_id,
        email=f"{user_id.lower()}@example.org",
        display_name=user_id[-3:].title(),
        role=role,
        is_active=True,
        created_at=NOW,
    )
    return replace(user, **changes)  # type: ignore[arg-type]


def a_session(user_id: UserId, number: int = 1, *, expires_at: datetime = NOW + timedelta(hours=12)) -> Session:
    return Session(
        id=SessionId(f"01SESSION{number:017}"),
        user_id=user_id,
        token_hash=number.to_bytes(32, "big"),
        created_at=NOW,
        expires_at=expires_at,
    )


def a_service(instructor_id: UserId, number: int = 1, *, title: str = "Piano") -> Service:
    return Service(
        id=ServiceId(f"01SERVICE{number:017}"),
        instructor_id=instructor_id,
        title=title,
        description="For beginners.",
        price_cents=6_000,
        currency="USD",
        duration_minutes=45,
    )


def a_conversation(
    student_id: UserId = ANN, instructor_id: UserId = BEN, number: int = 1, *, at: datetime = NOW
) -> Conversation:
    return Conversation(
        id=conversation_id(number),
        student_id=student_id,
        instructor_id=instructor_id,
        last_seq=0,
        created_at=at,
        last_message_at=at,
    )


def conversation_id(number: int) -> ConversationId:
    return ConversationId(f"01CONVERSATION{number:012}")


def a_booking(
    number: int = 1,
    *,
    student_id: UserId = ANN,
    instructor_id: UserId = BEN,
    conversation: int = 1,
    service: int = 1,
    starts_at: datetime = NOW + timedelta(days=1),
    minutes: int = 60,
    **changes: object,
) -> Booking:
    booking = Booking(
        id=BookingId(f"01BOOKING{number:017}"),
        conversation_id=conversation_id(conversation),
        student_id=student_id,
        instructor_id=instructor_id,
        service_id=a_service(instructor_id, service).id,
        title="Piano",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        status=BookingStatus.BOOKED,
        note="Bring the blue book.",
        price_cents=8_000,
        currency="USD",
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(booking, **changes)  # type: ignore[arg-type]


def a_job(
    number: int = 1,
    *,
    event: int | None = None,
    handler: str = "system_message",
    conversation: int = 1,
    planned_at: datetime = NOW,
    payload: str = '{"of": "nothing"}',
) -> NewJob:
    return NewJob(
        id=JobId(f"01JOB{number:021}"),
        event_id=EventId(f"01EVENT{event or number:019}"),
        type="BookingCreated",
        handler=handler,
        aggregate_id=conversation_id(conversation),
        payload=payload,
        planned_at=planned_at,
        created_at=NOW,
    )


def a_message(
    sender_id: UserId | None = ANN,
    *,
    seq: int = 1,
    ordinal: int = 1,
    conversation: int = 1,
    content: str = "Hello",
    client_id: str | None = None,
    at: datetime = NOW,
) -> Message:
    return Message(
        id=MessageId(f"01MESSAGE{conversation:07}{seq:010}"),
        conversation_id=conversation_id(conversation),
        seq=seq,
        version=1,
        kind=MessageKind.USER if sender_id else MessageKind.SYSTEM,
        sender_id=sender_id,
        sender_ordinal=ordinal if sender_id else 0,
        content=content,
        client_id=client_id,
        booking_id=None,
        created_at=at,
    )


def an_event(user_id: UserId = ANN, seq: int = 1, *, at: datetime = NOW, data: str = '{"a": 1}') -> StoredEvent:
    return StoredEvent(user_id=user_id, seq=seq, name="message.created", data=data, at=at)


async def add_users(storage: Storage, *user_ids: UserId) -> None:
    """Store users, of whom Ben is an instructor."""
    for user_id in user_ids or (ANN, BEN):
        role = Role.INSTRUCTOR if user_id == BEN else Role.STUDENT
        await storage.accounts.create_user(a_user(user_id, role=role), "hash")


async def open_all(storage: Storage, *conversations: Conversation) -> list[OpenedConversation]:
    async with storage.writes.transaction() as tx:
        return await tx.open_conversations(conversations or (a_conversation(),))


async def send(
    storage: Storage,
    sender_id: UserId = ANN,
    *,
    conversation: int = 1,
    count: int = 1,
    at: datetime = NOW,
    client_id: str | None = None,
) -> list[Message]:
    """Send messages as a committer does: one transaction, an event for each of the two for every message."""
    target = conversation_id(conversation)
    async with storage.writes.transaction() as tx:
        held = await tx.lock(conversations=[target])
        locked = held.conversations[target]
        row = locked.conversation
        sender = locked.participant(sender_id)
        assert sender is not None
        receiver = locked.participant(sender.peer_id)
        assert receiver is not None
        messages = [
            a_message(
                sender_id,
                seq=row.last_seq + n,
                ordinal=receiver.received_ordinal + n,
                conversation=conversation,
                client_id=f"{client_id}-{n}" if client_id and count > 1 else client_id,
                at=at,
            )
            for n in range(1, count + 1)
        ]
        await tx.append_messages(messages)
        await tx.save_conversations([replace(row, last_seq=row.last_seq + count, last_message_at=at)])
        await tx.save_participants([replace(receiver, received_ordinal=receiver.received_ordinal + count)])
        users = (sender.user_id, receiver.user_id)
        await tx.append_events(
            [an_event(u, held.streams[u].last_seq + n, at=at) for u in users for n in range(1, count + 1)]
        )
    return messages


async def file(storage: Storage, user_id: UserId, state: ConversationState, *, conversation: int = 1) -> None:
    """Archive or trash a conversation for one of its users."""
    target = conversation_id(conversation)
    async with storage.writes.transaction() as tx:
        locked = (await tx.lock(conversations=[target])).conversations[target]
        mine = locked.participant(user_id)
        assert mine is not None
        await tx.save_participants([replace(mine, state=state)])


async def append_events(storage: Storage, events: Sequence[StoredEvent]) -> None:
    async with storage.writes.transaction() as tx:
        await tx.lock(users=sorted({event.user_id for event in events}))
        await tx.append_events(events)


async def save_bookings(storage: Storage, *bookings: Booking) -> None:
    async with storage.writes.transaction() as tx:
        await tx.lock(conversations=sorted({booking.conversation_id for booking in bookings}))
        await tx.save_bookings(bookings)


async def append_jobs(storage: Storage, *jobs: NewJob) -> None:
    async with storage.writes.transaction() as tx:
        await tx.lock(conversations=sorted({ConversationId(job.aggregate_id) for job in jobs}))
        await tx.append_jobs(jobs)


async def append_messages(storage: Storage, *messages: Message) -> None:
    async with storage.writes.transaction() as tx:
        await tx.lock(conversations=sorted({message.conversation_id for message in messages}))
        await tx.append_messages(messages)


async def save_marks(storage: Storage, user_id: UserId, *, conversation: int = 1, **marks: int) -> None:
    target = conversation_id(conversation)
    async with storage.writes.transaction() as tx:
        mine = (await tx.lock(conversations=[target])).conversations[target].participant(user_id)
        assert mine is not None
        await tx.save_participants([replace(mine, **marks)])  # type: ignore[arg-type]
