"""The shapes clients see: the same models in REST answers and inside event data.

Built from records by ``of`` only, so that nothing half-checked gets in; rendered once with :func:`to_json`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, PlainSerializer

from greenroom.schema.bookings import Booking, BookingStatus
from greenroom.schema.clock import rfc3339
from greenroom.schema.records import (
    ConversationState,
    ConversationView,
    Message,
    MessageKind,
    Reaction,
    Role,
    Service,
    User,
)
from greenroom.schema.search.understood import Level

Moment = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]
"""RFC 3339, UTC, milliseconds."""


class Wire(BaseModel):
    """Base of every shape that leaves the server."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def to_json(model: BaseModel) -> str:
    """Render a model as one line of JSON (JSON escapes every newline inside strings)."""
    return model.model_dump_json()


class UserOut(Wire):
    """The signed-in user, as only that user sees it."""

    id: str
    email: str
    display_name: str
    role: Role
    permissions: list[str]

    @classmethod
    def of(cls, user: User, permissions: frozenset[str]) -> Self:
        return cls(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            role=user.role,
            permissions=sorted(permissions),
        )


class ReactionOut(Wire):
    """One emoji, and who put it there."""

    emoji: str
    user_ids: list[str]

    @classmethod
    def of(cls, reaction: Reaction) -> Self:
        return cls(emoji=reaction.emoji, user_ids=list(reaction.user_ids))


class MessageOut(Wire):
    id: str
    conversation_id: str
    seq: int
    version: int
    kind: MessageKind
    sender_id: str | None
    content: str
    client_id: str | None
    booking_id: str | None
    reactions: list[ReactionOut]
    created_at: Moment
    edited_at: Moment | None
    deleted_at: Moment | None

    @classmethod
    def of(cls, message: Message) -> Self:
        return cls(
            id=message.id,
            conversation_id=message.conversation_id,
            seq=message.seq,
            version=message.version,
            kind=message.kind,
            sender_id=message.sender_id,
            content=message.content,
            client_id=message.client_id,
            booking_id=message.booking_id,
            reactions=[ReactionOut.of(reaction) for reaction in message.reactions],
            created_at=message.created_at,
            edited_at=message.edited_at,
            deleted_at=message.deleted_at,
        )


class OtherOut(Wire):
    """The other participant. ``online`` is what was known when this was rendered."""

    id: str
    display_name: str
    role: Role
    online: bool


class BookingOut(Wire):
    """A lesson that was booked; ``price_cents`` is for the whole of it."""

    id: str
    conversation_id: str
    student_id: str
    instructor_id: str
    service_id: str
    title: str
    starts_at: Moment
    ends_at: Moment
    duration_minutes: int
    status: BookingStatus
    note: str | None
    price_cents: int
    currency: str
    version: int
    created_at: Moment
    updated_at: Moment
    closed_by: str | None
    cancel_reason: str | None

    @classmethod
    def of(cls, booking: Booking) -> Self:
        return cls(
            id=booking.id,
            conversation_id=booking.conversation_id,
            student_id=booking.student_id,
            instructor_id=booking.instructor_id,
            service_id=booking.service_id,
            title=booking.title,
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            duration_minutes=booking.duration_minutes,
            status=booking.status,
            note=booking.note,
            price_cents=booking.price_cents,
            currency=booking.currency,
            version=booking.version,
            created_at=booking.created_at,
            updated_at=booking.updated_at,
            closed_by=booking.closed_by,
            cancel_reason=booking.cancel_reason,
        )


class ConversationOut(Wire):
    """A conversation as one participant sees it."""

    id: str
    student_id: str
    instructor_id: str
    other: OtherOut
    state: ConversationState
    unread_count: int
    last_message: MessageOut | None
    last_seq: int
    last_read_seq: int
    other_last_read_seq: int
    upcoming_bookings: list[BookingOut]
    created_at: Moment
    last_message_at: Moment

    @classmethod
    def of(cls, view: ConversationView, *, is_online: bool) -> Self:
        conversation, other = view.conversation, view.other_user
        return cls(
            id=conversation.id,
            student_id=conversation.student_id,
            instructor_id=conversation.instructor_id,
            other=OtherOut(id=other.id, display_name=other.display_name, role=other.role, online=is_online),
            state=view.me.state,
            unread_count=view.me.unread_count,
            last_message=None if view.last_message is None else MessageOut.of(view.last_message),
            last_seq=conversation.last_seq,
            last_read_seq=view.me.read_seq,
            other_last_read_seq=view.other.read_seq,
            upcoming_bookings=[BookingOut.of(booking) for booking in view.upcoming],
            created_at=conversation.created_at,
            last_message_at=conversation.last_message_at,
        )


class AgesOut(Wire):
    """Both inclusive; null for no bound."""

    min: int | None
    max: int | None

    @classmethod
    def of(cls, age_min: int | None, age_max: int | None) -> Self | None:
        """None for no bound at all."""
        return None if age_min is None and age_max is None else cls(min=age_min, max=age_max)


class ServiceOut(Wire):
    """``levels`` empty for whatever level, ``ages`` null for any age, ``category`` null if it is not told."""

    id: str
    title: str
    description: str
    price_cents: int
    currency: str
    duration_minutes: int
    category: str | None
    levels: list[Level]
    ages: AgesOut | None
    online: bool
    in_person: bool

    @classmethod
    def of(cls, service: Service) -> Self:
        return cls(
            id=service.id,
            title=service.title,
            description=service.description,
            price_cents=service.price_cents,
            currency=service.currency,
            duration_minutes=service.duration_minutes,
            category=service.category,
            levels=list(service.levels),
            ages=AgesOut.of(service.age_min, service.age_max),
            online=service.is_online,
            in_person=service.is_in_person,
        )
