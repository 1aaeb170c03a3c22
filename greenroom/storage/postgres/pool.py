"""Connections to Postgres: a bounded number, borrowed in turn, and replaced when they break.

The pool has no task of its own: whoever needs a connection that is not there makes it.

1. A borrower waits for its turn, first come first served, at most ``pool_timeout_s``; then ``PoolExhausted``.
2. A connection is given back idle or not at all: an open transaction is rolled back, anything else is closed.
3. Losing one connection to the server closes all idle ones, and those in use when they are given back: what kills one
   server process makes the server drop every client.
4. Connecting that fails is tried again after 50 ms, doubling up to 1 s, by whoever still has time to wait for it; others
   are refused at once. So the first borrower after the server is back connects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeVar

import psycopg
import trio
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from greenroom.schema.errors import PoolExhausted, StorageUnavailable
from greenroom.storage.postgres.columns import register_columns
from greenroom.storage.postgres.errors import ConnectionLost
from greenroom.storage.postgres.options import PostgresOptions
from greenroom.storage.postgres.session import Params, Query, Session
from greenroom.storage.postgres.trio_connection import CANCEL_TIMEOUT_S, TrioConnection

T = TypeVar("T")

WAITING_MAX: Final = 1_000
"""Borrowers in the queue. Eight connections serve some thousand reads within the wait of half a second."""

BACKOFF_FIRST_S: Final = 0.05
BACKOFF_MAX_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """The pool at one moment; the last six count since it was opened.

    Attributes:
        open: connections that exist, idle or in use.
        exhausted: borrowers refused because no turn came.
        connected: connections made.
        connect_failures: attempts that failed.
        lost: times the server ended a connection.
        discarded: connections closed because of how they were given back.
        statements: statements run.
    """

    size: int
    open: int
    idle: int
    in_use: int
    waiting: int
    exhausted: int
    connected: int
    connect_failures: int
    lost: int
    discarded: int
    statements: int


class Pool:
    """See the module. Made by :func:`open_pool`."""

    def __init__(self, options: PostgresOptions) -> None:
        self._options = options
        self._conninfo = options.session_conninfo()
        self._turns = trio.Semaphore(options.pool_size, max_value=options.pool_size)
        self._idle: list[TrioConnection] = []
        self._open: set[TrioConnection] = set()
        self._generation = 0
        self._is_closed = False
        self._failures_in_a_row = 0
        self._retry_at = 0.0
        self._exhausted = 0
        self._connected = 0
        self._connect_failures = 0
        self._lost = 0
        self._discarded = 0
        self._statements = 0

    @property
    def options(self) -> PostgresOptions:
        return self._options

    async def fetch(self, query: Query, params: Params, make: Callable[..., T]) -> list[T]:
        """Run one plain read in a session of its own; once more if the connection turned out to be lost."""
        try:
            async with self.session() as session:
                return await session.fetch(query, params, make)
        except ConnectionLost:
            async with self.session() as session:
                return await session.fetch(query, params, make)

    async def run(self, query: Query, params: Params) -> int:
        """Run one statement that commits by itself; return how many rows it changed."""
        async with self.session() as session:
            return (await session.send(query, params)).touched

    @asynccontextmanager
    async def session(self, *, timeout_s: float | None = None) -> AsyncIterator[Session]:
        """Borrow a connection.

        Args:
            timeout_s: longest wait for an answer, if not that of the options.

        Raises:
            PoolExhausted: no turn came in time.
            StorageUnavailable: the server can't be reached.
        """
        bound_s = self._options.statement_timeout_s + self._options.grace_s if timeout_s is None else timeout_s
        async with self._borrowed() as connection:
            yield Session(connection, timeout_s=bound_s, count=self._count_statement)

    def statistics(self) -> PoolStatistics:
        return PoolStatistics(
            size=self._options.pool_size,
            open=len(self._open),
            idle=len(self._idle),
            in_use=self._options.pool_size - self._turns.value,
            waiting=self._turns.statistics().tasks_waiting,
            exhausted=self._exhausted,
            connected=self._connected,
            connect_failures=self._connect_failures,
            lost=self._lost,
            discarded=self._discarded,
            statements=self._statements,
        )

    async def close(self) -> None:
        """Close idle connections now and the others as they are given back; refuse new borrowers."""
        self._is_closed = True
        await self._close_idle()

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[TrioConnection]:
        await self._wait_turn()
        try:
            connection = await self._take_idle() or await self._connect()
            generation = self._generation
            try:
                yield connection
            except ConnectionLost:
                await self._lose(connection)
                raise
            except psycopg.Error:
                # Not an expected one: whatever state this left behind, nobody should inherit it.
                await self._discard(connection)
                raise
            finally:
                await self._give_back(connection, generation)
        finally:
            self._turns.release()

    async def _wait_turn(self) -> None:
        if self._is_closed:
            raise StorageUnavailable("The database pool is closed.")
        wait_s = self._options.pool_timeout_s
        if not self._idle and self._retry_at > trio.current_time() + wait_s:
            raise self._away()
        if self._turns.statistics().tasks_waiting >= WAITING_MAX:
            raise self._refusal()
        with suppress(trio.WouldBlock):
            # No checkpoint where nobody is waited for: what the connection is borrowed for will be one.
            self._turns.acquire_nowait()
            return
        with trio.move_on_after(wait_s) as scope:
            await self._turns.acquire()
        if scope.cancelled_caught:
            raise self._refusal()

    def _refusal(self) -> Exception:
        if self._failures_in_a_row:
            # The turns are taken by those who try to connect.
            return self._away()
        self._exhausted += 1
        return PoolExhausted("No database connection is free.", retry_after_s=self._options.pool_timeout_s)

    def _away(self) -> StorageUnavailable:
        wait_s = self._retry_at - trio.current_time()
        return StorageUnavailable("The database can't be reached.", retry_after_s=max(BACKOFF_FIRST_S, wait_s))

    async def _take_idle(self) -> TrioConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet():
                return connection
            await self._discard(connection)
        return None

    async def _connect(self) -> TrioConnection:
        give_up_at = trio.current_time() + self._options.pool_timeout_s
        while True:
            await trio.sleep_until(self._retry_at)
            try:
                connection = await TrioConnection.open(
                    self._conninfo, timeout_s=self._options.connect_timeout_s, prepare=self._options.prepare
                )
            except psycopg.OperationalError as exc:
                self._failures_in_a_row += 1
                self._connect_failures += 1
                backoff_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(self._failures_in_a_row - 1, 10))
                self._retry_at = trio.current_time() + backoff_s
                if self._retry_at > give_up_at:
                    raise self._away() from exc
            else:
                self._failures_in_a_row = 0
                self._retry_at = 0.0
                self._connected += 1
                self._open.add(connection)
                # By default the width of a number decides its type, and every type prepares the statement anew.
                connection.adapters.register_dumper(int, Int8Dumper)
                connection.adapters.register_dumper(int, Int8BinaryDumper)
                register_columns(connection)
                return connection

    async def _give_back(self, connection: TrioConnection, generation: int) -> None:
        if connection.broken:
            await self._lose(connection)
        elif self._is_closed or generation != self._generation or not await self._is_reusable(connection):
            await self._discard(connection)
        else:
            self._idle.append(connection)

    async def _is_reusable(self, connection: TrioConnection) -> bool:
        """Whether the connection is between transactions, after rolling back an open one."""
        if connection.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            # Shielded, as the borrower may be being cancelled; bounded, as the server may be gone.
            with (
                trio.CancelScope(shield=True, deadline=trio.current_time() + CANCEL_TIMEOUT_S),
                suppress(psycopg.Error),
            ):
                await connection.rollback()
        return connection.pgconn.transaction_status == TransactionStatus.IDLE

    async def _lose(self, connection: TrioConnection) -> None:
        """Note that the server ended a connection: close it and all idle ones, and mark those in use."""
        if connection in self._open:
            self._lost += 1
            self._generation += 1
            await self._discard(connection)
            await self._close_idle()

    async def _discard(self, connection: TrioConnection) -> None:
        if connection in self._open:
            self._open.remove(connection)
            self._discarded += 1
        await connection.close()

    async def _close_idle(self) -> None:
        while self._idle:
            await self._discard(self._idle.pop())

    def _count_statement(self) -> None:
        self._statements += 1


@asynccontextmanager
async def open_pool(options: PostgresOptions) -> AsyncIterator[Pool]:
    """Open a pool that connects when first used, and close it on leaving."""
    pool = Pool(options)
    try:
        yield pool
    finally:
        await pool.close()
