"""Bookings as a signed-in user deals with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from greenroom.actors.addresses import committer, conversation_of
from greenroom.actors.asking import ask
from greenroom.actors.commands import Booked, BookLesson, CancelBooking, CompleteBooking, RescheduleBooking
from greenroom.actors.identity import Identity
from greenroom.actors.limiting import Limiting
from greenroom.schema.bookings import (
    DURATION_MAX,
    DURATION_MIN,
    Booking,
    BookingPageKey,
    BookingTense,
    Slot,
    price_of,
)
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import BookingNotFound, ConversationNotFound, FieldError, InvalidInput, UserNotFound
from greenroom.schema.ids import BookingId, ServiceId, UserId
from greenroom.storage.ports import Bookings, Conversations, Directory
from greenroom.supervisor import ActorSystem, Request

R = TypeVar("R")

_CURSOR: Final = re.compile(r"([0-9]{1,17})\.([0-9A-Z]{26})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BookingPage:
    items: Sequence[Booking]
    next_cursor: str | None


class BookingDesk:
    """What a signed-in user can do about lessons."""

    def __init__(
        self,
        *,
        system: ActorSystem,
        bookings: Bookings,
        conversations: Conversations,
        directory: Directory,
        limiting: Limiting,
        wall: WallClock,
    ) -> None:
        self._system = system
        self._bookings = bookings
        self._conversations = conversations
        self._directory = directory
        self._limiting = limiting
        self._wall = wall

    async def book(
        self,
        identity: Identity,
        *,
        instructor_id: UserId,
        service_id: ServiceId,
        starts_at: datetime,
        duration_minutes: int,
        note: str | None = None,
    ) -> Booked:
        """Book a lesson; opens the conversation with the instructor if there is none.

        Raises:
            PermissionDenied: only students book.
            UserNotFound: there is no such active instructor.
            InvalidInput: the service is none of the instructor's; the lesson is too long, too short, in the past or too far
                ahead.
            SlotTaken: the instructor has another lesson at that time.
            RateLimited: too many new conversations, or too many bookings and changes to them.
        """
        identity.require("bookings:create")
        duration = timedelta(minutes=duration_minutes)
        if not DURATION_MIN <= duration <= DURATION_MAX:
            reason = f"must be {DURATION_MIN // _MINUTE} to {DURATION_MAX // _MINUTE}"
            raise InvalidInput(FieldError(("body", "duration_minutes"), reason))
        profile = await self._directory.instructor(instructor_id)
        if profile is None:
            raise UserNotFound("There is no such instructor.")
        service = next((s for s in profile.services if s.id == service_id), None)
        if service is None:
            raise InvalidInput(FieldError(("body", "service_id"), "is no service of this instructor"))
        await self._limiting.booking(identity)
        if await self._conversations.conversation_between(identity.user.id, instructor_id) is None:
            # It stays even where the time is taken; so there is nothing to give back.
            await self._limiting.conversation(identity)
        command = BookLesson(
            student_id=identity.user.id,
            instructor_id=instructor_id,
            service_id=service.id,
            title=service.title,
            price_cents=price_of(
                duration, price_cents=service.price_cents, per=service.duration_minutes * _MINUTE
            ),
            currency=service.currency,
            slot=Slot(instructor_id, starts_at, _end(starts_at, duration)),
            note=note,
        )
        return await ask(self._system, committer(self._system), command)

    async def booking(self, identity: Identity, booking_id: BookingId) -> Booking:
        """Read one booking; raises BookingNotFound for a stranger."""
        identity.require("bookings:read")
        booking = await self._bookings.booking(booking_id, identity.user.id)
        if booking is None:
            raise BookingNotFound("There is no such booking.")
        return booking

    async def bookings(
        self, identity: Identity, *, tense: BookingTense | None, limit: int, cursor: str | None
    ) -> BookingPage:
        """Read one page: upcoming ones soonest first, past ones and all latest first.

        Raises:
            InvalidInput: the cursor was not given out by this.
        """
        identity.require("bookings:read")
        after = None if cursor is None else _read_cursor(cursor)
        found = await self._bookings.page(
            identity.user.id, tense=tense, now=self._wall(), after=after, limit=limit + 1
        )
        items = found[:limit]
        return BookingPage(items, _cursor(items[-1]) if len(found) > limit else None)

    async def cancel(self, identity: Identity, booking_id: BookingId, *, reason: str | None) -> Booking:
        """Call a lesson off; see :func:`greenroom.actors.rules.booking.cancel`."""
        me = identity.user.id
        return await self._ask(
            identity, booking_id, lambda b: CancelBooking(b.conversation_id, me, booking_id, reason)
        )

    async def reschedule(self, identity: Identity, booking_id: BookingId, *, starts_at: datetime) -> Booking:
        """Move a lesson to another time; see :func:`greenroom.actors.rules.booking.reschedule`."""
        me = identity.user.id

        def command(booking: Booking) -> RescheduleBooking:
            # Neither the instructor nor the length of a booking ever changes, so it does not matter how old this one is.
            slot = Slot(booking.instructor_id, starts_at, _end(starts_at, booking.ends_at - booking.starts_at))
            return RescheduleBooking(booking.conversation_id, me, booking_id, slot)

        return await self._ask(identity, booking_id, command)

    async def complete(self, identity: Identity, booking_id: BookingId) -> Booking:
        """Note that a lesson was given; see :func:`greenroom.actors.rules.booking.complete`."""
        me = identity.user.id
        return await self._ask(identity, booking_id, lambda b: CompleteBooking(b.conversation_id, me, booking_id))

    async def _ask(self, identity: Identity, booking_id: BookingId, request: Callable[[Booking], Request[R]]) -> R:
        """Ask the booking's conversation; whoever has no part in it is told of no booking."""
        identity.require("bookings:write")
        not_found = BookingNotFound("There is no such booking.")
        booking = await self._bookings.booking(booking_id, identity.user.id)
        if booking is None:
            raise not_found
        await self._limiting.booking(identity)
        try:
            return await ask(
                self._system,
                conversation_of(self._system, booking.conversation_id),
                request(booking),
                through=committer(self._system),
            )
        except ConversationNotFound as exc:
            raise not_found from exc


_MINUTE: Final = timedelta(minutes=1)


def _end(starts_at: datetime, duration: timedelta) -> datetime:
    """
    Raises:
        InvalidInput: that is beyond the calendar.
    """
    try:
        return starts_at.astimezone(UTC) + duration
    except OverflowError as exc:
        raise InvalidInput(FieldError(("body", "starts_at"), "is beyond the calendar")) from exc


def _cursor(booking: Booking) -> str:
    """A moment in microseconds, as Postgres keeps it, and the id."""
    return f"{(booking.starts_at - _EPOCH) // timedelta(microseconds=1)}.{booking.id}"


def _read_cursor(cursor: str) -> BookingPageKey:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
    return BookingPageKey(_EPOCH + timedelta(microseconds=int(found[1])), BookingId(found[2]))
