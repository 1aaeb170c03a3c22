"""What each stage took lately on this worker: what an optional stage must fit into before it is begun.

Source: J. Dean, L. A. Barroso, "The tail at scale" (CACM 56:2, 2013), on expecting the tail and not the mean.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from greenroom.actors.search.recent_durations import RecentDurations
from greenroom.schema.search.diagnostics import StageName

UNTRIED_S: Final = {StageName.BURST1: 0.03, StageName.BURST2: 0.06, StageName.RANKING: 0.01}
"""What has to be done in any case is left time for from the first search on: about what it takes on a busy machine. All
others are expected to take none, and so are tried."""

SHARE: Final = 0.95

LEAVING_UNTRIED_S: Final = 0.005
LEAVING_SHARE: Final = 0.99
"""All that runs on this worker may come in between, and nothing is left out to make up for it."""


class StageHistory:
    """Times are Trio's clock's, in seconds."""

    def __init__(self) -> None:
        self._taken: defaultdict[StageName, RecentDurations] = defaultdict(lambda: RecentDurations(SHARE))
        self._leaving = RecentDurations(LEAVING_SHARE)

    def add(self, stage: StageName, duration_s: float, *, now: float) -> None:
        """Note what one run took; of one that was cut short, what it had taken by then."""
        self._taken[stage].add(duration_s, now=now)

    def expected_s(self, stage: StageName, *, now: float) -> float:
        """What 95 of 100 runs stay below, of the last half minute; UNTRIED_S where too little is known."""
        taken = self._taken.get(stage)
        expected_s = None if taken is None else taken.expected_s(now=now)
        return UNTRIED_S.get(stage, 0.0) if expected_s is None else expected_s

    def left(self, duration_s: float, *, now: float) -> None:
        """Note how long an answer took from when it was made until it was rendered."""
        self._leaving.add(duration_s, now=now)

    def leaving_s(self, *, now: float) -> float:
        """What 99 of 100 answers stay below on their way out."""
        expected_s = self._leaving.expected_s(now=now)
        return LEAVING_UNTRIED_S if expected_s is None else expected_s
