"""Lessons that were booked, and what happens to them.

A booking is ``booked`` until it is cancelled or completed, and then stays so. Its time may change while it is booked and has
not begun; who takes part, the service and the length never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter

from greenroom.schema.ids import BookingId, ConversationId, EventId, ServiceId, UserId

DURATION_MIN: Final = timedelta(minutes=15)
DURATION_MAX: Final = timedelta(minutes=480)
"""A working day. Also how far back a lesson that is not over yet can have begun."""

AHEAD_MAX: Final = timedelta(days=730)
"""Nobody plans a lesson further ahead; a slip in the year should be told, not stored."""

UPCOMING_MAX: Final = 5
"""Lessons shown with a conversation."""


class BookingStatus(StrEnum):
    BOOKED = "booked"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class BookingTense(StrEnum):
    """``UPCOMING``: booked and not over. ``PAST``: all others, those cancelled ahead of their time included."""

    UPCOMING = "upcoming"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of an instructor's time, its end excluded."""

    instructor_id: UserId
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Slot) -> bool:
        return (
            self.instructor_id == other.instructor_id
            and self.starts_at < other.ends_at
            and other.starts_at < self.ends_at
        )


@dataclass(frozen=True, slots=True)
class Booking:
    """
    Attributes:
        title, price_cents, currency: the service's when it was booked, the price for the whole lesson.
        version: 1 at first, one more with every change.
        closed_by: who cancelled or completed it.
        reminded_version: the version both were reminded of, 0 for none.
    """

    id: BookingId
    conversation_id: ConversationId
    student_id: UserId
    instructor_id: UserId
    service_id: ServiceId
    title: str
    starts_at: datetime
    ends_at: datetime
    status: BookingStatus
    note: str | None
    price_cents: int
    currency: str
    version: int
    created_at: datetime
    updated_at: datetime
    closed_by: UserId | None = None
    cancel_reason: str | None = None
    reminded_version: int = 0

    @property
    def slot(self) -> Slot:
        return Slot(self.instructor_id, self.starts_at, self.ends_at)

    @property
    def duration_minutes(self) -> int:
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)

    def is_upcoming(self, now: datetime) -> bool:
        return self.status is BookingStatus.BOOKED and self.ends_at > now


def price_of(duration: timedelta, *, price_cents: int, per: timedelta) -> int:
    """What a lesson costs that is longer or shorter than the one the price is for, rounded half up to a cent."""
    return (2 * price_cents * (duration // _MINUTE) + per // _MINUTE) // (2 * (per // _MINUTE))


_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class BookingPageKey:
    """Where a page of bookings ended. By start, ties by id."""

    starts_at: datetime
    booking_id: BookingId


class BookingEventType(StrEnum):
    """What can happen to a booking, by the names the outbox keeps."""

    CREATED = "BookingCreated"
    CANCELLED = "BookingCancelled"
    RESCHEDULED = "BookingRescheduled"
    COMPLETED = "BookingCompleted"
    REMINDER = "BookingReminder"


@dataclass(frozen=True, slots=True)
class BookingEvent:
    """Something that happened to a booking, as its handlers get to know it.

    Attributes:
        by: who did it; None for what comes with time.
        booking: as it was right after.
        moved_from: when it would have begun, of one that was rescheduled.
    """

    id: EventId
    type: BookingEventType
    at: datetime
    by: UserId | None
    booking: Booking
    moved_from: datetime | None = None

    def to_json(self) -> str:
        return _EVENT.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> BookingEvent:
        """
        Raises:
            ValueError: the text is no event of ours.
        """
        return _EVENT.validate_json(text)


_EVENT: Final = TypeAdapter(BookingEvent)
