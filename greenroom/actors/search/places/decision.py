"""What a text means as a place, and how that was found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.search.diagnostics import Prompt, SkipReason
from greenroom.schema.search.places import PlaceAnswer, RegionId, Tier, TierTrial
from greenroom.storage.ports import PlaceRows


@dataclass(frozen=True, slots=True)
class PlaceDecision:
    """
    Attributes:
        skipped: tiers that were left out or failed, and why.
    """

    answer: PlaceAnswer
    trials: tuple[TierTrial, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    skipped: tuple[tuple[Tier, SkipReason], ...] = ()


class DecidePlace(Protocol):
    async def __call__(
        self,
        text: str,
        rows: PlaceRows,
        *,
        sentence: str,
        cities: Sequence[RegionId],
        barred: Mapping[Tier, SkipReason],
        remaining_s: Callable[[], float],
    ) -> PlaceDecision:
        """Decide by what burst 1 found; tiers 4 and 5 within what remains. Never raises for a model's sake.

        Args:
            cities: where the asker is or asks for; a name that fits there means the place there.
            barred: tiers that must not be tried, and what to say for it where one would have been.
        """
        ...


class SearchAreas(Protocol):
    async def __call__(self, answer: PlaceAnswer, *, is_near: bool) -> tuple[RegionId, ...]:
        """The regions to search in; with ``is_near`` those next to it too."""
        ...
