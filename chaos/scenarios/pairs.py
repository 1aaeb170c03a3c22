"""Two faults at once: the server is killed or stopped while its Postgres is down, going down or coming back."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.scenarios.sigterm import EXIT_S_MAX, EXIT_TIMEOUT_S
from chaos.stage import Cast, Stage
from chaos.timings import percentile, resumed_s

APART_S_MAX: Final = 0.6
"""Between the two: a Postgres that is started again after a kill takes about that long."""

READY_S_MAX: Final = 5.0
"""Two recoveries one after the other, where one may take 2 s."""


async def _kill_server(stage: Stage) -> None:
    os.kill(stage.server.pid, signal.SIGKILL)
    await stage.server.kill()


async def _terminate_server(stage: Stage) -> None:
    stage.server.send_signal(signal.SIGTERM)
    await stage.server.wait_ended(EXIT_TIMEOUT_S)


def _signal_postgres(stage: Stage, number: signal.Signals) -> None:
    postmaster = stage.server.postmaster_pid()
    if postmaster is not None:
        os.kill(postmaster, number)


async def _kill_postgres(stage: Stage) -> None:
    _signal_postgres(stage, signal.SIGKILL)


async def _restart_postgres(stage: Stage) -> None:
    _signal_postgres(stage, signal.SIGINT)


Step = Callable[[Stage], Awaitable[None]]

PAIRS: Final[dict[str, tuple[Step, Step]]] = {
    "Postgres killed, then the server": (_kill_postgres, _kill_server),
    "Postgres restarts, then the server is killed": (_restart_postgres, _kill_server),
    "Postgres killed, then SIGTERM": (_kill_postgres, _terminate_server),
    "Postgres restarts, then SIGTERM": (_restart_postgres, _terminate_server),
    "the server killed, then its orphaned Postgres": (_kill_server, _kill_postgres),
}


async def pairs(stage: Stage, rounds: int) -> Sequence[Figure]:
    ready_s, exit_s = 0.0, 0.0
    names = list(PAIRS)
    stage.random.shuffle(names)
    for n in range(rounds):
        await stage.let_flow(1)
        await stage.let_flow_for(0.0, 0.5)
        name = names[n % len(names)]
        first, second = PAIRS[name]
        with stage.fault(name):
            await first(stage)
            await stage.let_flow_for(0.0, APART_S_MAX)
            began = trio.current_time()
            await second(stage)
            exit_s = max(exit_s, trio.current_time() - began)
        if stage.server.is_running:
            raise PromiseBroken(f"{name}: the server did not end")
        ready_s = max(ready_s, await stage.server.start())
    await stage.let_flow(1)
    return [
        Figure("pairs", rounds),
        Figure("exit", exit_s, "s", EXIT_S_MAX),
        Figure("ready again", ready_s, "s", READY_S_MAX),
    ]


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [Figure("resume p99", percentile(resumed_s(ledger), 0.99), "s", READY_S_MAX + 1.0)]


PAIRS_AT_ONCE: Final = Scenario(
    "pairs",
    "two faults at once",
    Cast(pairs=6, pause_s=0.005),
    rounds=5,
    rounds_long=50,
    timeout_s=120.0,
    disturb=pairs,
    judge=judge,
)
