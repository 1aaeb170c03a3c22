"""Tiers 4 and 5: what the nearest names in meaning prove, and whom a language model may choose among."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from greenroom.actors.search.places.by_name import CANDIDATES_MAX, in_cities
from greenroom.models.ports import ChosenPlace
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import PlaceAnswer, PlaceCandidate, PlaceOutcome, RegionId, Tier

NEAREST: Final = 5
"""Names that tier 4 compares."""

COSINE_MARGIN: Final = 0.05
"""By how much the nearest name must be nearer than the next."""

OPPOSITES: Final = (
    {"north", "south"},
    {"east", "west"},
    {"upper", "lower"},
    {"old", "new"},
    {"uptown", "downtown"},
)
"""To an embedding these are nearly the same, to a place they are all the difference."""

SMALL_WORDS: Final = {"a", "at", "by", "in", "of", "on", "the", "to"}
"""Words that make no other place of a name."""


@dataclass(frozen=True, slots=True)
class MeaningThresholds:
    """LOCATION_TIER4_HIGH_CONFIDENCE, LOCATION_LLM_TOP_K, LOCATION_LLM_EMBEDDING_THRESHOLD, LOCATION_LLM_CONFIDENCE_THRESHOLD."""

    embedding_accepted_min: float = 0.85
    model_candidates_max: int = 5
    model_embedding_min: float = 0.7
    model_accepted_min: float = 0.7


def nearest_if_certain(
    text: str, nearest: Sequence[PlaceCandidate], cities: Sequence[RegionId], thresholds: MeaningThresholds
) -> PlaceCandidate | None:
    """The nearest name if it is near enough, clearly nearer than the next, and neither the opposite of what was asked for nor
    only a part of it."""
    ranked = in_cities(nearest, cities)
    if not ranked or ranked[0].confidence < thresholds.embedding_accepted_min:
        return None
    if len(ranked) > 1 and ranked[0].confidence - ranked[1].confidence < COSINE_MARGIN:
        return None
    return None if _contradicts(text, ranked[0].matched_name) else ranked[0]


def candidates_for_model(
    by_name: Sequence[PlaceCandidate], by_meaning: Sequence[PlaceCandidate], thresholds: MeaningThresholds
) -> tuple[PlaceCandidate, ...]:
    """Whom the model may choose among: those found by name, then those near enough in meaning, one per region."""
    near = (c for c in by_meaning if c.confidence >= thresholds.model_embedding_min)
    by_id: dict[RegionId, PlaceCandidate] = {}
    # By turns, so that neither kind crowds out the other.
    for candidate in _by_turns(list(by_name), list(near)):
        by_id.setdefault(candidate.region.id, candidate)
    return tuple(by_id.values())[: thresholds.model_candidates_max]


def chosen(
    offered: Sequence[PlaceCandidate], choice: ChosenPlace, thresholds: MeaningThresholds
) -> PlaceCandidate | None:
    """The candidate that the model chose, if it is sure enough; what was not offered is nobody's choice."""
    if choice.confidence < thresholds.model_accepted_min:
        return None
    return next((c for c in offered if c.region.id == choice.region_id), None)


def resolved_as(
    answer: PlaceAnswer, candidate: PlaceCandidate, tier: Tier, confidence: float, shown: Sequence[PlaceCandidate]
) -> PlaceAnswer:
    by_id = {c.region.id: c for c in reversed((candidate, *shown))}
    return PlaceAnswer(
        answer.text,
        PlaceOutcome.RESOLVED,
        (candidate.region,),
        tier,
        confidence,
        tuple(reversed(by_id.values()))[:CANDIDATES_MAX],
    )


def _contradicts(text: str, name: str) -> bool:
    asked, named = (set(normal_place_name(each).split()) - SMALL_WORDS for each in (text, name))
    # Whether a part of a name is enough was decided by the names themselves.
    return (
        asked < named
        or named < asked
        or any(pair & asked and pair & named and pair & asked != pair & named for pair in OPPOSITES)
    )


def _by_turns(first: list[PlaceCandidate], second: list[PlaceCandidate]) -> list[PlaceCandidate]:
    turns = [pair for both in zip(first, second, strict=False) for pair in both]
    shorter = min(len(first), len(second))
    return [*turns, *first[shorter:], *second[shorter:]]
