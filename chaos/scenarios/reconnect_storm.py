"""The server is killed with 300 streams on it, comes back, and all of them return in the same moment."""

from __future__ import annotations

from typing import Final

import trio

from chaos.scenario import PromiseBroken, Scenario
from chaos.stage import Cast, Stage


async def reconnect_storm(stage: Stage, rounds: int) -> str:
    caught_up_s = []
    for _ in range(rounds):
        await stage.let_flow(2)
        stage.gate.close()
        await stage.server.kill()
        await stage.server.start()
        # Nobody listens: this is what they have missed when they come back.
        await stage.let_flow(5)
        marks = [(listener, listener.connections) for listener in stage.listeners]
        began = trio.current_time()
        stage.gate.open()
        if not await stage.wait_caught_up():
            raise PromiseBroken("not every listener caught up in time")
        caught_up_s.append(trio.current_time() - began)
        if any(listener.connections <= before for listener, before in marks):
            raise PromiseBroken("a listener did not come back")
    return f"{len(stage.listeners)} back at once, all caught up in at most {max(caught_up_s, default=0.0):.1f} s"


RECONNECT_STORM: Final = Scenario(
    "reconnect_storm",
    "300 streams reconnect at once",
    # 20 people with 15 streams each; a person may hold 20. Slow senders: each message is written 15 times to each side.
    Cast(pairs=10, listeners_per_person=15, pause_s=0.5),
    rounds=2,
    timeout_s=180.0,
    disturb=reconnect_storm,
)
