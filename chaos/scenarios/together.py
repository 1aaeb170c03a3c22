"""Everything that can happen to several workers, again and again and at once: killed, rolled over, Redis failing, news lost,
clients cut."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from chaos.bars import failed_elsewhere
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.scenarios.buses import loss_of, on_redis, redis_of
from chaos.scenarios.hints_dropped import TALKING_SHARE, cut_listeners, cuts
from chaos.scenarios.rolling_restart import ROLLED_TIMEOUT_S
from chaos.scenarios.workers_killed import kill_worker
from chaos.stage import Cast, Stage
from chaos.timings import lateness_s, percentile, resumed_s

AWAY_S: Final = (0.1, 4.0)
"""How long Redis is stopped or frozen: less and more than it takes to be noticed."""

APART_S_MAX: Final = 1.5
LAST_EVENTS: Final = 3


async def _kill(stage: Stage) -> None:
    await kill_worker(stage, stage.random.choice(sorted(stage.server.workers.serving())))


async def _roll(stage: Stage) -> None:
    workers = stage.server.workers
    expected = workers.told("worker_replaced") + 1
    with stage.fault("SIGHUP"):
        stage.server.send_signal(signal.SIGHUP)
        # Not to its end: what comes next meets a crew that is being replaced.
        if not await workers.wait_told("worker_replaced", expected, within_s=ROLLED_TIMEOUT_S):
            raise PromiseBroken(f"no worker was replaced:\n{stage.server.log_tail()}")


async def _stop_redis(stage: Stage) -> None:
    with stage.fault("Redis stopped"):
        redis_of(stage).kill()
        await stage.let_flow_for(*AWAY_S)
        await redis_of(stage).start()


async def _freeze_redis(stage: Stage) -> None:
    with stage.fault("Redis frozen"):
        redis_of(stage).freeze()
        try:
            await stage.let_flow_for(*AWAY_S)
        finally:
            redis_of(stage).thaw()


async def _throw_out(stage: Stage) -> None:
    with stage.fault("CLIENT KILL TYPE pubsub"):
        await redis_of(stage).command("CLIENT", "KILL", "TYPE", "pubsub")


async def _flush(stage: Stage) -> None:
    with stage.fault("FLUSHALL"):
        await redis_of(stage).command("FLUSHALL")


Kind = Callable[[Stage], Awaitable[None]]
KINDS: Final[tuple[Kind, ...]] = (_kill, _kill, _roll, _stop_redis, _freeze_redis, _throw_out, _flush)


async def together(stage: Stage, rounds: int) -> Sequence[Figure]:
    loss = loss_of(stage)
    loss.share = TALKING_SHARE
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cut_for_ever, stage)
        for _ in range(rounds):
            await stage.random.choice(KINDS)(stage)
            await stage.let_flow_for(0.0, APART_S_MAX)
        nursery.cancel_scope.cancel()
    loss.share = 0.0
    await stage.let_flow(LAST_EVENTS)
    return [
        Figure("faults", rounds),
        Figure("workers", stage.server.workers.count),
        Figure("messages between workers", loss.carried + loss.lost),
        Figure("of them lost", loss.lost),
        *cuts(stage),
    ]


async def _cut_for_ever(stage: Stage) -> None:
    while True:
        await cut_listeners(stage, for_s=1.0)


def judge(ledger: Ledger) -> Sequence[Figure]:
    late = lateness_s(ledger)
    kinds = [fault.what for fault in ledger.faults]
    return [
        *failed_elsewhere(ledger),
        *(Figure(kind, kinds.count(kind)) for kind in sorted(set(kinds))),
        Figure("delivery p99", percentile(late, 0.99), "s"),
        Figure("latest", percentile(late, 1.0), "s"),
        Figure("resume p99", percentile(resumed_s(ledger), 0.99), "s"),
    ]


TOGETHER: Final = Scenario(
    "together",
    "workers killed and rolled, Redis failing, news lost, clients cut, all at once",
    Cast(pairs=6, listeners_per_person=8, pause_s=0.02),
    rounds=20,
    rounds_long=300,
    timeout_s=140.0,
    disturb=together,
    judge=judge,
    prepare=on_redis,
    workers=2,
)
