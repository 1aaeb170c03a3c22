"""SIGKILL to the server at random moments while everybody sends: before, inside and after commits."""

from __future__ import annotations

from typing import Final

from chaos.scenario import Scenario
from chaos.stage import Cast, Stage


async def kill9(stage: Stage, rounds: int) -> str:
    back_s = []
    for _ in range(rounds):
        await stage.let_flow(1)
        await stage.let_flow_for(0.0, 1.0)
        await stage.server.kill()
        back_s.append(await stage.server.start())
    await stage.let_flow(1)
    return f"{rounds} kills, ready again in at most {max(back_s, default=0.0):.1f} s"


KILL9: Final = Scenario(
    "kill9", "SIGKILL while sending", Cast(pairs=6, pause_s=0.005), rounds=10, timeout_s=180.0, disturb=kill9
)
