"""Texts that name several places: "soho or tribeca", "astoria / lic", "cobble hill, carroll gardens"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome

PARTS_MAX: Final = 5
"""More than that is a list of something else."""

_BETWEEN: Final = re.compile(r"\s*(?:[,;/+&|-]|\u2013|\u2014|\bor\b|\band\b)\s*", re.IGNORECASE)


def parts_of(text: str) -> tuple[str, ...]:
    """The texts between commas, slashes, hyphens, "or" and "and"; empty if there is but one, or too many."""
    text = re.sub(r"^\s*(?:between|either)\b", "", text, flags=re.IGNORECASE)
    parts = tuple(dict.fromkeys(part.strip() for part in _BETWEEN.split(text) if part.strip()))
    return parts if 1 < len(parts) <= PARTS_MAX else ()


def joined(text: str, answers: Sequence[PlaceAnswer]) -> PlaceAnswer | None:
    """One answer for places named together; None unless each of them is known."""
    if any(answer.outcome is PlaceOutcome.UNKNOWN for answer in answers):
        return None
    regions = dict.fromkeys(region for answer in answers for region in answer.regions)
    candidates = {c.region.id: c for answer in answers for c in answer.candidates if c.region in regions}
    is_plain = all(answer.outcome is PlaceOutcome.RESOLVED for answer in answers)
    is_one_city = len({region.city for region in regions}) == 1
    return PlaceAnswer(
        text,
        PlaceOutcome.RESOLVED if is_plain and is_one_city else PlaceOutcome.AMBIGUOUS,
        tuple(regions),
        max(answer.tier for answer in answers if answer.tier is not None),
        min(answer.confidence for answer in answers),
        tuple(candidates.values()),
    )
