"""What clients send: bodies and query parameters, checked before anything else happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)

from greenroom.schema.bookings import DURATION_MAX, DURATION_MIN, BookingTense
from greenroom.schema.fields import (
    PAGE_LIMIT_MAX,
    CancelReason,
    ClientId,
    Content,
    DisplayName,
    Email,
    Limit,
    NewPassword,
    Note,
    PageCursor,
    Password,
    QuerySeq,
    Seq,
    SingleLine,
    Ulid,
    WaitS,
    digits,
)
from greenroom.schema.ids import BookingId, ServiceId, UserId
from greenroom.schema.records import ConversationState
from greenroom.schema.request_models import Body, Query


class NewAccount(Body):
    """What every account needs, whoever makes it."""

    email: Email
    password: NewPassword
    display_name: DisplayName


class Register(NewAccount):
    role: Literal["student", "instructor"]


class Login(Body):
    email: Email
    password: Password
    captcha_token: Annotated[str | None, Field(max_length=2_048)] = None


class ListConversations(Query):
    state: ConversationState = ConversationState.ACTIVE
    limit: Limit = 20
    cursor: PageCursor | None = None


class FirstMessageBody(Body):
    content: Content
    client_id: ClientId | None = None


class OpenConversation(Body):
    participant_id: Annotated[UserId, Ulid]
    message: FirstMessageBody | None = None


class FileConversation(Body):
    state: ConversationState


class ListMessages(Query):
    """``before`` and ``after`` exclude each other; with neither, the newest page."""

    before: QuerySeq | None = None
    after: QuerySeq | None = None
    limit: Limit = 50

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if self.before is not None and self.after is not None:
            raise ValueError("give either before or after, not both")
        return self


class SendMessage(Body):
    content: Content
    client_id: ClientId | None = None
    booking_id: Annotated[BookingId, Ulid] | None = None


class EditMessage(Body):
    content: Content


class Book(Body):
    """``starts_at`` in RFC 3339, with its offset from UTC."""

    instructor_id: Annotated[UserId, Ulid]
    service_id: Annotated[ServiceId, Ulid]
    starts_at: AwareDatetime
    duration_minutes: Annotated[
        int, Field(ge=DURATION_MIN // timedelta(minutes=1), le=DURATION_MAX // timedelta(minutes=1))
    ]
    note: Note | None = None


class ListBookings(Query):
    """Without ``state``, all."""

    state: BookingTense | None = None
    limit: Limit = 20
    cursor: PageCursor | None = None


class CancelBooking(Body):
    """``reason`` is told to the other."""

    reason: CancelReason | None = None


class RescheduleBooking(Body):
    """``starts_at`` in RFC 3339, with its offset from UTC; the lesson stays as long as it is."""

    starts_at: AwareDatetime


class MarkUpTo(Body):
    seq: Seq


class SetTyping(Body):
    is_typing: bool


class OpenEvents(Query):
    """Where to resume, and a ticket for clients that can set no header. ``Last-Event-ID`` wins over both parameters."""

    # Not constrained: a cursor that can't be read is answered by a reset event, not by a refusal.
    last_event_id: str | None = None
    lastEventId: str | None = None  # noqa: N815 - what event-source-polyfill sends
    ticket: str | None = None


class ReadEventLog(Query):
    after: str | None = None
    limit: Limit = PAGE_LIMIT_MAX
    wait: WaitS = 0.0


class FindRegions(Query):
    name: Annotated[SingleLine, StringConstraints(max_length=100)]
    limit: Annotated[int, Field(ge=1, le=20), BeforeValidator(digits)] = 10


class ListInstructors(Query):
    """``name`` is a part of the display name, without regard to case and accents."""

    name: Annotated[SingleLine, StringConstraints(max_length=80)] | None = None
    limit: Limit = 20
    cursor: PageCursor | None = None
