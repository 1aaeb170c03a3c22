"""How long something took lately: what is expected of the next time."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

KEPT_MAX: Final = 200
"""Durations of each."""

KEPT_S: Final = 30.0
"""Older ones are forgotten, so that what was slow is tried again."""

SAMPLES_MIN: Final = 10
"""With fewer, nothing is known."""


class RecentDurations:
    """Times are Trio's clock's, in seconds.

    Args:
        share: of the durations, that stay at or below what is expected.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._taken: deque[tuple[float, float]] = deque(maxlen=KEPT_MAX)

    def add(self, duration_s: float, *, now: float) -> None:
        self._taken.append((now, duration_s))

    def expected_s(self, *, now: float) -> float | None:
        """What ``share`` of the last half minute's stay at or below; None where too little is known."""
        taken = self._taken
        while taken and taken[0][0] < now - KEPT_S:
            taken.popleft()
        if len(taken) < SAMPLES_MIN:
            return None
        durations = sorted(duration_s for _, duration_s in taken)
        return durations[math.ceil(self._share * len(durations)) - 1]
