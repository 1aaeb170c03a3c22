"""A Postgres driver at work: 20 rows by an index, asked for one after the other by several tasks at once.

``python -m bench.peers.driver_turns trio-psycopg|asyncio-psycopg|asyncio-asyncpg alone|pool CONNINFO`` prints 0 when it
is connected. For each line with a number of seconds it reads then, it works for as long, and prints how many queries
were answered.

*alone*: a connection to each task. *pool*: the library's own pool, and more tasks than connections, as in a server.
All prepare the statement once and take rows in binary.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from time import perf_counter
from typing import Any, Final

import asyncpg
import psycopg
import psycopg_pool
import trio
from psycopg.conninfo import conninfo_to_dict

from bench.drivers import ASKERS, CONNECTIONS, CONVERSATIONS, MESSAGES, PAGE
from greenroom.storage.postgres import PostgresOptions, open_pool
from greenroom.storage.postgres.trio_connection import TrioConnection

QUERY: Final = """
SELECT conversation_id, seq, sender_id, content, created_at FROM bench_messages
 WHERE conversation_id = %(conversation_id)s AND seq > %(after)s ORDER BY seq LIMIT 20
"""
NUMBERED: Final = QUERY.replace("%(conversation_id)s", "$1").replace("%(after)s", "$2")
CONNECT_TIMEOUT_S: Final = 10.0

Ask = Callable[[int, int], Awaitable[int]]
"""Reads a page of a conversation after a seq; returns how many rows that was."""

Asks = Callable[[str], AbstractAsyncContextManager[Sequence[Ask]]]
"""Connects, and gives one :data:`Ask` to each task that is to work."""


async def keep_asking(ask: Ask, until: float, seed: int) -> int:
    """Ask until then; return how often an answer came."""
    choose = random.Random(seed)  # noqa: S311 - which rows are read is no secret
    answered = 0
    while perf_counter() < until:
        got = await ask(choose.randrange(CONVERSATIONS), choose.randrange(MESSAGES - PAGE))
        if got != PAGE:
            raise AssertionError(f"{got} rows")
        answered += 1
    return answered


# On Trio.


@asynccontextmanager
async def trio_alone(conninfo: str) -> AsyncIterator[Sequence[Ask]]:
    """greenroom's driver."""
    async with AsyncExitStack() as stack:
        asks = []
        for _ in range(CONNECTIONS):
            connection = await TrioConnection.open(conninfo, timeout_s=CONNECT_TIMEOUT_S, prepare=True)
            stack.push_async_callback(connection.close)
            asks.append(psycopg_ask(connection))
        yield asks


@asynccontextmanager
async def trio_pool(conninfo: str) -> AsyncIterator[Sequence[Ask]]:
    """greenroom's driver in greenroom's pool, which bounds every wait."""
    async with open_pool(PostgresOptions(conninfo, pool_size=CONNECTIONS)) as pool:

        async def ask(conversation_id: int, after: int) -> int:
            params = {"conversation_id": conversation_id, "after": after}
            return len(await pool.fetch(QUERY, params, lambda *columns: columns))

        yield [ask] * ASKERS


async def on_trio(open_asks: Asks, conninfo: str) -> None:
    """Take turns on Trio."""
    async with open_asks(conninfo) as asks:
        print(0, flush=True)
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            print(await _turn_on_trio(asks, perf_counter() + float(line)), flush=True)


async def _turn_on_trio(asks: Sequence[Ask], until: float) -> int:
    answered: list[int] = []

    async def work(ask: Ask, seed: int) -> None:
        answered.append(await keep_asking(ask, until, seed))

    async with trio.open_nursery() as nursery:
        for seed, ask in enumerate(asks):
            nursery.start_soon(work, ask, seed)
    return sum(answered)


# On asyncio.


@asynccontextmanager
async def psycopg_alone(conninfo: str) -> AsyncIterator[Sequence[Ask]]:
    """psycopg as it comes."""
    async with AsyncExitStack() as stack:
        asks = []
        for _ in range(CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=0)
            stack.push_async_callback(connection.close)
            asks.append(psycopg_ask(connection))
        yield asks


@asynccontextmanager
async def psycopg_pooled(conninfo: str) -> AsyncIterator[Sequence[Ask]]:
    """psycopg in psycopg's pool."""
    settings = {"autocommit": True, "prepare_threshold": 0}
    async with psycopg_pool.AsyncConnectionPool(
        conninfo, min_size=CONNECTIONS, kwargs=settings, open=False
    ) as pool:

        async def ask(conversation_id: int, after: int) -> int:
            async with pool.connection() as connection:
                return await psycopg_ask(connection)(conversation_id, after)

        yield [ask] * ASKERS


def psycopg_ask(connection: psycopg.AsyncConnection[Any]) -> Ask:
    """Asking with psycopg, whoever waits for its socket."""

    async def ask(conversation_id: int, after: int) -> int:
        cursor = connection.cursor(binary=True)
        await cursor.execute(QUERY, {"conversation_id": conversation_id, "after": after})
        return len(await cursor.fetchall())

    return ask


@asynccontextmanager
async def asyncpg_alone(conninfo: str) -> AsyncIterator[Sequence[Ask]]:
    """asyncpg as it comes."""
    async with AsyncExitStack() as stack:
        asks = []
        for _ in range(CONNECTIONS):
            connection = await asyncpg.connect(**_asyncpg_settings(conninfo))
            stack.push_async_callback(connection.close)
            asks.append(asyncpg_ask(connection))
        yield asks


@asynccontextmanager
async def asyncpg_pooled(conninfo: str) -> AsyncIterator[Sequence[Ask]]:
    """asyncpg in asyncpg's pool, which resets a connection that is given back."""
    settings = _asyncpg_settings(conninfo)
    async with asyncpg.create_pool(**settings, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        yield [asyncpg_ask(pool)] * ASKERS


def asyncpg_ask(connection_or_pool: Any) -> Ask:
    """Asking with asyncpg."""

    async def ask(conversation_id: int, after: int) -> int:
        return len(await connection_or_pool.fetch(NUMBERED, conversation_id, after))

    return ask


def _asyncpg_settings(conninfo: str) -> dict[str, Any]:
    params = conninfo_to_dict(conninfo)
    return {
        "host": params["host"],
        "port": params.get("port"),
        "user": params["user"],
        "database": params["dbname"],
    }


async def on_asyncio(open_asks: Asks, conninfo: str) -> None:
    """Take turns on asyncio."""
    async with open_asks(conninfo) as asks:
        print(0, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            until = perf_counter() + float(line)
            print(
                sum(await asyncio.gather(*(keep_asking(ask, until, n) for n, ask in enumerate(asks)))), flush=True
            )


def main() -> None:
    """Work as the one that is named."""
    driver, way, conninfo = sys.argv[1:4]
    match driver, way:
        case "trio-psycopg", "alone":
            trio.run(on_trio, trio_alone, conninfo)
        case "trio-psycopg", "pool":
            trio.run(on_trio, trio_pool, conninfo)
        case "asyncio-psycopg", "alone":
            asyncio.run(on_asyncio(psycopg_alone, conninfo))
        case "asyncio-psycopg", "pool":
            asyncio.run(on_asyncio(psycopg_pooled, conninfo))
        case "asyncio-asyncpg", "alone":
            asyncio.run(on_asyncio(asyncpg_alone, conninfo))
        case "asyncio-asyncpg", "pool":
            asyncio.run(on_asyncio(asyncpg_pooled, conninfo))
        case _:
            sys.exit(f"there is no {driver} {way}")


if __name__ == "__main__":
    main()
