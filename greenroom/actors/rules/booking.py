"""Booking a lesson, and what may become of it.

Whether a time is free is decided here, under the lock of the instructor's stream; the database's exclusion constraint is
behind it, should anybody ever write past these rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from greenroom.actors.batch import Batch
from greenroom.actors.commands import (
    Booked,
    BookingCommand,
    BookLesson,
    CancelBooking,
    CompleteBooking,
    RemindBooking,
    RescheduleBooking,
)
from greenroom.actors.working_copies import Talk
from greenroom.schema.bookings import (
    AHEAD_MAX,
    Booking,
    BookingEvent,
    BookingEventType,
    BookingStatus,
    Slot,
)
from greenroom.schema.errors import (
    BookingClosed,
    BookingNotBegun,
    FieldError,
    InvalidInput,
    PermissionDenied,
    SlotTaken,
)
from greenroom.schema.events import BookingChanged
from greenroom.schema.ids import BookingId, EventId, JobId, UserId
from greenroom.schema.outbox import JobHandler, NewJob
from greenroom.schema.wire import BookingOut, to_json

STREAM_EVENTS: Final[Mapping[BookingEventType, str]] = MappingProxyType(
    {
        BookingEventType.CREATED: "booking.created",
        BookingEventType.CANCELLED: "booking.cancelled",
        BookingEventType.RESCHEDULED: "booking.rescheduled",
        BookingEventType.COMPLETED: "booking.completed",
        BookingEventType.REMINDER: "booking.reminder",
    }
)

_MAIL: Final = (JobHandler.MAIL_STUDENT, JobHandler.MAIL_INSTRUCTOR)

HANDLERS: Final[Mapping[BookingEventType, tuple[JobHandler, ...]]] = MappingProxyType(
    {
        BookingEventType.CREATED: (JobHandler.SYSTEM_MESSAGE, *_MAIL, JobHandler.REMINDER),
        BookingEventType.CANCELLED: (JobHandler.SYSTEM_MESSAGE, *_MAIL),
        BookingEventType.RESCHEDULED: (JobHandler.SYSTEM_MESSAGE, *_MAIL, JobHandler.REMINDER),
        BookingEventType.COMPLETED: (JobHandler.SYSTEM_MESSAGE, *_MAIL),
        BookingEventType.REMINDER: _MAIL,
    }
)
"""Who has something to do when this has happened."""


def book(batch: Batch, command: BookLesson) -> Booked:
    """Book the time. A conversation that was opened for this stays, and is shown to both, even if the time is taken.

    Raises:
        InvalidInput: it begins in the past, or too far ahead.
        SlotTaken: the instructor has another lesson at that time.
    """
    opened = next(batch.opened)
    talk = batch.talk(opened.conversation_id)
    if opened.created:
        for user_id in talk.sides:
            batch.show(talk, "conversation.created", to=user_id)
    booking = Booking(
        id=BookingId(batch.ids.ulid()),
        conversation_id=opened.conversation_id,
        student_id=command.student_id,
        instructor_id=command.instructor_id,
        service_id=command.service_id,
        title=command.title,
        starts_at=command.slot.starts_at,
        ends_at=command.slot.ends_at,
        status=BookingStatus.BOOKED,
        note=command.note,
        price_cents=command.price_cents,
        currency=command.currency,
        version=1,
        created_at=batch.now,
        updated_at=batch.now,
    )
    _check_start(batch, command.slot)
    across = batch.across(command.slot)
    for other in across:
        if _is_the_same(other, booking):
            return Booked(other, created=False)
    if across:
        raise SlotTaken("The instructor has another lesson at that time.")
    _change(batch, talk, booking, BookingEventType.CREATED, by=command.student_id)
    return Booked(booking, created=True)


def cancel(batch: Batch, command: CancelBooking) -> Booking:
    """
    Raises:
        BookingNotFound
        BookingClosed: it has begun, was completed, or the other cancelled it.
    """
    talk, booking = _theirs(batch, command)
    if booking.status is BookingStatus.CANCELLED and booking.closed_by == command.user_id:
        return booking
    _check_open(batch, booking)
    cancelled = replace(
        _next_version(batch, booking),
        status=BookingStatus.CANCELLED,
        closed_by=command.user_id,
        cancel_reason=command.reason,
    )
    _change(batch, talk, cancelled, BookingEventType.CANCELLED, by=command.user_id)
    return cancelled


def reschedule(batch: Batch, command: RescheduleBooking) -> Booking:
    """
    Raises:
        BookingNotFound
        BookingClosed: it has begun, or was cancelled or completed.
        InvalidInput: the new time is in the past, or too far ahead.
        SlotTaken: the instructor has another lesson at that time.
    """
    talk, booking = _theirs(batch, command)
    _check_open(batch, booking)
    if command.slot == booking.slot:
        return booking
    _check_start(batch, command.slot)
    if any(other.id != booking.id for other in batch.across(command.slot)):
        raise SlotTaken("The instructor has another lesson at that time.")
    moved = replace(_next_version(batch, booking), starts_at=command.slot.starts_at, ends_at=command.slot.ends_at)
    event_type = BookingEventType.RESCHEDULED
    _change(batch, talk, moved, event_type, by=command.user_id, moved_from=booking.starts_at)
    return moved


def complete(batch: Batch, command: CompleteBooking) -> Booking:
    """
    Raises:
        BookingNotFound
        PermissionDenied: only the instructor may.
        BookingNotBegun
        BookingClosed: it was cancelled.
    """
    talk, booking = _theirs(batch, command)
    if command.user_id != booking.instructor_id:
        raise PermissionDenied("Only the instructor completes a lesson.")
    match booking.status:
        case BookingStatus.COMPLETED:
            return booking
        case BookingStatus.CANCELLED:
            raise BookingClosed("The lesson was cancelled.")
    if batch.now < booking.starts_at:
        raise BookingNotBegun("The lesson has not begun.")
    completed = replace(_next_version(batch, booking), status=BookingStatus.COMPLETED, closed_by=command.user_id)
    _change(batch, talk, completed, BookingEventType.COMPLETED, by=command.user_id)
    return completed


def remind(batch: Batch, command: RemindBooking) -> bool:
    """Remind both, unless the booking is no longer the one that was planned for, or has begun, or they were before.

    Raises:
        ConversationNotFound, BookingNotFound
    """
    talk = batch.talk_between(command)
    booking = batch.booking(command.booking_id, command.conversation_id)
    if booking.status is not BookingStatus.BOOKED or booking.version != command.version:
        return False
    if booking.reminded_version == booking.version or booking.starts_at <= batch.now:
        return False
    reminded = replace(booking, reminded_version=booking.version)
    _change(batch, talk, reminded, BookingEventType.REMINDER, by=None)
    return True


def _theirs(batch: Batch, command: BookingCommand) -> tuple[Talk, Booking]:
    talk = batch.talk_of(command, command.user_id)
    return talk, batch.booking(command.booking_id, command.conversation_id)


def _check_start(batch: Batch, slot: Slot) -> None:
    if slot.starts_at <= batch.now:
        raise InvalidInput(FieldError(("body", "starts_at"), "must be in the future"))
    if slot.starts_at > batch.now + AHEAD_MAX:
        raise InvalidInput(FieldError(("body", "starts_at"), f"must be within {AHEAD_MAX.days} days"))


def _check_open(batch: Batch, booking: Booking) -> None:
    match booking.status:
        case BookingStatus.CANCELLED:
            raise BookingClosed("The lesson was cancelled.")
        case BookingStatus.COMPLETED:
            raise BookingClosed("The lesson was completed.")
    if booking.starts_at <= batch.now:
        raise BookingClosed("The lesson has begun.")


def _is_the_same(booked: Booking, wanted: Booking) -> bool:
    """Whether a booking is what somebody wants to book again, who got no answer the first time."""
    return booked.status is BookingStatus.BOOKED and (
        (booked.student_id, booked.service_id, booked.slot, booked.note)
        == (wanted.student_id, wanted.service_id, wanted.slot, wanted.note)
    )


def _next_version(batch: Batch, booking: Booking) -> Booking:
    return replace(booking, version=booking.version + 1, updated_at=batch.now)


def _change(
    batch: Batch,
    talk: Talk,
    after: Booking,
    event_type: BookingEventType,
    *,
    by: UserId | None,
    moved_from: datetime | None = None,
) -> None:
    """Store the booking, tell both, and write down what is to follow."""
    batch.change_booking(after)
    shown = to_json(BookingChanged(booking=BookingOut.of(after)))
    for user_id in talk.sides:
        batch.tell(user_id, STREAM_EVENTS[event_type], shown)
    event = BookingEvent(EventId(batch.ids.ulid()), event_type, batch.now, by, after, moved_from)
    batch.jobs += [_job(batch, event, handler, at) for handler, at in _planned(batch, event)]


def _planned(batch: Batch, event: BookingEvent) -> list[tuple[JobHandler, datetime]]:
    """Each handler and when it is its turn; who books on short notice needs no reminder."""
    remind_at = event.booking.starts_at - batch.reminder_lead
    moments = dict.fromkeys(HANDLERS[event.type], batch.now)
    if JobHandler.REMINDER in moments:
        moments[JobHandler.REMINDER] = remind_at
    return [(h, at) for h, at in moments.items() if h is not JobHandler.REMINDER or at > batch.now]


def _job(batch: Batch, event: BookingEvent, handler: JobHandler, planned_at: datetime) -> NewJob:
    return NewJob(
        id=JobId(batch.ids.ulid()),
        event_id=event.id,
        type=event.type.value,
        handler=handler.value,
        aggregate_id=event.booking.conversation_id,
        payload=event.to_json(),
        planned_at=planned_at,
        created_at=batch.now,
    )
