"""What happens between being put together and serving."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from greenroom import app
from greenroom.actors.loop_watch import LoopWatch
from greenroom.actors.stall_watchdog import Stall, StallWatchdog
from greenroom.app import settling
from greenroom.models.opening import Models
from greenroom.schema.settings import Settings
from greenroom.storage.postgres import PostgresOptions, open_pool
from tests.storage.bus.redis_server import RedisServer

WAIT_S = 20.0


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

    monkeypatch.setattr(settling.gc, "collect", collect)
    monkeypatch.setattr(settling.gc, "freeze", lambda: None)
    reported: list[Stall] = []
    watch = LoopWatch()
    with watch.attached():
        await trio.lowlevel.checkpoint()
        async with settling.settled(StallWatchdog(watch, threshold_s=0.05, report=reported.append)):
            await trio.sleep(0.1)

    assert len(collected) == 1
    # Any other turn may be long on a busy machine.
    assert [stall for stall in reported if any("in collect" in line for line in stall.stack)] == []


async def test_without_a_watchdog_a_server_settles_too(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(settling.gc, "collect", lambda: calls.append("collect"))
    monkeypatch.setattr(settling.gc, "freeze", lambda: calls.append("freeze"))

    async with settling.settled(None):
        assert calls == ["collect", "freeze"]


@asynccontextmanager
async def models_of_a_worker(
    database: PostgresOptions, redis: RedisServer, data_dir: Path
) -> AsyncIterator[Models]:
    """Those of one that Redis connects with others, put together as it is to serve."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=data_dir,
        redis_url=redis.url,  # type: ignore[arg-type]
    )
    limits = app.serving_limits(settings)
    with trio.fail_after(WAIT_S):
        async with (
            open_pool(database) as pool,
            app.open_server(settings, pool=pool, listeners=[], limits=limits, workers=2) as opened,
        ):
            yield opened.core.search_room.models


async def test_a_worker_that_pays_for_vectors_sees_what_others_fetch(
    database: PostgresOptions, redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    # Nothing is searched for, so nobody listens there.
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    async with models_of_a_worker(database, redis, tmp_path) as models:
        assert models.flown is not None
        while not models.flown.sees_others:  # noqa: ASYNC110 - it is found out beside the start
            await trio.sleep(0.005)


async def test_a_worker_that_embeds_by_itself_asks_nobody(
    database: PostgresOptions, redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDING_PROVIDER", "mock")
    async with models_of_a_worker(database, redis, tmp_path) as models:
        assert models.flown is None
