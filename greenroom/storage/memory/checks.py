"""The CHECK constraints of the schema, for the twin that has no SQL. The names are those of the migrations."""

from __future__ import annotations

from typing import Final

from greenroom.schema.bookings import Booking, BookingStatus
from greenroom.schema.errors import Conflict
from greenroom.schema.records import Conversation, Message, MessageKind, Participant

CONTENT_LENGTH_MAX: Final = 5_000


def check_conversation(conversation: Conversation) -> None:
    """
    Raises:
        Conflict: the row could not be stored.
    """
    _require(conversation.student_id != conversation.instructor_id, "conversations_two_users")
    _require(conversation.last_seq >= 0, "conversations_last_seq")


def check_participant(participant: Participant) -> None:
    """
    Raises:
        Conflict: the row could not be stored.
    """
    _require(0 <= participant.read_ordinal <= participant.received_ordinal, "participants_ordinals_ordered")
    _require(0 <= participant.read_seq <= participant.delivered_seq, "participants_marks_ordered")


def check_message(message: Message) -> None:
    """
    Raises:
        Conflict: the row could not be stored.
    """
    is_deleted = message.deleted_at is not None
    _require(is_deleted or 1 <= len(message.content) <= CONTENT_LENGTH_MAX, "messages_content_length")
    _require(message.seq > 0 and message.version > 0, "messages_seq")
    if message.kind is MessageKind.USER:
        _require(message.sender_id is not None and message.sender_ordinal > 0, "messages_sender")
    else:
        _require(message.sender_id is None and message.sender_ordinal == 0, "messages_sender")


def check_booking(booking: Booking) -> None:
    """
    Raises:
        Conflict: the row could not be stored.
    """
    _require(booking.starts_at < booking.ends_at, "bookings_times")
    _require(booking.version > 0, "bookings_version")
    _require((booking.status is BookingStatus.BOOKED) is (booking.closed_by is None), "bookings_closed")


def _require(holds: bool, constraint: str) -> None:
    if not holds:
        raise Conflict(f"The change contradicts {constraint}.")
