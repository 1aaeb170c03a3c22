"""The network between server and Postgres hangs, resets, drips or delays: no call outlives its deadline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from chaos.bars import heals_within, polite_refusals, streams_stay
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.launch import Launch, NotHere
from chaos.ledger import Ledger
from chaos.probes import Probes, Request
from chaos.proxy import Network, Proxy
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage
from chaos.timings import percentile
from greenroom.storage.postgres.embedded import EmbeddedPostgresFailed, open_embedded
from greenroom.storage.postgres.embedded.postmaster import PORT

DEADLINE_S: Final = 5.0
"""Of any request but a stream's."""

LATE_S_MAX: Final = 0.1
PATIENCE_S: Final = 15.0
"""Of the harness, for one call: longer than any deadline, so that a call that hangs is seen to."""

BROKEN_S: Final = 6.0
PER_S: Final = 20.0
HEARTBEAT_S: Final = 15.0
KINDS: Final = (Network.BLACKHOLE, Network.RESET, Network.DRIP, Network.DELAY)


@asynccontextmanager
async def behind_a_proxy(folder: Path) -> AsyncIterator[Launch]:
    """A Postgres of the harness's own, which the server reaches over TCP and through a :class:`Proxy`.

    Raises:
        NotHere: it can't be started.
    """
    try:
        async with open_embedded(folder / "postgres") as postgres, trio.open_nursery() as nursery:
            proxy = Proxy(postgres.cluster.socket_folder / f".s.PGSQL.{PORT}")
            await nursery.start(proxy.run)
            url = f"postgresql://postgres@127.0.0.1:{proxy.port}/greenroom?sslmode=disable"
            yield Launch(environment={"GREENROOM_DATABASE_URL": url}, proxy=proxy)
            nursery.cancel_scope.cancel()
    except* EmbeddedPostgresFailed as group:
        raise NotHere(str(group.exceptions[0])) from group


async def half_open(stage: Stage, rounds: int) -> Sequence[Figure]:
    proxy = stage.server.launch.proxy
    if proxy is None:
        raise PromiseBroken("there is no proxy: this is the harness's failure")
    probes = Probes(stage.server.port, timeout_s=PATIENCE_S)
    for n in range(rounds):
        await stage.let_flow(1)
        await stage.let_flow_for(0.0, 0.5)
        kind = KINDS[n % len(KINDS)]
        async with trio.open_nursery() as nursery:
            with stage.fault(f"network: {kind}"):
                proxy.become(kind)
                nursery.start_soon(lambda: probes.run(_requests(stage), per_s=PER_S, for_s=BROKEN_S))
                await trio.sleep(BROKEN_S)
                proxy.become(Network.WELL)
    await stage.let_flow(1)
    probes.close()
    slowest = {
        name: max(p.took_s for p in probes.made if p.name == name) for name in {p.name for p in probes.made}
    }
    attempts = [a for sender in stage.senders for sent in sender.sent for a in sent.attempts]
    slowest["send"] = percentile((a.ended_at - a.at for a in attempts), 1.0)
    return [
        Figure("faults", rounds),
        *(Figure(f"slowest {name}", s, "s", DEADLINE_S + LATE_S_MAX) for name, s in sorted(slowest.items())),
        Figure("heartbeats missed", _heartbeats_missed(stage), "", 0),
        Figure("hung up on", sum(not probe.answer.isdigit() for probe in probes.made), "", 0),
    ]


def _requests(stage: Stage) -> list[Request]:
    conversation_id, (student, _) = next(iter(stage.conversations.items()))
    return [
        Request("list", "GET", "/api/v1/conversations", student.headers),
        Request("history", "GET", f"/api/v1/conversations/{conversation_id}/messages", student.headers),
        Request("read", "POST", f"/api/v1/conversations/{conversation_id}/read", student.headers, {"seq": 1}),
        Request("sync", "GET", "/api/v1/sync", student.headers),
        Request("log", "GET", "/api/v1/events/log", student.headers),
        Request("ready", "GET", "/health/ready"),
        Request("live", "GET", "/health/live"),
        Request("login", "POST", "/api/v1/auth/login", body={"email": "nobody@example.com", "password": "wrong"}),
        # A session that was never seen is looked up each time.
        Request("unknown session", "GET", "/api/v1/auth/me", {"Authorization": f"Bearer {'x' * 43}"}),
    ]


def _heartbeats_missed(stage: Stage) -> int:
    """A stream says every 15 s that it lives, with its database away too."""
    now = trio.current_time()
    missed = 0
    for listener in stage.listeners:
        spans = [(c.ended_at or now) - c.ready_at for c in listener.log().connections if c.ready_at is not None]
        owed = sum(int((span - 1.0) / HEARTBEAT_S) for span in spans)
        missed += max(0, owed - listener.heartbeats)
    return missed


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [heals_within(ledger, DEADLINE_S), streams_stay(ledger), *polite_refusals(ledger)]


HALF_OPEN: Final = Scenario(
    "half_open",
    "the network to Postgres hangs, resets, drips, delays",
    Cast(pairs=4, pause_s=0.02, attempt_timeout_s=PATIENCE_S),
    rounds=4,
    rounds_long=40,
    timeout_s=150.0,
    disturb=half_open,
    judge=judge,
    prepare=behind_a_proxy,
)
