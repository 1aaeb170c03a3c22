"""SIGKILL to the server while everybody sends: at random moments, and aimed at a message on its way through.

A third of the kills come at no particular moment. The others wait until some sender has put a request on the wire, or has
just been answered, and then strike within milliseconds: the first kind falls between receiving and commit, the second
between somebody's commit and its publication, or into the next batch. With a dozen senders something is always in flight.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage
from chaos.timings import percentile, resumed_s

READY_S_MAX: Final = 2.0
RESUME_S_MAX: Final = 3.0
AIM_S_MAX: Final = 0.008
"""A lone send takes 3 to 5 ms from request to answer, one among a dozen up to 20."""


async def kill9(stage: Stage, rounds: int) -> Sequence[Figure]:
    ready_s = []
    for _ in range(rounds):
        await stage.let_flow(1)
        await strike(stage)
        ready_s.append(await stage.server.start())
    await stage.let_flow(1)
    return [
        Figure("kills", rounds),
        Figure("ready again p50", percentile(ready_s, 0.5), "s"),
        Figure("slowest ready again", percentile(ready_s, 1.0), "s", READY_S_MAX),
    ]


async def strike(stage: Stage) -> None:
    """Kill the server at a moment that the stage's randomness picks."""
    await aim(stage)
    with stage.fault("kill -9"):
        os.kill(stage.server.pid, signal.SIGKILL)
    await stage.server.kill()


async def aim(stage: Stage) -> None:
    """Wait for a moment that the stage's randomness picks."""
    match stage.random.randrange(3):
        case 0:
            await stage.let_flow_for(0.0, 0.5)
        case 1:
            await stage.asked.wait()
            _spin(stage.random)
        case _:
            await stage.answered.wait()
            _spin(stage.random)


def _spin(random: Random) -> None:
    """Let a moment pass without giving way to any client: a timer of the event loop is too coarse to aim with."""
    until = time.perf_counter() + random.uniform(0.0, AIM_S_MAX)
    while time.perf_counter() < until:
        pass


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [Figure("resume p99", percentile(resumed_s(ledger), 0.99), "s", RESUME_S_MAX)]


KILL9: Final = Scenario(
    "kill9",
    "SIGKILL while sending",
    Cast(pairs=6, pause_s=0.005),
    rounds=10,
    rounds_long=200,
    timeout_s=90.0,
    disturb=kill9,
    judge=judge,
)
