"""What retrieval is asked for, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.places import Point, RegionId
from greenroom.schema.search.understood import AgeBounds, Level, PriceBounds

FUSED_MAX: Final = 200
"""Candidates that the first stage hands on, whatever the page's size, so that the top ten don't change with ``limit``."""

RANKED_MAX: Final = 50
"""Candidates that the second stage looks at closely."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A moment range, the end excluded, in which a lesson has to fit as a whole.

    ``timezone``: only for instructors who live in this zone; None for all. Where no place is named, "saturday morning" is that of each.
    """

    starts_at: datetime
    ends_at: datetime
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class HardFilters:
    """What no answer may ever break, however little time there was.

    Attributes:
        cities: only instructors who are at home in one of these or give lessons there, and those online who are of no city; empty
            for any.
        areas: the instructor serves one of these regions: itself, one that it lies in, or one that lies in it. Empty for anywhere.
            Only of lessons that are given there: with areas, ``online`` is False.
        barred_areas: regions where it must not be: to be had online, unless it is asked for in person, or in person by who serves
            a region that lies in none of these (and that is one of those ``areas``, as above, that lie in none, where there are any).
        windows: free for a whole lesson in at least one of these; empty for any time. At most 64 of each
            time zone are looked at, and 62 days of each.
        online: True: the lesson is to be had online; False: in person; None: either.
        levels: taught at one of these levels; empty for any.
        barred_categories: kinds that are not wanted; a lesson of no kind is of none of them.
        only_ages: the lesson is for nobody outside of these, and tells so: of a bound that is asked for it has one as narrow.
    """

    cities: tuple[RegionId, ...] = ()
    areas: tuple[RegionId, ...] = ()
    barred_areas: tuple[RegionId, ...] = ()
    price: PriceBounds | None = None
    age: AgeBounds | None = None
    levels: frozenset[Level] = frozenset()
    windows: tuple[TimeWindow, ...] = ()
    online: bool | None = None
    barred_categories: tuple[str, ...] = ()
    only_ages: AgeBounds | None = None


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """
    Attributes:
        text: the words for the lesson; empty finds everything that the filters let through, best rated first.
        categories: kinds of lessons meant with their weights, from the understanding.
        vector: of the same words by the model ``model``, unit length; None goes without the vector leg.
        near: where distances are measured from; None for no distances.
    """

    text: str
    categories: tuple[tuple[str, float], ...]
    filters: HardFilters
    vector: Sequence[float] | None
    model: str | None
    near: Point | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A service that passed every hard filter.

    Attributes:
        text_score: 0 to 1, absolute: BM25 over the best a document could reach for this query; None: not found by text.
        vector_score: cosine similarity, -1 to 1; None: not found by vector, or there was no vector leg.
        distance_km: from the asked place to the nearest region that the instructor serves; None without a place or online only.
        rating: mean of ``rating_count`` ratings from 1 to 5; 0.0 of none.
        response_minutes: median time to a first answer; None if unknown.
        next_free_at: begin of the first free slot in the asked windows (or at all); None if unknown.
    """

    service_id: ServiceId
    instructor_id: UserId
    text_score: float | None
    vector_score: float | None
    fused_score: float
    price_cents: int
    duration_minutes: int
    distance_km: float | None
    rating: float
    rating_count: int
    response_minutes: int | None
    updated_at: datetime
    next_free_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many candidates each step left."""

    text: int = 0
    vector: int = 0
    fused: int = 0
    filtered: int = 0
    final: int = 0


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Candidates, best first by the first stage; at most FUSED_MAX.

    ``total``: how many were found that passed the filters, for people; of those beyond FUSED_MAX bookings were not looked at.
    """

    candidates: tuple[Candidate, ...]
    total: int
    funnel: Funnel


@dataclass(frozen=True, slots=True)
class TextStrength:
    """How well words alone find something, before any filter: what decides if the vector leg is worth its price.

    Attributes:
        best: the highest text score, 0 to 1.
        hits: services that reach NL_SEARCH_TEXT_SKIP_VECTOR_SCORE_THRESHOLD.
        unknown: words of the text, in order, that no service has, nor any like them.
    """

    best: float
    hits: int
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spelling:
    """A word as lessons write it, in small letters and without accents; ``documents``: how many have it, in any form."""

    word: str
    documents: int


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown of a service: a result without its scores."""

    service_id: ServiceId
    instructor_id: UserId
    display_name: str
    rating: float
    response_minutes: int | None
    areas: tuple[str, ...]
    title: str
    description: str
    price_cents: int
    currency: str
    duration_minutes: int
    levels: tuple[Level, ...]
    age_min: int | None
    age_max: int | None
    is_online: bool
    is_in_person: bool
