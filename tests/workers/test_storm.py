"""Everything that may fail between workers, failing at random while people talk."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random

import trio

from greenroom.storage.postgres import PostgresOptions
from tests.storage.bus.redis_server import RedisServer
from tests.workers.people import Ear, Pair, a_pair, listening
from tests.workers.server import WorkersServer, workers_server

PAIRS = 6
STORM_S = 12.0
HEALED_WITHIN_S = 60.0
SEED = 20_261_123


class Storm:
    """Strikes at random, as its seed has it, for a while."""

    def __init__(self, server: WorkersServer, redis: RedisServer, rng: Random) -> None:
        self._server = server
        self._redis = redis
        self._rng = rng

    async def rage(self) -> None:
        strikes: list[Callable[[], Awaitable[None]]] = [
            self._kill_worker,
            self._roll_over,
            self._kill_subscribers,
            self._freeze_redis,
            self._lose_redis,
        ]
        over_at = trio.current_time() + STORM_S
        while trio.current_time() < over_at:
            await trio.sleep(self._rng.uniform(0.5, 2.5))
            await self._rng.choice(strikes)()

    async def _kill_worker(self) -> None:
        with suppress(ProcessLookupError):  # it was killed just before
            os.kill(self._rng.choice(self._server.serving()), signal.SIGKILL)

    async def _roll_over(self) -> None:
        self._server.signal(signal.SIGHUP)

    async def _kill_subscribers(self) -> None:
        await trio.to_thread.run_sync(self._redis.command, "CLIENT", "KILL", "TYPE", "pubsub")

    async def _freeze_redis(self) -> None:
        self._redis.freeze()
        await trio.sleep(2.0)
        self._redis.thaw()

    async def _lose_redis(self) -> None:
        self._redis.kill()
        await trio.sleep(0.5)
        await trio.to_thread.run_sync(self._redis.start)


async def test_a_storm_loses_repeats_and_reorders_nothing(
    database: PostgresOptions, redis: RedisServer, tmp_path: Path
) -> None:
    settings = {"GREENROOM_REDIS_URL": redis.url}
    with workers_server(database.conninfo, tmp_path, settings=settings) as server:
        async with AsyncExitStack() as stack:
            talks: list[tuple[Pair, list[str], list[Ear]]] = []
            for number in range(PAIRS):
                pair = await stack.enter_async_context(a_pair(server.url, f"student{number}"))
                ears = [await stack.enter_async_context(listening(who)) for who in (pair.student, pair.instructor)]
                talks.append((pair, [], ears))
            is_over = trio.Event()
            async with trio.open_nursery() as nursery:
                for pair, said, _ in talks:
                    nursery.start_soon(pair.keep_talking, said, is_over)
                await Storm(server, redis, Random(SEED)).rage()
                is_over.set()
            for _, said, ears in talks:
                for ear in ears:
                    await ear.until(said, within_s=HEALED_WITHIN_S)
            for _, said, ears in talks:
                assert [ear.heard for ear in ears] == [said, said], f"seed {SEED}"
