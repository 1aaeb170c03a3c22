"""SIGTERM under load, with readers that have stopped reading: what was begun is finished, and the process ends in time.

Whoever comes while nobody listens is refused by the kernel; that is what a single worker can't help. But no request that
reached the server may go without an answer.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Final

import trio

from chaos.bars import resets
from chaos.broken import PromiseBroken
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.scenario import Scenario
from chaos.sockets import unread_bytes
from chaos.stage import Cast, Stage

EXIT_TIMEOUT_S: Final = 25.0
EXIT_S_MAX: Final = 15.0
STALL_TIMEOUT_S: Final = 20.0
POLL_S: Final = 0.1
STALLED: Final = 50
STALLED_BYTES: Final = 6_000
"""More than one message, so that the server has been held up and not merely been seen in the act of writing."""


async def sigterm(stage: Stage, rounds: int) -> Sequence[Figure]:
    took_s = []
    for _ in range(rounds):
        await stage.let_flow(1)
        stage.reading.close()
        await _wait_stalled(stage)
        await stage.let_flow_for(0.0, 1.0)
        began = trio.current_time()
        with stage.fault("SIGTERM"):
            stage.server.send_signal(signal.SIGTERM)
            status = await stage.server.wait_ended(EXIT_TIMEOUT_S)
        took_s.append(trio.current_time() - began)
        if status != 0:
            raise PromiseBroken(f"SIGTERM ended it with status {status}:\n{stage.server.log_tail()}")
        await stage.server.start()
        stage.reading.open()
    await stage.let_flow(1)
    return [
        Figure("stops", rounds),
        Figure("readers stalled", len(stage.frozen)),
        Figure("exit", max(took_s, default=0.0), "s", EXIT_S_MAX),
    ]


async def _wait_stalled(stage: Stage) -> None:
    """Wait until the server has bytes for every frozen reader that it can't get rid of."""
    with trio.move_on_after(STALL_TIMEOUT_S):
        while _stalled(stage) < len(stage.frozen):  # noqa: ASYNC110 - the kernel sets no event
            await trio.sleep(POLL_S)
        return
    raise PromiseBroken("the frozen readers did not stall: this is the harness's failure")


def _stalled(stage: Stage) -> int:
    return sum(count > STALLED_BYTES for count in unread_bytes(stage.server.port))


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [resets(ledger)]


SIGTERM: Final = Scenario(
    "sigterm",
    f"SIGTERM while sending, {STALLED} readers stalled",
    Cast(pairs=4, pause_s=0.005, fast_pairs=5, fast_listeners=STALLED // 5),
    rounds=3,
    rounds_long=20,
    timeout_s=120.0,
    disturb=sigterm,
    judge=judge,
)
