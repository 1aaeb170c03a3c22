"""Bookings, as they are read."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from greenroom.schema.bookings import Booking, BookingPageKey, BookingTense
from greenroom.schema.ids import BookingId, UserId


class Bookings(Protocol):
    """Plain reads of bookings."""

    async def booking(self, booking_id: BookingId, user_id: UserId) -> Booking | None:
        """Return a booking of this user's, as student or instructor; None for a stranger or an unknown id."""
        ...

    async def page(
        self,
        user_id: UserId,
        *,
        tense: BookingTense | None,
        now: datetime,
        after: BookingPageKey | None,
        limit: int,
    ) -> list[Booking]:
        """One page of a user's bookings, as student or instructor: upcoming ones soonest first, else the latest first.

        Args:
            tense: which of them, at ``now``; None for all.
            after: the last one of the page before; exclusive.
        """
        ...
