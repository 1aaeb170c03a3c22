"""The event loop in the last minute, and what stalled it."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field

from greenroom.actors.loop_watch import LoopReport
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.http.operator_answers.from_record import FromRecord
from greenroom.schema.clock import WallClock
from greenroom.schema.wire import Moment, Wire


class PercentilesOut(FromRecord):
    p50: float
    p95: float
    p99: float
    max: float


class GcPausesOut(FromRecord):
    count: int
    total_ms: float
    longest_ms: float


class LoopSecondOut(FromRecord):
    ago_s: float
    lag_ms_p99: float
    longest_turn_ms: float
    busy_share: float
    turns: int


class LongStepOut(FromRecord):
    """``owner`` is a task's name: for actors, their path."""

    owner: str
    ms: float
    ago_s: float


class StepReportOut(FromRecord):
    """What the step hooks see while they are attached, and saw last. A batch is the tasks that ran in one turn."""

    is_attached: bool
    left_s: float
    steps: int
    batch_mean: float
    batch_max: int
    longest: list[LongStepOut]


class StallOut(Wire):
    """The loop was blocked: for how long when it was noticed, by which task, and where that was."""

    at: Moment
    for_ms: float
    owner: str
    stack: list[str]


class LoopOut(FromRecord):
    """The event loop in the last minute.

    ``lag_ms`` is how long what happens at a random moment waits for the loop; a turn is what the loop does between two
    looks at sockets and timers. ``steps`` is null until it was asked for; ``stall_threshold_ms`` is null when nothing
    watches for stalls.
    """

    window_s: float
    lag_ms: PercentilesOut
    turns: int
    busy_share: float
    longest_turn_ms: float
    tasks_living: int
    tasks_runnable: int
    next_deadline_ms: float | None
    gc: GcPausesOut
    steps: StepReportOut | None
    seconds: list[LoopSecondOut]
    stall_threshold_ms: float | None = None
    stalls: list[StallOut] = Field(default_factory=list)

    @classmethod
    def of(cls, report: LoopReport, watchdog: StallWatchdog | None, *, wall: WallClock, now: float) -> Self:
        """
        Args:
            now: on the clock of the stalls.
        """
        loop = cls.model_validate(report)
        if watchdog is None:
            return loop
        stalls = [
            StallOut(
                at=wall() - timedelta(seconds=now - stall.at),
                for_ms=stall.for_ms,
                owner=stall.owner,
                stack=list(stall.stack),
            )
            for stall in reversed(watchdog.stalls)
        ]
        return loop.model_copy(update={"stall_threshold_ms": watchdog.threshold_s * 1000, "stalls": stalls})
