"""SIGHUP again and again under load: every worker is replaced each time, and nobody is refused, reset or cut."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from functools import partial
from typing import Final

import trio

from chaos.bars import all_served
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.probes import Probes, Request
from chaos.scenario import Scenario
from chaos.scenarios.buses import on_redis
from chaos.stage import Cast, Stage
from chaos.timings import lateness_s, percentile, resumed_s

PER_S: Final = 180.0
"""Besides some 20 messages a second."""

PATIENCE_S: Final = 10.0
ROLLED_TIMEOUT_S: Final = 40.0


async def rolling_restart(stage: Stage, rounds: int) -> Sequence[Figure]:
    workers = stage.server.workers
    probes = Probes(stage.server.port, timeout_s=PATIENCE_S)
    took_s = []
    await stage.let_flow(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(probes.run, _requests(stage), per_s=PER_S, for_s=3_600.0))
        for _ in range(rounds):
            await stage.let_flow(1)
            began = trio.current_time()
            expected = workers.told("worker_replaced") + workers.count
            with stage.fault("SIGHUP"):
                stage.server.send_signal(signal.SIGHUP)
                is_rolled = await workers.wait_told("worker_replaced", expected, within_s=ROLLED_TIMEOUT_S)
            if not is_rolled:
                raise PromiseBroken(f"not every worker was replaced:\n{stage.server.log_tail()}")
            took_s.append(trio.current_time() - began)
        nursery.cancel_scope.cancel()
    probes.close()
    took = [probe.took_s for probe in probes.made]
    return [
        Figure("SIGHUPs", rounds),
        Figure("workers", workers.count),
        Figure("streams", len(stage.listeners)),
        Figure("requests", len(probes.made)),
        Figure("resets", sum(not probe.answer.isdigit() for probe in probes.made), "", 0),
        Figure("not 2xx", sum(not probe.answer.startswith("2") for probe in probes.made), "", 0),
        Figure("p99", percentile(took, 0.99), "s"),
        Figure("rolled in at most", max(took_s, default=0.0), "s"),
    ]


def _requests(stage: Stage) -> list[Request]:
    requests = []
    for conversation_id, (student, instructor) in stage.conversations.items():
        requests += [
            Request("list", "GET", "/api/v1/conversations", student.headers),
            Request("me", "GET", "/api/v1/auth/me", instructor.headers),
            Request("history", "GET", f"/api/v1/conversations/{conversation_id}/messages", instructor.headers),
            Request("read", "POST", f"/api/v1/conversations/{conversation_id}/read", student.headers, {"seq": 1}),
        ]
    return requests


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [
        *all_served(ledger),
        Figure("streams moved", len(resumed_s(ledger))),
        Figure("delivery p99", percentile(lateness_s(ledger), 0.99), "s"),
    ]


ROLLING_RESTART: Final = Scenario(
    "rolling_restart",
    "SIGHUP under 200 requests/s and hundreds of streams",
    Cast(pairs=15, listeners_per_person=10, pause_s=1.5),
    rounds=10,
    rounds_long=20,
    timeout_s=150.0,
    disturb=rolling_restart,
    judge=judge,
    prepare=on_redis,
    workers=2,
)
