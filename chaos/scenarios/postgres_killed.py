"""SIGKILL to the embedded Postgres; the server stays, refuses for a moment, and has to come back by itself."""

from __future__ import annotations

import os
import signal
from typing import Final

import trio

from chaos.scenario import PromiseBroken, Scenario
from chaos.stage import Cast, Stage

RESTART_TIMEOUT_S: Final = 20.0
POLL_S: Final = 0.02
IN_A_ROW_MAX: Final = 3
CALM_S: Final = 11.0
"""The server takes a database that dies again and again within 10 s of each start for broken, and gives up."""


async def postgres_killed(stage: Stage, rounds: int) -> str:
    server, pid = stage.server, stage.server.pid
    back_s = []
    for n in range(rounds):
        if n and n % IN_A_ROW_MAX == 0:
            await trio.sleep(CALM_S)
        await stage.let_flow(1)
        await stage.let_flow_for(0.0, 1.0)
        postmaster = server.postmaster_pid()
        if postmaster is None:
            raise PromiseBroken("there is no Postgres to kill")
        os.kill(postmaster, signal.SIGKILL)
        back_s.append(await _wait_for_another(stage, postmaster))
        if not server.is_running or server.pid != pid:
            raise PromiseBroken("the server died with its database")
    await stage.let_flow(1)
    return f"{rounds} kills, ready again in at most {max(back_s, default=0.0):.1f} s, server not restarted"


async def _wait_for_another(stage: Stage, killed: int) -> float:
    began = trio.current_time()
    with trio.move_on_after(RESTART_TIMEOUT_S):
        while stage.server.postmaster_pid() in (None, killed):  # noqa: ASYNC110 - another's child sets no event
            await trio.sleep(POLL_S)
        await stage.server.wait_ready()
        return trio.current_time() - began
    raise PromiseBroken(f"no Postgres {RESTART_TIMEOUT_S:.0f} s after it was killed")


POSTGRES_KILLED: Final = Scenario(
    "postgres_killed",
    "SIGKILL to Postgres while sending",
    Cast(pairs=6, pause_s=0.005),
    rounds=3,
    timeout_s=180.0,
    disturb=postgres_killed,
)
