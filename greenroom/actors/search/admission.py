"""Who is let in: searches in flight on this worker, and what that means for the next one.

Refusing happens at the door, before anything is parsed: work on a search that will not be answered is what makes an
overloaded server slower than an idle one.
Source: "Addressing cascading failures", Site Reliability Engineering (O'Reilly 2016), chapter 22.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from greenroom.schema.errors import Unavailable
from greenroom.schema.search.config import SearchConfig

HARD_FACTOR: Final = 4
"""Searches in flight beyond so many times the soft cap are refused. Those in between do without models, which is what
takes time, so that they are gone soon."""

RETRY_AFTER_S: Final = 1.0


class SearchesBusy(Unavailable):
    """More searches are in flight than this worker can finish in time; nothing was begun."""

    code = "search_busy"


@dataclass(frozen=True, slots=True)
class AdmissionStatistics:
    """``in_flight``: searches now, ``uncached`` of them not answered from the cache; the others count since the start."""

    in_flight: int
    uncached: int
    admitted: int
    refused: int
    reduced: int


class Admission:
    """Counts, and decides by the configuration as it is at that moment."""

    def __init__(self) -> None:
        self._in_flight = 0
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
        if self._in_flight >= config.uncached_concurrency * HARD_FACTOR:
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
            uncached=self._uncached,
            admitted=self._admitted,
            refused=self._refused,
            reduced=self._reduced,
        )
