"""Texts that name several places: "soho or tribeca", "astoria / lic", "cobble hill, carroll gardens"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, RegionId

PARTS_MAX: Final = 5
"""More than that is a list of something else."""

_BETWEEN: Final = re.compile(r"\s*(?:[,;/+&]|\s-|-\s|\u2013|\u2014|\bor\b|\band\b)\s*", re.IGNORECASE)
_HYPHEN: Final = re.compile(r"\s*-\s*")
_INTRODUCTION: Final = re.compile(r"^\s*(?:between|either)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parts:
    """``texts`` are two or more. ``all_must_be_known``: where hyphens alone part them, which are in the midst of many a name."""

    texts: tuple[str, ...]
    all_must_be_known: bool


def parts_of(text: str) -> Parts | None:
    """The texts between commas, slashes, hyphens, "or" and "and"; None if there is but one, or too many."""
    plain = _INTRODUCTION.sub("", text)
    for pattern, all_must_be_known in ((_BETWEEN, False), (_HYPHEN, True)):
        texts = tuple(dict.fromkeys(part.strip() for part in pattern.split(plain) if part.strip()))
        if len(texts) > 1:
            return Parts(texts, all_must_be_known) if len(texts) <= PARTS_MAX else None
    return None


def joined(text: str, answers: Sequence[PlaceAnswer], *, all_must_be_known: bool) -> PlaceAnswer | None:
    """One answer for places named together; None if no part names any.

    Parts that name none are passed over ("gowanus, near the canal") unless all must be known, and a part that contains another
    says only where that one is ("soho / noho, manhattan"). A name of several cities means that of the city of the others ("soho or tribeca").
    """
    known = _in_one_city([answer for answer in answers if answer.outcome is not PlaceOutcome.UNKNOWN])
    named = {region.id: region for answer in known for region in answer.regions}
    if not named or (all_must_be_known and len(known) < len(answers)):
        return None
    regions = tuple(r for r in named.values() if not any(other.startswith(f"{r.id}/") for other in named))
    candidates = {c.region.id: c for answer in known for c in answer.candidates if c.region in regions}
    is_plain = all(answer.outcome is PlaceOutcome.RESOLVED for answer in known)
    confidence = min(answer.confidence for answer in known) * len(known) / len(answers)
    return PlaceAnswer(
        text,
        PlaceOutcome.RESOLVED if is_plain else PlaceOutcome.AMBIGUOUS,
        regions,
        max(answer.tier for answer in known if answer.tier is not None),
        confidence,
        tuple(candidates.values()),
    )


def _in_one_city(answers: Sequence[PlaceAnswer]) -> list[PlaceAnswer]:
    """The answers, ambiguous ones narrowed to the city that all the sure ones lie in, where they have any there."""
    cities = {
        region.city for answer in answers if answer.outcome is PlaceOutcome.RESOLVED for region in answer.regions
    }
    return [_narrowed(answer, next(iter(cities))) for answer in answers] if len(cities) == 1 else list(answers)


def _narrowed(answer: PlaceAnswer, city: RegionId) -> PlaceAnswer:
    there = tuple(region for region in answer.regions if region.city == city)
    if answer.outcome is not PlaceOutcome.AMBIGUOUS or not there:
        return answer
    outcome = PlaceOutcome.RESOLVED if len(there) == 1 else PlaceOutcome.AMBIGUOUS
    candidates = tuple(candidate for candidate in answer.candidates if candidate.region.city == city)
    return replace(answer, outcome=outcome, regions=there, candidates=candidates)
