"""psycopg on Trio: who waits for the socket, and what becomes of a query whose caller was cancelled.

psycopg keeps the protocol (generators that say what they wait for) apart from the waiting. This module is the waiting:

1. A generator runs until it needs the socket. Before it starts, a pending cancellation is delivered, so that a command
   is either not sent at all or falls under rule 3.
2. Writing is tried before it is waited for: a socket is nearly always writable, and a pipeline asks at every command. What
   needs no socket, such as leaving a statement with libpq in a pipeline, lets nobody else run: each such turn would be one
   of the whole event loop, at a dozen a transaction, with the server waiting. The sync that ends the group does wait.
3. A cancelled command is cancelled in the server too, and its answer is read to the end, all within ``CANCEL_TIMEOUT_S``.
   If that fails, or if the connection is in pipeline mode, where more answers may be on their way, it is closed. So no
   command ever reads the answer of another.

That a late cancel request can't hit the next command: the request counts as sent only once the server has closed the
cancel connection, which it does after signalling, and a server process drops a signal it finds between two commands
(PostgreSQL, ``ProcessInterrupts`` in ``src/backend/tcop/postgres.c``; libpq manual, "PQcancelPoll").
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import psycopg
import trio
from psycopg.abc import ConnDict, PQGen, PQGenConn
from psycopg.conninfo import conninfo_attempts, conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from psycopg.waiting import Ready, Wait

T = TypeVar("T")

CANCEL_TIMEOUT_S: Final = 0.1
"""A server that does not end a cancelled command within this is given up, so that a call returns at its deadline plus
100 ms even over a dead network. Ending one takes some milliseconds."""

LOOK_UPS_MAX: Final = 4
"""Threads looking up host names, given up ones included: a resolver that hangs can't be interrupted and holds its thread
until it gives up by itself. More look-ups wait for one of these, within their own timeout."""

_limiter: Final = trio.lowlevel.RunVar[trio.CapacityLimiter]("look-ups of host names")

_POLL_FLAGS: Final = {
    Wait.R: select.POLLIN,
    Wait.W: select.POLLOUT,
    Wait.RW: select.POLLIN | select.POLLOUT,
}


class TrioConnection(psycopg.AsyncConnection[TupleRow]):
    """A connection for one task at a time; a second one is refused rather than queued."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # psycopg's is an asyncio lock. Whoever borrowed the connection has it alone, so this one only checks.
        self.lock = _SoleUse()  # type: ignore[assignment]

    @classmethod
    async def open(cls, conninfo: str, *, timeout_s: float, prepare: bool) -> Self:
        """Connect to the first of the hosts that answers.

        Args:
            timeout_s: bound of the look-up of host names, and of each attempt; a name with several addresses makes several.
            prepare: whether statements are prepared, each at its first use.

        Raises:
            psycopg.OperationalError: none of them did, or the look-up failed or took too long.
        """
        attempts = await _look_up(conninfo_to_dict(conninfo), timeout_s)
        failure: psycopg.Error = psycopg.OperationalError("no host to connect to")
        for attempt in attempts:
            with trio.move_on_after(timeout_s) as scope:
                try:
                    connection = await _drive_connecting(cls._connect_gen(make_conninfo("", **attempt)))
                except psycopg.OperationalError as exc:
                    failure = exc
                    continue
                connection._autocommit = True
                connection.prepare_threshold = 0 if prepare else None
                return connection
            if scope.cancelled_caught:
                failure = psycopg.errors.ConnectionTimeout(f"no connection within {timeout_s} s")
        raise failure

    async def wait(self, gen: PQGen[T], interval: float = 0.0, timeout: float | None = None) -> T:
        """Run a protocol generator to its end. ``interval`` is not needed here; bound the call by a cancel scope.

        Raises:
            psycopg.OperationalError: the socket is gone.
        """
        if timeout is not None:
            raise psycopg.NotSupportedError("bound the wait by a cancel scope")
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            return await _drive(gen, self.pgconn.socket)
        except (trio.Cancelled, KeyboardInterrupt):
            await self._abandon(gen)
            raise

    async def _abandon(self, gen: PQGen[Any]) -> None:
        """End the command in the server; leave the connection between two commands, or closed."""
        # Shielded, as the caller is being cancelled; bounded by the deadline.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + CANCEL_TIMEOUT_S):
            try:
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    await _drive_connecting(self._cancel_gen())
                    if self._pipeline is None:
                        await _drive(gen, self.pgconn.socket)
            except psycopg.Error:
                # The command's own end: "canceling statement due to user request", or whatever came before it.
                pass
        if self._pipeline is not None or self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            await self.close()

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[psycopg.AsyncPipeline]:
        """Send statements in groups, each with the sync that ends it, in one write."""
        if self._pipeline is None:
            self._pipeline = _GatheringPipeline(self)
        async with super().pipeline() as pipeline:
            yield pipeline

    def is_quiet(self) -> bool:
        """Whether nothing unread lies in the socket.

        An idle connection that is readable holds the server's farewell, or its end of file.
        """
        return not _poll(self.pgconn.socket, Wait.R)


class _GatheringPipeline(psycopg.AsyncPipeline):
    """Leaves statements with libpq only when the sync comes that ends their group.

    psycopg writes each statement to the socket by itself, which wakes the server each time: eleven times for a batch of
    messages, and a third of the client's time for a small one.
    """

    _is_complete = False

    def _enqueue_sync(self) -> None:
        super()._enqueue_sync()
        self._is_complete = True

    def _communicate_gen(self) -> PQGen[None]:
        if self._is_complete:
            self._is_complete = False
            while self.command_queue:
                # libpq keeps what it is given, and writes when a buffer is full or when it is told to flush.
                self.command_queue.popleft()()
            yield from super()._communicate_gen()


class _SoleUse:
    """A lock that is never waited for."""

    def __init__(self) -> None:
        self._is_held = False

    async def __aenter__(self) -> None:
        if self._is_held:
            raise trio.BusyResourceError("another task is using this connection")
        self._is_held = True

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_held = False


async def _look_up(params: ConnDict, timeout_s: float) -> list[ConnDict]:
    """Look up host names, in a thread, as libpq would block on it; one try per address."""
    with trio.move_on_after(timeout_s):
        return await trio.to_thread.run_sync(
            conninfo_attempts, params, abandon_on_cancel=True, limiter=_look_ups_at_once()
        )
    raise psycopg.errors.ConnectionTimeout(f"the host's name was not looked up within {timeout_s} s")


def _look_ups_at_once() -> trio.CapacityLimiter:
    """The limiter of this run of Trio."""
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(trio.CapacityLimiter(LOOK_UPS_MAX))
        return _limiter.get()


async def _drive(gen: PQGen[T], fd: int) -> T:
    """Run a generator that waits on one socket."""
    try:
        wanted = next(gen)
        while True:
            ready = _poll(fd, wanted) if wanted & Wait.W else 0
            if not ready:
                ready = await _wait_ready(fd, wanted)
            wanted = gen.send(ready)
    except StopIteration as stop:
        result: T = stop.value
        return result
    except OSError as exc:
        raise psycopg.OperationalError("connection socket closed") from exc


async def _drive_connecting(gen: PQGenConn[T]) -> T:
    """Run a generator that names its socket anew at each step."""
    try:
        fd, wanted = next(gen)
        while True:
            fd, wanted = gen.send(await _wait_ready(fd, wanted))
    except StopIteration as stop:
        result: T = stop.value
        return result
    except OSError as exc:
        raise psycopg.OperationalError("connection socket closed") from exc
    finally:
        # Frees a half-made connection.
        gen.close()


async def _wait_ready(fd: int, wanted: int) -> int:
    """Wait until the socket can do one of the wanted things; return which."""
    if wanted == Wait.R:
        await trio.lowlevel.wait_readable(fd)
        return Ready.R
    if wanted == Wait.W:
        await trio.lowlevel.wait_writable(fd)
        return Ready.W
    async with trio.open_nursery() as nursery:

        async def until(wait_one: Callable[[int], Awaitable[None]]) -> None:
            await wait_one(fd)
            nursery.cancel_scope.cancel()

        nursery.start_soon(until, trio.lowlevel.wait_readable)
        nursery.start_soon(until, trio.lowlevel.wait_writable)
    return _poll(fd, wanted)


def _poll(fd: int, wanted: int) -> int:
    """Return which of the wanted things the socket can do now, without waiting."""
    poller = select.poll()
    poller.register(fd, _POLL_FLAGS[Wait(wanted)])
    ready = 0
    for _, flags in poller.poll(0):
        # An error or hang-up wakes whoever waits, as reading or writing is what reports it.
        if flags & ~select.POLLOUT and wanted & Wait.R:
            ready |= Ready.R
        if flags & ~select.POLLIN and wanted & Wait.W:
            ready |= Ready.W
    return ready
