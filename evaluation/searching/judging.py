"""Whether an answer is one to what was asked.

Written apart from what it judges: nothing here uses the rules of the search. Places are compared by their ids and by distance, time
is tried out in steps of :data:`STEP`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from evaluation.searching.cases import Bounds, SearchCase
from evaluation.searching.marketplace import NOW, Marketplace, Offered
from greenroom.actors.search.answer import SearchAnswer
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.places import PlaceOutcome, Region, RegionId
from greenroom.schema.search.taxonomy import load_taxonomy
from greenroom.schema.search.understood import PriceUnit, Understood, Weekday

FIRST: Final = 5
"""Results that are of a kind that is meant, as far as there are so many."""

TENTH: Final = 10
SAME_MAX: Final = 2
"""Of one instructor among any TENTH in a row, while others are left on the page."""

NEAR_KM: Final = 3.0
"""Who asks for "near" goes half an hour on foot."""

STEP: Final = timedelta(minutes=15)
HORIZON: Final = timedelta(days=28)
WEEK: Final = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    Attributes:
        fitting: of the meant kinds in the whole marketplace which fit the rest.
        shown: of these, on the first page.
        misses: what is wrong, a line each.
    """

    case: SearchCase
    fitting: int
    shown: int
    results: int
    misses: tuple[str, ...]


def judge(case: SearchCase, answer: SearchAnswer, marketplace: Marketplace, *, limit: int = 20) -> Judgement:
    """Hold an answer's first page, of ``limit`` results, against what was asked."""
    hits = [marketplace.offered[hit.ranked.candidate.service_id] for hit in answer.hits]
    fits = _fitting(case, marketplace.regions)
    fitting = {
        service_id
        for service_id, one in marketplace.offered.items()
        if one.service.category in case.kinds
        and all(test(one) for test in fits.values())
        and _is_inside(one, case)
    }
    shown = sum(hit.service.id in fitting for hit in hits)
    misses = [*_misunderstood(case, answer)]
    for place, hit in enumerate(hits, start=1):
        broken = [name for name, test in fits.items() if not test(hit)]
        if broken:
            misses.append(f"result {place} breaks {', '.join(broken)}: {_told(hit)}")
    misses += _kinds(case, hits, fitting, shown, limit)
    misses += _crowded(hits)
    if any(not 0 <= (hit.ranked.candidate.text_score or 0) <= 1 for hit in answer.hits):
        misses.append("a text score is not within 0 and 1")
    if len({region.split("/")[0] for region in case.place}) > 1 and case.asked_from is None:
        told = [hit for hit in answer.hits if hit.ranked.candidate.distance_km is not None]
        misses += [f"{len(told)} distances are told, though the place may be in several cities"] if told else []
    if answer.budget.degraded:
        misses.append(f"degraded: {answer.budget.skipped}")
    return Judgement(case, len(fitting), shown, len(hits), tuple(misses))


def _misunderstood(case: SearchCase, answer: SearchAnswer) -> Iterator[str]:
    told = answer.understood
    if case.kinds and (not told.services or told.services[0].category not in case.kinds):
        yield f"understood as {[guess.category for guess in told.services]}"
    regions = {region.id for region in answer.place.regions}
    if regions != set(case.place) or told.is_near != case.is_near:
        yield f"place: {told.place_text!r} is {sorted(regions)}, near {told.is_near}"
    if not case.place and answer.place.outcome is not PlaceOutcome.NOT_ASKED:
        yield f"took {told.place_text!r} for a place"
    yield from _misread(case, told)


def _misread(case: SearchCase, told: Understood) -> Iterator[str]:
    price = None if told.price is None else Bounds(told.price.min_cents, told.price.max_cents)
    if price != case.price:
        yield f"price: {told.price}"
    if told.price is not None and (
        (told.price.unit is PriceUnit.HOUR) != case.is_hourly or told.price.currency not in {case.currency, None}
    ):
        yield f"price: {told.price}"
    age = None if told.age is None else Bounds(told.age.min_years, told.age.max_years)
    if age != case.age:
        yield f"age: {told.age}"
    if told.levels != ({case.level} if case.level is not None else set()):
        yield f"levels: {sorted(told.levels)}"
    if told.online is not case.online:
        yield f"online: {told.online}"
    if told.when.is_any != (case.free is None):
        yield f"time: {told.when}"


def _kinds(
    case: SearchCase, hits: list[Offered], fitting: set[ServiceId], shown: int, limit: int
) -> Iterator[str]:
    if not case.kinds:
        return
    if shown < min(limit, len(fitting)):
        yield f"{shown} of {len(fitting)} that fit are on the page"
    for place, hit in enumerate(hits[: min(FIRST, len(fitting))], start=1):
        if hit.service.category not in case.kinds:
            yield f"result {place} is of another kind: {_told(hit)}"
    group = load_taxonomy().kinds
    akin = case.akin | {group[kind].group for kind in case.kinds}
    for place, hit in enumerate(hits, start=1):
        kind = hit.service.category or ""
        if kind not in case.kinds and kind not in akin and (kind not in group or group[kind].group not in akin):
            yield f"result {place} has nothing to do with it: {_told(hit)}"


def _crowded(hits: list[Offered]) -> Iterator[str]:
    """Told only where somebody else's lesson further down could have taken the place."""
    instructors = [hit.service.instructor_id for hit in hits]
    for start in range(max(0, len(hits) - TENTH)):
        window, rest = instructors[start : start + TENTH], set(instructors[start + TENTH :])
        for instructor_id, count in Counter(window).items():
            if count > SAME_MAX and rest - set(window):
                yield f"{count} of one instructor ({instructor_id}) from result {start + 1} on"


def _fitting(case: SearchCase, regions: Mapping[RegionId, Region]) -> dict[str, Callable[[Offered], bool]]:
    """What every result must have, by name."""
    tests: dict[str, Callable[[Offered], bool]] = {}
    if case.place:
        tests["place"] = lambda one: _is_there(one, case, regions)
    elif case.asked_from is not None:
        tests["city"] = lambda one: _is_in_city(one, case.asked_from or RegionId(""))
    if case.price is not None:
        tests["price"] = lambda one: _is_priced(one, case)
    if case.age is not None:
        tests["age"] = lambda one: _overlap(case.age, one.service.age_min, one.service.age_max)
    if case.level is not None:
        tests["level"] = lambda one: not one.service.levels or case.level in one.service.levels
    if case.online is not None:
        tests["online"] = lambda one: one.service.is_online if case.online else one.service.is_in_person
    if case.free is not None:
        tests["time"] = lambda one: _is_free(one, case)
    return tests


def _is_there(one: Offered, case: SearchCase, regions: Mapping[RegionId, Region]) -> bool:
    """A lesson given at the place, or next to it; one online by somebody of that city where it is asked for."""
    if case.online:
        return any(_is_in_city(one, RegionId(place.split("/")[0])) for place in case.place)
    return one.service.is_in_person and any(
        _overlaps(area, place)
        or (
            case.is_near
            and area in regions
            and regions[area].centroid.distance_km(regions[place].centroid) <= NEAR_KM
        )
        for area in one.profile.areas
        for place in case.place
    )


def _is_inside(one: Offered, case: SearchCase) -> bool:
    """What lies next to the place may be found; what is at the place has to be."""
    return not case.is_near or any(_overlaps(area, place) for area in one.profile.areas for place in case.place)


def _overlaps(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _is_in_city(one: Offered, city: RegionId) -> bool:
    return one.profile.home_city == city or any(area.split("/")[0] == city for area in one.profile.areas)


def _is_priced(one: Offered, case: SearchCase) -> bool:
    service, bounds = one.service, case.price
    cents = service.price_cents * 60 / service.duration_minutes if case.is_hourly else service.price_cents
    return (
        bounds is not None
        and (bounds.low is None or cents >= bounds.low)
        and (bounds.high is None or cents <= bounds.high)
        and (case.currency is None or case.currency == service.currency)
    )


def _overlap(bounds: Bounds | None, low: int | None, high: int | None) -> bool:
    asked = bounds or Bounds(None, None)
    return (asked.high is None or low is None or low <= asked.high) and (
        asked.low is None or high is None or high >= asked.low
    )


def _is_free(one: Offered, case: SearchCase) -> bool:
    """Whether a whole lesson fits, begun on a quarter of an hour."""
    free, zone = case.free, ZoneInfo(one.profile.timezone)
    assert free is not None  # noqa: S101 - asked only where it is
    lesson = timedelta(minutes=one.service.duration_minutes)
    first = NOW.astimezone(zone).date()
    days = free.dates or tuple(first + timedelta(days=n) for n in range(HORIZON.days))
    for day in days:
        if free.weekdays and WEEK[day.weekday()] not in free.weekdays:
            continue
        midnight = datetime.combine(day, time(), zone)
        for slot in one.profile.availability:
            if slot.weekday != day.isoweekday():
                continue
            begin = midnight + timedelta(minutes=max(slot.from_minute, free.from_minute))
            end = midnight + timedelta(minutes=min(slot.to_minute, free.to_minute))
            while begin + lesson <= end:
                from_moment, to_moment = begin.astimezone(UTC), (begin + lesson).astimezone(UTC)
                if from_moment >= NOW and not any(f < to_moment and from_moment < t for f, t in one.booked):
                    return True
                begin += STEP
    return False


def _told(one: Offered) -> str:
    service = one.service
    return (
        f"{service.title!r} ({service.category}), {service.price_cents / 100:.0f} {service.currency} for {service.duration_minutes} "
        f"minutes, ages {service.age_min}-{service.age_max}"
    )
