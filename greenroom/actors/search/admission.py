"""Who is let in: searches in flight on this worker, and what that means for the next one.

Refusing happens at the door, before anything is parsed: work on a search that will not be answered is what makes an
overloaded server slower than an idle one.

How many may be in flight follows from what the worker and its database get done in time, which no setting knows: answers
that came with what they can't do without cut short make it a tenth less, those that did not make it a little more.
Slow models don't count: to wait for them costs nobody else anything.
Sources: "Addressing cascading failures", Site Reliability Engineering (O'Reilly 2016), chapter 22; D.-M. Chiu, R. Jain,
"Analysis of the increase and decrease algorithms for congestion avoidance" (1989).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from greenroom.schema.errors import Unavailable
from greenroom.schema.search.config import SearchConfig
from greenroom.schema.search.diagnostics import BudgetUse, SkipReason, StageName

HARD_FACTOR: Final = 4
"""Searches in flight beyond so many times the soft cap are refused. Those in between do without models, which is what
takes time, so that they are gone soon."""

CUT: Final = 0.9
CUT_EVERY_S: Final = 0.1
"""Searches that are late at the same time are late for the same reason, and count once."""

RETRY_AFTER_S: Final = 1.0


ALWAYS_DONE: Final = frozenset({StageName.BURST1, StageName.BURST2, StageName.HYDRATION})


class SearchesBusy(Unavailable):
    """More searches are in flight than this worker can finish in time; nothing was begun."""

    code = "search_busy"


@dataclass(frozen=True, slots=True)
class AdmissionStatistics:
    """``in_flight``: searches now, ``uncached`` of them not answered from the cache; ``room``: how many may be in flight; the others
    count since the start."""

    in_flight: int
    room: int
    uncached: int
    admitted: int
    refused: int
    reduced: int


def is_behind(use: BudgetUse) -> bool:
    """Whether a search lacked time for what is always done, by this worker and its database."""
    return use.used_ms > use.limit_ms or any(
        skip.stage in ALWAYS_DONE and skip.reason in {SkipReason.TIMEOUT, SkipReason.BUDGET}
        for skip in use.skipped
    )


class Admission:
    """Counts, and decides by the configuration as it is at that moment."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._room = math.inf
        self._cut_at = -math.inf
        self._uncached = 0
        self._admitted = 0
        self._refused = 0
        self._reduced = 0

    @contextmanager
    def admitted(self, config: SearchConfig) -> Iterator[None]:
        """Let one search in for the length of the block.

        Raises:
            SearchesBusy: there are too many already.
        """
        self._room = min(self._room, config.uncached_concurrency * HARD_FACTOR)
        if self._in_flight >= max(self._room, config.uncached_concurrency):
            self._refused += 1
            raise SearchesBusy(
                "Too many searches are being answered; try again shortly.", retry_after_s=RETRY_AFTER_S
            )
        self._admitted += 1
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def answered(self, use: BudgetUse, config: SearchConfig, *, now: float) -> None:
        """Learn from an answer whether more are in flight than can be done in time.

        There is room for as many as the soft cap in any case: with fewer it is the search that is slow, and not the crowd.
        """
        least = config.uncached_concurrency
        if not is_behind(use):
            # One more for each time that as many as there is room for were answered in time.
            self._room += 1 / max(self._room, least)
        elif self._in_flight > least and now >= self._cut_at + CUT_EVERY_S:
            self._cut_at = now
            # From how many there are: room that nobody uses says nothing.
            self._room = max(least, min(self._room, self._in_flight) * CUT)

    @contextmanager
    def uncached(self, config: SearchConfig) -> Iterator[bool]:
        """Count a search that the cache could not answer; True where it has to do without models."""
        is_reduced = self._uncached >= config.uncached_concurrency
        self._reduced += is_reduced
        self._uncached += 1
        try:
            yield is_reduced
        finally:
            self._uncached -= 1

    def is_high_load(self, config: SearchConfig) -> bool:
        """Whether as many searches are in flight, the asking one included, as count as high load."""
        return self._in_flight >= config.high_load_threshold

    def statistics(self) -> AdmissionStatistics:
        return AdmissionStatistics(
            in_flight=self._in_flight,
            room=round(self._room) if math.isfinite(self._room) else 0,
            uncached=self._uncached,
            admitted=self._admitted,
            refused=self._refused,
            reduced=self._reduced,
        )
