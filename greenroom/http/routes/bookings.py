"""Booking lessons, and what may become of them."""

from __future__ import annotations

from typing import Final

from greenroom.actors.identity import Identity
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.operations import Answer
from greenroom.http.response import Response, reply
from greenroom.schema.answers import BookingsOut
from greenroom.schema.errors import BookingClosed, BookingNotBegun, BookingNotFound, SlotTaken, UserNotFound
from greenroom.schema.ids import BookingId
from greenroom.schema.requests import Book, CancelBooking, ListBookings, RescheduleBooking
from greenroom.schema.wire import BookingOut

operations = Operations("Bookings")

PATH: Final = "/api/v1/bookings/{booking_id}"


@operations.serve(
    "POST",
    "/api/v1/bookings",
    answers={
        201: Answer(BookingOut, "application/json", "The lesson is booked"),
        200: Answer(BookingOut, "application/json", "One had booked just this before; the first booking again"),
    },
    refusals=[UserNotFound, SlotTaken],
)
async def book_lesson(call: Call, identity: Identity, body: Book) -> Response:
    """Book a lesson of an instructor's.

    It opens the conversation with the instructor if there is none. The price is the service's, for as long as the lesson is.
    """
    booked = await call.core.bookings.book(
        identity,
        instructor_id=body.instructor_id,
        service_id=body.service_id,
        starts_at=body.starts_at,
        duration_minutes=body.duration_minutes,
        note=body.note,
    )
    return reply(201 if booked.created else 200, BookingOut.of(booked.booking))


@operations.serve("GET", "/api/v1/bookings", answers={200: BookingsOut})
async def list_bookings(call: Call, identity: Identity, query: ListBookings) -> Response:
    """List one's lessons, as student or instructor.

    Upcoming ones (booked and not over) soonest first; past ones (all others), or all, latest first.
    """
    page = await call.core.bookings.bookings(identity, tense=query.state, limit=query.limit, cursor=query.cursor)
    items = [BookingOut.of(booking) for booking in page.items]
    return reply(200, BookingsOut(items=items, next_cursor=page.next_cursor))


@operations.serve("GET", PATH, answers={200: BookingOut}, refusals=[BookingNotFound])
async def get_booking(call: Call, identity: Identity, booking_id: BookingId) -> Response:
    """Read one booking."""
    return reply(200, BookingOut.of(await call.core.bookings.booking(identity, booking_id)))


@operations.serve("POST", f"{PATH}/cancel", answers={200: BookingOut}, refusals=[BookingNotFound, BookingClosed])
async def cancel_booking(
    call: Call, identity: Identity, booking_id: BookingId, body: CancelBooking | None
) -> Response:
    """Call a lesson off before it begins; either of the two may."""
    reason = None if body is None else body.reason
    return reply(200, BookingOut.of(await call.core.bookings.cancel(identity, booking_id, reason=reason)))


@operations.serve(
    "POST",
    f"{PATH}/reschedule",
    answers={200: BookingOut},
    refusals=[BookingNotFound, BookingClosed, SlotTaken],
)
async def reschedule_booking(
    call: Call, identity: Identity, booking_id: BookingId, body: RescheduleBooking
) -> Response:
    """Move a lesson that has not begun to another time; either of the two may. It stays as long as it is."""
    moved = await call.core.bookings.reschedule(identity, booking_id, starts_at=body.starts_at)
    return reply(200, BookingOut.of(moved))


@operations.serve(
    "POST",
    f"{PATH}/complete",
    answers={200: BookingOut},
    refusals=[BookingNotFound, BookingClosed, BookingNotBegun],
)
async def complete_booking(call: Call, identity: Identity, booking_id: BookingId) -> Response:
    """Note that a lesson was given, once it has begun; only its instructor may."""
    return reply(200, BookingOut.of(await call.core.bookings.complete(identity, booking_id)))
