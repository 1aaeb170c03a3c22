"""What many searches come to, over a span of time.

Percentiles are exact (``percentile_cont``, which interpolates between neighbours), not read off a histogram. Counted are
first pages only, and no operator's trials.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.places import PlaceOutcome, Tier

SPAN_MAX: Final = timedelta(days=92)

SAMPLE: Final = 50_000
"""Searches whose times are looked at, the newest of a span: each has some six stages. To sort those of a million takes seconds."""

POSITIONS_MAX: Final = 50
"""Positions told one by one; what was clicked further down is told together with the last."""

HOURLY_MAX: Final = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to another, which is exclusive; at most SPAN_MAX apart."""

    begin: datetime
    end: datetime

    @property
    def stride(self) -> timedelta:
        """How finely a course of time is told: by hours, else by days; never more than 97 of them."""
        return timedelta(hours=1) if self.end - self.begin <= HOURLY_MAX else timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """In milliseconds; all None of nothing."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Volume:
    """Searches from a moment on, for one stride."""

    at: datetime
    searches: int
    degraded: int
    empty: int


@dataclass(frozen=True, slots=True)
class Summary:
    """``clicked`` searches had at least one result opened. ``volume`` leaves out strides without any search."""

    searches: int
    searchers: int
    empty: int
    degraded: int
    cached: int
    clicked: int
    volume: tuple[Volume, ...]


@dataclass(frozen=True, slots=True)
class TextCount:
    """How often the same was searched for, by how many people, and what became of it."""

    text: str
    searches: int
    searchers: int
    empty: int
    clicked: int


@dataclass(frozen=True, slots=True)
class StageLatency:
    stage: StageName
    searches: int
    took: Percentiles


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the newest ``sampled`` searches: ``cached`` are answers from the cache, ``anew`` the others."""

    cached: Percentiles
    anew: Percentiles
    sampled: int
    stages: tuple[StageLatency, ...]


@dataclass(frozen=True, slots=True)
class SkipCount:
    stage: StageName
    reason: SkipReason
    searches: int


@dataclass(frozen=True, slots=True)
class Degradation:
    """``skips`` are all stages left out, harmless ones too, most frequent first."""

    searches: int
    degraded: int
    skips: tuple[SkipCount, ...]


@dataclass(frozen=True, slots=True)
class ClickThrough:
    """
    Attributes:
        found: searches that had results, ``clicked`` of them with one opened.
        first_click_position: mean position, from 0, of the topmost result opened.
        positions: clicks by position, as far as POSITIONS_MAX.
    """

    found: int
    clicked: int
    clicks: int
    first_click_position: float | None
    positions: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TierCount:
    """``tried`` and how long that took, ``decided`` and how sure it was in the mean."""

    tier: Tier
    tried: int
    decided: int
    confidence: float | None
    took: Percentiles


@dataclass(frozen=True, slots=True)
class Tiers:
    """``outcomes`` are of searches that named a place."""

    outcomes: tuple[tuple[PlaceOutcome, int], ...]
    tiers: tuple[TierCount, ...]
