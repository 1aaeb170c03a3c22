"""Readers that stop reading: they are cut off, and nobody else notices. Thawed, they come back and miss nothing."""

from __future__ import annotations

from typing import Final

import httpx
import trio

from chaos.scenario import PromiseBroken, Scenario
from chaos.stage import Cast, Stage

FROZEN: Final = 3
CUT_TIMEOUT_S: Final = 40.0
"""The sockets' buffers, of some MiB, have to fill first; then 10 s without progress."""

DELAY_MS_MAX: Final = 2_000.0
"""What a live listener may wait for a message at the 99th percentile; two cores are shared with the harness."""

POLL_S: Final = 0.25


async def frozen_reader(stage: Stage, rounds: int) -> str:
    began = trio.current_time()
    open_at_first = await _streams_open(stage)
    with trio.move_on_after(CUT_TIMEOUT_S * rounds):
        while await _streams_open(stage) > open_at_first - len(stage.frozen):  # noqa: ASYNC110 - asked over HTTP
            await trio.sleep(POLL_S)
        cut_s = trio.current_time() - began
        delay_ms = _delay_ms_p99(stage)
        await _thaw(stage)
        if delay_ms > DELAY_MS_MAX:
            raise PromiseBroken(f"live listeners waited {delay_ms:.0f} ms at the 99th percentile")
        return f"{len(stage.frozen)} cut after {cut_s:.1f} s; the others' p99 {delay_ms:.0f} ms"
    raise PromiseBroken(f"a reader that reads nothing is still connected after {CUT_TIMEOUT_S * rounds:.0f} s")


async def _thaw(stage: Stage) -> None:
    """Let the frozen read on: the rest of what was written to them, then the end, then on a new connection."""
    stage.thaw.set()
    await stage.stop_senders()
    if not await stage.wait_caught_up():
        raise PromiseBroken("a reader that was cut off did not catch up")
    if any(listener.connections < 2 for listener in stage.frozen):
        raise PromiseBroken("a reader that counts as cut off was not")


async def _streams_open(stage: Stage) -> int:
    answer = await stage.http.get("/metrics", headers={"X-API-Key": stage.server.admin_api_key()})
    answer.raise_for_status()
    lines = [line for line in answer.text.splitlines() if line.startswith("greenroom_streams_open ")]
    if answer.status_code != httpx.codes.OK or not lines:
        raise PromiseBroken("the server does not say how many streams are open")
    return int(float(lines[0].split()[1]))


def _delay_ms_p99(stage: Stage) -> float:
    """From a sender's first attempt to a live listener's log, so that a retry counts as the delay it is."""
    begun = {
        (sent.conversation_id, sent.client_id, sent.sender_id): sent.at for s in stage.senders for sent in s.sent
    }
    keys = {
        acked.message_id: (acked.conversation_id, acked.client_id, acked.sender_id)
        for s in stage.senders
        for acked in s.acked
    }
    delays = sorted(
        event.at - begun[key]
        for listener in stage.listeners
        if listener not in stage.frozen
        for event in listener.delivered
        if event.message is not None and (key := keys.get(event.message.message_id)) in begun
    )
    return delays[int(len(delays) * 0.99)] * 1000 if delays else 0.0


FROZEN_READER: Final = Scenario(
    "frozen_reader",
    "readers stop reading",
    # Long messages, so that a reader's buffers are full within seconds.
    Cast(pairs=FROZEN + 1, pause_s=0.02, content="x" * 5_000, frozen=FROZEN),
    rounds=1,
    timeout_s=180.0,
    disturb=frozen_reader,
)
