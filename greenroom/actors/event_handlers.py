"""What follows from what happened to a booking: a message in the conversation, a reminder, mails.

Each may run more than once for the same event and has its effect once: a message by the event's id, a reminder by the
booking's version, both under the conversation's lock. Of a mail nobody can say more than that all its copies have one
Message-ID.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from greenroom.actors.addresses import committer
from greenroom.actors.asking import ask
from greenroom.actors.commands import PostSystemMessage, RemindBooking
from greenroom.actors.event_worker import Handle
from greenroom.schema.bookings import Booking, BookingEvent, BookingEventType
from greenroom.schema.errors import BookingNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.outbox import Job, JobHandler
from greenroom.schema.records import User
from greenroom.storage.mail import Mail, Mailer
from greenroom.storage.ports import Accounts
from greenroom.supervisor import ActorSystem

TITLE_LENGTH_MAX: Final = 200
REASON_LENGTH_MAX: Final = 500


class EventHandlers:
    """The handlers of jobs, by name."""

    def __init__(self, *, system: ActorSystem, accounts: Accounts, mailer: Mailer, mail_domain: str) -> None:
        self._system = system
        self._accounts = accounts
        self._mailer = mailer
        self._mail_domain = mail_domain

    @property
    def inside(self) -> Mapping[str, Handle]:
        """Those that need nobody else's server."""
        return {JobHandler.SYSTEM_MESSAGE: self._post, JobHandler.REMINDER: self._remind}

    @property
    def mail(self) -> Mapping[str, Handle]:
        return {
            JobHandler.MAIL_STUDENT: partial(self._mail_one, to_student=True),
            JobHandler.MAIL_INSTRUCTOR: partial(self._mail_one, to_student=False),
        }

    async def _post(self, job: Job) -> None:
        event = BookingEvent.from_json(job.payload)
        by = None if event.by is None else await self._accounts.user(event.by)
        command = PostSystemMessage(event.booking.conversation_id, event.id, sentence(event, by), event.booking.id)
        await ask(self._system, committer(self._system), command)

    async def _remind(self, job: Job) -> None:
        booking = BookingEvent.from_json(job.payload).booking
        command = RemindBooking(booking.conversation_id, booking.id, booking.version)
        try:
            await ask(self._system, committer(self._system), command)
        except BookingNotFound:
            return  # nothing to be reminded of

    async def _mail_one(self, job: Job, *, to_student: bool) -> None:
        event = BookingEvent.from_json(job.payload)
        booking = event.booking
        recipient = await self._active(booking.student_id if to_student else booking.instructor_id)
        if recipient is None:
            return
        other = await self._accounts.user(booking.instructor_id if to_student else booking.student_id)
        by = None if event.by is None else recipient if event.by == recipient.id else other
        mail = Mail(
            to=recipient.email,
            to_name=recipient.display_name,
            subject=subject(event),
            text=mail_text(event, recipient, other, by),
            message_id=f"<{event.id}.{job.handler}@{self._mail_domain}>",
            at=event.at,
        )
        await self._mailer.send(mail)

    async def _active(self, user_id: UserId) -> User | None:
        user = await self._accounts.user(user_id)
        return user if user is not None and user.is_active else None


_VERBS: Final = {
    BookingEventType.CREATED: "booked",
    BookingEventType.CANCELLED: "cancelled",
    BookingEventType.RESCHEDULED: "moved",
    BookingEventType.COMPLETED: "completed",
    BookingEventType.REMINDER: "",
}

_SUBJECTS: Final = {
    BookingEventType.CREATED: "Booked",
    BookingEventType.CANCELLED: "Cancelled",
    BookingEventType.RESCHEDULED: "Moved",
    BookingEventType.COMPLETED: "Completed",
    BookingEventType.REMINDER: "Reminder",
}


def sentence(event: BookingEvent, by: User | None) -> str:
    """What happened, for both to read. Times are in UTC, and say so; a client that knows better has the booking's."""
    booking = event.booking
    title, start = _title(booking), _moment(booking.starts_at)
    if event.type is BookingEventType.REMINDER:
        return f"{title} begins on {start}."
    who = "Somebody" if by is None else by.display_name
    match event.type:
        case BookingEventType.RESCHEDULED if event.moved_from is not None:
            what = f"{title} from {_moment(event.moved_from)} to {start}"
        case BookingEventType.CREATED:
            what = f"{title} for {start}, {booking.duration_minutes} minutes"
        case _:
            what = f"{title} of {start}"
    told = f"{who} {_VERBS[event.type]} {what}."
    if event.type is BookingEventType.CANCELLED and booking.cancel_reason:
        told += f" Reason: {booking.cancel_reason[:REASON_LENGTH_MAX]}"
    return told


def subject(event: BookingEvent) -> str:
    return f"{_SUBJECTS[event.type]}: {_title(event.booking)}, {_moment(event.booking.starts_at)}"


def mail_text(event: BookingEvent, recipient: User, other: User | None, by: User | None) -> str:
    with_whom = "" if other is None else f"With: {other.display_name}\n"
    booking = event.booking
    return (
        f"Hello {recipient.display_name},\n\n{sentence(event, by)}\n\n"
        f"{with_whom}When: {_moment(booking.starts_at)}, {booking.duration_minutes} minutes\n"
    )


def _title(booking: Booking) -> str:
    return " ".join(booking.title.split())[:TITLE_LENGTH_MAX]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
