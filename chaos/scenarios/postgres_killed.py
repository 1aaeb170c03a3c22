"""Postgres dies, restarts, or loses one backend; the server stays, refuses for a moment, and comes back by itself.

A killed backend takes every connection with it: Postgres can't know what it left in shared memory, so it drops all clients
and recovers. Source: PostgreSQL manual, "Shutting Down the Server", on SIGKILL to a child.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Final

import trio

from chaos.bars import heals_within, polite_refusals, streams_stay
from chaos.broken import PromiseBroken
from chaos.database import backends
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage

RESTART_TIMEOUT_S: Final = 20.0
HEALTHY_S_MAX: Final = 3.0
POLL_S: Final = 0.01
KINDS: Final = ("kill -9", "restart", "backend")


async def postgres_killed(stage: Stage, rounds: int) -> Sequence[Figure]:
    pid = stage.server.pid
    for n in range(rounds):
        await stage.let_flow(1)
        await stage.let_flow_for(0.0, 1.0)
        await break_postgres(stage, KINDS[n % len(KINDS)])
        await stage.let_flow(1)
        if not stage.server.is_running or stage.server.pid != pid:
            raise PromiseBroken("the server died with its database")
    return [Figure("faults", rounds)]


async def break_postgres(stage: Stage, kind: str) -> None:
    """Do one of the kinds, and wait until Postgres accepts connections again."""
    postmaster = stage.server.postmaster_pid()
    if postmaster is None:
        raise PromiseBroken("there is no Postgres to break")
    with stage.fault(f"Postgres: {kind}"):
        match kind:
            case "backend":
                os.kill(stage.random.choice(await backends(stage.server.database_folder())), signal.SIGKILL)
            case "restart":
                # A fast shutdown; the server starts it again, as it does with one that died.
                os.kill(postmaster, signal.SIGINT)
                await wait_another_postgres(stage, postmaster)
            case _:
                os.kill(postmaster, signal.SIGKILL)
                await wait_another_postgres(stage, postmaster)


async def wait_another_postgres(stage: Stage, before: int) -> None:
    """Wait until another postmaster accepts connections.

    Raises:
        PromiseBroken: not in time.
    """
    with trio.move_on_after(RESTART_TIMEOUT_S):
        while stage.server.accepting_postmaster_pid() in (None, before):  # noqa: ASYNC110 - another's child sets no event
            await trio.sleep(POLL_S)
        return
    raise PromiseBroken(f"no Postgres {RESTART_TIMEOUT_S:.0f} s after it was broken")


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [heals_within(ledger, HEALTHY_S_MAX), streams_stay(ledger), *polite_refusals(ledger)]


POSTGRES_KILLED: Final = Scenario(
    "postgres_killed",
    "Postgres is killed, restarted, loses a backend",
    Cast(pairs=6, pause_s=0.005),
    rounds=6,
    rounds_long=30,
    timeout_s=120.0,
    disturb=postgres_killed,
    judge=judge,
)
