"""Connections that no HTTP client makes: the process stays the same one, and everybody else goes on talking.

They come at a fixed rate, so that it is their bytes that may slow the others down and not their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.hostile import CORPUS, GOOD, mutate
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage
from chaos.timings import percentile

CONNECTIONS: Final = 1_000
"""Per round."""

PER_S: Final = 200
READ_TIMEOUT_S: Final = 0.5
"""A peer that leaves before it is answered is one of the hostile ones."""

LEAVES_AT_ONCE: Final = 0.2
"""Share of those that do not even wait so long."""

GROWTH_MIB_MAX: Final = 20.0
CALM_S: Final = 3.0
SLOWER_MS_MAX: Final = 25.0
"""What the 99th percentile of the others' sends may grow by. An invalid request costs about a millisecond of the one
event loop; a handful may lie before a send."""


async def hostile_bytes(stage: Stage, rounds: int) -> Sequence[Figure]:
    server, pid = stage.server, stage.server.pid
    await stage.let_flow(1)
    await _storm(stage, CONNECTIONS)
    # What the first round leaves is warm-up: code and buffers that stay.
    before_kib = server.resident_kib()
    calm_from = trio.current_time()
    await trio.sleep(CALM_S)
    storm_from = trio.current_time()
    for _ in range(rounds - 1):
        await _storm(stage, CONNECTIONS)
    if not server.is_running or server.pid != pid:
        raise PromiseBroken(f"it died of hostile bytes:\n{server.log_tail()}")
    storm_until = trio.current_time()
    await stage.let_flow(1)
    calm, storm = _ack_ms_p99(stage, calm_from, storm_from), _ack_ms_p99(stage, storm_from, storm_until)
    return [
        Figure("connections", CONNECTIONS * rounds),
        Figure("crashed", await server.metric('greenroom_http_connection_faults_total{reason="crashed"}'), "", 0),
        Figure("memory grew", (server.resident_kib() - before_kib) / 1024, "MiB", GROWTH_MIB_MAX),
        Figure("neighbours' p99 before", calm, "ms"),
        Figure("neighbours slower by", storm - calm, "ms", SLOWER_MS_MAX),
    ]


def _ack_ms_p99(stage: Stage, since: float, until: float) -> float:
    took = (
        attempt.ended_at - attempt.at
        for sender in stage.senders
        for sent in sender.sent
        for attempt in sent.attempts
        if since <= attempt.at < until
    )
    return percentile(took, 0.99) * 1000


async def _storm(stage: Stage, connections: int) -> None:
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for n in range(connections):
            sent = CORPUS[n] if n < len(CORPUS) else mutate(stage.random, stage.random.choice(GOOD))
            nursery.start_soon(_attack, stage.server.port, sent, stage.random.random() < LEAVES_AT_ONCE)
            await trio.sleep_until(began + n / PER_S)


async def _attack(port: int, sent: bytes, leaves_at_once: bool) -> None:
    with trio.move_on_after(READ_TIMEOUT_S):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        try:
            await stream.send_all(sent)
            while not leaves_at_once and await stream.receive_some():
                pass
        except trio.BrokenResourceError:
            pass
        finally:
            await trio.aclose_forcefully(stream)


HOSTILE_BYTES: Final = Scenario(
    "hostile_bytes",
    f"malformed connections, {PER_S}/s",
    Cast(pause_s=0.05),
    rounds=5,
    rounds_long=100,
    timeout_s=90.0,
    disturb=hostile_bytes,
)
