"""SIGTERM under load: what was begun is finished, the process ends by itself with status 0, and in time."""

from __future__ import annotations

import signal
from typing import Final

import trio

from chaos.scenario import PromiseBroken, Scenario
from chaos.stage import Cast, Stage

EXIT_TIMEOUT_S: Final = 15.0


async def sigterm(stage: Stage, rounds: int) -> str:
    took_s = []
    for _ in range(rounds):
        await stage.let_flow(1)
        await stage.let_flow_for(0.0, 1.0)
        began = trio.current_time()
        stage.server.send_signal(signal.SIGTERM)
        status = await stage.server.wait_ended(EXIT_TIMEOUT_S)
        took_s.append(trio.current_time() - began)
        if status != 0:
            raise PromiseBroken(f"SIGTERM ended it with status {status}:\n{stage.server.log_tail()}")
        await stage.server.start()
    await stage.let_flow(1)
    return f"{rounds} stops, status 0, at most {max(took_s, default=0.0):.1f} s"


SIGTERM: Final = Scenario(
    "sigterm", "SIGTERM while sending", Cast(pairs=6, pause_s=0.005), rounds=3, timeout_s=180.0, disturb=sigterm
)
