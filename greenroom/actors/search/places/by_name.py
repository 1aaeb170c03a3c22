"""Tiers 1 to 3: which region a text names, by what the names' index found for it.

1. A name of its own beats an alias, an alias beats a misspelling. The whole text beats what is left of it beside a city or borough.
2. Several regions of one name: the city of the asker decides, then, within a city, how much likelier one is than the next. If
   neither does, all of them are meant. Where nothing tells the city, no city is likelier than another, and a usual other name there
   counts as much as a name of its own: "hyde park" is Chicago's and, being in Bayswater, London's.
3. A misspelling is accepted for the letters that were typed wrong, and if no other name explains the text as well.
4. Containment is no identity: "heights" is in many names, and "north riverdale" is more than Riverdale. It counts where what is
   too much only says which part ("north", "area"), and where what is too little leaves one name in question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.places.spelling import (
    errors_between,
    is_misspelling,
)
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import (
    PlaceAnswer,
    PlaceCandidate,
    PlaceOutcome,
    Region,
    RegionId,
    RegionKind,
    Tier,
)
from greenroom.storage.ports import PlaceRows


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


CANDIDATES_MAX: Final = 10

PRIOR_MARGIN: Final = 0.3
"""By how much one region must be likelier than the next of the same name to be meant alone."""

SIMILARITY_MARGIN: Final = 0.1
"""By how much a name must be more similar than another that takes as few typing errors."""

PART_OF: Final = 0.7
"""Confidence where the text says which part of a region is meant."""

SHORT_FOR: Final = 0.6
"""Confidence where a text is the beginning, end or middle of one name alone."""

SHORT_FOR_LENGTH_MIN: Final = 5
SHORT_FOR_SIMILARITY_MIN: Final = 0.45

LEFT_OFF: Final = _words("avenue bay beach gardens heights hill hills neck park point ridge square terrace town")
"""Words that people leave off a name: "carroll" is Carroll Gardens, but "long island" is not Long Island City."""

ALIAS_ELSEWHERE_MIN: Final = 0.9
"""What an alias has to weigh for a place in another city than the asker's."""

ALIAS_IN_ANY_CITY_MIN: Final = 0.7
"""What an alias has to weigh to be meant beside a name of its own in another city, where nothing tells the city."""

WITHIN_BOROUGH: Final = 0.4
"""Confidence where nothing of the text is known but the borough at its end."""

QUALIFIERS: Final = _words(
    "north south east west northern southern eastern western upper lower inner outer central downtown uptown "
    "area district neighborhood station stop subway side"
)
"""Words that say which part of a place is meant, or that it is one."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text to be found among candidates. ``is_placed``: the city is known, from the text itself or from the asker."""

    text: str
    fuzzy: tuple[PlaceCandidate, ...]
    is_placed: bool

    @property
    def words(self) -> list[str]:
        return self.text.split()


def decide_by_name(text: str, rows: PlaceRows, cities: Sequence[RegionId]) -> PlaceAnswer:
    """Tell which region ``text`` names, if any.

    Args:
        text: as it was typed.
        rows: what was found for it.
        cities: where the asker is, or asks for; empty if unknown.

    Returns:
        resolved, ambiguous or unknown; the latter with whatever came into question.
    """
    unknown = PlaceAnswer(text, PlaceOutcome.UNKNOWN, candidates=_shown(_all(rows)))
    here, elsewhere = _parted(rows, cities)
    found = _by_itself(here, is_placed=bool(cities)) or _by_likeness(
        normal_place_name(text), here, is_placed=bool(cities)
    )
    found = found or (_in_any_city((*elsewhere.exact, *elsewhere.alias)) if elsewhere.exact else None)
    found = found or _by_itself(_surest(elsewhere), is_placed=True)
    if found is None:
        return unknown
    return replace(found, text=text, candidates=_shown((*found.candidates, *unknown.candidates)))


def borough_at_end(text: str, rows: PlaceRows) -> PlaceAnswer | None:
    """The borough that an otherwise unknown text ends with: "the old bakery brooklyn" is in Brooklyn at least."""
    normal = normal_place_name(text)
    for within in rows.within:
        name = normal_place_name(within.container.name)
        if within.container.kind is RegionKind.BOROUGH and normal == f"{within.rest} {name}":
            return _resolved(
                PlaceCandidate(within.container, Tier.EXACT, WITHIN_BOROUGH, within.container.name), WITHIN_BOROUGH
            )
    return None


def in_cities(candidates: Iterable[PlaceCandidate], cities: Sequence[RegionId]) -> list[PlaceCandidate]:
    """Those in one of these cities; if none is, all."""
    given = list(candidates)
    return [candidate for candidate in given if candidate.region.city in cities] or given


def _by_itself(rows: PlaceRows, *, is_placed: bool) -> PlaceAnswer | None:
    """By a name or an alias, as it is. ``is_placed``: the city is known."""
    return (
        (None if is_placed else _in_any_city((*rows.exact, *rows.alias)))
        or _choose(rows.exact)
        or _choose(rows.alias)
        or _choose(c for within in rows.within for c in within.rows.exact)
        or _choose(c for within in rows.within for c in within.rows.alias)
    )


def _in_any_city(candidates: Sequence[PlaceCandidate]) -> PlaceAnswer | None:
    """What is meant in each of several cities; None if there is but one where it is a name, or nearly one."""
    by_city: dict[RegionId, list[PlaceCandidate]] = {}
    for candidate in candidates:
        if candidate.tier is not Tier.ALIAS or candidate.confidence >= ALIAS_IN_ANY_CITY_MIN:
            by_city.setdefault(candidate.region.city, []).append(candidate)
    if len(by_city) < 2:
        return None
    meant = []
    for there in by_city.values():
        surest = min(candidate.tier for candidate in there)
        answer = _choose([candidate for candidate in there if candidate.tier is surest])
        meant += [c for c in there if answer is not None and c.region in answer.regions and c.tier is surest]
    ranked = sorted(meant, key=lambda c: (-_weight(c), c.region.id))
    share = _weight(ranked[0]) / max(sum(map(_weight, ranked)), 1e-9)
    return _ambiguous(ranked, share, shown=(*ranked, *(c for c in candidates if c not in ranked)))


def _by_likeness(normal: str, rows: PlaceRows, *, is_placed: bool) -> PlaceAnswer | None:
    """By a name that the text is not quite."""
    readings = [
        *(_Reading(within.rest, within.rows.fuzzy, is_placed=True) for within in rows.within),
        _Reading(normal, rows.fuzzy, is_placed=is_placed),
    ]
    return (
        _first(map(_misspelt, readings))
        or _first(map(_part_of, readings))
        or _qualified_container(rows)
        or _first(map(_short_for, readings))
    )


def _parted(rows: PlaceRows, cities: Sequence[RegionId]) -> tuple[PlaceRows, PlaceRows]:
    """What lies in these cities, and what lies elsewhere; all of it is here if no city is given."""

    def kept(wanted: Callable[[Region], bool], part: PlaceRows) -> PlaceRows:
        exact, alias, fuzzy = (
            tuple(c for c in candidates if wanted(c.region)) for candidates in (part.exact, part.alias, part.fuzzy)
        )
        within = tuple(each for each in part.within if wanted(each.container))
        return PlaceRows(exact, alias, fuzzy, within)

    here = kept(lambda region: not cities or region.city in cities, rows)
    return here, kept(lambda region: bool(cities) and region.city not in cities, rows)


def _surest(rows: PlaceRows) -> PlaceRows:
    """Without aliases that may mean something else to people of another city ("downtown")."""
    return replace(rows, alias=tuple(c for c in rows.alias if c.confidence >= ALIAS_ELSEWHERE_MIN))


def _choose(candidates: Iterable[PlaceCandidate]) -> PlaceAnswer | None:
    """Decide among regions whose names fit equally well."""
    ranked = sorted(_outermost(list(candidates)), key=lambda c: (-_weight(c), c.region.id))
    if not ranked:
        return None
    rivals = [candidate for candidate in ranked if _weight(ranked[0]) - _weight(candidate) < PRIOR_MARGIN]
    share = _weight(ranked[0]) / max(sum(map(_weight, ranked)), 1e-9)
    if len(rivals) == 1:
        confidence = ranked[0].confidence * (share if ranked[1:] else 1.0)
        return replace(_resolved(ranked[0], confidence), candidates=tuple(ranked))
    return _ambiguous(rivals, share, shown=ranked)


def _weight(candidate: PlaceCandidate) -> float:
    return candidate.confidence * candidate.region.prior


def _outermost(candidates: Sequence[PlaceCandidate]) -> list[PlaceCandidate]:
    """Without regions that lie in another of them, which searching the other one covers; one per region."""
    by_id: dict[RegionId, PlaceCandidate] = {}
    for candidate in candidates:
        by_id.setdefault(candidate.region.id, candidate)
    return [c for c in by_id.values() if not any(_lies_in(c.region.id, other) for other in by_id)]


def _lies_in(region_id: RegionId, other: RegionId) -> bool:
    return region_id.startswith(f"{other}/")


def _qualified_container(rows: PlaceRows) -> PlaceAnswer | None:
    """ "north brooklyn", "manhattan area": as precise as Brooklyn and Manhattan are."""
    containers = [
        PlaceCandidate(within.container, Tier.EXACT, PART_OF, within.container.name)
        for within in rows.within
        if QUALIFIERS.issuperset(within.rest.split())
    ]
    return _choose(containers)


def _misspelt(reading: _Reading) -> PlaceAnswer | None:
    """The candidate that takes the fewest typing errors, if they are few enough for it."""
    errors = {}
    for candidate in reading.fuzzy:
        name = normal_place_name(candidate.matched_name)
        if is_misspelling(reading.text, name, similarity=candidate.confidence, is_placed=reading.is_placed):
            errors[candidate] = errors_between(reading.text, name)
    fewest = min(errors.values(), default=0)
    best = [candidate for candidate, count in errors.items() if count == fewest]
    if not best:
        return None
    # Candidates come most similar first.
    best = [c for c in best if best[0].confidence - c.confidence < SIMILARITY_MARGIN]
    regions = {candidate.region.id for candidate in best}
    if len(regions) == 1 or len({normal_place_name(candidate.matched_name) for candidate in best}) == 1:
        return (None if reading.is_placed else _in_any_city(best)) or _choose(best)
    return _ambiguous(_outermost(best), best[0].confidence / len(regions))


def _part_of(reading: _Reading) -> PlaceAnswer | None:
    """The longest name that the text contains, if the rest of it only says which part is meant."""
    fitting = [
        candidate
        for candidate in reading.fuzzy
        for extra in [_extra_words(reading.words, normal_place_name(candidate.matched_name).split())]
        if extra and QUALIFIERS.issuperset(extra)
    ]
    longest = max((len(candidate.matched_name) for candidate in fitting), default=0)
    kept = [replace(c, confidence=PART_OF) for c in fitting if len(c.matched_name) == longest]
    return _choose(kept)


def _short_for(reading: _Reading) -> PlaceAnswer | None:
    """The names that contain the text as whole words: one is meant, several are all in question."""
    fitting = _outermost(
        [
            candidate
            for candidate in reading.fuzzy
            if _extra_words(normal_place_name(candidate.matched_name).split(), reading.words)
        ]
    )
    if len(fitting) > 1:
        return _ambiguous(fitting[:CANDIDATES_MAX], 1 / len(fitting))
    for candidate in fitting:
        left_off = _extra_words(normal_place_name(candidate.matched_name).split(), reading.words)
        is_telling = LEFT_OFF.issuperset(left_off) and len(reading.text) >= SHORT_FOR_LENGTH_MIN
        if is_telling and reading.is_placed and candidate.confidence >= SHORT_FOR_SIMILARITY_MIN:
            return _resolved(candidate, SHORT_FOR)
    return None


def _extra_words(words: Sequence[str], part: Sequence[str]) -> list[str]:
    """What ``words`` have besides ``part``; nothing if they don't contain it as it is."""
    for start in range(len(words) - len(part) + 1):
        if list(words[start : start + len(part)]) == list(part):
            return [*words[:start], *words[start + len(part) :]]
    return []


def _resolved(candidate: PlaceCandidate, confidence: float) -> PlaceAnswer:
    return PlaceAnswer(
        None, PlaceOutcome.RESOLVED, (candidate.region,), candidate.tier, confidence, candidates=(candidate,)
    )


def _ambiguous(
    candidates: Sequence[PlaceCandidate], confidence: float, *, shown: Sequence[PlaceCandidate] = ()
) -> PlaceAnswer:
    regions: tuple[Region, ...] = tuple(candidate.region for candidate in candidates)[:CANDIDATES_MAX]
    return PlaceAnswer(
        None,
        PlaceOutcome.AMBIGUOUS,
        regions,
        candidates[0].tier,
        confidence,
        candidates=tuple(shown or candidates),
    )


def _first(answers: Iterator[PlaceAnswer | None]) -> PlaceAnswer | None:
    return next((answer for answer in answers if answer is not None), None)


def _all(rows: PlaceRows) -> Iterator[PlaceCandidate]:
    for each in (*(within.rows for within in rows.within), rows):
        yield from (*each.exact, *each.alias, *each.fuzzy)


def _shown(candidates: Iterable[PlaceCandidate]) -> tuple[PlaceCandidate, ...]:
    """One per region, at most CANDIDATES_MAX."""
    by_id: dict[RegionId, PlaceCandidate] = {}
    for candidate in candidates:
        by_id.setdefault(candidate.region.id, candidate)
    return tuple(by_id.values())[:CANDIDATES_MAX]
