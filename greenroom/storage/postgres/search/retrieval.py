"""Finding services in Postgres: by words, by meaning, by kind, under filters that nothing breaks.

1. What matches is decided in one statement over narrow tables of numbers; texts and names are read only of what is shown.
2. BM25 over a table of postings. Postgres' own ranking over a tsvector knows neither how rare a word is nor how long texts are
   on average, and reads every text it matches.
3. For meaning, all services that pass the filters are compared coarsely, by the signs of their vectors; the nearest thousand
   exactly. No index of vectors is walked, so no filter ever leaves it empty-handed.
4. Both statements see one snapshot, so what is returned passed the filters as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.candidates import (
    RANKED_MAX,
    Candidate,
    Card,
    Funnel,
    RetrievalQuery,
    Retrieved,
    TextStrength,
    TimeWindow,
)
from greenroom.schema.search.places import EARTH_RADIUS_KM, Point
from greenroom.schema.search.understood import Level
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.legs import (
    ASK_FOR_MANY,
    STRENGTH,
    asking_params,
    legs_statement,
    word_params,
)
from greenroom.storage.postgres.session import Session
from greenroom.storage.postgres.writes import in_transaction
from greenroom.storage.retrieval.free_time import HORIZON, Schedule, asked_windows, first_free
from greenroom.storage.retrieval.fusion import Found, admitted, count, fuse
from greenroom.storage.retrieval.rules import RetrievalRules

ONE_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

DETAILS: Final = """
-- candidates: what ranking looks at.
SELECT d.doc, d.price_cents, d.duration_minutes, d.rating, d.rating_count, p.response_minutes, s.updated_at, d.timezone,
       d.is_in_person
  FROM unnest(%(docs)s::integer[]) AS w (doc)
  JOIN search_documents d ON d.doc = w.doc
  JOIN services s ON s.id = d.service_id
  LEFT JOIN instructor_profiles p ON p.user_id = d.instructor_id
"""

SCHEDULES: Final = """
-- schedules: weekly times of some instructors, and what is booked of them in a time.
SELECT i.id,
       ARRAY(SELECT ARRAY[a.weekday, a.from_minute, a.to_minute]::integer[] FROM instructor_availability a
              WHERE a.instructor_id = i.id ORDER BY a.weekday, a.from_minute),
       ARRAY(SELECT b.starts_at FROM bookings b
              WHERE b.instructor_id = i.id AND b.status <> 'cancelled' AND b.starts_at > %(from)s - interval '8 hours'
                AND b.starts_at < %(to)s AND b.ends_at > %(from)s ORDER BY b.starts_at),
       ARRAY(SELECT b.ends_at FROM bookings b
              WHERE b.instructor_id = i.id AND b.status <> 'cancelled' AND b.starts_at > %(from)s - interval '8 hours'
                AND b.starts_at < %(to)s AND b.ends_at > %(from)s ORDER BY b.starts_at)
  FROM unnest(%(instructor_ids)s::text[]) AS i (id)
"""

DISTANCES: Final = """
-- distances: from a point to the nearest region that each instructor serves, along the great circle.
SELECT a.instructor_id,
       min(2 * %(radius)s * asin(least(1, sqrt(
           sin(radians(r.lat - %(lat)s) / 2) ^ 2
           + cos(radians(%(lat)s)) * cos(radians(r.lat)) * sin(radians(r.lng - %(lng)s) / 2) ^ 2))))
  FROM unnest(%(instructor_ids)s::text[]) AS i (id)
  JOIN instructor_service_areas a ON a.instructor_id = i.id
  JOIN region_boundaries r ON r.id = a.region_id
 GROUP BY a.instructor_id
"""

CARDS: Final = """
-- cards: services with who gives them and where.
SELECT s.id, s.instructor_id, u.display_name, COALESCE(p.rating_mean, 0), p.response_minutes,
       ARRAY(SELECT COALESCE(r.name, a.region_id) FROM instructor_service_areas a
               LEFT JOIN region_boundaries r ON r.id = a.region_id
              WHERE a.instructor_id = s.instructor_id ORDER BY a.region_id),
       s.title, s.description, s.price_cents, s.currency, s.duration_minutes, s.levels, s.age_min, s.age_max, s.is_online,
       s.is_in_person
  FROM services s
  JOIN users u ON u.id = s.instructor_id
  LEFT JOIN instructor_profiles p ON p.user_id = s.instructor_id
 WHERE s.id = ANY(%(ids)s::text[])
"""

MODELS: Final = """
-- embedding_models: those that all services have vectors of.
SELECT model FROM search_models WHERE is_ready ORDER BY model
"""

TIMEZONES: Final = """
-- timezones: those of instructors, found by stepping along their index.
WITH RECURSIVE zones AS (
    (SELECT timezone FROM instructor_profiles ORDER BY timezone LIMIT 1)
     UNION ALL
    SELECT (SELECT p.timezone FROM instructor_profiles p WHERE p.timezone > z.timezone ORDER BY p.timezone LIMIT 1)
      FROM zones z WHERE z.timezone IS NOT NULL)
SELECT timezone FROM zones WHERE timezone IS NOT NULL ORDER BY timezone
"""


class PostgresRetrieval:
    """
    Args:
        rules: the figures of the first stage.
    """

    def __init__(self, pool: Pool, rules: RetrievalRules | None = None) -> None:
        self._pool = pool
        self._rules = rules or RetrievalRules()

    async def text_strength(self, text: str) -> TextStrength:
        async with in_transaction(self._pool, ONE_SNAPSHOT) as session:
            await session.send(ASK_FOR_MANY, asking_params(by_reach=False))
            params = {**word_params(text), "strong_score": self._rules.strong_score}
            [strength] = await session.fetch(STRENGTH, params, TextStrength)
        return strength

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        windows = asked_windows(query.filters.windows, query.now)
        if query.filters.windows and not windows:
            return Retrieved((), 0, Funnel())
        statement, params = legs_statement(query, self._rules)
        async with in_transaction(self._pool, ONE_SNAPSHOT) as session:
            await session.send(ASK_FOR_MANY, asking_params(by_reach="reach" in params))
            rows = await session.fetch(statement, params, _leg)
            if not rows:
                return Retrieved((), 0, Funnel())
            found = [row.found for row in rows]
            entrants = admitted(found, query, best_text=rows[0].best_text, rules=self._rules)
            if not entrants:
                return Retrieved((), 0, Funnel(text=rows[0].text_count))
            by_service = {row.found.service_id: row for row in rows}
            fused = fuse(entrants, self._rules)
            kept = [by_service[one.found.service_id] for one in fused]
            facts = await _facts(session, kept, query, windows)
        scores = {one.found.service_id: one.score for one in fused}
        candidates = tuple(
            candidate
            for row in kept
            if (candidate := facts.candidate(row, scores[row.found.service_id])) is not None
        )
        text_count = rows[0].text_count
        return Retrieved(
            candidates,
            total=max(len(candidates), rows[0].total, count(found, entrants, with_words=text_count))
            - (len(fused) - len(candidates)),
            funnel=Funnel(
                text=text_count,
                vector=sum(row.found.cosine is not None for row in rows),
                fused=len(fused),
                filtered=len(candidates),
                final=len(candidates),
            ),
        )

    async def cards(self, service_ids: Sequence[ServiceId]) -> list[Card]:
        return await self._pool.fetch(CARDS, {"ids": texts(service_ids)}, _card)

    async def timezones(self) -> list[str]:
        return await self._pool.fetch(TIMEZONES, None, str)

    async def embedding_models(self) -> list[str]:
        return await self._pool.fetch(MODELS, None, str)


@dataclass(frozen=True, slots=True)
class _Leg:
    """A row of :func:`legs_statement`."""

    doc: int
    instructor_id: UserId
    found: Found
    best_text: float
    text_count: int
    total: int


def _leg(
    doc: int,
    service_id: str,
    instructor_id: str,
    text: float | None,
    cosine: float | None,
    category: float,
    quality: float,
    best_text: float,
    text_count: int,
    total: int,
) -> _Leg:
    found = Found(ServiceId(service_id), text, cosine, category, quality)
    return _Leg(doc, UserId(instructor_id), found, best_text, text_count, total)


@dataclass(frozen=True, slots=True)
class _Detail:
    """A row of DETAILS."""

    doc: int
    price_cents: int
    duration_minutes: int
    rating: float
    rating_count: int
    response_minutes: int | None
    updated_at: datetime
    timezone: str
    is_in_person: bool


@dataclass(frozen=True, slots=True)
class _Times:
    """A row of SCHEDULES."""

    weekly: tuple[WeeklySlot, ...]
    booked: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of the best: read in one round trip.

    Attributes:
        windows: in which a lesson has to fit, or where the next free time is looked for.
        is_time_asked: those without a free time in the windows fall out.
        times: of those whose free time is looked for.
    """

    details: Mapping[int, _Detail]
    times: Mapping[UserId, _Times]
    distances: Mapping[UserId, float]
    windows: Sequence[TimeWindow]
    is_time_asked: bool

    def candidate(self, leg: _Leg, score: float) -> Candidate | None:
        """None if the instructor has no time."""
        detail = self.details[leg.doc]
        next_free_at = None
        if leg.instructor_id in self.times:
            times = self.times[leg.instructor_id]
            schedule = Schedule(detail.timezone, times.weekly, times.booked)
            next_free_at = first_free(schedule, self.windows, timedelta(minutes=detail.duration_minutes))
        if self.is_time_asked and next_free_at is None:
            return None
        return Candidate(
            service_id=leg.found.service_id,
            instructor_id=leg.instructor_id,
            text_score=leg.found.text,
            vector_score=leg.found.cosine,
            fused_score=score,
            price_cents=detail.price_cents,
            duration_minutes=detail.duration_minutes,
            distance_km=self.distances.get(leg.instructor_id) if detail.is_in_person else None,
            rating=detail.rating,
            rating_count=detail.rating_count,
            response_minutes=detail.response_minutes,
            updated_at=detail.updated_at,
            next_free_at=next_free_at,
        )


async def _facts(
    session: Session, kept: Sequence[_Leg], query: RetrievalQuery, windows: Sequence[TimeWindow]
) -> _Facts:
    looked_for = windows or (TimeWindow(query.now, query.now + HORIZON),)
    # Without a time asked for, the next free time only helps to rank the first.
    timed = dict.fromkeys(leg.instructor_id for leg in (kept if windows else kept[:RANKED_MAX]))
    details = await session.send_for(DETAILS, {"docs": [leg.doc for leg in kept]}, _Detail)
    span = {
        "instructor_ids": texts(timed),
        "from": min(window.starts_at for window in looked_for),
        "to": max(window.ends_at for window in looked_for),
    }
    schedules = await session.send_for(SCHEDULES, span, _times)
    distances: dict[UserId, float] = {}
    if query.near is not None:
        instructors = dict.fromkeys(leg.instructor_id for leg in kept)
        distances = dict(await session.fetch(DISTANCES, _distance_params(instructors, query.near), _distance))
    return _Facts(
        details={detail.doc: detail for detail in await details.rows()},
        times=dict(await schedules.rows()),
        distances=distances,
        windows=looked_for,
        is_time_asked=bool(windows),
    )


def _distance_params(instructor_ids: Sequence[UserId] | dict[UserId, None], near: Point) -> dict[str, object]:
    return {
        "instructor_ids": texts(instructor_ids),
        "lat": near.lat,
        "lng": near.lng,
        "radius": EARTH_RADIUS_KM,
    }


def _distance(instructor_id: str, km: float) -> tuple[UserId, float]:
    return UserId(instructor_id), km


def _times(
    instructor_id: str, weekly: list[list[int]], starts: list[datetime], ends: list[datetime]
) -> tuple[UserId, _Times]:
    slots = tuple(WeeklySlot(*slot) for slot in weekly)
    return UserId(instructor_id), _Times(slots, tuple(zip(starts, ends, strict=True)))


def _card(
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
) -> Card:
    return Card(
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
