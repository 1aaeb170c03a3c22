"""Running statements on a borrowed connection: bounded in time, rows made into records, errors translated."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, Generic, LiteralString, TypeVar

import psycopg
import trio
from psycopg import sql
from psycopg.rows import args_row

from greenroom.schema.errors import StorageUnavailable
from greenroom.storage.postgres.errors import domain_errors
from greenroom.storage.postgres.trio_connection import TrioConnection

T = TypeVar("T")

Query = LiteralString | sql.SQL | sql.Composed
Params = Mapping[str, Any] | None


class Session:
    """One connection in the hands of one task.

    Every wait raises ``StorageUnavailable`` when ``timeout_s`` has passed without an answer.
    """

    def __init__(self, connection: TrioConnection, *, timeout_s: float, count: Callable[[], None]) -> None:
        """
        Args:
            count: called once per statement.
        """
        self._connection = connection
        self._timeout_s = timeout_s
        self._count = count
        self._pipeline: psycopg.AsyncPipeline | None = None
        self._kept: list[Callable[[], Awaitable[object]]] = []

    async def send(self, query: Query, params: Params = None) -> Sent[tuple[Any, ...]]:
        """Run a statement for its effect; see :meth:`send_for`."""
        return await self.send_for(query, params, _columns)

    async def send_for(self, query: Query, params: Params, make: Callable[..., T]) -> Sent[T]:
        """Run a statement; in a pipeline, keep it until somebody asks for rows, or the pipeline ends.

        In a pipeline its error is then raised there.

        Args:
            make: called with the columns of each row, once rows are asked for.
        """
        self._count()
        cursor = self._connection.cursor(binary=True, row_factory=args_row(make))
        if self._pipeline is not None:
            self._kept.append(partial(cursor.execute, query, params))
        else:
            with self._bounded():
                await cursor.execute(query, params)
        return Sent(cursor, self._arrive)

    async def fetch(self, query: Query, params: Params, make: Callable[..., T]) -> list[T]:
        """Run a statement and wait for its rows; in a pipeline, for everything sent before it too."""
        sent = await self.send_for(query, params, make)
        return await sent.rows()

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[None]:
        """Send statements in groups, each group in one round trip. Leaving sends the last one, and raises its errors.

        Between two groups the server counts the session as idle, and so bounds how long it may hold its locks. That is
        why a statement is kept here rather than sent at once, and why a group ends by a sync and not by a flush.

        Source: PostgreSQL manual, "Pipeline Mode".
        """
        async with AsyncExitStack() as stack:
            self._pipeline = await stack.enter_async_context(self._connection.pipeline())
            leave = stack.pop_all().aclose
        try:
            yield
            with self._bounded():
                await self._send_kept()
        except BaseException:
            # Takes the connection out of its aborted state. The error it is in has been raised.
            with self._bounded(), suppress(psycopg.Error):
                await leave()
            raise
        else:
            with self._bounded():
                await leave()
        finally:
            self._kept.clear()
            self._pipeline = None

    async def _arrive(self) -> None:
        """Send what was kept and wait for its end."""
        if self._pipeline is not None:
            with self._bounded():
                await self._send_kept()
                await self._pipeline.sync()

    async def _send_kept(self) -> None:
        kept, self._kept = self._kept, []
        for execute in kept:
            await execute()

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        with domain_errors(self._connection), trio.move_on_after(self._timeout_s) as scope:
            yield
        if scope.cancelled_caught:
            raise StorageUnavailable("The database did not answer in time.")


class Sent(Generic[T]):
    """A statement on its way."""

    def __init__(self, cursor: psycopg.AsyncCursor[T], arrive: Callable[[], Awaitable[None]]) -> None:
        self._cursor = cursor
        self._arrive = arrive

    async def rows(self) -> list[T]:
        """Wait for the statement's end and return its rows."""
        if self._cursor.pgresult is None:
            await self._arrive()
        return await self._cursor.fetchall()

    @property
    def status(self) -> str | None:
        """What the server says was done, e.g. ``COMMIT``; not known before the end of the pipeline it was sent in."""
        return self._cursor.statusmessage

    @property
    def touched(self) -> int:
        """How many rows it changed; not known before the end of the pipeline it was sent in."""
        return self._cursor.rowcount


def _columns(*columns: Any) -> tuple[Any, ...]:
    return columns
