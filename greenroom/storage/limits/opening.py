"""Where a worker's limits are kept: with the bus, as what connects the workers is what they can share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from greenroom.storage.bus_opening import BusKind, namespace_of, shared_key
from greenroom.storage.limits.local import LocalLimits
from greenroom.storage.limits.postgres import PostgresHome
from greenroom.storage.limits.redis import RedisHome
from greenroom.storage.limits.shared import SharedLimits, open_shared_limits
from greenroom.storage.postgres import Pool
from greenroom.storage.redis import RedisUrl


@asynccontextmanager
async def open_limits(
    kind: BusKind, *, pool: Pool, redis: RedisUrl | None, workers: int
) -> AsyncIterator[LocalLimits | SharedLimits]:
    """Keep the limits of one worker; a Redis that can't be reached is tried again in the background.

    Args:
        redis: needed for that kind alone.
        workers: how many there are on this machine.

    Raises:
        Unavailable: the database, which has the key, can't be reached.
    """
    if kind is BusKind.LOCAL:
        yield LocalLimits()
        return
    key = await shared_key(pool)
    if kind is BusKind.POSTGRES or redis is None:
        async with open_shared_limits(PostgresHome(pool), workers=workers, key=key) as limits:
            yield limits
    else:
        async with (
            aclosing(RedisHome(redis, namespace=namespace_of(key))) as home,
            open_shared_limits(home, workers=workers, key=key) as limits,
        ):
            yield limits
