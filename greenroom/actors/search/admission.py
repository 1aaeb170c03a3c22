"""Who is let in: searches in flight on this worker, and what that means for the next one.

1. Refusing happens at the door, before anything is read: work on a search that will not be answered is what makes an
   overloaded server slower than an idle one.
2. More searches at a time than processors and database have room for make each of them slower and no more of them done.
   So only so many run. A few more wait for their turn, first come first served: enough of them that none of the room
   stays empty, and few enough that most of their budget is left when it comes.
3. How much room there is follows from what searches take, which no setting knows: while they take this worker and its
   database more than a fifth of the shorter budget in the mean, or one is cut short, the room becomes a tenth less, else a
   little more. Slow models
   don't count: to wait for them costs nobody else anything. Nor does what a search takes when it is nearly alone: less room
   would not make it quicker.

Sources: "Addressing cascading failures", Site Reliability Engineering (O'Reilly 2016), chapter 22, on refusing early and short
queues; D.-M. Chiu, R. Jain, "Analysis of the increase and decrease algorithms for congestion avoidance" (1989); RFC 7661 on
room that nobody uses.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import trio

from greenroom.schema.errors import Unavailable
from greenroom.schema.search.config import SearchConfig
from greenroom.schema.search.diagnostics import BudgetUse, SkipReason, StageName, StageStatus, StageTiming

HARD_FACTOR: Final = 4
"""Searches in flight beyond so many times the soft cap are refused. Those in between do without models, which is what
takes time, so that they are gone soon."""

ROOM_LEAST: Final = 2
"""So many have room whatever they take: what they take is what a search takes when it is nearly alone."""

CROWDED: Final = 2.0
"""Searches that take less than so many times what one takes that is nearly alone are not slowed down by each other."""

NEWEST_WEIGHT: Final = 0.1
"""Of the newest search, in the mean of what they take: it forgets in about twenty."""

LINE_SHARE: Final = 0.5
"""Of the room: how many may wait for their turn. The last of them waits half as long as a search takes."""

OWN_SHARE: Final = 0.2
"""Of the shorter budget: what searches may take in the mean of this worker and its database. The slowest of a hundred take about
four times as much, and the last in the line has waited half as long as one takes."""

WAIT_SHARE: Final = 1 / 3
"""Of the shorter budget: how long one waits for its turn at most."""

USED_SHARE: Final = 0.5
"""Of the room: how much of it has to be used for an answer to say anything about it."""

CUT: Final = 0.9
CUT_EVERY_S: Final = 0.1
"""Searches that are late at the same time are late for the same reason, and count once."""

SHEDDING_S: Final = 1.0
"""For so long after somebody was refused, there is too much to do for anything that can be left undone."""

RETRY_AFTER_S: Final = 1.0

ALWAYS_DONE: Final = frozenset({StageName.BURST1, StageName.BURST2, StageName.HYDRATION})
"""By this worker and its database; all else is left out where time is short."""

RAN: Final = frozenset({StageStatus.OK, StageStatus.TIMEOUT})


class SearchesBusy(Unavailable):
    """More searches are in flight than this worker can finish in time; nothing was begun."""

    code = "search_busy"


@dataclass(frozen=True, slots=True)
class AdmissionStatistics:
    """``in_flight``: searches now, ``waiting`` of them for their turn, ``uncached`` of them not answered from the cache; ``room``: how
    many may run at a time; the others count since the start."""

    in_flight: int
    waiting: int
    room: int
    uncached: int
    admitted: int
    refused: int
    reduced: int


def own_s(stages: Sequence[StageTiming]) -> float:
    """What a search took of this worker and its database."""
    taken_ms = (stage.duration_ms for stage in stages if stage.name in ALWAYS_DONE and stage.status in RAN)
    return sum(taken_ms) / 1000


def is_cut_short(use: BudgetUse) -> bool:
    """Whether a search is late, or lacked time for what is always done."""
    return use.used_ms > use.limit_ms or any(
        skip.stage in ALWAYS_DONE and skip.reason in {SkipReason.TIMEOUT, SkipReason.BUDGET}
        for skip in use.skipped
    )


class Admission:
    """Counts, and decides by the configuration as it is at that moment."""

    def __init__(self, config: Callable[[], SearchConfig]) -> None:
        self._config = config
        self._running = 0
        self._line: deque[trio.Event] = deque()
        self._room = math.inf
        self._cut_at = -math.inf
        self._taken_s: float | None = None
        self._alone_s: float | None = None
        self._refused_at = -math.inf
        self._uncached = 0
        self._admitted = 0
        self._refused = 0
        self._reduced = 0

    def check(self) -> None:
        """The door: whoever would be refused below may as well be before anything is known of them.

        Raises:
            SearchesBusy: as many run and wait as may.
        """
        room = self._room_now()
        if self._running < room:
            return
        if (
            len(self._line) >= room * LINE_SHARE
            or self._in_flight >= self._config().uncached_concurrency * HARD_FACTOR
        ):
            raise self._busy()

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Let one search in for the length of the block, when it is its turn. Where that is at once, no checkpoint is passed.

        Raises:
            SearchesBusy: there are too many already, or no turn came in time.
        """
        self.check()
        if self._running < self._room_now() and not self._line:
            self._running += 1
        else:
            await self._wait_turn()
        self._admitted += 1
        try:
            yield
        finally:
            self._leave()

    def answered(self, use: BudgetUse, stages: Sequence[StageTiming], *, now: float) -> None:
        """Learn from a search that ran, and is still let in, whether there is room for as many."""
        is_late, taken_s = is_cut_short(use), own_s(stages)
        self._taken_s = _mean(self._taken_s, taken_s)
        if self._running <= self._least() and not is_late:
            self._alone_s = _mean(self._alone_s, taken_s)
        room = self._room_now()
        if self._running < room * USED_SHARE:
            return  # room that nobody uses says nothing
        if is_late or self._taken_s > max(self._shorter_s() * OWN_SHARE, (self._alone_s or 0.0) * CROWDED):
            if now >= self._cut_at + CUT_EVERY_S:
                self._cut_at = now
                self._room = max(self._least(), room * CUT)
        else:
            # One more for each time that as many as there is room for were answered in time.
            self._room = room + 1 / room

    @contextmanager
    def uncached(self) -> Iterator[bool]:
        """Count a search that the cache could not answer; True where it has to do without models."""
        is_reduced = self._uncached >= self._config().uncached_concurrency
        self._reduced += is_reduced
        self._uncached += 1
        try:
            yield is_reduced
        finally:
            self._uncached -= 1

    def is_high_load(self) -> bool:
        """Whether as many searches are in flight, the asking one included, as count as high load."""
        return self._in_flight >= self._config().high_load_threshold

    def is_shedding(self) -> bool:
        """Whether somebody was refused just now."""
        return trio.current_time() < self._refused_at + SHEDDING_S

    def statistics(self) -> AdmissionStatistics:
        return AdmissionStatistics(
            in_flight=self._in_flight,
            waiting=len(self._line),
            room=round(self._room_now()),
            uncached=self._uncached,
            admitted=self._admitted,
            refused=self._refused,
            reduced=self._reduced,
        )

    @property
    def _in_flight(self) -> int:
        return self._running + len(self._line)

    def _room_now(self) -> float:
        return max(self._least(), min(self._room, self._config().uncached_concurrency * HARD_FACTOR))

    def _least(self) -> int:
        return min(ROOM_LEAST, self._config().uncached_concurrency)

    def _shorter_s(self) -> float:
        config = self._config()
        return min(config.budget_ms, config.high_load_budget_ms) / 1000

    async def _wait_turn(self) -> None:
        turn = trio.Event()
        self._line.append(turn)
        try:
            with trio.move_on_after(self._shorter_s() * WAIT_SHARE):
                await turn.wait()
        except trio.Cancelled:
            if turn.is_set():
                self._leave()  # called in at the very moment
            else:
                self._line.remove(turn)
            raise
        # Also where time was over and the turn came before this task noticed.
        if not turn.is_set():
            self._line.remove(turn)
            raise self._busy()

    def _leave(self) -> None:
        self._running -= 1
        room = self._room_now()
        while self._line and self._running < room:
            self._running += 1
            self._line.popleft().set()

    def _busy(self) -> SearchesBusy:
        self._refused += 1
        self._refused_at = trio.current_time()
        return SearchesBusy(
            "Too many searches are being answered; try again shortly.", retry_after_s=RETRY_AFTER_S
        )


def _mean(mean: float | None, newest: float) -> float:
    return newest if mean is None else mean + (newest - mean) * NEWEST_WEIGHT
