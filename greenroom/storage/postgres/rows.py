"""Rows made into records: the one place that knows in which order the queries name their columns."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from greenroom.schema.bookings import Booking, BookingStatus
from greenroom.schema.ids import BookingId, ConversationId, EventId, JobId, MessageId, ServiceId, SessionId, UserId
from greenroom.schema.outbox import Job, JobState, OutboxFigures
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    ConversationView,
    LockedConversation,
    Message,
    MessageKind,
    Participant,
    Reaction,
    Role,
    Service,
    Session,
    StoredEvent,
    StreamHead,
    User,
)
from greenroom.schema.redaction import without_words
from greenroom.schema.search.understood import Level
from greenroom.storage.lock_ledger import Pair
from greenroom.storage.ports import ClientKey, Credentials, EndedSession, MarkQuery, StreamPosition

_USER_COLUMNS: Final = 6
_SESSION_COLUMNS: Final = 6
_CONVERSATION_COLUMNS: Final = 6
_PARTICIPANT_COLUMNS: Final = 8


def user(user_id: UserId, email: str, display_name: str, role: str, is_active: bool, created_at: datetime) -> User:
    return User(user_id, email, display_name, Role(role), is_active, created_at)


def credentials(*columns: Any) -> Credentials:
    """A user, then ``password_hash``."""
    return Credentials(user(*columns[:_USER_COLUMNS]), columns[_USER_COLUMNS])


def session_and_user(*columns: Any) -> tuple[Session, User]:
    """A session, then its user."""
    return _session(*columns[:_SESSION_COLUMNS]), user(*columns[_SESSION_COLUMNS:])


def ended_session(session_id: SessionId, has_expired: bool) -> EndedSession:
    return EndedSession(session_id, has_expired)


def _session(
    session_id: SessionId,
    user_id: UserId,
    token_hash: bytes,
    created_at: datetime,
    expires_at: datetime,
    revoked_at: datetime | None,
) -> Session:
    return Session(session_id, user_id, token_hash, created_at, expires_at, revoked_at)


def service(
    service_id: ServiceId,
    instructor_id: UserId,
    title: str,
    description: str,
    price_cents: int,
    currency: str,
    duration_minutes: int,
    category: str | None,
    levels: list[str],
    age_min: int | None,
    age_max: int | None,
    is_online: bool,
    is_in_person: bool,
) -> Service:
    return Service(
        id=service_id,
        instructor_id=instructor_id,
        title=title,
        description=description,
        price_cents=price_cents,
        currency=currency,
        duration_minutes=duration_minutes,
        category=category,
        levels=tuple(Level(level) for level in levels),
        age_min=age_min,
        age_max=age_max,
        is_online=is_online,
        is_in_person=is_in_person,
    )


def conversation_id(value: str) -> ConversationId:
    return ConversationId(value)


def user_id(value: str) -> UserId:
    return UserId(value)


def user_and_peer(user_id: str, peer_id: str) -> tuple[UserId, UserId]:
    return UserId(user_id), UserId(peer_id)


def pair_of_users(student_id: str, instructor_id: str) -> tuple[UserId, UserId]:
    return UserId(student_id), UserId(instructor_id)


def conversation_of_pair(first_id: str, second_id: str, value: str) -> tuple[Pair, ConversationId]:
    return (UserId(first_id), UserId(second_id)), ConversationId(value)


def conversation(
    conversation_id: ConversationId,
    student_id: UserId,
    instructor_id: UserId,
    last_seq: int,
    created_at: datetime,
    last_message_at: datetime,
) -> Conversation:
    return Conversation(conversation_id, student_id, instructor_id, last_seq, created_at, last_message_at)


def participant(
    conversation_id: ConversationId,
    user_id: UserId,
    peer_id: UserId,
    state: str,
    received_ordinal: int,
    read_ordinal: int,
    read_seq: int,
    delivered_seq: int,
) -> Participant:
    return Participant(
        conversation_id=conversation_id,
        user_id=user_id,
        peer_id=peer_id,
        state=ConversationState(state),
        received_ordinal=received_ordinal,
        read_ordinal=read_ordinal,
        read_seq=read_seq,
        delivered_seq=delivered_seq,
    )


def message(
    message_id: MessageId,
    conversation_id: ConversationId,
    seq: int,
    version: int,
    kind: str,
    sender_id: UserId | None,
    sender_ordinal: int,
    content: str,
    client_id: str | None,
    booking_id: BookingId | None,
    created_at: datetime,
    edited_at: datetime | None,
    deleted_at: datetime | None,
    reactions: list[tuple[str, list[UserId]]] | None,
) -> Message:
    return Message(
        id=message_id,
        conversation_id=conversation_id,
        seq=seq,
        version=version,
        kind=MessageKind(kind),
        sender_id=sender_id,
        sender_ordinal=sender_ordinal,
        content=content,
        client_id=client_id,
        booking_id=booking_id,
        created_at=created_at,
        edited_at=edited_at,
        deleted_at=deleted_at,
        reactions=tuple(Reaction(emoji, tuple(user_ids)) for emoji, user_ids in reactions or ()),
    )


def sent_message(*columns: Any) -> tuple[ClientKey, Message]:
    """A message that has a client id."""
    sent = message(*columns)
    if sent.client_id is None:
        raise ValueError("a message without client id")
    return ClientKey(sent.conversation_id, sent.sender_id, sent.client_id), sent


def identified_message(*columns: Any) -> tuple[MessageId, Message]:
    found = message(*columns)
    return found.id, found


def ordinal(
    conversation_id: ConversationId, reader_id: UserId, seq: int, sender_ordinal: int
) -> tuple[MarkQuery, int]:
    return MarkQuery(conversation_id, reader_id, seq), sender_ordinal


def stream_position(user_id: UserId, last_seq: int, total_unread: int) -> tuple[UserId, StreamPosition]:
    return user_id, StreamPosition(last_seq=last_seq, total_unread=total_unread)


def locked_conversation(*columns: Any) -> LockedConversation:
    """A conversation, then the student's participant, then the instructor's."""
    students = _CONVERSATION_COLUMNS
    instructors = students + _PARTICIPANT_COLUMNS
    return LockedConversation(
        conversation=conversation(*columns[:students]),
        student=participant(*columns[students:instructors]),
        instructor=participant(*columns[instructors:]),
    )


def view(*columns: Any) -> ConversationView:
    """A conversation, my participant, the other's, the other user, then the last message or nothing but NULLs."""
    mine = _CONVERSATION_COLUMNS
    others = mine + _PARTICIPANT_COLUMNS
    other_users = others + _PARTICIPANT_COLUMNS
    last = other_users + _USER_COLUMNS
    return ConversationView(
        conversation=conversation(*columns[:mine]),
        me=participant(*columns[mine:others]),
        other=participant(*columns[others:other_users]),
        other_user=user(*columns[other_users:last]),
        last_message=None if columns[last] is None else message(*columns[last:]),
    )


def booking(
    booking_id: BookingId,
    conversation_id: ConversationId,
    student_id: UserId,
    instructor_id: UserId,
    service_id: ServiceId,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    status: str,
    note: str | None,
    price_cents: int,
    currency: str,
    version: int,
    created_at: datetime,
    updated_at: datetime,
    closed_by: UserId | None,
    cancel_reason: str | None,
    reminded_version: int,
) -> Booking:
    return Booking(
        id=booking_id,
        conversation_id=conversation_id,
        student_id=student_id,
        instructor_id=instructor_id,
        service_id=service_id,
        title=title,
        starts_at=starts_at,
        ends_at=ends_at,
        status=BookingStatus(status),
        note=note,
        price_cents=price_cents,
        currency=currency,
        version=version,
        created_at=created_at,
        updated_at=updated_at,
        closed_by=closed_by,
        cancel_reason=cancel_reason,
        reminded_version=reminded_version,
    )


def job(
    place: int,
    job_id: JobId,
    event_id: EventId,
    event_type: str,
    handler: str,
    aggregate_id: str,
    payload: str,
    planned_at: datetime,
    due_at: datetime,
    state: str,
    attempts: int,
    claimed_by: str | None,
    claimed_until: datetime | None,
    last_error: str | None,
    created_at: datetime,
    finished_at: datetime | None,
) -> Job:
    return Job(
        place=place,
        id=job_id,
        event_id=event_id,
        type=event_type,
        handler=handler,
        aggregate_id=aggregate_id,
        payload=payload,
        planned_at=planned_at,
        due_at=due_at,
        state=JobState(state),
        attempts=attempts,
        claimed_by=claimed_by,
        claimed_until=claimed_until,
        last_error=last_error,
        created_at=created_at,
        finished_at=finished_at,
    )


def outbox_figures(waiting: int, running: int, scheduled: int, dead: int, oldest: timedelta) -> OutboxFigures:
    return OutboxFigures(waiting, running, scheduled, dead, oldest)


def length_of_time(value: timedelta) -> timedelta:
    return value


def head(user_id: UserId, last_seq: int, floor_seq: int) -> StreamHead:
    return StreamHead(user_id, last_seq, floor_seq)


def event(
    user_id: UserId, seq: int, name: str, data: str, at: datetime, deleted_at: datetime | None
) -> StoredEvent:
    """An event, then when the message it holds was deleted, if it was."""
    return StoredEvent(user_id, seq, name, data if deleted_at is None else without_words(data, deleted_at), at)
