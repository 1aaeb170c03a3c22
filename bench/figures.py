"""A figure and how it is taken: in rounds, by turns with its baselines.

Machines change their pace while one measures. So greenroom and its baselines take turns within every round, the order
swapping from round to round, and what counts is the ratio within a round. Its range over the rounds says how far to
trust it.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Final

import trio

ROUNDS: Final = 5


class Better(Enum):
    """Which way a figure is to go."""

    MORE = "more"
    LESS = "less"


class Of(Enum):
    """What a bar is a bound of: the ratio to the baseline, or greenroom's own figure."""

    RATIO = "ratio"
    LEVEL = "level"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure is to reach, inclusive: at least ``limit`` where more is better, at most where less is."""

    limit: float
    of: Of = Of.RATIO


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured of both, a sample per round.

    Attributes:
        baseline_name: what greenroom is held against, in words.
        bar: None if nothing is demanded of it.
        greenroom, baseline: samples in ``unit``; those with the same index were taken in the same round.
    """

    name: str
    unit: str
    better: Better
    baseline_name: str
    greenroom: tuple[float, ...]
    baseline: tuple[float, ...]
    bar: Bar | None = None

    @property
    def ratios(self) -> tuple[float, ...]:
        """greenroom / baseline, round by round."""
        return tuple(ours / theirs for ours, theirs in zip(self.greenroom, self.baseline, strict=True))

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def is_met(self) -> bool | None:
        """Whether the bar is reached; None without one."""
        if self.bar is None:
            return None
        reached = self.ratio if self.bar.of is Of.RATIO else median(self.greenroom)
        return reached >= self.bar.limit if self.better is Better.MORE else reached <= self.bar.limit


Work = Callable[[], Awaitable[int]]
"""Does a fixed amount, or as much as a fixed time allows, and returns how many operations that was."""


async def operations_per_second(
    name: str, unit: str, greenroom: Work, baselines: Mapping[str, Work], *, rounds: int = ROUNDS
) -> list[Figure]:
    """A figure per baseline, all against the same turns of greenroom; a first turn each does not count."""
    ours, *all_theirs = await _take_turns([greenroom, *baselines.values()], rounds)
    return [
        Figure(name, unit, Better.MORE, baseline, tuple(1 / s for s in ours), tuple(1 / s for s in theirs))
        for baseline, theirs in zip(baselines, all_theirs, strict=True)
    ]


async def microseconds_per_operation(
    name: str, greenroom: Work, baselines: Mapping[str, Work], *, rounds: int = ROUNDS
) -> list[Figure]:
    """As :func:`operations_per_second`, the other way round."""
    ours, *all_theirs = await _take_turns([greenroom, *baselines.values()], rounds)
    return [
        Figure(name, "µs", Better.LESS, baseline, tuple(s * 1e6 for s in ours), tuple(s * 1e6 for s in theirs))
        for baseline, theirs in zip(baselines, all_theirs, strict=True)
    ]


async def _take_turns(works: Sequence[Work], rounds: int) -> list[list[float]]:
    """Seconds per operation of each, by round."""
    turns: list[tuple[Work, list[float]]] = [(work, []) for work in works]
    for work, _ in turns:
        await work()
    for n in range(rounds):
        for work, samples in turns if n % 2 == 0 else reversed(turns):
            samples.append(await _seconds_each(work))
    return [samples for _, samples in turns]


async def _seconds_each(work: Work) -> float:
    # The rubbish of one turn is not to be collected in the next; the collector stays on, as it does in production.
    gc.collect()
    began = trio.current_time()
    operations = await work()
    return (trio.current_time() - began) / operations
