"""The server may have 256 open files, and 400 connections come: those it has go on, and it accepts again as they leave."""

from __future__ import annotations

import resource
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import trio

from chaos.bars import streams_stay
from chaos.broken import PromiseBroken
from chaos.crowd import Crowd
from chaos.figures import Figure
from chaos.ledger import Ledger
from chaos.line import Line, NoAnswer
from chaos.scenario import Scenario
from chaos.stage import Cast, Stage

FILES: Final = 256
CROWD: Final = 400
FULL_S: Final = 3.0
ACCEPTS_S_MAX: Final = 1.0
PATIENCE_S: Final = 20.0

HALF_A_REQUEST: Final = b"GET /health/live HTTP/1.1\r\nX: "


async def descriptors(stage: Stage, rounds: int) -> Sequence[Figure]:
    pid = stage.server.pid
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    accepts_s, refused = 0.0, 0.0
    for _ in range(rounds):
        await stage.let_flow(1)
        before = await stage.server.metric(FAILURES)
        async with Crowd(stage.server.port) as crowd:
            with stage.fault("no files left"):
                until = trio.current_time() + FULL_S
                await crowd.come(CROWD)
                while trio.current_time() < until:
                    # Idle connections are let go of after some seconds, so that the crowd has to be kept up.
                    await crowd.come(10)
                    await trio.sleep(0.1)
                await crowd.leave()
            accepts_s = max(accepts_s, await _accepts_after_s(stage))
        if not stage.server.is_running or stage.server.pid != pid:
            raise PromiseBroken(f"it died for want of files:\n{stage.server.log_tail()}")
        refused += await stage.server.metric(FAILURES) - before
        await stage.let_flow(1)
    if not refused:
        raise PromiseBroken("its files never ran out: this is the harness's failure")
    return [
        Figure("times full", rounds),
        Figure("accepts that failed", refused),
        Figure("accepts again after", accepts_s, "s", ACCEPTS_S_MAX),
    ]


FAILURES: Final = "greenroom_http_accept_failures_total"


async def _accepts_after_s(stage: Stage) -> float:
    """How long until somebody new is served."""
    began = trio.current_time()
    with trio.move_on_after(PATIENCE_S):
        while True:
            line = Line(stage.server.port, timeout_s=PATIENCE_S)
            try:
                with suppress(NoAnswer):
                    await line.ask("GET", "/health/live")
                    return trio.current_time() - began
            finally:
                line.close()
            await trio.sleep(0.02)
    raise PromiseBroken(f"nobody new was served for {PATIENCE_S:.0f} s")


def judge(ledger: Ledger) -> Sequence[Figure]:
    return [streams_stay(ledger)]


DESCRIPTORS: Final = Scenario(
    "descriptors",
    f"{FILES} files and {CROWD} connections",
    Cast(pairs=4, pause_s=0.02),
    rounds=2,
    rounds_long=20,
    timeout_s=60.0,
    disturb=descriptors,
    judge=judge,
)
