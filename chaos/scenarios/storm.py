"""Everything at once: workers end themselves at every point, the bus goes away and comes back, a hundredth of the news is lost,
and clients are cut at random and go on at another worker.

A round is a thousand events shown. It goes on beyond its rounds until every point was met.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import trio

from chaos.bars import failed_elsewhere
from chaos.broken import PromiseBroken
from chaos.database import cut_listeners as cut_bus
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.scenarios.buses import loss_of, on_notify, on_redis, redis_of
from chaos.scenarios.every_point import armed, armed_workers
from chaos.scenarios.hints_dropped import TALKING_SHARE, cut_listeners, cuts
from chaos.stage import Cast, Stage
from chaos.timings import lateness_s, percentile, resumed_s

EVENTS: Final = 1_000
"""In a round."""

AWAY_S: Final = (0.1, 4.0)
"""How long Redis is stopped: less and more than it takes to be noticed."""

APART_S: Final = (2.0, 10.0)
BusFault = Callable[[Stage], Awaitable[None]]


async def _stop_redis(stage: Stage) -> None:
    redis = redis_of(stage)
    with stage.fault("Redis stopped"):
        redis.kill()
        await stage.let_flow_for(*AWAY_S)
        await redis.start()


async def _cut_listening(stage: Stage) -> None:
    with stage.fault("listening connections cut"):
        if not await cut_bus(stage.server.database_folder()):
            raise PromiseBroken("nobody listened: this is the harness's failure")


async def storm(stage: Stage, rounds: int, *, break_bus: BusFault) -> Sequence[Figure]:
    loss = loss_of(stage)
    loss.share = TALKING_SHARE
    bus_faults = 0

    async def break_again_and_again() -> None:
        nonlocal bus_faults
        while True:
            await stage.let_flow_for(*APART_S)
            await break_bus(stage)
            bus_faults += 1

    async with armed_workers(stage) as blasts, trio.open_nursery() as nursery:
        nursery.start_soon(_cut_for_ever, stage)
        nursery.start_soon(break_again_and_again)
        while _shown(stage) < rounds * EVENTS or not blasts.each or not bus_faults:
            await stage.let_flow(1)
        nursery.cancel_scope.cancel()
    loss.share = 0.0
    return [
        Figure("workers", stage.server.workers.count),
        *blasts.figures(),
        Figure("bus broken", bus_faults),
        Figure("messages between workers", loss.carried + loss.lost),
        Figure("of them lost", loss.lost),
        *cuts(stage),
    ]


def _shown(stage: Stage) -> int:
    return sum(len(listener.delivered) for listener in stage.listeners)


async def _cut_for_ever(stage: Stage) -> None:
    while True:
        await cut_listeners(stage, for_s=1.0)


def judge(ledger: Ledger) -> Sequence[Figure]:
    late = lateness_s(ledger)
    return [
        *failed_elsewhere(ledger),
        Figure("delivery p99", percentile(late, 0.99), "s"),
        Figure("latest", percentile(late, 1.0), "s"),
        Figure("resume p99", percentile(resumed_s(ledger), 0.99), "s"),
    ]


STORM: Final = Scenario(
    "storm",
    "workers killed at every point, Redis stopped, news lost, clients cut and moved, all at once",
    Cast(pairs=6, listeners_per_person=2, pause_s=0.02),
    rounds=20,
    rounds_long=200,
    timeout_s=100.0,
    disturb=partial(storm, break_bus=_stop_redis),
    judge=judge,
    prepare=armed(on_redis),
    workers=4,
)

STORM_NOTIFY: Final = replace(
    STORM,
    name="storm_notify",
    what="the same with LISTEN/NOTIFY, whose listening connections are cut",
    disturb=partial(storm, break_bus=_cut_listening),
    prepare=armed(on_notify),
)
