"""Run a Trio program on virtual time under a scheduler that a seed decides.

Trio shuffles every batch of runnable tasks. Two private names of ``trio._core._run`` turn that shuffle into
a function of a seed: ``_ALLOW_DETERMINISTIC_SCHEDULING`` sorts the batch by age first, which erases heap
addresses and hash order, and ``_r`` is the generator that shuffles it. Both are needed: a seed alone still
gives another trace in every process. Trio is pinned exactly, and ``test_scheduling.py`` notices when either
name changes its meaning.

Three ways of never ending become failures:

1. waiting for something that no clock brings: a *horizon* on the virtual clock cancels the program;
2. a zero-time livelock, tasks that wake each other while the clock stands still, so that no deadline ever
   fires: a cap on the steps taken in one instant cancels the program;
3. either of the two under a shield, which no cancellation ends: a cap on the rounds of the run loop in one
   instant aborts the run loop itself.

One run per process at a time: the two names are global.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import hypothesis
import trio
from hypothesis import strategies as st
from trio._core import _run as trio_run_loop
from trio.abc import Clock, Instrument
from trio.testing import MockClock

T = TypeVar("T")

HORIZON_S = 7 * 86_400.0
"""Longer than any timer a test sets; virtual, so reaching it costs nothing."""
STEPS_PER_INSTANT_MAX = 100_000
"""A burst through a thousand actors takes some ten thousand steps in one instant."""
IDLE_ROUNDS_MAX = 2_000
"""Rounds of the run loop with neither a task to run nor a deadline to jump to; a healthy run has a few."""

seeds = st.integers(min_value=0, max_value=2**32 - 1)
"""Draw the scheduler's seed from this. ``@given`` alone resets ``_r`` to the same state for every example,
and so explores a single schedule (HypothesisWorks/hypothesis#516)."""

_EXAMPLES_FACTOR = int(os.environ.get("GREENROOM_EXAMPLES_FACTOR", "1"))

_aborted_runs: list[object] = []
"""Keeps the tasks of aborted runs: collected, they would run their ``finally`` blocks in a later test."""


def examples(count: int) -> hypothesis.settings:
    """Settings of one property: ``count`` examples, the same ones every time.

    ``GREENROOM_EXAMPLES_FACTOR=50`` explores fifty times as many, and different ones each time.
    """
    return hypothesis.settings(
        max_examples=count * _EXAMPLES_FACTOR,
        derandomize=_EXAMPLES_FACTOR == 1,
        database=None,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )


class RunawayError(AssertionError):
    """The program passed its horizon, span in one instant, or could not be cancelled."""


class Trace:
    """A rolling hash of every task step: its virtual time and its task's name. Same digest, same schedule."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self.steps = 0

    def add(self, time_s: float, task: trio.lowlevel.Task) -> None:
        self._hash.update(f"{time_s:.9f} {task.name}\n".encode())
        self.steps += 1

    def digest(self) -> str:
        return self._hash.hexdigest()


def run_seeded(
    main: Callable[..., Awaitable[T]],
    *args: object,
    seed: int,
    trace: Trace | None = None,
    horizon_s: float = HORIZON_S,
    steps_per_instant_max: int = STEPS_PER_INSTANT_MAX,
) -> T:
    """Run ``main(*args)`` to its end on a fresh virtual clock, scheduled by ``seed``, and return its result.

    Virtual time starts at 0. Whatever the program raises carries a note that names the seed.

    Raises:
        RunawayError: the program never ends, in one of the module's three ways. If the run loop had to be
            aborted, the tasks of the run are abandoned where they stood.
    """
    clock = MockClock(autojump_threshold=0)
    scope = trio.CancelScope(deadline=horizon_s)
    watch = _InstantWatch(scope, trace, steps_per_instant_max)

    async def within_horizon() -> T:
        with scope:
            return await main(*args)
        raise RunawayError(watch.livelock or f"still running after {horizon_s} virtual seconds")

    saved = trio_run_loop._ALLOW_DETERMINISTIC_SCHEDULING, trio_run_loop._r
    trio_run_loop._ALLOW_DETERMINISTIC_SCHEDULING = True
    trio_run_loop._r = _SeededOrder(seed, clock, steps_per_instant_max)
    try:
        return trio.run(within_horizon, clock=clock, instruments=[watch])
    except BaseException as failure:
        aborted = isinstance(failure, trio.TrioInternalError) and isinstance(failure.__cause__, RunawayError)
        reported = failure.__cause__ if aborted else failure
        reported.add_note(f"schedule seed {seed}")
        raise reported from None if aborted else reported.__cause__
    finally:
        trio_run_loop._ALLOW_DETERMINISTIC_SCHEDULING, trio_run_loop._r = saved


class _InstantWatch(Instrument):
    """Counts the task steps of the current instant and cancels the program when they pass the cap."""

    def __init__(self, scope: trio.CancelScope, trace: Trace | None, steps_max: int) -> None:
        self._scope = scope
        self._trace = trace
        self._steps_max = steps_max
        self._instant = -1.0
        self._steps = 0
        self.livelock: str | None = None

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        now = trio.current_time()
        if self._trace is not None:
            self._trace.add(now, task)
        if now != self._instant:
            self._instant, self._steps = now, 0
        self._steps += 1
        if self._steps > self._steps_max and self.livelock is None:
            self.livelock = f"{self._steps} steps at virtual time {now}; the last one was {task.name}'s"
            # Raising would end nothing: Trio logs what an instrument raises and drops the instrument.
            self._scope.cancel(reason=self.livelock)


class _SeededOrder(random.Random):
    """The generator the run loop shuffles with, exactly once a round: so also the place to count rounds.

    What it raises aborts the run loop, hence it is the stop that no shield holds up.
    """

    def __init__(self, seed: int, clock: Clock, steps_per_instant_max: int) -> None:
        super().__init__(seed)
        self._clock = clock
        # A round steps one task or more, unless it is idle: by twice the steps, cancelling had its chance.
        self._rounds_max = 2 * steps_per_instant_max
        self._instant = -1.0
        self._rounds = 0
        self._idle_rounds = 0

    def shuffle(self, x: list[trio.lowlevel.Task]) -> None:
        now = self._clock.current_time()
        if now != self._instant:
            self._instant, self._rounds, self._idle_rounds = now, 0, 0
        self._rounds += 1
        self._idle_rounds = 0 if x else self._idle_rounds + 1
        if self._rounds > self._rounds_max or self._idle_rounds > IDLE_ROUNDS_MAX:
            _aborted_runs.append(trio_run_loop.GLOBAL_RUN_CONTEXT.runner)
            raise RunawayError(
                f"cannot be cancelled: {self._rounds} rounds at virtual time {now}, "
                f"the last {self._idle_rounds} of them with no task to run"
            )
        super().shuffle(x)
