"""What clients send: bodies and query parameters, checked before anything else happens.

Unknown fields are refused, types are strict (``"5"`` is no number in a body), and nothing is trimmed or clamped.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from greenroom.schema.bookings import DURATION_MAX, DURATION_MIN, BookingTense
from greenroom.schema.ids import ULID_PATTERN, BookingId, ServiceId, UserId
from greenroom.schema.outbox import JobsShown
from greenroom.schema.records import ConversationState

CONTENT_LENGTH_MAX: Final = 5_000
"""Characters (code points) of one message."""

CLIENT_ID_LENGTH_MAX: Final = 64
"""Characters: room for a UUID or a ULID with a prefix."""

PAGE_LIMIT_MAX: Final = 100

REASON_LENGTH_MAX: Final = 500
"""Characters of a reason: a sentence or two and, of an operator's, a ticket's number."""

NOTE_LENGTH_MAX: Final = 1_000
"""Characters of what a student notes on a booking."""

LONG_POLL_S_MAX: Final = 25
"""Below the 30 s after which common proxies give up on a silent response."""

SEQ_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader holds exactly (RFC 8259, section 6)."""

PASSWORD_LENGTH_MIN: Final = 8
PASSWORD_BYTES_MAX: Final = 1_024
"""Long enough for any passphrase, short enough that hashing costs the same for all."""

# RFC 5321's 254 octets; one @, a dot in the domain, no spaces or control characters. Whether an address is real only a
# message to it can tell.
_EMAIL: Final = re.compile(
    r"[^@\s\x00-\x1f\x7f<>\"(),:;\[\]\\]{1,64}@[^@\s\x00-\x1f\x7f<>\"(),:;\[\]\\.]+(\.[^@\s\x00-\x1f\x7f<>\"(),:;\[\]\\.]+)+"
)

_DIGITS: Final = re.compile(r"-?[0-9]{1,16}")
_DECIMAL: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")


def plain_text(text: str) -> str:
    """Refuse what Postgres (NUL) and UTF-8 (lone surrogates) can't hold."""
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain lone surrogates")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _email(text: str) -> str:
    if len(text) > 254 or _EMAIL.fullmatch(text) is None:
        raise ValueError("must be an e-mail address")
    return text


def _single_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def _password(secret: SecretStr) -> SecretStr:
    plain_text(secret.get_secret_value())
    if len(secret.get_secret_value().encode()) > PASSWORD_BYTES_MAX:
        raise ValueError(f"must be at most {PASSWORD_BYTES_MAX} bytes")
    return secret


def _new_password(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < PASSWORD_LENGTH_MIN:
        raise ValueError(f"must be at least {PASSWORD_LENGTH_MIN} characters")
    return secret


def _digits(value: object) -> object:
    if isinstance(value, str) and _DIGITS.fullmatch(value) is None:
        raise ValueError("must be a whole number")
    return value


def _decimal(value: object) -> object:
    if isinstance(value, str) and _DECIMAL.fullmatch(value) is None:
        raise ValueError("must be a number with at most three decimals")
    return value


Text = Annotated[str, AfterValidator(plain_text)]
SingleLine = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
    AfterValidator(_single_line),
]
Content = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CONTENT_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
]
Note = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NOTE_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
]
CancelReason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=REASON_LENGTH_MAX),
    AfterValidator(plain_text),
    AfterValidator(_not_blank),
]
ClientId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CLIENT_ID_LENGTH_MAX, pattern=r"^[A-Za-z0-9._:-]+$"),
]
Ulid = StringConstraints(pattern=ULID_PATTERN)
Seq = Annotated[int, Field(ge=1, le=SEQ_MAX)]
Email = Annotated[str, AfterValidator(_email), Field(json_schema_extra={"format": "email", "maxLength": 254})]

# Query parameters arrive as text; only plain digits are numbers (pydantic alone would also take "1_0", " 1" or "1.0").
# The bounds stand next to the type: behind a validator, pydantic would not put them into the schema.
Limit = Annotated[int, Field(ge=1, le=PAGE_LIMIT_MAX), BeforeValidator(_digits)]
QuerySeq = Annotated[int, Field(ge=0, le=SEQ_MAX), BeforeValidator(_digits)]
WaitS = Annotated[float, Field(ge=0, le=LONG_POLL_S_MAX), BeforeValidator(_decimal)]
PageCursor = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(plain_text)]


class ActorRank(StrEnum):
    """What operators may rank actors by, highest first."""

    DEPTH = "depth"
    OLDEST = "oldest"
    BUSY = "busy"
    RESTARTS = "restarts"
    IDLE = "idle"
    BYTES = "bytes"
    HANDLED = "handled"
    FAILED = "failed"


class ActorState(StrEnum):
    """What operators may filter actors by."""

    STARTING = "starting"
    RUNNING = "running"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    RESTARTING = "restarting"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    PASSIVATED = "passivated"
    WEDGED = "wedged"


class Body(BaseModel):
    """Base of JSON request bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Query(BaseModel):
    """Base of query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NewAccount(Body):
    """What every account needs, whoever makes it."""

    email: Email
    password: Annotated[SecretStr, AfterValidator(_password), AfterValidator(_new_password)]
    display_name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=80),
        AfterValidator(plain_text),
        AfterValidator(_not_blank),
        AfterValidator(_single_line),
    ]


class Register(NewAccount):
    role: Literal["student", "instructor"]


class Login(Body):
    email: Email
    password: Annotated[SecretStr, AfterValidator(_password)]
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


class ReadActors(Query):
    """``depth`` counts levels below the root; further children of a supervisor than ``children_max`` are summed up."""

    depth: Annotated[int, Field(ge=0, le=20), BeforeValidator(_digits)] = 4
    children_max: Limit = 50


class RankActors(Query):
    """``key_prefix`` is what the key of an actor that is started on demand begins with."""

    sort: ActorRank = ActorRank.DEPTH
    limit: Limit = 50
    kind: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    state: ActorState | None = None
    key_prefix: Annotated[str, Field(max_length=64)] = ""
    cursor: Annotated[str | None, StringConstraints(min_length=1, max_length=600)] = None


class ReadCalls(Query):
    limit: Limit = 50


class ActOnActor(Body):
    """``reason`` is kept with the record of the action."""

    reason: Annotated[
        str | None,
        StringConstraints(min_length=1, max_length=REASON_LENGTH_MAX),
        AfterValidator(_single_line),
    ] = None


class ProbeSteps(Body):
    """Measure every step of every task for so many seconds; it slows the server down meanwhile."""

    for_s: Annotated[float, Field(gt=0, le=60)] = 10.0


class ReadDeadLetters(Query):
    limit: Limit = PAGE_LIMIT_MAX
    reason: Annotated[str | None, StringConstraints(pattern=r"^[a-z_]{1,32}$")] = None


class ReadAudit(Query):
    limit: Limit = 50
    cursor: PageCursor | None = None


class ReadOutbox(Query):
    """``running`` jobs are also pending ones; there are few, so they come without a cursor."""

    state: JobsShown | None = None
    limit: Limit = 50
    cursor: PageCursor | None = None


class FindRegions(Query):
    name: Annotated[SingleLine, StringConstraints(max_length=100)]
    limit: Annotated[int, Field(ge=1, le=20), BeforeValidator(_digits)] = 10


class ListInstructors(Query):
    """``name`` is a part of the display name, without regard to case and accents."""

    name: Annotated[SingleLine, StringConstraints(max_length=80)] | None = None
    limit: Limit = 20
    cursor: PageCursor | None = None
