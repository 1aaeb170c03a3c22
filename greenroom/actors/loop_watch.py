"""How the event loop fares: how late it looks at what happened, what keeps it busy, what the garbage collector takes.

Always on are two hooks per turn of the loop and none per task: a turn is what the loop does between two looks at
sockets and timers, and while it lasts nobody else is served. Hooks per task step cost a busy loop a fifth of its speed
or more, so they are attached on demand and detach themselves (:class:`StepProbe`).

Everything is measured on the machine's own clock: what Trio's virtual clock says in a simulation has nothing to do with
how long anything took.
"""

from __future__ import annotations

import gc
import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import trio
from trio.abc import Instrument
from trio.lowlevel import Task

WINDOW_S: Final = 60
"""Seconds that are remembered one by one."""

PROBE_S_MAX: Final = 60.0
LONGEST_STEPS: Final = 20

# Bucket i holds turns shorter than 2 ** (i / 2) times 16 us: up to 16 s in steps of 41 percent.
_BUCKET_BASE_S: Final = 16e-6
_BUCKETS: Final = 41


@dataclass(frozen=True, slots=True)
class Percentiles:
    """In milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class GcPauses:
    count: int
    total_ms: float
    longest_ms: float


@dataclass(frozen=True, slots=True)
class LoopSecond:
    """One second of the loop's life. ``ago_s`` is how long it has been over."""

    ago_s: float
    lag_ms_p99: float
    longest_turn_ms: float
    busy_share: float
    turns: int


@dataclass(frozen=True, slots=True)
class LongStep:
    """A task kept the loop for ``ms`` without a checkpoint. ``owner`` is the task's name: for actors, their path."""

    owner: str
    ms: float
    ago_s: float


@dataclass(frozen=True, slots=True)
class StepReport:
    """What the step hooks saw. ``batch_mean`` and ``batch_max`` are steps per turn: tasks that ran in one go."""

    is_attached: bool
    left_s: float
    steps: int
    batch_mean: float
    batch_max: int
    longest: tuple[LongStep, ...]


@dataclass(frozen=True, slots=True)
class LoopReport:
    """The last minute.

    ``lag_ms`` is how long what happens at a random moment waits for the loop to look at it.
    ``tasks_runnable`` is how many tasks stood in line at the moment of the report.
    """

    window_s: float
    lag_ms: Percentiles
    turns: int
    busy_share: float
    longest_turn_ms: float
    tasks_living: int
    tasks_runnable: int
    next_deadline_ms: float | None
    gc: GcPauses
    steps: StepReport | None
    seconds: tuple[LoopSecond, ...]


class _Slot:
    """One second's sums."""

    __slots__ = ("began", "counts", "gc_count", "gc_longest_s", "gc_s", "longest_s", "sums")

    def __init__(self, began: float) -> None:
        self.began = began
        self.counts = [0] * _BUCKETS
        self.sums = [0.0] * _BUCKETS
        self.longest_s = 0.0
        self.gc_count = 0
        self.gc_s = 0.0
        self.gc_longest_s = 0.0


class LoopWatch(Instrument):
    """Watches the loop in whose context :meth:`attached` is entered.

    Attributes:
        turn_began: when the turn that runs now began, None while the loop waits for I/O; for the stall watchdog, which
            reads it from another thread.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._slots: deque[_Slot] = deque([_Slot(clock())], maxlen=WINDOW_S)
        self._gc_began = 0.0
        self._probe: StepProbe | None = None
        self.turn_began: float | None = None

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Watch for the length of the block."""
        trio.lowlevel.add_instrument(self)
        gc.callbacks.append(self._on_gc)
        try:
            yield
        finally:
            gc.callbacks.remove(self._on_gc)
            trio.lowlevel.remove_instrument(self)
            if self._probe is not None:
                self._probe.detach()

    def after_io_wait(self, timeout: float) -> None:
        self.turn_began = self._clock()

    def before_io_wait(self, timeout: float) -> None:
        began, self.turn_began = self.turn_began, None
        if began is not None:
            now = self._clock()
            self.note_turn(now - began, now)

    def note_turn(self, took_s: float, now: float) -> None:
        """Count a turn that ended at ``now``."""
        slot = self._slot(now)
        bucket = bucket_of(took_s)
        slot.counts[bucket] += 1
        slot.sums[bucket] += took_s
        if took_s > slot.longest_s:
            slot.longest_s = took_s

    def probe_steps(self, for_s: float) -> None:
        """Measure every step of every task for ``for_s`` seconds, at most a minute; again begins anew.

        Raises:
            ValueError: not within 0 and PROBE_S_MAX.
        """
        if not 0 < for_s <= PROBE_S_MAX:
            raise ValueError(f"must be more than 0 and at most {PROBE_S_MAX:.0f} seconds")
        if self._probe is not None:
            self._probe.detach()
        self._probe = StepProbe(self._clock, for_s)

    def report(self) -> LoopReport:
        """What is known of the last minute. To be called in the loop."""
        now = self._clock()
        slots = [slot for slot in self._slots if now - slot.began < WINDOW_S]
        window_s = max(1e-3, now - slots[0].began) if slots else 1e-3
        counts = [sum(column) for column in zip(*(slot.counts for slot in slots), strict=True)] or [0] * _BUCKETS
        sums = [sum(column) for column in zip(*(slot.sums for slot in slots), strict=True)] or [0.0] * _BUCKETS
        longest_s = max((slot.longest_s for slot in slots), default=0.0)
        kernel = trio.lowlevel.current_statistics()
        to_next_s = kernel.seconds_to_next_deadline
        return LoopReport(
            window_s=window_s,
            lag_ms=Percentiles(
                p50=1000 * lag_s(0.50, counts, sums, window_s),
                p95=1000 * lag_s(0.95, counts, sums, window_s),
                p99=1000 * lag_s(0.99, counts, sums, window_s),
                max=1000 * longest_s,
            ),
            turns=sum(counts),
            busy_share=min(1.0, sum(sums) / window_s),
            longest_turn_ms=1000 * longest_s,
            tasks_living=kernel.tasks_living,
            tasks_runnable=kernel.tasks_runnable,
            next_deadline_ms=None if to_next_s == float("inf") else 1000 * max(0.0, to_next_s),
            gc=GcPauses(
                sum(slot.gc_count for slot in slots),
                1000 * sum(slot.gc_s for slot in slots),
                1000 * max((slot.gc_longest_s for slot in slots), default=0.0),
            ),
            steps=None if self._probe is None else self._probe.report(),
            seconds=tuple(_second(slot, now) for slot in slots if now - slot.began >= 1.0),
        )

    def last_second(self) -> LoopSecond:
        """The last second that is over; an idle loop has none newer than the one before it fell idle."""
        now = self._clock()
        for slot in reversed(self._slots):
            if now - slot.began >= 1.0:
                return _second(slot, now)
        return _second(_Slot(now - 1.0), now)

    def _slot(self, now: float) -> _Slot:
        slot = self._slots[-1]
        if now - slot.began >= 1.0:
            # Begins on the second grid of the one before, so that a graph has even steps however idle the loop was.
            slot = _Slot(slot.began + int(now - slot.began))
            self._slots.append(slot)
        return slot

    def _on_gc(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_began = self._clock()
            return
        now = self._clock()
        took_s = now - self._gc_began
        slot = self._slots[-1]  # no new slot here: a collection may begin in the middle of making one
        slot.gc_count += 1
        slot.gc_s += took_s
        slot.gc_longest_s = max(slot.gc_longest_s, took_s)


class StepProbe(Instrument):
    """Measures every task step until its time is over, then takes itself off."""

    def __init__(self, clock: Callable[[], float], for_s: float) -> None:
        self._clock = clock
        self._until = clock() + for_s
        self._began = 0.0
        self._steps = self._turns = self._batch = self._batch_max = 0
        self._longest: list[tuple[float, float, str]] = []
        self._is_attached = True
        trio.lowlevel.add_instrument(self)

    def detach(self) -> None:
        """Stop measuring; doing it twice is fine."""
        if self._is_attached:
            self._is_attached = False
            trio.lowlevel.remove_instrument(self)

    def before_task_step(self, task: Task) -> None:
        self._began = self._clock()

    def after_task_step(self, task: Task) -> None:
        if not self._began:
            return  # attached in the middle of this step
        now = self._clock()
        took_s = now - self._began
        self._steps += 1
        self._batch += 1
        if len(self._longest) < LONGEST_STEPS:
            heapq.heappush(self._longest, (took_s, now, task.name))
        elif took_s > self._longest[0][0]:
            heapq.heapreplace(self._longest, (took_s, now, task.name))

    def before_io_wait(self, timeout: float) -> None:
        if self._batch:
            self._turns += 1
            self._batch_max = max(self._batch_max, self._batch)
            self._batch = 0

    def after_io_wait(self, timeout: float) -> None:
        if self._clock() >= self._until:
            self.detach()

    def report(self) -> StepReport:
        now = self._clock()
        return StepReport(
            is_attached=self._is_attached,
            left_s=max(0.0, self._until - now) if self._is_attached else 0.0,
            steps=self._steps,
            batch_mean=self._steps / self._turns if self._turns else 0.0,
            batch_max=self._batch_max,
            longest=tuple(
                LongStep(owner, 1000 * took_s, now - at)
                for took_s, at, owner in sorted(self._longest, reverse=True)
            ),
        )


def bucket_of(took_s: float) -> int:
    """The bucket of a turn. The logarithm of 2 by way of the exponent: this runs once per turn."""
    scaled = int((took_s / _BUCKET_BASE_S) ** 2)
    return min(scaled.bit_length(), _BUCKETS - 1)


def lag_s(share: float, counts: Sequence[int], sums: Sequence[float], window_s: float) -> float:
    """How long, at most, the given share of events waits that come at random moments of ``window_s``.

    An event that comes in a turn of length d waits for the rest of it; one that comes while the loop waits for I/O is
    seen at once. So the share that waits longer than x is the sum of max(0, d - x) over all turns, by the window. All
    turns of a bucket are taken to be as long as their mean.

    Args:
        counts: turns per bucket, the shortest first.
        sums: seconds per bucket.
    """
    late = (1.0 - share) * window_s
    longer, longer_s = sum(counts), sum(sums)
    if longer_s <= late:
        return 0.0
    for count, total_s in zip(counts, sums, strict=True):
        if count and longer_s - longer * total_s / count <= late:
            break
        longer -= count
        longer_s -= total_s
    return (longer_s - late) / longer if longer else 0.0


def _second(slot: _Slot, now: float) -> LoopSecond:
    return LoopSecond(
        ago_s=now - slot.began - 1.0,
        lag_ms_p99=1000 * lag_s(0.99, slot.counts, slot.sums, 1.0),
        longest_turn_ms=1000 * slot.longest_s,
        busy_share=min(1.0, sum(slot.sums)),
        turns=sum(slot.counts),
    )
