"""Which bus a worker has: Redis where there is one, LISTEN/NOTIFY between several workers, else its own memory."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from random import Random
from typing import Final

from greenroom.storage.bus_local import LocalBus
from greenroom.storage.bus_postgres import PostgresWire
from greenroom.storage.bus_shared import SharedBus, open_shared_bus
from greenroom.storage.bus_wire import Wire
from greenroom.storage.postgres import Pool
from greenroom.storage.redis import RedisUrl, RedisWire

BUS_KEY: Final = """
-- bus_key: what signs the notes of this database's workers, and the history they speak of.
SELECT epoch, bus_key FROM stream_epoch
"""


class BusKind(StrEnum):
    LOCAL = "local"
    POSTGRES = "postgres"
    REDIS = "redis"


@asynccontextmanager
async def open_bus(
    kind: BusKind, *, pool: Pool, redis: RedisUrl | None, worker: str, rng: Random
) -> AsyncIterator[LocalBus | SharedBus]:
    """Open the bus of one worker; a wire that can't be reached is waited for in the background.

    Args:
        redis: needed for that kind alone.
        worker: names this process; no other, living or dead, may have had the name.

    Raises:
        Unavailable: the database, which has the key, can't be reached.
    """
    if kind is BusKind.LOCAL:
        yield LocalBus()
        return
    key = await shared_key(pool)
    async with open_shared_bus(_wire(kind, pool, redis, key), worker=worker, key=key, rng=rng) as bus:
        yield bus


def _wire(kind: BusKind, pool: Pool, redis: RedisUrl | None, key: bytes) -> Wire:
    if kind is BusKind.POSTGRES or redis is None:
        return PostgresWire(pool.options)
    return RedisWire(redis, namespace=namespace_of(key))


async def shared_key(pool: Pool) -> bytes:
    """Read the secret that the workers of one database share.

    Raises:
        Unavailable: the database can't be reached.
    """
    [key] = await pool.fetch(BUS_KEY, None, _key)
    return key


def namespace_of(key: bytes) -> str:
    """Name an installation in what it shares with others, without telling its secret."""
    return hashlib.sha256(key).hexdigest()[:12]


def _key(epoch: str, secret: str) -> bytes:
    """A key of its own for every history, so that nothing said in an earlier one is believed."""
    return hmac.digest(secret.encode(), epoch.encode(), "sha256")
