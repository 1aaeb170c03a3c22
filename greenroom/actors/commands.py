"""Durable commands: everything that changes a conversation, and what each answers.

A command is authorised and ordered by its conversation's actor, then decided and written by the committer.
"""

from __future__ import annotations

from dataclasses import dataclass

from greenroom.schema.bookings import Booking, Slot
from greenroom.schema.ids import BookingId, ConversationId, EventId, MessageId, ServiceId, UserId
from greenroom.schema.records import ConversationState, ConversationView, Message
from greenroom.supervisor import Request


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """A message that comes with the creation of its conversation."""

    content: str
    client_id: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """``created`` tells whether the conversation is new; ``message`` is the first message, if one was given."""

    view: ConversationView
    created: bool
    message: Message | None


@dataclass(frozen=True, slots=True)
class Sent:
    """``created`` is False when the client id was known, and ``message`` then is the one first stored under it."""

    message: Message
    created: bool


@dataclass(frozen=True, slots=True)
class Booked:
    """``created`` is False when the student had booked just this before, and ``booking`` then is that one."""

    booking: Booking
    created: bool


@dataclass(frozen=True, slots=True)
class Unread:
    """Absolute counts as the asking user sees them."""

    unread_count: int
    total_unread: int


@dataclass(frozen=True, slots=True)
class OpenConversation(Request[Opened]):
    """Get or create the pair's conversation; ``opened_by`` is one of the two and the sender of ``first``."""

    student_id: UserId
    instructor_id: UserId
    opened_by: UserId
    first: FirstMessage | None


@dataclass(frozen=True, slots=True)
class SendMessage(Request[Sent]):
    conversation_id: ConversationId
    sender_id: UserId
    content: str
    client_id: str | None
    booking_id: BookingId | None = None


@dataclass(frozen=True, slots=True)
class MarkRead(Request[Unread]):
    """Everything up to ``seq`` (inclusive) was read. A mark never moves back."""

    conversation_id: ConversationId
    user_id: UserId
    seq: int


@dataclass(frozen=True, slots=True)
class MarkDelivered(Request[Unread]):
    """Everything up to ``seq`` (inclusive) reached a device. A mark never moves back."""

    conversation_id: ConversationId
    user_id: UserId
    seq: int


@dataclass(frozen=True, slots=True)
class SetState(Request[ConversationView]):
    """File the conversation for one participant only."""

    conversation_id: ConversationId
    user_id: UserId
    state: ConversationState


@dataclass(frozen=True, slots=True)
class EditMessage(Request[Message]):
    """Say something else instead, within the time there is for that; the same content again changes nothing.

    Attributes:
        if_version: refuse unless the message has this version.
    """

    conversation_id: ConversationId
    user_id: UserId
    message_id: MessageId
    content: str
    if_version: int | None


@dataclass(frozen=True, slots=True)
class DeleteMessage(Request[Message]):
    """Take the content away for everybody; the row keeps its place. Deleting again changes nothing."""

    conversation_id: ConversationId
    user_id: UserId
    message_id: MessageId


@dataclass(frozen=True, slots=True)
class SetReaction(Request[None]):
    """Put one's emoji on a message, or take it off."""

    conversation_id: ConversationId
    user_id: UserId
    message_id: MessageId
    emoji: str
    is_added: bool


@dataclass(frozen=True, slots=True)
class NoteSessionEnd(Request[None]):
    """Tell all of a user's devices that one of the sessions ended."""

    user_id: UserId
    reason: str


@dataclass(frozen=True, slots=True)
class BookLesson(Request[Booked]):
    """Book an instructor's time; opens the pair's conversation if they have none.

    Attributes:
        title, price_cents, currency: of the service, the price for a lesson of this length.
    """

    student_id: UserId
    instructor_id: UserId
    service_id: ServiceId
    title: str
    price_cents: int
    currency: str
    slot: Slot
    note: str | None


@dataclass(frozen=True, slots=True)
class CancelBooking(Request[Booking]):
    """Call a lesson off before it begins; calling off again what one called off changes nothing."""

    conversation_id: ConversationId
    user_id: UserId
    booking_id: BookingId
    reason: str | None


@dataclass(frozen=True, slots=True)
class RescheduleBooking(Request[Booking]):
    """Move a lesson that has not begun to another time, which is as long; the same time again changes nothing."""

    conversation_id: ConversationId
    user_id: UserId
    booking_id: BookingId
    slot: Slot


@dataclass(frozen=True, slots=True)
class CompleteBooking(Request[Booking]):
    """Note that a lesson was given; only its instructor may. Again, it changes nothing."""

    conversation_id: ConversationId
    user_id: UserId
    booking_id: BookingId


@dataclass(frozen=True, slots=True)
class RemindBooking(Request[bool]):
    """Remind both of a lesson, once per version; answers False if it is no longer the one that was to be reminded of."""

    conversation_id: ConversationId
    booking_id: BookingId
    version: int


@dataclass(frozen=True, slots=True)
class PostSystemMessage(Request[Sent]):
    """Tell both in their conversation what happened, once per event."""

    conversation_id: ConversationId
    event_id: EventId
    content: str
    booking_id: BookingId


MessageCommand = EditMessage | DeleteMessage | SetReaction
BookingCommand = CancelBooking | RescheduleBooking | CompleteBooking
ConversationCommand = SendMessage | MarkRead | MarkDelivered | SetState | MessageCommand | BookingCommand
WorkerCommand = RemindBooking | PostSystemMessage
"""What follows from events; nobody asked for it, so nobody has to be allowed to."""

OpeningCommand = OpenConversation | BookLesson
Command = ConversationCommand | OpeningCommand | WorkerCommand | NoteSessionEnd
