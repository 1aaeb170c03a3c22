"""Finding services, in memory: every service is looked at, by the same rules as in Postgres."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from greenroom.schema.bookings import BookingStatus
from greenroom.schema.catalogue import Profile
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Service
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
from greenroom.schema.search.places import Point
from greenroom.schema.search.understood import AgeBounds, PriceBounds, PriceUnit
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.search.words import Words
from greenroom.storage.memory.tables import ProfileRow
from greenroom.storage.retrieval.free_time import HORIZON, Schedule, asked_windows, first_free
from greenroom.storage.retrieval.fusion import Found, admitted, count, fuse, has_legs, has_vector_leg
from greenroom.storage.retrieval.reach import asked_elsewhere, asked_reach, reach_of
from greenroom.storage.retrieval.rules import COARSE_DEPTH, LEG_DEPTH, RetrievalRules, quality


@dataclass(frozen=True, slots=True)
class _Offered:
    service: Service
    profile: Profile


class MemoryRetrieval:
    def __init__(self, database: MemoryDatabase, rules: RetrievalRules | None = None) -> None:
        self._database = database
        self._rules = rules or RetrievalRules()

    async def text_strength(self, text: str) -> TextStrength:
        async with self._database.operation("retrieval.text_strength"):
            words = self._words()
            scores = [score for score in words.scores(text) if score is not None]
            return TextStrength(
                best=max(scores, default=0.0),
                hits=sum(score >= self._rules.strong_score for score in scores),
                unknown=tuple(words.unknown(text)),
            )

    async def spellings(self, text: str, words: Sequence[str]) -> Mapping[str, Sequence[Spelling]]:
        async with self._database.operation("retrieval.spellings"):
            known = self._words()
            return {
                word: spellings
                for word in words
                if known.is_unknown(text, word) and (spellings := known.spellings(word))
            }

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        async with self._database.operation("retrieval.retrieve"):
            windows = asked_windows(query.filters.windows, query.now)
            if query.filters.windows and not windows:
                return Retrieved((), 0, Funnel())
            offered = {
                one.service.id: one
                for one in self._listed(self._database.tables.services.values())
                if _passes(one, query.filters) and self._has_weekly_time(one, windows)
            }
            scores = dict(zip(self._database.tables.search_texts, self._words().scores(query.text), strict=True))
            best_text = max((score for score in scores.values() if score is not None), default=0.0)
            words_suffice = best_text >= self._rules.words_suffice_score
            telling = self._telling(query, offered, scores) if query.text.strip() else set()
            found = self._found(query, offered, scores, telling, words_suffice=words_suffice)
            entrants = admitted(found, query, best_text=best_text, rules=self._rules)
            fused = fuse(entrants, self._rules)
            candidates = tuple(
                candidate
                for place, one in enumerate(fused)
                if (candidate := self._candidate(offered, one.found, one.score, place, query, windows)) is not None
            )
            is_all = not found or not has_legs(query)
            total = len(offered) if is_all else count(found, entrants, with_words=len(telling))
            return Retrieved(
                candidates,
                total=max(len(candidates), total - (len(fused) - len(candidates))) if fused else 0,
                funnel=Funnel(
                    text=min(LEG_DEPTH, sum(each.text is not None for each in found)),
                    vector=sum(each.cosine is not None for each in found),
                    fused=len(fused),
                    filtered=len(candidates),
                    final=len(candidates),
                ),
            )

    async def cards(self, service_ids: Sequence[ServiceId], *, filters: HardFilters, now: datetime) -> list[Card]:
        async with self._database.operation("retrieval.cards"):
            windows = asked_windows(filters.windows, now)
            services = self._database.tables.services
            return [
                self._card(one.service)
                for one in self._listed(services[i] for i in service_ids if i in services)
                if _passes(one, filters)
                and (not filters.windows or self._first_free(one.service, one.profile, windows) is not None)
            ]

    async def timezones(self) -> list[str]:
        async with self._database.operation("retrieval.timezones"):
            return sorted({row.profile.timezone for row in self._database.tables.profiles.values()})

    async def embedding_models(self) -> list[str]:
        async with self._database.operation("retrieval.embedding_models"):
            return sorted(one.model for one in self._database.tables.search_models.values() if one.is_ready)

    def _words(self) -> Words:
        return Words(list(self._database.tables.search_texts.values()))

    def _profile(self, user_id: UserId) -> Profile:
        return self._database.tables.profiles.get(user_id, ProfileRow(Profile(), None)).profile

    def _listed(self, services: Iterable[Service]) -> list[_Offered]:
        tables = self._database.tables
        return [
            _Offered(service, self._profile(service.instructor_id))
            for service in services
            if tables.service_states[service.id].retired_at is None
            and tables.users[service.instructor_id].is_active
        ]

    def _has_weekly_time(self, one: _Offered, windows: Sequence[TimeWindow]) -> bool:
        if not windows:
            return True
        weekly = Schedule(one.profile.timezone, one.profile.availability)
        return first_free(weekly, windows, timedelta(minutes=one.service.duration_minutes)) is not None

    def _found(
        self,
        query: RetrievalQuery,
        offered: dict[ServiceId, _Offered],
        scores: dict[ServiceId, float | None],
        telling: set[ServiceId],
        *,
        words_suffice: bool,
    ) -> list[Found]:
        """The best of each leg, with what every leg says of them."""
        weights = dict(query.categories)
        rows = [
            Found(
                service_id,
                scores.get(service_id) if query.text.strip() else None,
                self._cosine(query, service_id),
                weights.get(one.service.category or "", 0.0),
                quality(one.profile.rating, one.profile.rating_count),
            )
            for service_id, one in offered.items()
        ]
        if not has_legs(query):
            return sorted(rows, key=lambda row: (-row.quality, row.service_id))[:LEG_DEPTH]
        by_words = sorted(
            (r for r in rows if r.service_id in telling), key=lambda r: (-(r.text or 0), r.service_id)
        )
        by_kind = sorted((r for r in rows if r.category), key=lambda r: (-r.category, -r.quality, r.service_id))
        compared = rows
        if words_suffice:
            best = (*by_words[:COARSE_DEPTH], *by_kind[:COARSE_DEPTH])
            compared = list({row.service_id: row for row in best}.values())
        by_meaning = sorted(
            (r for r in compared if r.cosine is not None), key=lambda r: (-(r.cosine or 0), r.service_id)
        )
        legs = (by_words[:LEG_DEPTH], by_meaning[:LEG_DEPTH], by_kind[:LEG_DEPTH])
        return list({row.service_id: row for leg in legs for row in leg}.values())

    def _telling(
        self, query: RetrievalQuery, offered: dict[ServiceId, _Offered], scores: dict[ServiceId, float | None]
    ) -> set[ServiceId]:
        """Services that pass the filters and may be shown for their words."""
        kinds = {category for category, _ in query.categories}
        best_text = max((score for score in scores.values() if score is not None), default=0.0)
        enough = self._rules.other_kind_share * best_text if kinds else 0.0
        return {
            one.service.id
            for one in offered.values()
            for score in (scores.get(one.service.id),)
            if score is not None and (score >= enough or one.service.category in kinds)
        }

    def _cosine(self, query: RetrievalQuery, service_id: ServiceId) -> float | None:
        if query.vector is None or query.model is None or not has_vector_leg(query):
            return None
        vector = self._database.tables.search_vectors.get((query.model, service_id))
        return None if vector is None else sum(a * b for a, b in zip(query.vector, vector, strict=True))

    def _candidate(
        self,
        offered: dict[ServiceId, _Offered],
        found: Found,
        score: float,
        place: int,
        query: RetrievalQuery,
        windows: Sequence[TimeWindow],
    ) -> Candidate | None:
        service, profile = offered[found.service_id].service, offered[found.service_id].profile
        next_free_at = None
        if windows or place < RANKED_MAX:
            looked_for = windows or (TimeWindow(query.now, query.now + HORIZON),)
            next_free_at = self._first_free(service, profile, looked_for)
        if windows and next_free_at is None:
            return None
        return Candidate(
            service_id=service.id,
            instructor_id=service.instructor_id,
            text_score=found.text,
            vector_score=found.cosine,
            fused_score=score,
            price_cents=service.price_cents,
            duration_minutes=service.duration_minutes,
            distance_km=self._distance(profile, query.near) if service.is_in_person else None,
            rating=profile.rating,
            rating_count=profile.rating_count,
            response_minutes=profile.response_minutes,
            updated_at=self._database.tables.service_states[service.id].updated_at,
            next_free_at=next_free_at,
        )

    def _first_free(self, service: Service, profile: Profile, windows: Sequence[TimeWindow]) -> datetime | None:
        booked = sorted(
            (booking.starts_at, booking.ends_at)
            for booking in self._database.tables.bookings.values()
            if booking.instructor_id == service.instructor_id and booking.status is not BookingStatus.CANCELLED
        )
        schedule = Schedule(profile.timezone, profile.availability, tuple(booked))
        return first_free(schedule, windows, timedelta(minutes=service.duration_minutes))

    def _distance(self, profile: Profile, near: Point | None) -> float | None:
        if near is None:
            return None
        regions = self._database.tables.regions
        centroids = [regions[area].region.centroid for area in profile.areas if area in regions]
        return min((near.distance_km(centroid) for centroid in centroids), default=None)

    def _card(self, service: Service) -> Card:
        tables, profile = self._database.tables, self._profile(service.instructor_id)
        return Card(
            service_id=service.id,
            instructor_id=service.instructor_id,
            display_name=tables.users[service.instructor_id].display_name,
            rating=profile.rating,
            response_minutes=profile.response_minutes,
            areas=tuple(
                tables.regions[a].region.name if a in tables.regions else a for a in sorted(profile.areas)
            ),
            title=service.title,
            description=service.description,
            price_cents=service.price_cents,
            currency=service.currency,
            duration_minutes=service.duration_minutes,
            levels=service.levels,
            age_min=service.age_min,
            age_max=service.age_max,
            is_online=service.is_online,
            is_in_person=service.is_in_person,
        )


def _passes(one: _Offered, filters: HardFilters) -> bool:
    """Whether a service passes every filter but the one on time."""
    service, profile = one.service, one.profile
    asked, elsewhere = asked_reach(filters), asked_elsewhere(filters)
    reach = reach_of(
        profile.areas, profile.home_city, is_online=service.is_online, is_in_person=service.is_in_person
    )
    return (
        (asked is None or not reach.isdisjoint(asked))
        and (filters.online is None or (service.is_online if filters.online else service.is_in_person))
        and (not filters.levels or not service.levels or not filters.levels.isdisjoint(service.levels))
        and service.category not in filters.barred_categories
        and (
            elsewhere is None
            or (service.is_online and filters.online is None)
            or (service.is_in_person and elsewhere.has(reach))
        )
        and (filters.price is None or _is_priced(service, filters.price))
        and (filters.age is None or _is_of_age(service, filters.age))
        and (filters.only_ages is None or _is_for_nobody_else(service, filters.only_ages))
    )


def _is_priced(service: Service, price: PriceBounds) -> bool:
    if price.currency is not None and price.currency != service.currency:
        return False
    # In cents times minutes, so that nothing is rounded.
    is_hourly = price.unit is PriceUnit.HOUR
    asked = service.price_cents * (60 if is_hourly else 1)
    unit = service.duration_minutes if is_hourly else 1
    return (price.min_cents is None or asked >= price.min_cents * unit) and (
        price.max_cents is None or asked <= price.max_cents * unit
    )


def _is_of_age(service: Service, age: AgeBounds) -> bool:
    is_old_enough = service.age_max is None or service.age_max >= age.taught_up_to
    is_young_enough = age.taught_from is None or service.age_min is None or service.age_min <= age.taught_from
    return is_old_enough and is_young_enough


def _is_for_nobody_else(service: Service, ages: AgeBounds) -> bool:
    is_nobody_younger = ages.min_years == 0 or (service.age_min is not None and service.age_min >= ages.min_years)
    is_nobody_older = ages.max_years is None or (service.age_max is not None and service.age_max <= ages.max_years)
    return is_nobody_younger and is_nobody_older
