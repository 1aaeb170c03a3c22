"""Bookings in Postgres: plain reads, and the statements of a write transaction that concern them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from greenroom.schema.bookings import DURATION_MAX, Booking, BookingPageKey, BookingTense, Slot
from greenroom.schema.ids import BookingId, ConversationId, UserId
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.columns import bigints, moments, texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.session import Params, Query

BOOKING: Final = """
-- booking: one, for somebody who has a part in it.
SELECT id, conversation_id, student_id, instructor_id, service_id, title, starts_at, ends_at, status, note, price_cents,
       currency, version, created_at, updated_at, closed_by, cancel_reason, reminded_version
  FROM bookings WHERE id = %(booking_id)s AND %(user_id)s IN (student_id, instructor_id)
"""

UPCOMING_PAGE: Final = """
-- upcoming_bookings_page: a user's, soonest first, after a key. Each arm walks its own index; what began longer ago than a
-- lesson can last is over, so that finished lessons are never read.
SELECT id, conversation_id, student_id, instructor_id, service_id, title, starts_at, ends_at, status, note, price_cents,
       currency, version, created_at, updated_at, closed_by, cancel_reason, reminded_version
  FROM ((SELECT * FROM bookings
          WHERE student_id = %(user_id)s AND status = 'booked' AND ends_at > %(now)s AND starts_at > %(since)s
            AND (starts_at, id) > (%(after_at)s, %(after_id)s)
          ORDER BY starts_at, id LIMIT %(limit)s)
        UNION ALL
        (SELECT * FROM bookings
          WHERE instructor_id = %(user_id)s AND status = 'booked' AND ends_at > %(now)s AND starts_at > %(since)s
            AND (starts_at, id) > (%(after_at)s, %(after_id)s)
          ORDER BY starts_at, id LIMIT %(limit)s)) b
 ORDER BY starts_at, id LIMIT %(limit)s
"""

LATEST_PAGE: Final = """
-- bookings_page: a user's, latest first, after a key; all of them, or without those that are upcoming.
SELECT id, conversation_id, student_id, instructor_id, service_id, title, starts_at, ends_at, status, note, price_cents,
       currency, version, created_at, updated_at, closed_by, cancel_reason, reminded_version
  FROM ((SELECT * FROM bookings
          WHERE student_id = %(user_id)s AND (%(all)s OR status <> 'booked' OR ends_at <= %(now)s)
            AND (starts_at, id) < (COALESCE(%(after_at)s::timestamptz, 'infinity'), COALESCE(%(after_id)s::text, ''))
          ORDER BY starts_at DESC, id DESC LIMIT %(limit)s)
        UNION ALL
        (SELECT * FROM bookings
          WHERE instructor_id = %(user_id)s AND (%(all)s OR status <> 'booked' OR ends_at <= %(now)s)
            AND (starts_at, id) < (COALESCE(%(after_at)s::timestamptz, 'infinity'), COALESCE(%(after_id)s::text, ''))
          ORDER BY starts_at DESC, id DESC LIMIT %(limit)s)) b
 ORDER BY starts_at DESC, id DESC LIMIT %(limit)s
"""

UPCOMING: Final = """
-- upcoming_bookings: the next ones of each conversation, soonest first. Walks bookings_upcoming from where a lesson that is
-- not over yet can have begun.
SELECT b.id, b.conversation_id, b.student_id, b.instructor_id, b.service_id, b.title, b.starts_at, b.ends_at, b.status,
       b.note, b.price_cents, b.currency, b.version, b.created_at, b.updated_at, b.closed_by, b.cancel_reason,
       b.reminded_version
  FROM unnest(%(ids)s::text[]) AS c (id)
 CROSS JOIN LATERAL (
       SELECT * FROM bookings
        WHERE conversation_id = c.id AND status = 'booked' AND ends_at > %(now)s AND starts_at > %(since)s
        ORDER BY starts_at, id LIMIT %(limit)s) b
"""

LOCKED_BOOKINGS: Final = """
-- locked_bookings: by id, of locked conversations.
SELECT id, conversation_id, student_id, instructor_id, service_id, title, starts_at, ends_at, status, note, price_cents,
       currency, version, created_at, updated_at, closed_by, cancel_reason, reminded_version
  FROM bookings
 WHERE id = ANY(%(booking_ids)s::text[]) AND conversation_id = ANY(%(conversation_ids)s::text[])
"""

TAKEN: Final = """
-- taken: what lies across some instructors' slots. Searches bookings_no_overlap.
SELECT b.id, b.conversation_id, b.student_id, b.instructor_id, b.service_id, b.title, b.starts_at, b.ends_at, b.status,
       b.note, b.price_cents, b.currency, b.version, b.created_at, b.updated_at, b.closed_by, b.cancel_reason,
       b.reminded_version
  FROM unnest(%(instructor_ids)s::text[], %(starts_ats)s::timestamptz[], %(ends_ats)s::timestamptz[])
       AS w (instructor_id, starts_at, ends_at)
  JOIN bookings b ON b.instructor_id = w.instructor_id AND b.status <> 'cancelled'
                 AND tstzrange(b.starts_at, b.ends_at) && tstzrange(w.starts_at, w.ends_at)
"""

SAVE_BOOKINGS: Final = """
-- save_bookings: new ones whole, of others what may change.
INSERT INTO bookings AS b (id, conversation_id, student_id, instructor_id, service_id, title, starts_at, ends_at, status,
                           note, price_cents, currency, version, created_at, updated_at, closed_by, cancel_reason,
                           reminded_version)
SELECT * FROM unnest(%(ids)s::text[], %(conversation_ids)s::text[], %(student_ids)s::text[], %(instructor_ids)s::text[],
                     %(service_ids)s::text[], %(titles)s::text[], %(starts_ats)s::timestamptz[], %(ends_ats)s::timestamptz[],
                     %(statuses)s::text[], %(notes)s::text[], %(prices_cents)s::bigint[], %(currencies)s::text[],
                     %(versions)s::bigint[], %(created_ats)s::timestamptz[], %(updated_ats)s::timestamptz[],
                     %(closed_bys)s::text[], %(cancel_reasons)s::text[], %(reminded_versions)s::bigint[])
    ON CONFLICT (id) DO UPDATE
   SET starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at, status = EXCLUDED.status, version = EXCLUDED.version,
       updated_at = EXCLUDED.updated_at, closed_by = EXCLUDED.closed_by, cancel_reason = EXCLUDED.cancel_reason,
       reminded_version = EXCLUDED.reminded_version
"""


def upcoming_params(ids: Iterable[ConversationId], *, now: datetime, limit: int) -> dict[str, Any]:
    """Parameters of :data:`UPCOMING`."""
    return {"ids": texts(ids), "now": now, "since": now - DURATION_MAX, "limit": limit}


def by_conversation(bookings: Iterable[Booking]) -> Mapping[ConversationId, Sequence[Booking]]:
    """Group what :data:`UPCOMING` returned, soonest first."""
    found: defaultdict[ConversationId, list[Booking]] = defaultdict(list)
    for booking in sorted(bookings, key=lambda b: (b.starts_at, b.id)):
        found[booking.conversation_id].append(booking)
    return dict(found)


def slot_params(slots: Sequence[Slot]) -> dict[str, Any]:
    """Parameters of :data:`TAKEN`."""
    return {
        "instructor_ids": texts(s.instructor_id for s in slots),
        "starts_ats": moments(s.starts_at for s in slots),
        "ends_ats": moments(s.ends_at for s in slots),
    }


def saving(bookings: Sequence[Booking]) -> tuple[Query, Params]:
    """How to save bookings."""
    return SAVE_BOOKINGS, {
        "ids": texts(b.id for b in bookings),
        "conversation_ids": texts(b.conversation_id for b in bookings),
        "student_ids": texts(b.student_id for b in bookings),
        "instructor_ids": texts(b.instructor_id for b in bookings),
        "service_ids": texts(b.service_id for b in bookings),
        "titles": texts(b.title for b in bookings),
        "starts_ats": moments(b.starts_at for b in bookings),
        "ends_ats": moments(b.ends_at for b in bookings),
        "statuses": texts(b.status.value for b in bookings),
        "notes": texts(b.note for b in bookings),
        "prices_cents": bigints(b.price_cents for b in bookings),
        "currencies": texts(b.currency for b in bookings),
        "versions": bigints(b.version for b in bookings),
        "created_ats": moments(b.created_at for b in bookings),
        "updated_ats": moments(b.updated_at for b in bookings),
        "closed_bys": texts(b.closed_by for b in bookings),
        "cancel_reasons": texts(b.cancel_reason for b in bookings),
        "reminded_versions": bigints(b.reminded_version for b in bookings),
    }


class PostgresBookings:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def booking(self, booking_id: BookingId, user_id: UserId) -> Booking | None:
        found = await self._pool.fetch(BOOKING, {"booking_id": booking_id, "user_id": user_id}, rows.booking)
        return found[0] if found else None

    async def page(
        self,
        user_id: UserId,
        *,
        tense: BookingTense | None,
        now: datetime,
        after: BookingPageKey | None,
        limit: int,
    ) -> list[Booking]:
        params: dict[str, Any] = {"user_id": user_id, "now": now, "limit": limit}
        if tense is BookingTense.UPCOMING:
            since = now - DURATION_MAX
            # No id sorts before the empty one.
            key = BookingPageKey(since, BookingId("")) if after is None else after
            params |= {"since": since, "after_at": key.starts_at, "after_id": key.booking_id}
            return await self._pool.fetch(UPCOMING_PAGE, params, rows.booking)
        params |= {
            "all": tense is None,
            "after_at": after.starts_at if after else None,
            "after_id": after.booking_id if after else None,
        }
        return await self._pool.fetch(LATEST_PAGE, params, rows.booking)
