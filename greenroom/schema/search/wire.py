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
    """The learner's age in years, both inclusive; ``max`` null for "and older"."""

    min: int
    max: int | None

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
    id: str
    name: str
    city: str
    kind: RegionKind
    lat: float
    lng: float

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
    """``tier`` 1 exact, 2 alias, 3 fuzzy, 4 embedding, 5 model."""

    region: RegionOut
    tier: int
    confidence: float
    matched_name: str

    @classmethod
    def of(cls, candidate: PlaceCandidate) -> Self:
        return cls(
            region=RegionOut.of(candidate.region),
            tier=candidate.tier.value,
            confidence=round(candidate.confidence, 3),
            matched_name=candidate.matched_name,
        )


class LocationOut(Wire):
    """What the place was taken for.

    ``region`` is the one that was searched in, null unless ``outcome`` is ``resolved``; an ``ambiguous`` place was searched for in all
    of ``regions``, an ``unknown`` one did not narrow the search. ``excluded``: regions where it must not be ("not in brooklyn"): no
    lesson is shown that could only be had there.
    """

    text: str | None
    outcome: PlaceOutcome
    region: RegionOut | None
    regions: list[RegionOut]
    tier: int | None
    confidence: float
    candidates: list[PlaceCandidateOut]
    excluded: list[RegionOut] = Field(default_factory=list)

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
    category: str
    weight: float

    @classmethod
    def of(cls, guess: ServiceGuess) -> Self:
        return cls(category=guess.category, weight=round(guess.weight, 3))


class PriceOut(Wire):
    min_cents: int | None
    max_cents: int | None
    unit: PriceUnit
    currency: str | None

    @classmethod
    def of(cls, price: PriceBounds) -> Self:
        return cls(min_cents=price.min_cents, max_cents=price.max_cents, unit=price.unit, currency=price.currency)


class WhenOut(Wire):
    """``until``: the last day of a span that begins ``on``, null for a single day. ``from_minute`` and ``to_minute`` (exclusive) count
    from local midnight."""

    weekdays: list[Weekday]
    relative: RelativeDay | None
    on: date | None
    until: date | None = None
    from_minute: int | None
    to_minute: int | None

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
    """A piece of ``q`` from ``start`` to ``end`` (exclusive), in characters. Cut it out of ``q`` to search without it."""

    kind: PartKind
    text: str
    start: int
    end: int

    @classmethod
    def of(cls, part: Part) -> Self:
        return cls(kind=part.kind, text=part.text, start=part.start, end=part.end)


class NoticeOut(Wire):
    """Something that was said and bounds nothing, or not as it was meant; ``text`` is that piece of ``q``.

    ``taken``: of a ``corrected`` word, what was searched for in its place. In quotation marks it is searched for as it is written. Null
    of all else.
    """

    kind: NoticeKind
    text: str
    taken: str | None = None

    @classmethod
    def of(cls, notice: Notice) -> Self:
        return cls(kind=notice.kind, text=notice.text, taken=notice.taken)


class ParsedOut(Wire):
    """What was understood. Null and empty: nothing was said of it.

    ``denied`` are kinds of lessons that are not wanted, ``denied_places`` the words for places where it must not be; which regions these
    are is in ``location.excluded``. ``near_me``: what is near is asked for, without saying where that is. ``times`` are those of which
    any will do; ``when`` is the one, or one that holds them all, null if that is any time. ``denied_times``: days in which, or hours of
    them, it must not be; weekdays and hours of any day that are denied are left out of ``times`` already. ``only_ages``: lessons that are
    for anybody else too are left out ("adults only"). ``notices``: what was said and is not heeded, and words of
    ``service`` that were corrected.
    """

    text: str
    service: str
    services: list[ServiceGuessOut]
    denied: list[str]
    place: str | None
    near: bool
    # Those with a default: records of searches that were kept from before have none.
    denied_places: list[str] = Field(default_factory=list)
    near_me: bool = False
    only_ages: AgesOut | None = None
    price: PriceOut | None
    age: AgesOut | None
    levels: list[Level]
    when: WhenOut | None
    times: list[WhenOut]
    denied_times: list[WhenOut] = Field(default_factory=list)
    online: bool | None
    notices: list[NoticeOut] = Field(default_factory=list)
    parts: list[PartOut]
    source: ParseSource

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
    """``total_candidates``: lessons that fit. The best 200 of them are put in order and can be paged through: at the end of the last
    page fewer may have been shown than were found."""

    parsed: ParsedOut
    location: LocationOut
    budget: BudgetOut
    cache: Literal["hit", "miss", "bypass"]
    total_candidates: int


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
