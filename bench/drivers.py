"""Postgres drivers: greenroom's, which is psycopg's protocol waited for with Trio, beside those of asyncio.

Each runs in a process of its own and works while the others sleep (:mod:`bench.peers.driver_turns`): a page of 20
messages by an index, from one Postgres whose tables fit its memory, on 8 connections. Once with a connection to each of 8
tasks, which is the driver alone; once with 32 tasks that share them through each library's own pool, which is what a
server does with a driver. asyncpg's pool resets a connection whenever it is given back, a round trip more; greenroom's
rolls back what was left open, and asks nothing of the server otherwise.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Final

import psycopg
import trio

from bench.database import a_database
from bench.figures import Figure, Work, operations_per_second
from bench.peer_process import PeerProcess, a_peer

CONNECTIONS: Final = 8
ASKERS: Final = 32
"""Of a pool."""

CONVERSATIONS: Final = 100
MESSAGES: Final = 200
PAGE: Final = 20
TURN_S: Final = 0.7
ROUNDS: Final = 3

NAMES: Final = {
    "alone": f"{PAGE} rows by an index, {CONNECTIONS} connections",
    "pool": f"the same, {ASKERS} tasks sharing a pool of them",
}
PEERS: Final = {"asyncpg on asyncio": "asyncio-asyncpg", "psycopg on asyncio": "asyncio-psycopg"}

FILL: Final = f"""
CREATE TABLE bench_messages (
    conversation_id bigint, seq bigint, sender_id text NOT NULL, content text NOT NULL, created_at timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, seq));
INSERT INTO bench_messages
SELECT c, s, 'student-' || c, repeat('Is Saturday at ten still all right? ', 3), now()
  FROM generate_series(0, {CONVERSATIONS - 1}) AS c, generate_series(1, {MESSAGES}) AS s;
VACUUM ANALYZE bench_messages;
"""  # noqa: S608 - constants


async def driver_figures() -> list[Figure]:
    """All figures of drivers, about 18 s with the start of Postgres."""
    async with a_database() as conninfo, AsyncExitStack() as stack:
        await trio.to_thread.run_sync(_fill, conninfo)

        async def working(driver: str, way: str) -> Work:
            peer = await stack.enter_async_context(a_peer("bench.peers.driver_turns", driver, way, conninfo))
            await peer.number()
            return _turns_of(peer)

        figures = []
        for way, name in NAMES.items():
            ours = await working("trio-psycopg", way)
            theirs = {peer: await working(driver, way) for peer, driver in PEERS.items()}
            figures += await operations_per_second(name, "selects/s", ours, theirs, rounds=ROUNDS)
        return figures


def _fill(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in FILL.split(";"):
            if statement.strip():
                connection.execute(statement.encode())


def _turns_of(peer: PeerProcess) -> Work:
    async def turn() -> int:
        await peer.tell(str(TURN_S))
        return await peer.number()

    return turn
