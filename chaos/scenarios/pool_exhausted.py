"""Four connections to Postgres, all of them held up by a lock, and 200 requests a second that want one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from chaos.bars import polite_refusals, streams_stay
from chaos.database import backends, held
from chaos.figures import Figure
from chaos.launch import Launch
from chaos.ledger import Ledger
from chaos.probes import Probe, Probes, Request, named
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage
from chaos.timings import percentile

POOL: Final = 4
PER_S: Final = 200.0
HELD_S: Final = 5.0
QUEUE_S: Final = 0.5
"""How long a request may wait for a connection."""

REFUSED_S_MAX: Final = QUEUE_S + 0.1
RECOVERY_S_MAX: Final = 1.0
AFTER_S: Final = 3.0
HEALTH_S_MAX: Final = 0.1


@asynccontextmanager
async def with_a_small_pool(folder: Path) -> AsyncIterator[Launch]:
    yield Launch(environment={"GREENROOM_DATABASE_POOL_SIZE": str(POOL)})


async def pool_exhausted(stage: Stage, rounds: int) -> Sequence[Figure]:
    probes = Probes(stage.server.port, timeout_s=10.0)
    held_at: list[tuple[float, float]] = []
    for _ in range(rounds):
        await stage.let_flow(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: probes.run(_reads(stage), per_s=PER_S, for_s=HELD_S + AFTER_S))
            nursery.start_soon(lambda: probes.run(_health(stage), per_s=10.0, for_s=HELD_S + AFTER_S))
            with stage.fault("pool exhausted"):
                # What every read and every send of these clients needs.
                async with held(stage.server.database_folder(), "LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"):
                    at = trio.current_time()
                    await trio.sleep(HELD_S)
            held_at.append((at, trio.current_time()))
    await stage.stop_senders()
    reads = named(probes.made, "read")
    probes.close()
    waited = [p for p in reads if p.answer == "503"]
    # The others had their turn and then waited for the lock as long as a statement may.
    refused = [p for p in waited if p.code == "pool_exhausted"]
    late = [_recovery_s(reads, until) for _, until in held_at]
    health = named(probes.made, "live", "metrics")
    return [
        Figure("reads", len(reads)),
        Figure("refused for want of a connection", len(refused)),
        Figure("refused after p50", percentile((p.took_s for p in refused), 0.5), "s"),
        Figure("refused after p99", percentile((p.took_s for p in refused), 0.99), "s", REFUSED_S_MAX),
        Figure("slowest 503", percentile((p.took_s for p in waited), 1.0), "s"),
        Figure("503 in all", len(waited)),
        Figure("refusals without Retry-After", sum(not p.has_retry_after for p in waited), "", 0),
        Figure("answers that are neither 200 nor 503", sum(p.answer not in {"200", "503"} for p in reads), "", 0),
        Figure("live and metrics not answered", sum(p.answer != "200" for p in health), "", 0),
        Figure("live and metrics p99", percentile((p.took_s for p in health), 0.99), "s", HEALTH_S_MAX),
        Figure("all served again after", max(late, default=0.0), "s", RECOVERY_S_MAX),
        Figure("connections leaked", await stage.server.metric("greenroom_pool_in_use"), "", 0),
        Figure("backends", len(await backends(stage.server.database_folder())), "", POOL),
    ]


def _recovery_s(reads: Sequence[Probe], since: float) -> float:
    """From when the lock was let go of until the last refusal."""
    return max(
        (p.at + p.took_s - since for p in reads if p.answer != "200" and p.at + p.took_s > since), default=0.0
    )


def _reads(stage: Stage) -> list[Request]:
    return [
        Request("read", "GET", f"/api/v1/conversations/{conversation_id}/messages?limit=10", person.headers)
        for conversation_id, pair in stage.conversations.items()
        for person in pair
    ]


def _health(stage: Stage) -> list[Request]:
    return [
        Request("live", "GET", "/health/live"),
        Request("metrics", "GET", "/metrics", {"X-API-Key": stage.server.admin_api_key()}),
        Request("ready", "GET", "/health/ready"),
    ]


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [streams_stay(ledger), *polite_refusals(ledger)]


POOL_EXHAUSTED: Final = Scenario(
    "pool_exhausted",
    f"{POOL} connections, all held up, {PER_S:.0f} requests/s",
    Cast(pairs=4, pause_s=0.1),
    rounds=1,
    rounds_long=10,
    timeout_s=60.0,
    disturb=pool_exhausted,
    judge=judge,
    prepare=with_a_small_pool,
)
