"""What is stored, as frozen records. Repositories make them from rows; actors decide with them; ``http`` renders them.

Numbers that mark a place:

- ``seq``: a message's place in its conversation, dense from 1.
- ordinal: a user message's place among the messages its *sender* wrote in the conversation, dense from 1. A reader's
  unread count is the ordinal last received from the other minus the ordinal reached by reading: a difference of two
  marks, never a counter that is bumped, so it can't drift.
- a stream's ``seq``: an event's place in one user's own stream, dense from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from greenroom.schema.bookings import Booking
from greenroom.schema.ids import BookingId, ConversationId, MessageId, ServiceId, SessionId, UserId
from greenroom.schema.search.understood import Level


class Role(StrEnum):
    STUDENT = "student"
    INSTRUCTOR = "instructor"
    ADMIN = "admin"


class ConversationState(StrEnum):
    """One participant's own filing of a conversation."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    TRASHED = "trashed"


class MessageKind(StrEnum):
    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class User:
    id: UserId
    email: str
    display_name: str
    role: Role
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in session. Only the SHA-256 of its token is stored."""

    id: SessionId
    user_id: UserId
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """What an instructor offers; ``price_cents`` per lesson of ``duration_minutes``.

    Attributes:
        category: a slug of the taxonomy; None if it is not told.
        levels: lowest first; empty for whatever level.
        age_min, age_max: the learner's, inclusive; None for no bound.
        is_online, is_in_person: how it is to be had; at least one of them.

    Raises:
        ValueError: the youngest would be older than the oldest.
    """

    id: ServiceId
    instructor_id: UserId
    title: str
    description: str
    price_cents: int
    currency: str
    duration_minutes: int
    category: str | None = None
    levels: tuple[Level, ...] = ()
    age_min: int | None = None
    age_max: int | None = None
    is_online: bool = False
    is_in_person: bool = True

    def __post_init__(self) -> None:
        if self.age_min is not None and self.age_max is not None and self.age_min > self.age_max:
            raise ValueError(f"{self.title!r} is for ages from {self.age_min} to {self.age_max}")


@dataclass(frozen=True, slots=True)
class Conversation:
    """``last_message_at`` is the creation time until the first message."""

    id: ConversationId
    student_id: UserId
    instructor_id: UserId
    last_seq: int
    created_at: datetime
    last_message_at: datetime


@dataclass(frozen=True, slots=True)
class Participant:
    """One user's side of a conversation.

    Attributes:
        received_ordinal: ordinal of the newest user message the *other* participant has sent (0: none).
        read_ordinal: ordinal among the other's messages that this user's reading has reached.
        read_seq: highest ``seq`` this user has marked read; ``delivered_seq`` likewise, never below ``read_seq``.
    """

    conversation_id: ConversationId
    user_id: UserId
    peer_id: UserId
    state: ConversationState = ConversationState.ACTIVE
    received_ordinal: int = 0
    read_ordinal: int = 0
    read_seq: int = 0
    delivered_seq: int = 0

    @property
    def unread_count(self) -> int:
        return self.received_ordinal - self.read_ordinal


@dataclass(frozen=True, slots=True)
class Reaction:
    emoji: str
    user_ids: tuple[UserId, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """``sender_ordinal`` is 0 and ``sender_id`` None for a system message; ``version`` counts from 1."""

    id: MessageId
    conversation_id: ConversationId
    seq: int
    version: int
    kind: MessageKind
    sender_id: UserId | None
    sender_ordinal: int
    content: str
    client_id: str | None
    booking_id: BookingId | None
    created_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    reactions: tuple[Reaction, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageEdit:
    """What a message said in a former version.

    Attributes:
        written_at: when it was sent, or edited to say this.
    """

    message_id: MessageId
    version: int
    content: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class MessageReaction:
    """One user's feeling about a message."""

    message_id: MessageId
    emoji: str
    user_id: UserId


@dataclass(frozen=True, slots=True)
class LockedConversation:
    """A conversation whose row is locked by the running transaction, with both participants' rows."""

    conversation: Conversation
    student: Participant
    instructor: Participant

    def participant(self, user_id: UserId) -> Participant | None:
        """Return the side of ``user_id``, or None for a stranger."""
        if user_id == self.student.user_id:
            return self.student
        if user_id == self.instructor.user_id:
            return self.instructor
        return None


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as one participant sees it; ``upcoming`` are its next lessons, soonest first."""

    conversation: Conversation
    me: Participant
    other: Participant
    other_user: User
    last_message: Message | None
    upcoming: tuple[Booking, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamHead:
    """Where a user's stream stands.

    Attributes:
        last_seq: of the newest event, 0 for none.
        floor_seq: events with ``seq`` ≤ this are no longer kept; a cursor below it can't be served.
    """

    user_id: UserId
    last_seq: int
    floor_seq: int


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A durable event of one user's stream. ``data`` is its JSON text, rendered once and sent as it is."""

    user_id: UserId
    seq: int
    name: str
    data: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SyncSnapshot:
    """A user's whole state at one stream position, read from a single database snapshot."""

    conversations: tuple[ConversationView, ...]
    total_unread: int
    head: StreamHead
