"""Answers kept for a short time: people page, go back, and several type the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.answer import Ranked
from greenroom.actors.search.packed_ranking import PackedRanking
from greenroom.schema.search.candidates import HardFilters
from greenroom.schema.search.places import PlaceAnswer
from greenroom.schema.search.understood import Understood

KEPT_S: Final = 10.0
"""What is shown of an answer is what it is now; for longer than this nobody should miss what was offered since, or see an old order."""

KEPT_MAX: Final = 500
"""Answers of up to 200 candidates of some 500 bytes each: 50 MB at most."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """All that does not depend on the page.

    ``filters``: what all of ``ranked`` passed when they were found, and are asked for once more whenever they are shown.
    """

    understood: Understood
    place: PlaceAnswer
    filters: HardFilters
    ranked: Sequence[Ranked]
    total: int


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """``kept`` now; the others count since the start."""

    kept: int
    hits: int
    misses: int


class AnswerCache:
    """Least recently used go first.

    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(self, now: Callable[[], float], *, kept_s: float = KEPT_S, kept_max: int = KEPT_MAX) -> None:
        self._now = now
        self._kept_s = kept_s
        self._kept_max = kept_max
        self._kept: OrderedDict[tuple[str, int], tuple[float, KeptAnswer]] = OrderedDict()
        self._hits = 0
        self._misses = 0

    def get(self, fingerprint: str, revision: int) -> KeptAnswer | None:
        """The answer to the same search under the same revision of the configuration, if it is fresh."""
        found = self._kept.get((fingerprint, revision))
        if found is None or found[0] < self._now() - self._kept_s:
            self._misses += 1
            return None
        self._hits += 1
        self._kept.move_to_end((fingerprint, revision))
        return found[1]

    def put(self, fingerprint: str, revision: int, answer: KeptAnswer) -> None:
        self._kept[fingerprint, revision] = (self._now(), replace(answer, ranked=PackedRanking(answer.ranked)))
        self._kept.move_to_end((fingerprint, revision))
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all: what places mean, or how is searched, has changed."""
        self._kept.clear()

    def statistics(self) -> CacheStatistics:
        return CacheStatistics(kept=len(self._kept), hits=self._hits, misses=self._misses)
