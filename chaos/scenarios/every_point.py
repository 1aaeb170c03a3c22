"""Workers that end themselves by SIGKILL at every point between receiving a message and having told of it.

Nothing is left to luck: each worker draws a point and ends there, and the run goes on until each point was met so often as it
has rounds. Who takes its place has drawn another one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import trio

from chaos.armed.points import FOLDER, Blast, Journal, Plan, Point
from chaos.bars import failed_elsewhere
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.launch import Arms, Launch, Prepare
from chaos.ledger import Fault, Ledger
from chaos.scenario import Scenario
from chaos.scenarios.buses import on_notify, on_redis
from chaos.scenarios.kill9 import RESUME_S_MAX
from chaos.stage import Cast, Stage
from chaos.timings import percentile, resumed_s
from chaos.workers import wait_ended

POLL_S: Final = 0.01
KILLED_AT: Final = {point: f"kill -9, {point}" for point in Point}


def armed(prepare: Prepare) -> Prepare:
    """The same, with workers that end themselves once they are told to."""

    @asynccontextmanager
    async def preparing(folder: Path) -> AsyncIterator[Launch]:
        async with prepare(folder) as launch:
            place = folder / "armed"
            place.mkdir()
            environment = {**launch.environment, FOLDER: str(place)}
            arms = Arms(Plan(place), Journal(place))
            yield replace(launch, module="chaos.armed", environment=environment, arms=arms)

    return preparing


class Blasts:
    """What has become of armed workers.

    Attributes:
        met: how often a worker ended at each point.
    """

    def __init__(self, stage: Stage) -> None:
        if stage.server.launch.arms is None:
            raise PromiseBroken("nobody is armed: this is the harness's failure")
        self.met: Counter[Point] = Counter()
        self.plan = stage.server.launch.arms.plan
        self._journal = stage.server.launch.arms.journal
        self._stage = stage

    @property
    def each(self) -> int:
        """How often every point was met at least."""
        return min(self.met[point] for point in Point)

    def figures(self) -> Sequence[Figure]:
        return (
            Figure("workers killed", self.met.total()),
            *(Figure(point, self.met[point]) for point in Point),
            Figure("points not met", sum(not self.met[point] for point in Point), "", 0),
        )

    async def keep_noting(self) -> None:
        """Note every end as a fault, with the connections that went with it; until cancelled."""
        while True:
            await self.note()
            await trio.sleep(POLL_S)

    async def note(self) -> None:
        """Note what has ended by now."""
        for blast in self._journal.news():
            await wait_ended(blast.pid)
            self.met[blast.point] += 1
            self._stage.faults.append(_fault(blast))


def _fault(blast: Blast) -> Fault:
    # Trio counts the same seconds from a zero of its own.
    at = blast.at + trio.current_time() - time.perf_counter()
    return Fault(KILLED_AT[blast.point], at, trio.current_time(), frozenset(blast.cut))


@asynccontextmanager
async def armed_workers(stage: Stage) -> AsyncIterator[Blasts]:
    """Have workers end themselves for as long as the block; after it everybody has been answered once more."""
    blasts = Blasts(stage)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(blasts.keep_noting)
        blasts.plan.arm(stage.random.getrandbits(32))
        try:
            yield blasts
        finally:
            blasts.plan.disarm()
        await stage.let_flow(1)
        nursery.cancel_scope.cancel()
    await blasts.note()


async def every_point(stage: Stage, rounds: int) -> Sequence[Figure]:
    async with armed_workers(stage) as blasts:
        while blasts.each < rounds:
            await stage.let_flow(1)
    return [Figure("workers", stage.server.workers.count), *blasts.figures()]


IN_DOUBT: Final = (Point.COMMIT_SENT, Point.COMMITTED, Point.ANSWERED)
"""Where the message is stored, or as good as, and its sender not told."""


def settled_at(ledger: Ledger, point: Point) -> int:
    """Messages whose sender was cut off by a worker's end there, and which turned out to be stored when they were sent again.

    It shows that the points are where they are said to be: such messages are left behind where the outcome is in doubt, and
    elsewhere only if another batch was on its way out.
    """
    faults = [fault for fault in ledger.faults if fault.what == KILLED_AT[point]]
    return sum(
        sent.attempts[-1].answer == "200"
        and any(
            attempt.port in fault.cut and fault.at <= attempt.ended_at and attempt.at <= fault.over_at
            for attempt in sent.attempts[:-1]
            for fault in faults
        )
        for sent in ledger.sent
        if sent.attempts
    )


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [
        *(Figure(f"stored unanswered at {point}", settled_at(ledger, point)) for point in IN_DOUBT),
        Figure("anywhere else", sum(settled_at(ledger, point) for point in Point if point not in IN_DOUBT)),
        *failed_elsewhere(ledger),
        Figure("streams cut with their worker", len(resumed_s(ledger))),
        Figure("resume p99", percentile(resumed_s(ledger), 0.99), "s", RESUME_S_MAX),
    ]


EVERY_POINT: Final = Scenario(
    "every_point",
    "workers killed at every point from receiving a message to telling of it",
    Cast(pairs=6, listeners_per_person=2, pause_s=0.02),
    rounds=1,
    rounds_long=10,
    timeout_s=100.0,
    disturb=every_point,
    judge=judge,
    prepare=armed(on_redis),
    workers=2,
)

EVERY_POINT_NOTIFY: Final = replace(
    EVERY_POINT, name="every_point_notify", what="the same with LISTEN/NOTIFY", prepare=armed(on_notify)
)
