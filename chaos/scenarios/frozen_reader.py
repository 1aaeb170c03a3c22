"""A hundred readers of a thousand stop reading: they are cut off, and nobody else notices. Thawed, they miss nothing.

The others' delays are compared with those of the same people in the same run, just before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.scenario import Scenario
from chaos.sockets import unread_bytes
from chaos.stage import Cast, Stage
from chaos.timings import percentile

CALM_S: Final = 10.0
CUT_TIMEOUT_S: Final = 60.0
"""The sockets' buffers have to fill first; then come 10 s without progress."""

CUT: Final = tuple(
    f'greenroom_http_connection_faults_total{{reason="{reason}"}}' for reason in ("stalled", "lost")
)
"""How the server counts a reader whom its write found gone; one that the kernel gave up while nothing was being written
(TCP_USER_TIMEOUT, which is as long) is found by reading, and not counted."""

SLOWER_MAX: Final = 1.10
HELD_KIB_MAX: Final = 256
POLL_S: Final = 0.25


async def frozen_reader(stage: Stage, rounds: int) -> Sequence[Figure]:
    cut_s, held_kib, counted = 0.0, 0.0, 0.0
    calm_ms: list[float] = []
    frozen_ms: list[float] = []
    for _ in range(rounds):
        await stage.let_flow(1)
        calm_from = trio.current_time()
        await trio.sleep(CALM_S)
        streams = await stage.server.metric("greenroom_streams_open")
        cut_before = await _cut(stage)
        frozen_from = trio.current_time()
        stage.reading.close()
        with trio.move_on_after(CUT_TIMEOUT_S) as patience:
            while await stage.server.metric("greenroom_streams_open") > streams - len(stage.frozen):
                held_kib = max(held_kib, max(unread_bytes(stage.server.port), default=0) / 1024)
                await trio.sleep(POLL_S)
        if patience.cancelled_caught:
            raise PromiseBroken(f"a reader that reads nothing is still connected after {CUT_TIMEOUT_S:.0f} s")
        ended = trio.current_time()
        counted += await _cut(stage) - cut_before
        cut_s = max(cut_s, ended - frozen_from)
        calm_ms += _delays_ms(stage, calm_from, frozen_from)
        frozen_ms += _delays_ms(stage, frozen_from, ended)
        stage.reading.open()
        with trio.fail_after(CUT_TIMEOUT_S):
            for listener in stage.frozen:
                await listener.wait_connections(2)
    before, meanwhile = percentile(calm_ms, 0.99), percentile(frozen_ms, 0.99)
    return [
        Figure("streams", streams),
        Figure("frozen", len(stage.frozen)),
        Figure("all cut after", cut_s, "s"),
        Figure("counted as stalled or lost", counted),
        Figure("most the kernel held for one", held_kib, "KiB", HELD_KIB_MAX),
        Figure("others' p99 before", before, "ms"),
        Figure("meanwhile", meanwhile, "ms"),
        Figure("others' p99 times slower", meanwhile / before, "", SLOWER_MAX),
    ]


async def _cut(stage: Stage) -> float:
    return sum([await stage.server.metric(sample) for sample in CUT])


def _delays_ms(stage: Stage, since: float, until: float) -> list[float]:
    """From a sender's first attempt to a live listener's log, so that a retry counts as the delay it is."""
    begun = {(s.conversation_id, s.client_id, s.sender_id): s.at for sender in stage.senders for s in sender.sent}
    begun_of = {
        acked.message_id: begun[(acked.conversation_id, acked.client_id, acked.sender_id)]
        for sender in stage.senders
        for acked in sender.acked
    }
    return [
        (event.at - at) * 1000
        for listener in stage.listeners
        if listener not in stage.frozen
        for event in listener.delivered
        if event.message is not None and since <= (at := begun_of.get(event.message.message_id, 0.0)) < until
    ]


FROZEN_READER: Final = Scenario(
    "frozen_reader",
    "100 readers of 1,000 stop reading",
    # 44 people with 20 streams each, and five with 20 that freeze, whose long messages fill their buffers within seconds.
    Cast(pairs=22, listeners_per_person=20, pause_s=4.0, fast_pairs=5, fast_listeners=20, fast_pause_s=1.0),
    rounds=1,
    rounds_long=5,
    timeout_s=150.0,
    disturb=frozen_reader,
)
