"""Bookings, in memory."""

from __future__ import annotations

from datetime import datetime

from greenroom.schema.bookings import Booking, BookingPageKey, BookingTense
from greenroom.schema.ids import BookingId, UserId
from greenroom.storage.memory.database import MemoryDatabase


class MemoryBookings:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def booking(self, booking_id: BookingId, user_id: UserId) -> Booking | None:
        async with self._database.operation("bookings.booking"):
            found = self._database.tables.bookings.get(booking_id)
            return found if found is not None and user_id in {found.student_id, found.instructor_id} else None

    async def page(
        self,
        user_id: UserId,
        *,
        tense: BookingTense | None,
        now: datetime,
        after: BookingPageKey | None,
        limit: int,
    ) -> list[Booking]:
        async with self._database.operation("bookings.page"):
            mine = [
                booking
                for booking in self._database.tables.bookings.values()
                if user_id in {booking.student_id, booking.instructor_id}
                and (tense is None or booking.is_upcoming(now) is (tense is BookingTense.UPCOMING))
            ]
            is_descending = tense is not BookingTense.UPCOMING
            mine.sort(key=lambda b: (b.starts_at, b.id), reverse=is_descending)
            if after is not None:
                key = (after.starts_at, after.booking_id)
                mine = [
                    b for b in mine if ((b.starts_at, b.id) < key if is_descending else (b.starts_at, b.id) > key)
                ]
            return mine[:limit]
