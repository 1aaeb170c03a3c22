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
"""With fewer, a stage is expected to take what is written here for it."""

UNTRIED_S: Final = {StageName.BURST1: 0.03, StageName.BURST2: 0.06, StageName.RANKING: 0.01}
"""What has to be done in any case is left time for from the first search on: about what it takes on a busy machine. All
others are expected to take none, and so are tried."""

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
        """What 95 of 100 runs stay below, of the last half minute; UNTRIED_S where too little is known."""
        taken = self._taken.get(stage)
        if taken is None:
            return UNTRIED_S.get(stage, 0.0)
        while taken and taken[0][0] < now - KEPT_S:
            taken.popleft()
        if len(taken) < SAMPLES_MIN:
            return UNTRIED_S.get(stage, 0.0)
        durations = sorted(duration_s for _, duration_s in taken)
        return durations[math.ceil(SHARE * len(durations)) - 1]
