"""What is shown of lessons, and whether they still are what was asked for: one statement, however many.

1. Filters are asked here as they are where lessons are found: between the two a price, an age or a free time may have changed.
2. Whoever is free is decided by the same rule as there, from weekly times and bookings that come with the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, LiteralString

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.candidates import Card, HardFilters, TimeWindow
from greenroom.schema.search.understood import Level
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.filters import filter_clauses
from greenroom.storage.postgres.search.legs import SHAPES_MAX
from greenroom.storage.retrieval.free_time import Schedule, asked_windows, first_free

CARDS: Final = """
-- cards: services that pass, with who gives them and where; with the times of whoever gives them where it is asked for times.
SELECT s.id, s.instructor_id, u.display_name, COALESCE(p.rating_mean, 0), p.response_minutes,
       ARRAY(SELECT COALESCE(r.name, a.region_id) FROM instructor_service_areas a
               LEFT JOIN region_boundaries r ON r.id = a.region_id
              WHERE a.instructor_id = s.instructor_id ORDER BY a.region_id),
       s.title, s.description, s.price_cents, s.currency, s.duration_minutes, s.levels, s.age_min, s.age_max, s.is_online,
       s.is_in_person, d.timezone, {times}
  FROM unnest(%(ids)s::text[]) AS w (id)
 CROSS JOIN LATERAL (SELECT * FROM search_documents WHERE service_id = w.id LIMIT 1) d
 CROSS JOIN LATERAL (SELECT * FROM services WHERE id = w.id LIMIT 1) s
 CROSS JOIN LATERAL (SELECT display_name FROM users WHERE id = s.instructor_id LIMIT 1) u
  LEFT JOIN LATERAL (SELECT * FROM instructor_profiles WHERE user_id = s.instructor_id LIMIT 1) p ON true
 WHERE {filters}
"""

NO_TIMES: Final = "NULL::integer[], NULL::timestamptz[], NULL::timestamptz[]"
TIMES: Final = """
       ARRAY(SELECT ARRAY[a.weekday, a.from_minute, a.to_minute]::integer[] FROM instructor_availability a
              WHERE a.instructor_id = s.instructor_id ORDER BY a.weekday, a.from_minute),
       ARRAY(SELECT b.starts_at FROM bookings b
              WHERE b.instructor_id = s.instructor_id AND b.status <> 'cancelled'
                AND b.starts_at > %(from)s - interval '8 hours' AND b.starts_at < %(to)s AND b.ends_at > %(from)s
              ORDER BY b.starts_at),
       ARRAY(SELECT b.ends_at FROM bookings b
              WHERE b.instructor_id = s.instructor_id AND b.status <> 'cancelled'
                AND b.starts_at > %(from)s - interval '8 hours' AND b.starts_at < %(to)s AND b.ends_at > %(from)s
              ORDER BY b.starts_at)"""


async def passing_cards(
    pool: Pool, service_ids: Sequence[ServiceId], filters: HardFilters, now: datetime
) -> list[Card]:
    """See :meth:`greenroom.storage.ports.search.Retrieval.cards`."""
    windows = asked_windows(filters.windows, now)
    if filters.windows and not windows:
        return []
    statement, params = asked_cards(service_ids, filters, windows, now)
    rows = await pool.fetch(statement, params, _row)
    return [
        row.card
        for row in rows
        if not windows
        or first_free(row.schedule, windows, timedelta(minutes=row.card.duration_minutes)) is not None
    ]


def asked_cards(
    service_ids: Sequence[ServiceId], filters: HardFilters, windows: Sequence[TimeWindow], now: datetime
) -> tuple[LiteralString, dict[str, Any]]:
    """The statement and its parameters; rows come with times if there are windows."""
    clauses, params = filter_clauses(filters, now)
    # Whether somebody is free is decided by the rows.
    params = {name: value for name, value in params.items() if name not in ("starts", "ends", "window_zones")}
    params["ids"] = texts(service_ids)
    if windows:
        params["from"] = min(window.starts_at for window in windows)
        params["to"] = max(window.ends_at for window in windows)
    return _text(" AND ".join(clauses), has_times=bool(windows)), params


@lru_cache(maxsize=SHAPES_MAX)
def _text(filters: LiteralString, *, has_times: bool) -> LiteralString:
    return CARDS.format(filters=filters, times=TIMES if has_times else NO_TIMES)


@dataclass(frozen=True, slots=True)
class _Row:
    """``schedule`` is empty where it is not asked for times."""

    card: Card
    schedule: Schedule


def _row(
    service_id: str,
    instructor_id: str,
    display_name: str,
    rating: float,
    response_minutes: int | None,
    areas: list[str],
    title: str,
    description: str,
    price_cents: int,
    currency: str,
    duration_minutes: int,
    levels: list[str],
    age_min: int | None,
    age_max: int | None,
    is_online: bool,
    is_in_person: bool,
    timezone: str,
    weekly: list[list[int]] | None,
    starts: list[datetime] | None,
    ends: list[datetime] | None,
) -> _Row:
    card = Card(
        service_id=ServiceId(service_id),
        instructor_id=UserId(instructor_id),
        display_name=display_name,
        rating=rating,
        response_minutes=response_minutes,
        areas=tuple(areas),
        title=title,
        description=description,
        price_cents=price_cents,
        currency=currency,
        duration_minutes=duration_minutes,
        levels=tuple(Level(level) for level in levels),
        age_min=age_min,
        age_max=age_max,
        is_online=is_online,
        is_in_person=is_in_person,
    )
    slots = tuple(WeeklySlot(*slot) for slot in weekly or ())
    return _Row(card, Schedule(timezone, slots, tuple(zip(starts or (), ends or (), strict=True))))
