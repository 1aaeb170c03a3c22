"""Understandings that a model was asked for, kept for the next one who writes the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from greenroom.actors.search.understanding.words import normal_form
from greenroom.schema.search.understood import PARSE_VERSION, Understood

KEPT_MAX: Final = 5_000
"""Understandings of some 2 KB each: 10 MB at most."""

KEPT_S: Final = 24 * 3600.0
"""What a sentence means does not change; which model is asked, and how, may."""

FAILURE_KEPT_S: Final = 60.0
"""For so long a model that failed on a sentence, or refused it, is not asked about it again."""


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """No understanding by a model for now; ``detail`` is for people."""

    detail: str


@dataclass(frozen=True, slots=True)
class ParseCacheStatistics:
    """``kept`` now; the others count since the start.

    Attributes:
        hits: understandings found.
        failure_hits: failures found.
        misses: neither found, or too old.
        evictions: least recently used, gone for others.
        refused: not kept as they depend on the day.
    """

    kept: int
    hits: int
    failure_hits: int
    misses: int
    evictions: int
    refused: int


class ParseCache:
    """Bounded; the least recently used goes first.

    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        kept_max: int = KEPT_MAX,
        kept_s: float = KEPT_S,
        failure_kept_s: float = FAILURE_KEPT_S,
    ) -> None:
        self._now = now
        self._kept_max = kept_max
        self._kept_s = kept_s
        self._failure_kept_s = failure_kept_s
        self._kept: OrderedDict[tuple[str, int, str | None], tuple[float, Understood | ModelFailed]] = (
            OrderedDict()
        )
        self._hits = 0
        self._failure_hits = 0
        self._misses = 0
        self._evictions = 0
        self._refused = 0

    def get(self, text: str, *, city: str | None) -> Understood | ModelFailed | None:
        """What was kept of the same sentence for the same city; None if nothing, or it is too old."""
        key = _key(text, city)
        found = self._kept.get(key)
        if found is None:
            self._misses += 1
            return None
        expires_at, entry = found
        if self._now() >= expires_at:
            del self._kept[key]
            self._misses += 1
            return None
        self._kept.move_to_end(key)
        if isinstance(entry, ModelFailed):
            self._failure_hits += 1
        else:
            self._hits += 1
        return entry

    def put(self, text: str, understood: Understood, *, city: str | None) -> bool:
        """Keep an understanding; False for one with a calendar date, which may mean another day tomorrow."""
        if understood.has_date:
            self._refused += 1
            return False
        self._enter(_key(text, city), self._kept_s, understood)
        return True

    def put_failure(self, text: str, failure: ModelFailed, *, city: str | None) -> None:
        """Remember for a short while that a model has nothing on this sentence; an understanding that is kept stays."""
        key = _key(text, city)
        found = self._kept.get(key)
        if found is not None and isinstance(found[1], Understood) and self._now() < found[0]:
            return
        self._enter(key, self._failure_kept_s, failure)

    def clear(self) -> None:
        """Forget all: another model is asked from now on."""
        self._kept.clear()

    def statistics(self) -> ParseCacheStatistics:
        return ParseCacheStatistics(
            kept=len(self._kept),
            hits=self._hits,
            failure_hits=self._failure_hits,
            misses=self._misses,
            evictions=self._evictions,
            refused=self._refused,
        )

    def _enter(self, key: tuple[str, int, str | None], kept_s: float, entry: Understood | ModelFailed) -> None:
        self._kept[key] = (self._now() + kept_s, entry)
        self._kept.move_to_end(key)
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
            self._evictions += 1


def _key(text: str, city: str | None) -> tuple[str, int, str | None]:
    return normal_form(text), PARSE_VERSION, city
