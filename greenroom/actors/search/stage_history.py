"""What each stage took lately on this worker: what an optional stage must fit into before it is begun.

Source: J. Dean, L. A. Barroso, "The tail at scale" (CACM 56:2, 2013), on expecting the tail and not the mean.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import Final

from greenroom.schema.search.diagnostics import StageName

KEPT_MAX: Final = 200
"""Durations per stage."""

KEPT_S: Final = 30.0
"""Older ones are forgotten, so that a stage which was slow is tried again."""

SAMPLES_MIN: Final = 10
"""With fewer, a stage is expected to take no time: it is tried."""

SHARE: Final = 0.95


class StageHistory:
    """Times are Trio's clock's, in seconds."""

    def __init__(self) -> None:
        self._taken: defaultdict[StageName, deque[tuple[float, float]]] = defaultdict(
            lambda: deque(maxlen=KEPT_MAX)
        )

    def add(self, stage: StageName, duration_s: float, *, now: float) -> None:
        """Note what one run took; of one that was cut short, what it had taken by then."""
        self._taken[stage].append((now, duration_s))

    def expected_s(self, stage: StageName, *, now: float) -> float:
        """What 95 of 100 runs stay below, of the last half minute; 0.0 where too little is known."""
        taken = self._taken.get(stage)
        if taken is None:
            return 0.0
        while taken and taken[0][0] < now - KEPT_S:
            taken.popleft()
        if len(taken) < SAMPLES_MIN:
            return 0.0
        durations = sorted(duration_s for _, duration_s in taken)
        return durations[math.ceil(SHARE * len(durations)) - 1]
