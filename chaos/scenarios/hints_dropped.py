"""A hundredth of what workers tell each other is lost without a word, and clients are cut and go on at another worker.

Then hardly anybody says anything, and a third of it is lost: so that no later news tells that something is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import trio

from chaos.bars import all_served
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.scenarios.buses import loss_of, on_notify, on_redis
from chaos.stage import Cast, Stage
from chaos.timings import lateness_s, percentile

TALKING_SHARE: Final = 0.01
TALKING_S: Final = 4.0
"""A round, with a listener cut every tenth of a second."""

CUT_EVERY_S: Final = 0.1
AWAY_S_MAX: Final = 2.0
IDLE_SHARE: Final = 0.33
IDLE_PAUSE_S: Final = 2.0
IDLE_S: Final = 20.0
LATE_S_MAX: Final = 2.0
LATE_IDLE_S_MAX: Final = 10.0
TALKING: Final = "1 % lost"
IDLE: Final = "33 % lost, idle"


async def hints_dropped(stage: Stage, rounds: int) -> Sequence[Figure]:
    loss = loss_of(stage)
    for _ in range(rounds):
        await stage.let_flow(1)
        with stage.fault(TALKING):
            loss.share = TALKING_SHARE
            await cut_listeners(stage, for_s=TALKING_S)
    for sender in stage.senders:
        sender.pause_s = IDLE_PAUSE_S
    with stage.fault(IDLE):
        loss.share = IDLE_SHARE
        await trio.sleep(IDLE_S)
    loss.share = 0.0
    return [
        Figure("messages between workers", loss.carried + loss.lost),
        Figure("of them lost", loss.lost),
        *cuts(stage),
    ]


async def cut_listeners(stage: Stage, *, for_s: float) -> None:
    """Cut one listener after another at random, each for up to two seconds."""
    until = trio.current_time() + for_s
    while trio.current_time() < until:
        stage.random.choice(stage.listeners).cut(stage.random.uniform(0.0, AWAY_S_MAX))
        await trio.sleep(stage.random.uniform(0.0, 2 * CUT_EVERY_S))


def cuts(stage: Stage) -> Sequence[Figure]:
    return (
        Figure("clients cut", sum(listener.cuts for listener in stage.listeners)),
        Figure("resumed on another worker", sum(listener.moves for listener in stage.listeners)),
    )


def judge(ledger: Ledger) -> Sequence[Figure]:
    talking, idle = lateness_s(ledger, during=TALKING), lateness_s(ledger, during=IDLE)
    return [
        *all_served(ledger),
        Figure("delivery p99", percentile(talking, 0.99), "s"),
        Figure("latest", percentile(talking, 1.0), "s", LATE_S_MAX),
        Figure("latest when idle", percentile(idle, 1.0), "s", LATE_IDLE_S_MAX),
    ]


HINTS_DROPPED: Final = Scenario(
    "hints_dropped",
    "1 % of the news between workers lost, clients cut and moved",
    Cast(pairs=5, listeners_per_person=2, pause_s=0.04),
    rounds=8,
    rounds_long=15,
    timeout_s=120.0,
    disturb=hints_dropped,
    judge=judge,
    prepare=on_redis,
    workers=2,
)

HINTS_DROPPED_NOTIFY: Final = replace(
    HINTS_DROPPED, name="hints_dropped_notify", what="the same with LISTEN/NOTIFY", prepare=on_notify
)
