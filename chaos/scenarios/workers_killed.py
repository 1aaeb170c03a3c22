"""SIGKILL to one worker after another while everybody sends: the others serve on, and streams go on elsewhere.

The worker is stopped first, by SIGSTOP at the chosen moment, so that its connections can be counted: those alone may fail.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import trio

from chaos.bars import failed_elsewhere
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.launch import prepare_nothing
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.scenarios.buses import on_redis
from chaos.scenarios.kill9 import RESUME_S_MAX, aim
from chaos.sockets import held_by
from chaos.stage import Cast, Stage
from chaos.timings import lateness_s, percentile, resumed_s
from chaos.workers import end_at_once, wait_stopped

REPLACED_S_MAX: Final = 2.0
REPLACED_TIMEOUT_S: Final = 15.0
STEADY_S: Final = 10.5
"""A worker that dies younger is taken for one that keeps dying, and replaced after a pause."""

SPARE_S: Final = 5.0
"""After a replacement, until the next spare has been begun and has imported everything."""


async def workers_killed(stage: Stage, rounds: int) -> Sequence[Figure]:
    took_s = []
    for _ in range(rounds):
        await stage.let_flow(1)
        place = await _oldest(stage)
        took_s.append(await kill_worker(stage, place))
    await stage.let_flow(1)
    return [
        Figure("kills", rounds),
        Figure("workers", stage.server.workers.count),
        Figure("replaced p50", percentile(took_s, 0.5), "s"),
        Figure("slowest replacement", percentile(took_s, 1.0), "s", REPLACED_S_MAX),
    ]


async def _oldest(stage: Stage) -> str:
    """The place whose worker has lived longest, once that is long enough and there is a spare."""
    workers = stage.server.workers
    place = max(workers.serving(), key=workers.lived_s)
    youngest_s = min(map(workers.lived_s, workers.serving()))
    await trio.sleep(max(0.0, STEADY_S - workers.lived_s(place), SPARE_S - youngest_s))
    return place


async def kill_worker(stage: Stage, place: str) -> float:
    """Kill the worker of a place at a moment that the stage's randomness picks; return the seconds until it has a new one.

    Raises:
        PromiseBroken: it gets none.
    """
    workers = stage.server.workers
    pid = workers.serving()[place]
    await aim(stage)
    began = trio.current_time()
    with stage.fault("kill -9 of a worker") as cut:
        os.kill(pid, signal.SIGSTOP)
        await wait_stopped(pid)
        cut.update(held_by(pid, stage.server.port))
        await end_at_once(pid)
    if not await workers.wait_replaced(place, pid, within_s=REPLACED_TIMEOUT_S):
        raise PromiseBroken(f"worker {place} was not replaced:\n{stage.server.log_tail()}")
    return trio.current_time() - began


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [
        *failed_elsewhere(ledger),
        Figure("streams cut with their worker", len(resumed_s(ledger))),
        Figure("resume p99", percentile(resumed_s(ledger), 0.99), "s", RESUME_S_MAX),
        Figure("delivery p99", percentile(lateness_s(ledger), 0.99), "s"),
    ]


WORKERS_KILLED: Final = Scenario(
    "workers_killed",
    "SIGKILL to one of several workers",
    Cast(pairs=6, listeners_per_person=2, pause_s=0.02),
    rounds=8,
    rounds_long=100,
    timeout_s=140.0,
    disturb=workers_killed,
    judge=judge,
    prepare=on_redis,
    workers=2,
)

WORKERS_KILLED_NOTIFY: Final = replace(
    WORKERS_KILLED, name="workers_killed_notify", what="the same with LISTEN/NOTIFY", prepare=prepare_nothing
)
