"""Redis is killed, frozen, emptied, and throws its subscribers out: nobody is refused anything, and news is a little late."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import trio

from chaos.bars import all_served
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.line import NoAnswer
from chaos.probes import Probes, Request
from chaos.scenario import Scenario
from chaos.scenarios.buses import on_redis, redis_of
from chaos.stage import Cast, Stage
from chaos.timings import lateness_s, percentile

DOWN_S: Final = 5.0
FROZEN_S: Final = 10.0
FROZEN_LONG_S: Final = 60.0
AFTER_S: Final = 3.0
"""After what is over at once: two seconds is the longest that news may take."""

LATE_S_MAX: Final = 2.0
NOTICED_S: Final = 3.0
"""Within this a server says that it is degraded: missing its own signs of life takes 1.5 s."""

WELL_TIMEOUT_S: Final = 10.0
PER_S: Final = 20.0
PATIENCE_S: Final = 10.0
POLL_S: Final = 0.05


async def _stop(stage: Stage, _: int) -> None:
    redis = redis_of(stage)
    with stage.fault("Redis stopped"):
        redis.kill()
        await _degraded_for(stage, DOWN_S)
        await redis.start()
    await _until(stage, "ok", within_s=WELL_TIMEOUT_S)


async def _freeze(stage: Stage, nth: int) -> None:
    redis = redis_of(stage)
    with stage.fault("Redis frozen"):
        redis.freeze()
        try:
            await _degraded_for(stage, FROZEN_LONG_S if nth else FROZEN_S)
        finally:
            redis.thaw()
    await _until(stage, "ok", within_s=WELL_TIMEOUT_S)


async def _flush(stage: Stage, _: int) -> None:
    with stage.fault("FLUSHALL"):
        await redis_of(stage).command("FLUSHALL")
        await trio.sleep(AFTER_S)


async def _throw_out(stage: Stage, _: int) -> None:
    with stage.fault("CLIENT KILL TYPE pubsub"):
        if await redis_of(stage).command("CLIENT", "KILL", "TYPE", "pubsub") == ":0":
            raise PromiseBroken("nobody had subscribed")
        await trio.sleep(AFTER_S)
    await _until(stage, "ok", within_s=WELL_TIMEOUT_S)


Kind = Callable[[Stage, int], Awaitable[None]]
KINDS: Final[tuple[Kind, ...]] = (_stop, _freeze, _flush, _throw_out)


async def redis_faults(stage: Stage, rounds: int) -> Sequence[Figure]:
    """Each kind in turn; every second freeze is a long one, which takes more than the usual number of rounds."""
    await _until(stage, "ok", within_s=WELL_TIMEOUT_S)
    async with _reading(stage) as probes:
        for n in range(rounds):
            await stage.let_flow(1)
            await stage.let_flow_for(0.0, 0.5)
            await KINDS[n % len(KINDS)](stage, n // len(KINDS) % 2)
    return [
        Figure("faults", rounds),
        Figure("reads and logins", len(probes.made)),
        Figure("of them failed", sum(not probe.answer.startswith("2") for probe in probes.made), "", 0),
        Figure("slowest read", max((p.took_s for p in probes.made if p.name != "login"), default=0.0), "s"),
    ]


@asynccontextmanager
async def _reading(stage: Stage) -> AsyncIterator[Probes]:
    """Reads at a fixed rate for as long as the block."""
    conversation_id, (student, _) = next(iter(stage.conversations.items()))
    requests = [
        Request("list", "GET", "/api/v1/conversations", student.headers),
        Request("history", "GET", f"/api/v1/conversations/{conversation_id}/messages", student.headers),
        Request("sync", "GET", "/api/v1/sync", student.headers),
        Request("me", "GET", "/api/v1/auth/me", student.headers),
    ]
    probes = Probes(stage.server.port, timeout_s=PATIENCE_S)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(probes.run, requests, per_s=PER_S, for_s=3_600.0))
        yield probes
        nursery.cancel_scope.cancel()
    probes.close()


async def _degraded_for(stage: Stage, seconds: float) -> None:
    """Let a time pass, and see that the server says it is degraded, but ready, all but its very beginning."""
    until = trio.current_time() + seconds
    await _until(stage, "degraded", within_s=NOTICED_S)
    while trio.current_time() < until:
        if (said := await _says(stage)) != "degraded":
            raise PromiseBroken(f"without Redis it says {said}")
        await trio.sleep(POLL_S)


async def _until(stage: Stage, status: str, *, within_s: float) -> None:
    """Wait until every worker says so, as far as asking them in turn for a while can tell."""
    agreed = 0
    with trio.move_on_after(within_s):
        while agreed < 2 * stage.server.workers.count:
            agreed = agreed + 1 if await _says(stage) == status else 0
            await trio.sleep(POLL_S)
        return
    raise PromiseBroken(f"it did not say {status} within {within_s:.0f} s")


async def _says(stage: Stage) -> str:
    """What one worker says of itself, on a connection of its own, so that another may be asked the next time."""
    stage.line.close()
    try:
        answer = await stage.line.ask("GET", "/health/ready")
    except NoAnswer as exc:
        raise PromiseBroken(f"/health/ready: {exc}") from exc
    if answer.status != 200:
        raise PromiseBroken(f"/health/ready answers {answer.status}")
    return str(answer.json()["status"])


def judge(ledger: Ledger) -> Sequence[Figure]:
    kinds = sorted({fault.what for fault in ledger.faults})
    late = [(kind, lateness_s(ledger, during=kind)) for kind in kinds]
    attempts = [a for sent in ledger.sent for a in sent.attempts]
    return [
        *all_served(ledger),
        *(Figure(f"{kind}: delivery p99", percentile(s, 0.99), "s", LATE_S_MAX) for kind, s in late),
        *(Figure(f"{kind}: latest", percentile(s, 1.0), "s") for kind, s in late),
        Figure("slowest send", max((a.ended_at - a.at for a in attempts), default=0.0), "s"),
    ]


REDIS_FAULTS: Final = Scenario(
    "redis_faults",
    "Redis killed, frozen, flushed, its subscribers thrown out",
    Cast(pairs=4, listeners_per_person=2, pause_s=0.05),
    rounds=4,
    rounds_long=8,
    timeout_s=120.0,
    disturb=redis_faults,
    judge=judge,
    prepare=on_redis,
    workers=2,
)
