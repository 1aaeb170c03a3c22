"""What a search answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greenroom.schema.search.candidates import Candidate, Card
from greenroom.schema.search.diagnostics import BudgetUse, Diagnostics
from greenroom.schema.search.places import PlaceAnswer
from greenroom.schema.search.understood import Understood


class CacheUse(StrEnum):
    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"
    """Overrides were asked for: such an answer is neither taken from the cache nor kept."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its final place; ``score`` 0 to 1."""

    candidate: Candidate
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """``card``: as it is now; None where no time was left to read it, and then it was found by this very search."""

    ranked: Ranked
    card: Card | None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """
    Attributes:
        position: of the first hit among all, from 0.
        total: candidates that passed every hard filter, which may be more than can be paged through; without those that were found to
            pass no more.
        diagnostics: always there; whom they are shown to is decided elsewhere.
    """

    query_id: str
    hits: tuple[Hit, ...]
    position: int
    next_cursor: str | None
    understood: Understood
    place: PlaceAnswer
    budget: BudgetUse
    cache: CacheUse
    total: int
    diagnostics: Diagnostics
