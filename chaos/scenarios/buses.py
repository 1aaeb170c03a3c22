"""What carries news between the workers of a server, with a hand of ours on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import trio

from chaos.broken import PromiseBroken
from chaos.launch import Launch, NotHere
from chaos.proxy import Proxy
from chaos.redis import Redis, RedisFailed, a_redis
from chaos.sieves import Loss, PostgresSieve, RedisSieve
from chaos.stage import Stage
from greenroom.storage.postgres.embedded import EmbeddedPostgresFailed, open_embedded
from greenroom.storage.postgres.embedded.postmaster import PORT


@asynccontextmanager
async def on_redis(folder: Path) -> AsyncIterator[Launch]:
    """A Redis of the harness's own, behind a proxy that loses messages when told to.

    Raises:
        NotHere: there is none to be had.
    """
    try:
        async with a_redis(folder) as redis, trio.open_nursery() as nursery:
            loss = Loss(Random(0))  # noqa: S311 - for replay, not for secrets
            proxy = Proxy(redis.socket_path, lambda: RedisSieve(loss))
            await nursery.start(proxy.run)
            url = f"redis://127.0.0.1:{proxy.port}"
            yield Launch(environment={"GREENROOM_REDIS_URL": url}, proxy=proxy, redis=redis, loss=loss)
            nursery.cancel_scope.cancel()
    except* RedisFailed as group:
        raise NotHere(str(group.exceptions[0])) from group


@asynccontextmanager
async def on_notify(folder: Path) -> AsyncIterator[Launch]:
    """LISTEN/NOTIFY, by way of a proxy before all of Postgres that loses notifications when told to.

    Raises:
        NotHere: Postgres can't be started.
    """
    try:
        async with open_embedded(folder / "postgres") as postgres, trio.open_nursery() as nursery:
            loss = Loss(Random(0))  # noqa: S311
            proxy = Proxy(postgres.cluster.socket_folder / f".s.PGSQL.{PORT}", lambda: PostgresSieve(loss))
            await nursery.start(proxy.run)
            url = f"postgresql://postgres@127.0.0.1:{proxy.port}/greenroom?sslmode=disable&gssencmode=disable"
            environment = {"GREENROOM_DATABASE_URL": url, "GREENROOM_BUS": "postgres"}
            folder = postgres.cluster.socket_folder
            yield Launch(environment=environment, proxy=proxy, loss=loss, database=folder)
            nursery.cancel_scope.cancel()
    except* EmbeddedPostgresFailed as group:
        raise NotHere(str(group.exceptions[0])) from group


def redis_of(stage: Stage) -> Redis:
    if stage.server.launch.redis is None:
        raise PromiseBroken("there is no Redis: this is the harness's failure")
    return stage.server.launch.redis


def loss_of(stage: Stage) -> Loss:
    """How much of the news is lost, from now on by the stage's randomness."""
    loss = stage.server.launch.loss
    if loss is None:
        raise PromiseBroken("nothing can be lost here: this is the harness's failure")
    loss.random = Random(stage.random.getrandbits(64))  # noqa: S311
    return loss
