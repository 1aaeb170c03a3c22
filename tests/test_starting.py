"""What happens between being put together and serving."""

from __future__ import annotations

import time

import pytest
import trio

from greenroom import app
from greenroom.actors.loop_watch import LoopWatch
from greenroom.actors.stall_watchdog import Stall, StallWatchdog


async def test_what_the_collector_takes_before_anybody_is_served_is_no_stall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collected: list[float] = []

    def collect() -> int:
        began = time.perf_counter()
        while time.perf_counter() < began + 0.15:
            pass
        collected.append(began)
        return 0

    monkeypatch.setattr(app.gc, "collect", collect)
    monkeypatch.setattr(app.gc, "freeze", lambda: None)
    reported: list[Stall] = []
    watch = LoopWatch()
    with watch.attached():
        await trio.lowlevel.checkpoint()
        async with app.settled(StallWatchdog(watch, threshold_s=0.05, report=reported.append)):
            await trio.sleep(0.1)

    assert len(collected) == 1
    assert reported == []


async def test_without_a_watchdog_a_server_settles_too(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(app.gc, "collect", lambda: calls.append("collect"))
    monkeypatch.setattr(app.gc, "freeze", lambda: calls.append("freeze"))

    async with app.settled(None):
        assert calls == ["collect", "freeze"]
