"""The server's database behind its back: to hold locks in it, to see who is connected, to find a process to kill."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, LiteralString

import psycopg
import trio

APPLICATION: Final = "greenroom"
CONNECT_TIMEOUT_S: Final = 5

SPARE_FILES: Final = 8
"""More than Postgres keeps ready of its log at the size of a new cluster."""

LISTENERS: Final = """
-- listeners: ends the connections on which workers hear of each other, and says how many there were.
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query ~* 'LISTEN "greenroom_bus"'
   AND pid <> pg_backend_pid()
"""

BACKENDS: Final = """
-- backends: processes that serve the server's connections.
SELECT pid FROM pg_stat_activity WHERE application_name = %s ORDER BY pid
"""


async def backends(folder: Path) -> list[int]:
    """Process ids that serve the server's own connections."""

    def read() -> list[int]:
        with _connect(folder) as connection:
            return [pid for (pid,) in connection.execute(BACKENDS, [APPLICATION])]

    return await trio.to_thread.run_sync(read)


async def cut_listeners(folder: Path) -> int:
    """End every connection that listens for notifications; return how many there were."""

    def cut() -> int:
        with _connect(folder) as connection:
            ((count,),) = connection.execute(LISTENERS)
            return count

    return await trio.to_thread.run_sync(cut)


async def exhaust_wal(folder: Path) -> None:
    """Use up the files of the write-ahead log. With a full disk this ends Postgres, so nothing is raised."""

    def switch() -> None:
        with suppress(psycopg.OperationalError), _connect(folder) as connection:
            connection.autocommit = True
            for _ in range(SPARE_FILES):
                # A file that nothing was written to is not switched away from.
                connection.execute("SELECT pg_logical_emit_message(true, 'chaos', '')")
                connection.execute("SELECT pg_switch_wal()")

    await trio.to_thread.run_sync(switch)


@asynccontextmanager
async def held(folder: Path, lock: LiteralString) -> AsyncIterator[None]:
    """Hold what a statement locks for as long as the block."""
    connection = await trio.to_thread.run_sync(_connect, folder)
    try:
        await trio.to_thread.run_sync(connection.execute, lock)
        yield
    finally:
        # Closing is what lets go; it does not wait for anybody.
        connection.close()


def _connect(folder: Path) -> psycopg.Connection[tuple[int, ...]]:
    return psycopg.connect(
        host=str(folder),
        user="postgres",
        dbname="greenroom",
        application_name="chaos",
        connect_timeout=CONNECT_TIMEOUT_S,
    )
