"""Finding services in Postgres: by words, by meaning, by kind, under filters that nothing breaks.

1. What matches is decided over narrow tables of numbers; texts and names are read only of what is shown.
2. BM25 over a table of postings. Postgres' own ranking over a tsvector knows neither how rare a word is nor how long texts are
   on average, and reads every text it matches.
3. What words or kind find is gone through from the best on, and asked for the filters until there is enough.
4. Only where words don't suffice all services that pass the filters are compared by meaning: coarsely, by the signs of their vectors;
   the nearest thousand exactly. No index of vectors is walked, so no filter ever leaves it empty-handed.
5. All statements see one snapshot, so what is returned passed its filters as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.candidates import (
    RANKED_MAX,
    Candidate,
    Card,
    Funnel,
    HardFilters,
    RetrievalQuery,
    Retrieved,
    Spelling,
    TextStrength,
    TimeWindow,
)
from greenroom.schema.search.places import EARTH_RADIUS_KM, Point
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.cards import passing_cards
from greenroom.storage.postgres.search.legs import (
    ASK_FOR_ALL,
    ASK_FOR_SOME,
    SOME_PARAMS,
    all_params,
    asked,
    browse_text,
    count_text,
    found_text,
    meant_text,
)
from greenroom.storage.postgres.search.spellings import SPELLINGS, spelling_of, spellings_params
from greenroom.storage.postgres.search.words import STRENGTH, word_params
from greenroom.storage.postgres.session import Query, Sent, Session
from greenroom.storage.postgres.transactions import in_transaction
from greenroom.storage.retrieval.free_time import HORIZON, Schedule, asked_windows, first_free
from greenroom.storage.retrieval.fusion import Found, admitted, count, fuse
from greenroom.storage.retrieval.joined_words import telling_words
from greenroom.storage.retrieval.rules import LEG_DEPTH, RetrievalRules

T = TypeVar("T")

ONE_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

DETAILS: Final = """
-- candidates: what ranking looks at.
SELECT d.doc, d.price_cents, d.duration_minutes, d.rating, d.rating_count, p.response_minutes, s.updated_at, d.timezone,
       d.is_in_person
  FROM unnest(%(docs)s::integer[]) AS w (doc)
 CROSS JOIN LATERAL (SELECT * FROM search_documents WHERE doc = w.doc LIMIT 1) d
 CROSS JOIN LATERAL (SELECT updated_at FROM services WHERE id = d.service_id LIMIT 1) s
  LEFT JOIN LATERAL (SELECT response_minutes FROM instructor_profiles WHERE user_id = d.instructor_id LIMIT 1) p ON true
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
SELECT i.id,
       min(2 * %(radius)s * asin(least(1, sqrt(
           sin(radians(r.lat - %(lat)s) / 2) ^ 2
           + cos(radians(%(lat)s)) * cos(radians(r.lat)) * sin(radians(r.lng - %(lng)s) / 2) ^ 2))))
  FROM unnest(%(instructor_ids)s::text[]) AS i (id)
 CROSS JOIN LATERAL (SELECT region_id FROM instructor_service_areas WHERE instructor_id = i.id OFFSET 0) a
 CROSS JOIN LATERAL (SELECT lat, lng FROM region_boundaries WHERE id = a.region_id LIMIT 1) r
 GROUP BY i.id
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
            await session.send(ASK_FOR_SOME, SOME_PARAMS)
            params = {
                **word_params(text),
                "strong_score": self._rules.strong_score,
                "telling": texts(telling_words(text)),
            }
            sent = await session.send_for(STRENGTH, params, _strength)
        # Only now, as it travels together with the end of the transaction.
        [strength] = await sent.rows()
        return strength

    async def spellings(self, text: str, words: Sequence[str]) -> Mapping[str, Sequence[Spelling]]:
        found: dict[str, list[Spelling]] = {}
        if words:
            async with in_transaction(self._pool, ONE_SNAPSHOT) as session:
                sent = await session.send_for(SPELLINGS, spellings_params(text, words), spelling_of)
            for written, spelling in await sent.rows():
                found.setdefault(written, []).append(spelling)
        return found

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        windows = asked_windows(query.filters.windows, query.now)
        if query.filters.windows and not windows:
            return Retrieved((), 0, Funnel())
        async with in_transaction(self._pool, ONE_SNAPSHOT) as session:
            asking = _Asking(session, query, self._rules)
            legs = await asking.legs()
            entrants = admitted([leg.found for leg in legs], query, best_text=asking.best_text, rules=self._rules)
            if not entrants:
                return Retrieved((), 0, asking.funnel(legs))
            by_service = {leg.found.service_id: leg for leg in legs}
            fused = fuse(entrants, self._rules)
            kept = [by_service[one.found.service_id] for one in fused]
            total = await asking.total(legs, entrants)
            asked_facts = await _ask_for_facts(session, kept, query, windows)
        facts = await asked_facts.arrived()
        candidates = tuple(
            candidate
            for leg, one in zip(kept, fused, strict=True)
            if (candidate := facts.candidate(leg, one.score)) is not None
        )
        return Retrieved(
            candidates,
            total=max(len(candidates), total - (len(fused) - len(candidates))),
            funnel=replace(asking.funnel(legs), fused=len(fused), filtered=len(candidates), final=len(candidates)),
        )

    async def cards(self, service_ids: Sequence[ServiceId], *, filters: HardFilters, now: datetime) -> list[Card]:
        return await passing_cards(self._pool, service_ids, filters, now)

    async def timezones(self) -> list[str]:
        return await self._pool.fetch(TIMEZONES, None, str)

    async def embedding_models(self) -> list[str]:
        return await self._pool.fetch(MODELS, None, str)


def _strength(best: float, hits: int, unknown: list[str]) -> TextStrength:
    return TextStrength(best, hits, tuple(unknown))


class _Leg(NamedTuple):
    """A service that some leg found. Tuples, here and below: a search makes hundreds, and a record takes four times as long."""

    doc: int
    instructor_id: UserId
    found: Found


class _Asking:
    """The legs of one query, in one transaction.

    Attributes:
        best_text: the highest text score of any service, whatever the filters.
    """

    def __init__(self, session: Session, query: RetrievalQuery, rules: RetrievalRules) -> None:
        self._session = session
        self._rules = rules
        self._shape, self._params = asked(query, rules)
        self._is_planned_anew = False
        self._passing = 0
        self.best_text = 0.0

    async def legs(self) -> list[_Leg]:
        """What each leg found under the filters, without a description the best rated of all."""
        shape, found = self._shape, list[_Leg]()
        if shape.is_described:
            await self._session.send(ASK_FOR_SOME, SOME_PARAMS)
            rows = await self._session.fetch(found_text(shape), self._params, _first_leg)
            self.best_text = rows[0][0]
            found = [leg for _, leg in rows if leg is not None]
        if shape.has_meaning and self.best_text < self._rules.words_suffice_score:
            known = {leg.doc for leg in found}
            meant = await self._fetch_of_all(meant_text(shape), _leg)
            found += [leg for leg in meant if leg.doc not in known]
        elif not shape.is_described:
            rated = await self._fetch_of_all(browse_text(shape), _rated)
            self._passing = rated[0][0] if rated else 0
            found = [leg for _, leg in rated]
        return found

    async def total(self, legs: Sequence[_Leg], entrants: Sequence[Found]) -> int:
        """How many there are to be shown, for people."""
        found = [leg.found for leg in legs]
        if self._passing:
            return self._passing
        worded = sum(each.text is not None for each in found)
        if worded >= LEG_DEPTH and worded == sum(each.text is not None for each in entrants):
            # There may be more, and they would be shown.
            [worded] = await self._session.fetch(count_text(self._shape), self._params, int)
        return count(found, entrants, with_words=worded)

    def funnel(self, legs: Sequence[_Leg]) -> Funnel:
        return Funnel(
            text=min(LEG_DEPTH, sum(leg.found.text is not None for leg in legs)),
            vector=sum(leg.found.cosine is not None for leg in legs),
        )

    async def _fetch_of_all(self, statement: Query, make: Callable[..., T]) -> list[T]:
        if not self._is_planned_anew:
            await self._session.send(ASK_FOR_ALL, all_params(by_reach="reach" in self._params))
            self._is_planned_anew = True
        return await self._session.fetch(statement, self._params, make)


def _leg(
    doc: int,
    service_id: str,
    instructor_id: str,
    text: float | None,
    cosine: float | None,
    category: float,
    quality: float,
) -> _Leg:
    found = Found(ServiceId(service_id), text, cosine, category, quality)
    return _Leg(doc, UserId(instructor_id), found)


def _first_leg(best_text: float, doc: int | None, *columns: Any) -> tuple[float, _Leg | None]:
    return best_text, None if doc is None else _leg(doc, *columns)


def _rated(passing: int, doc: int, service_id: str, instructor_id: str, quality: float) -> tuple[int, _Leg]:
    return passing, _leg(doc, service_id, instructor_id, None, None, 0.0, quality)


class _Detail(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class _AskedFacts:
    """Facts on their way, which end the transaction: so all of them take one round trip."""

    details: Sent[_Detail]
    schedules: Sent[tuple[UserId, _Times]]
    distances: Sent[tuple[UserId, float]] | None
    windows: Sequence[TimeWindow]
    is_time_asked: bool

    async def arrived(self) -> _Facts:
        return _Facts(
            details={detail.doc: detail for detail in await self.details.rows()},
            times=dict(await self.schedules.rows()),
            distances={} if self.distances is None else dict(await self.distances.rows()),
            windows=self.windows,
            is_time_asked=self.is_time_asked,
        )


async def _ask_for_facts(
    session: Session, kept: Sequence[_Leg], query: RetrievalQuery, windows: Sequence[TimeWindow]
) -> _AskedFacts:
    looked_for = windows or (TimeWindow(query.now, query.now + HORIZON),)
    # Without a time asked for, the next free time only helps to rank the first.
    timed = dict.fromkeys(leg.instructor_id for leg in (kept if windows else kept[:RANKED_MAX]))
    span = {
        "instructor_ids": texts(timed),
        "from": min(window.starts_at for window in looked_for),
        "to": max(window.ends_at for window in looked_for),
    }
    distances = None
    if query.near is not None:
        instructors = dict.fromkeys(leg.instructor_id for leg in kept)
        distances = await session.send_for(DISTANCES, _distance_params(instructors, query.near), _distance)
    return _AskedFacts(
        details=await session.send_for(DETAILS, {"docs": [leg.doc for leg in kept]}, _Detail),
        schedules=await session.send_for(SCHEDULES, span, _times),
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
