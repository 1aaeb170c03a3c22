"""The shapes of the search's answers."""

from __future__ import annotations

from datetime import date
from typing import Literal, Self

from pydantic import Field

from greenroom.schema.search.candidates import Card
from greenroom.schema.search.diagnostics_wire import BudgetOut, DiagnosticsOut
from greenroom.schema.search.places import (
    PlaceAnswer,
    PlaceCandidate,
    PlaceOutcome,
    Region,
    RegionKind,
)
from greenroom.schema.search.understood import (
    AgeBounds,
    Level,
    Notice,
    NoticeKind,
    ParseSource,
    Part,
    PartKind,
    PriceBounds,
    PriceUnit,
    RelativeDay,
    ServiceGuess,
    Understood,
    Weekday,
    When,
)
from greenroom.schema.wire import Wire


class AgesOut(Wire):
    """Years of age."""

    min: int = Field(description="The lowest, inclusive.")
    max: int | None = Field(description='The highest, inclusive; null for "and older".')

    @classmethod
    def of(cls, ages: AgeBounds) -> Self:
        return cls(min=ages.min_years, max=ages.max_years)


class FoundInstructorOut(Wire):
    """``areas`` are names of regions; ``response_minutes`` the median time to a first answer, null if unknown."""

    id: str
    display_name: str | None
    rating: float | None
    response_minutes: int | None
    areas: list[str]


class MatchedOut(Wire):
    """How well words (0 to 1) and meaning (cosine) fit; null where the result was not found that way."""

    text: float | None
    vector: float | None


class ResultOut(Wire):
    """One lesson on offer. What is null was not read in time, which ``meta.budget.skipped`` then says of ``hydration``."""

    service_id: str
    instructor: FoundInstructorOut
    title: str | None
    description: str | None
    price_cents: int
    currency: str | None
    duration_minutes: int
    levels: list[Level]
    ages: AgesOut | None
    online: bool | None
    in_person: bool | None
    distance_km: float | None
    score: float
    matched: MatchedOut

    @classmethod
    def found(
        cls,
        *,
        service_id: str,
        instructor_id: str,
        price_cents: int,
        duration_minutes: int,
        rating: float | None,
        response_minutes: int | None,
        distance_km: float | None,
        score: float,
        matched: MatchedOut,
        card: Card | None,
    ) -> Self:
        """Show a candidate, by its card where there is one: that is read last."""
        has_ages = card is not None and (card.age_min is not None or card.age_max is not None)
        return cls(
            service_id=service_id,
            instructor=FoundInstructorOut(
                id=instructor_id,
                display_name=card.display_name if card else None,
                rating=rating,
                response_minutes=response_minutes,
                areas=list(card.areas) if card else [],
            ),
            title=card.title if card else None,
            description=card.description if card else None,
            price_cents=card.price_cents if card else price_cents,
            currency=card.currency if card else None,
            duration_minutes=card.duration_minutes if card else duration_minutes,
            levels=list(card.levels) if card else [],
            ages=AgesOut(min=card.age_min or 0, max=card.age_max) if card and has_ages else None,
            online=card.is_online if card else None,
            in_person=card.is_in_person if card else None,
            distance_km=None if distance_km is None else round(distance_km, 2),
            score=round(score, 4),
            matched=matched,
        )


class RegionOut(Wire):
    """A place on the map."""

    id: str = Field(description="Its path from the city down: `nyc/brooklyn/park-slope`.")
    name: str = Field(description="As people write it.")
    city: str = Field(description="The id of the city it is in; its own if it is one.")
    kind: RegionKind = Field(description="How large it is.")
    lat: float = Field(description="Of its centre, in degrees north.")
    lng: float = Field(description="Of its centre, in degrees east.")

    @classmethod
    def of(cls, region: Region) -> Self:
        return cls(
            id=region.id,
            name=region.name,
            city=region.city,
            kind=region.kind,
            lat=region.centroid.lat,
            lng=region.centroid.lng,
        )


class PlaceCandidateOut(Wire):
    """A region that the words for a place may mean."""

    region: RegionOut = Field(description="The region.")
    tier: int = Field(description="What found it: 1 exact, 2 alias, 3 fuzzy, 4 embedding, 5 model.")
    confidence: float = Field(description="From 0 to 1.")
    matched_name: str = Field(description="The name of it that fits the words.")

    @classmethod
    def of(cls, candidate: PlaceCandidate) -> Self:
        return cls(
            region=RegionOut.of(candidate.region),
            tier=candidate.tier.value,
            confidence=round(candidate.confidence, 3),
            matched_name=candidate.matched_name,
        )


class LocationOut(Wire):
    """What the place was taken for."""

    text: str | None = Field(description="The words for it; null where none were said.")
    outcome: PlaceOutcome = Field(
        description="`resolved`; `ambiguous`: searched for in all of `regions`; `unknown`: not narrowed; `not_asked`: none was said; `not_looked_up`: no time, nothing is found."
    )
    region: RegionOut | None = Field(
        description="The one that was searched in, or the first of several that were named; null unless `resolved`."
    )
    regions: list[RegionOut] = Field(description="All that were searched in.")
    tier: int | None = Field(
        description="What decided: 1 exact, 2 alias, 3 fuzzy, 4 embedding, 5 model; null if nothing did."
    )
    confidence: float = Field(description="From 0 to 1.")
    candidates: list[PlaceCandidateOut] = Field(
        description="What came into question, likeliest first; at most 10."
    )
    excluded: list[RegionOut] = Field(
        default_factory=list,
        description="Where it must not be (not in brooklyn): lessons that can only be had there are left out.",
    )

    @classmethod
    def of(cls, place: PlaceAnswer) -> Self:
        regions = [RegionOut.of(region) for region in place.regions]
        return cls(
            text=place.text,
            outcome=place.outcome,
            region=regions[0] if place.outcome is PlaceOutcome.RESOLVED and regions else None,
            regions=regions,
            tier=None if place.tier is None else place.tier.value,
            confidence=round(place.confidence, 3),
            candidates=[PlaceCandidateOut.of(candidate) for candidate in place.candidates],
            excluded=[RegionOut.of(region) for region in place.excluded],
        )


class ServiceGuessOut(Wire):
    """A kind of lesson that may be meant."""

    category: str = Field(description="Its slug, as at `/api/v1/categories`.")
    weight: float = Field(description="How likely it is, above 0 to 1; of all together at most 1.")

    @classmethod
    def of(cls, guess: ServiceGuess) -> Self:
        return cls(category=guess.category, weight=round(guess.weight, 3))


class PriceOut(Wire):
    """What it may cost; at least one bound is given."""

    min_cents: int | None = Field(description="At least that, in hundredths of the currency.")
    max_cents: int | None = Field(description="At most that, inclusive.")
    unit: PriceUnit = Field(description="What the price is for.")
    currency: str | None = Field(description="ISO 4217; null where the sentence names none.")

    @classmethod
    def of(cls, price: PriceBounds) -> Self:
        return cls(min_cents=price.min_cents, max_cents=price.max_cents, unit=price.unit, currency=price.currency)


class WhenOut(Wire):
    """Days and hours in which the lesson has to begin and end, where it is given."""

    weekdays: list[Weekday] = Field(description="Any of these; empty for any day.")
    relative: RelativeDay | None = Field(description="A day or week counted from today.")
    on: date | None = Field(description="A date, or the first day of a span.")
    until: date | None = Field(
        None, description="The last day of a span that begins `on`, inclusive; null for a single day."
    )
    from_minute: int | None = Field(description="Minutes after local midnight, from 0; null for open.")
    to_minute: int | None = Field(description="The same, to 1440, exclusive; null for open.")

    @classmethod
    def of(cls, when: When) -> Self:
        return cls(
            weekdays=[day for day in Weekday if day in when.weekdays],
            relative=when.relative,
            on=when.on,
            until=when.until,
            from_minute=when.from_minute,
            to_minute=when.to_minute,
        )


class PartOut(Wire):
    """A piece of ``q``. Cut it out of ``q`` to search without it."""

    kind: PartKind = Field(description="What it says.")
    text: str = Field(description="As it was typed.")
    start: int = Field(description="Its first character, from 0.")
    end: int = Field(description="Exclusive.")

    @classmethod
    def of(cls, part: Part) -> Self:
        return cls(kind=part.kind, text=part.text, start=part.start, end=part.end)


class NoticeOut(Wire):
    """Something that was said and bounds nothing, or not as it was meant."""

    kind: NoticeKind = Field(description="Why.")
    text: str = Field(description="That piece of `q`.")
    taken: str | None = Field(
        None,
        description="What a `corrected` word was taken for; in quotation marks it is searched for as it is written. Null of all else.",
    )

    @classmethod
    def of(cls, notice: Notice) -> Self:
        return cls(kind=notice.kind, text=notice.text, taken=notice.taken)


class ParsedOut(Wire):
    """What was understood. Null and empty: nothing was said of it."""

    text: str = Field(description="`q` in normal form: case-folded, spaces single.")
    service: str = Field(description="The words for the lesson, with corrections; empty where none are.")
    services: list[ServiceGuessOut] = Field(
        description="Kinds of lessons that these mean, likeliest first; at most 5."
    )
    denied: list[str] = Field(description="Slugs of kinds of lessons that are left out (no piano).")
    place: str | None = Field(description="The words for a place; what they were taken for is in `location`.")
    near: bool = Field(description="Places next to it do too (near, around).")
    # Those with a default: records of searches that were kept from before have none.
    denied_places: list[str] = Field(
        default_factory=list,
        description="Words for places where it must not be; which regions these are is in `location.excluded`.",
    )
    near_me: bool = Field(False, description="What is near is asked for, without saying where that is.")
    only_ages: AgesOut | None = Field(
        None, description="Whom it may be for at most (adults only): lessons for anybody else too are left out."
    )
    price: PriceOut | None = Field(description="What it may cost.")
    age: AgesOut | None = Field(description="The learner's age.")
    levels: list[Level] = Field(description="Any of these; lessons that tell none fit too.")
    when: WhenOut | None = Field(
        description="The one time, or one that holds all of `times`; null if that is any."
    )
    times: list[WhenOut] = Field(description="Times of which any will do.")
    denied_times: list[WhenOut] = Field(
        default_factory=list,
        description="Days, or hours of them, in which it must not be (not tomorrow). Weekdays and hours of any day that are denied are left out of `times` instead.",
    )
    online: bool | None = Field(description="True for online only, false for in person only.")
    notices: list[NoticeOut] = Field(
        default_factory=list, description="What was said and is not heeded, and words that were corrected."
    )
    parts: list[PartOut] = Field(description="Every piece of `q` that was understood, in order, without overlap.")
    source: ParseSource = Field(description="Whether a language model had a say.")

    @classmethod
    def of(cls, understood: Understood) -> Self:
        return cls(
            text=understood.text,
            service=understood.service_text,
            services=[ServiceGuessOut.of(guess) for guess in understood.services],
            denied=list(understood.denied),
            place=understood.place_text,
            near=understood.is_near,
            denied_places=list(understood.denied_places),
            near_me=understood.is_near_me,
            price=None if understood.price is None else PriceOut.of(understood.price),
            age=None if understood.age is None else AgesOut.of(understood.age),
            only_ages=None if understood.only_ages is None else AgesOut.of(understood.only_ages),
            levels=[level for level in Level if level in understood.levels],
            when=None if understood.when.is_any else WhenOut.of(understood.when),
            times=[WhenOut.of(when) for when in understood.asked_times],
            denied_times=[WhenOut.of(when) for when in understood.denied_times],
            online=understood.online,
            notices=[NoticeOut.of(notice) for notice in understood.notices],
            parts=[PartOut.of(part) for part in understood.parts],
            source=understood.source,
        )


class SearchMetaOut(Wire):
    """How the search was understood and how it went."""

    parsed: ParsedOut = Field(description="What was understood.")
    location: LocationOut = Field(description="The place that was named, and what it was taken for.")
    budget: BudgetOut = Field(description="The time it had, and what was left out.")
    cache: Literal["hit", "miss", "bypass"] = Field(
        description="Whether the same was answered just before; `bypass` with overrides."
    )
    total_candidates: int = Field(
        description="Lessons that fit. The best 200 are put in order and can be paged through, so the last page may end before all were shown."
    )


class SearchOut(Wire):
    """``next_cursor`` is null on the last page; ``diagnostics`` is for admins who ask for it, else null."""

    query_id: str
    results: list[ResultOut]
    next_cursor: str | None
    meta: SearchMetaOut
    diagnostics: DiagnosticsOut | None = None


class CityOut(Wire):
    """A city to search in: ``id`` is what ``city`` of a search takes."""

    id: str
    name: str


class CitiesOut(Wire):
    items: list[CityOut]
