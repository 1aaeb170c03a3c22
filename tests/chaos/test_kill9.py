"""A short run of the real thing, so that neither the harness nor what it promises rots between long ones."""

from __future__ import annotations

from dataclasses import replace

import trio

from chaos.report import refusals
from chaos.scenario import play
from chaos.scenarios.kill9 import KILL9
from chaos.stage import Cast

SEED = 20
TIMEOUT_S = 120.0
SHORT = replace(KILL9, cast=Cast(pairs=3, pause_s=0.01), rounds=2)


async def test_two_kills_under_sends_break_no_promise() -> None:
    with trio.fail_after(TIMEOUT_S):
        played = await play(SHORT, seed=SEED, rounds=None)
    assert played.broken == ()
    assert played.verdict.acked > 0
    assert refusals(played.ledger), "no sender noticed: nothing was killed under load"
