"""What became of the searches of one worker, counted since it started."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from greenroom.actors.search.answer import SearchAnswer
from greenroom.schema.search.diagnostics import SkipReason, StageName, StageStatus

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Of the histograms; a budget is 0.5 s, and nothing is waited for beyond it."""


class SearchOutcome(StrEnum):
    FULL = "full"
    DEGRADED = "degraded"
    """Answered, with something missing that would have made it better."""

    FAILED = "failed"
    """Refused as wrong, or as the database could not answer."""


@dataclass(slots=True)
class StageDurations:
    """A histogram: ``counts`` by the first of BOUNDS_S that is not exceeded, those above all of them last."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, duration_s: float) -> None:
        self.counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self.total_s += duration_s


class SearchTally:
    """Read by whoever renders metrics; its keys are closed lists."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[SearchOutcome, str]] = Counter()
        """By outcome and use of the cache, ``none`` where there is no answer."""

        self.skips: Counter[tuple[StageName, SkipReason]] = Counter()
        self.stages: dict[StageName, StageDurations] = {}
        """Of stages that ran, however they ended."""

    def answered(self, answer: SearchAnswer) -> None:
        outcome = SearchOutcome.DEGRADED if answer.budget.degraded else SearchOutcome.FULL
        self.outcomes[outcome, answer.cache.value] += 1
        for skip in answer.budget.skipped:
            self.skips[skip.stage, skip.reason] += 1
        for timing in answer.diagnostics.stages:
            if timing.status not in {StageStatus.SKIPPED, StageStatus.CACHED}:
                self.stages.setdefault(timing.name, StageDurations()).add(timing.duration_ms / 1000)

    def failed(self) -> None:
        self.outcomes[SearchOutcome.FAILED, "none"] += 1
