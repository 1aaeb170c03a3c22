"""Whether a worker sees the flights of others: where Redis connects them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from greenroom.storage.bus_opening import BusKind, namespace_of, shared_key
from greenroom.storage.flights.redis import RedisFlights, open_redis_flights
from greenroom.storage.postgres import Pool
from greenroom.storage.redis import RedisUrl


@asynccontextmanager
async def open_flights(
    kind: BusKind, *, pool: Pool, redis: RedisUrl | None, token: Callable[[], str]
) -> AsyncIterator[RedisFlights | None]:
    """See the flights of other workers for the length of the block; None where no Redis connects them.

    Args:
        redis: needed for that kind alone.
        token: makes names that no other has.

    Raises:
        Unavailable: the database, which has the key, can't be reached.
    """
    if kind is not BusKind.REDIS or redis is None:
        yield None
        return
    key = await shared_key(pool)
    async with open_redis_flights(redis, namespace=namespace_of(key), key=key, token=token) as flights:
        yield flights
