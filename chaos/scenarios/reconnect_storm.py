"""The server is killed with a thousand streams on it, comes back, and all of them return in the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from chaos.broken import PromiseBroken
from chaos.clients import Listener
from chaos.figures import Figure
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage
from chaos.timings import percentile

FIRST_S_MAX: Final = 3.0
CAUGHT_UP_S_MAX: Final = 5.0
MISSED: Final = 3
"""Messages of each sender while nobody listens: what there is to catch up with."""


async def reconnect_storm(stage: Stage, rounds: int) -> Sequence[Figure]:
    first_s, caught_up_s = [], []
    for _ in range(rounds):
        await stage.let_flow(1)
        stage.gate.close()
        with stage.fault("kill -9"):
            await stage.server.kill()
        await stage.server.start()
        await stage.let_flow(MISSED)
        began = trio.current_time()
        stage.gate.open()
        if not await stage.wait_caught_up():
            raise PromiseBroken("not every listener caught up in time")
        caught_up_s.append(trio.current_time() - began)
        first_s += [_first_event_at(listener, began) - began for listener in stage.listeners]
    return [
        Figure("streams back at once", len(stage.listeners)),
        Figure("first event p50", percentile(first_s, 0.5), "s"),
        Figure("first event p99", percentile(first_s, 0.99), "s", FIRST_S_MAX),
        Figure("all caught up", max(caught_up_s, default=0.0), "s", CAUGHT_UP_S_MAX),
    ]


def _first_event_at(listener: Listener, since: float) -> float:
    for connection in listener.log().connections:
        if connection.begun_at >= since and connection.ready_at is not None:
            return connection.ready_at
    raise PromiseBroken("a listener did not come back")


RECONNECT_STORM: Final = Scenario(
    "reconnect_storm",
    "1,000 streams reconnect at once",
    # 50 people with 20 streams each, as many as a person may hold. Slow senders: each message is written 20 times to each side.
    Cast(pairs=25, listeners_per_person=20, pause_s=1.5),
    rounds=1,
    rounds_long=20,
    timeout_s=90.0,
    disturb=reconnect_storm,
)
