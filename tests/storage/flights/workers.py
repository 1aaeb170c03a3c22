"""Workers that see each other's flights in a Redis of the test's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

import trio

from greenroom.storage.flights import RedisFlights, open_redis_flights
from greenroom.storage.redis import RedisUrl
from tests.storage.bus.redis_server import RedisServer

WAIT_S = 20.0
UNHURRIED_S = 10.0
"""For an exchange, where that is not what is tried: this machine runs other tests besides."""
UNHURRIED_LEASE_S = 20.0
"""The same for a lease. It runs by the clock of Redis, whatever pace the test's own has, so no call is to take as long."""

_tokens = count(1)


@asynccontextmanager
async def a_worker(
    redis: RedisServer, *, exchange_timeout_s: float = UNHURRIED_S, lease_s: float = UNHURRIED_LEASE_S
) -> AsyncIterator[RedisFlights]:
    """Flights as one worker sees them, from when it does."""
    async with open_redis_flights(
        RedisUrl.parse(redis.url),
        namespace="test",
        key=b"a secret",
        token=lambda: str(next(_tokens)),
        exchange_timeout_s=exchange_timeout_s,
        lease_s=lease_s,
    ) as flights:
        await until(lambda: flights.is_up)
        yield flights


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(WAIT_S):
        while not condition():  # noqa: ASYNC110 - the other side of a socket sets no event
            await trio.sleep(0.005)
