"""One TCP connection: reading, writing and closing under deadlines.

Rules:

1. One task reads, for as long as the connection is open. It owns the read deadline, whatever phase that is for.
2. Answers are written by the task of the exchange, under a deadline for each bit of progress and without a shield: a
   write that was cut short, by the peer or by a cancellation, leaves the connection unusable, so it is closed.
3. When the client leaves, a request that only reads is cancelled at once: a stream ends promptly. One that may change
   something goes on to its end, within a bound, because a client that repeats it must find a settled outcome.
4. We close by sending FIN first and reading on a little, so that an early refusal is not destroyed by a RST.
"""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveEvent,
    ASGISendEvent,
    ConnectionState,
    Scope,
)
from hypercorn.utils import parse_socket_addr

from greenroom.http.serving.http1 import Http1, Refusal
from greenroom.http.serving.limits import Limits
from greenroom.http.serving.statistics import Fault, ServingCounters

READ_BYTES: Final = 64 * 1024
RECEIVE_EVENTS_MAX: Final = 4
"""Body chunks (of at most READ_BYTES) that wait for the application; then we stop reading and TCP pushes back."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_log = structlog.get_logger(__name__)


class Connection:
    """Serves one accepted connection. Make it, then await :meth:`run` once."""

    def __init__(
        self,
        app: ASGIFramework,
        stream: trio.SocketStream,
        *,
        config: Config,
        context: WorkerContext,
        limits: Limits,
        counters: ServingCounters,
        refusal: Refusal,
    ) -> None:
        self._app = app
        self._stream = stream
        self._config = config
        self._context = context
        self._limits = limits
        self._counters = counters
        self._refusal = refusal
        self._writing = trio.Lock()
        self._is_broken = False  # a write was cut short: nothing more may be written
        self._is_closing = False  # we decided to close
        self._head_began = False  # bytes of a request's head have arrived, but not its end
        self._awaits_head = True
        self._read_deadline = math.inf
        self._waiting = trio.CancelScope()
        self._reading = trio.CancelScope()
        self._exchange: trio.CancelScope | None = None
        self._exchange_is_safe = True

    async def run(self) -> None:
        """Serve until either side closes.

        Raises:
            Exception: a bug, or a group with one; the connection is closed nevertheless.
        """
        try:
            socket = self._stream.socket
            client = parse_socket_addr(socket.family, socket.getpeername())
            server = parse_socket_addr(socket.family, socket.getsockname())
        except OSError:  # gone before we looked
            await trio.aclose_forcefully(self._stream)
            return
        try:
            async with trio.open_nursery() as self._nursery:
                self._protocol = Http1(
                    ASGIWrapper(self._app),
                    self._config,
                    self._context,
                    self,
                    ConnectionState({}),
                    False,
                    client,
                    server,
                    self._on_event,
                    limits=self._limits,
                    refusal=self._refusal,
                    on_malformed=self._note_malformed,
                )
                await self._read()
                self._release_exchange()
            if self._is_closing and not self._is_broken and self._protocol.may_have_more_input:
                await self._linger()
        finally:
            await trio.aclose_forcefully(self._stream)

    def drain(self) -> None:
        """Close soon if no request is being read or answered, else after the answer.

        Not at once: a request may be on its way, and closing would lose it.
        """
        if self._awaits_head and not self._head_began:
            soon = trio.current_time() + self._limits.drain_idle_s
            self._set_read_deadline(min(soon, self._read_deadline))

    # What Hypercorn's protocol asks of its surroundings.

    async def _on_event(self, event: Event) -> None:
        match event:
            case RawData():
                await self._write(event.data)
            case Closed():
                self._close()
            case Updated(idle=True):
                self._await_head(self._limits.keep_alive_s)
            case Updated():
                self._awaits_head = self._head_began = False
                self._set_read_deadline(math.inf)

    async def spawn_app(
        self, app: Any, config: Config, scope: Scope, send: Callable[[ASGISendEvent | None], Awaitable[None]]
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        to_app, from_connection = trio.open_memory_channel[ASGIReceiveEvent](RECEIVE_EVENTS_MAX)
        # Made here and not in the task: the client may leave before the task has begun.
        self._exchange = trio.CancelScope()
        self._exchange_is_safe = scope.get("method") in _SAFE_METHODS
        self._nursery.start_soon(self._run_app, self._exchange, scope, from_connection.receive, send)
        return to_app.send

    def spawn(self, func: Callable[..., Any], *args: Any) -> None:
        self._nursery.start_soon(func, *args)

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None:
        return None

    # Reading.

    async def _read(self) -> None:
        self._await_head(self._limits.head_s)
        with self._reading:
            while True:
                with trio.CancelScope(deadline=self._read_deadline) as self._waiting:
                    try:
                        data = await self._stream.receive_some(READ_BYTES)
                    except (trio.BrokenResourceError, trio.ClosedResourceError):
                        self._is_broken = True
                        return
                if self._waiting.cancelled_caught:
                    if self._head_began:
                        self._counters.count(Fault.HEAD_TIMEOUT)
                        await self._protocol.refuse(408)
                    return
                if not data and not self._head_began:
                    return
                await self._protocol.handle(RawData(bytes(data)))
                if not data:
                    return
                if self._awaits_head and not self._head_began and self._protocol.has_partial_head:
                    self._head_began = True
                    self._set_read_deadline(trio.current_time() + self._limits.head_s)

    def _await_head(self, timeout_s: float) -> None:
        self._awaits_head, self._head_began = True, False
        self._set_read_deadline(trio.current_time() + timeout_s)

    def _set_read_deadline(self, deadline: float) -> None:
        self._read_deadline = self._waiting.deadline = deadline

    def _release_exchange(self) -> None:
        """Nothing is read any more: end what is being answered, now or soon."""
        self._nursery.cancel_scope.deadline = trio.current_time() + self._limits.abandoned_s
        if self._exchange is None or self._protocol.has_answered:
            return  # its task is about to return, if it did not
        if self._exchange_is_safe or not self._protocol.has_whole_request:
            self._exchange.cancel()
        else:
            self._is_broken = True  # the answer has no reader

    # Answering.

    async def _run_app(
        self,
        exchange: trio.CancelScope,
        scope: Scope,
        receive: Callable[[], Coroutine[Any, Any, ASGIReceiveEvent]],
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> None:
        self._counters.requests += 1
        self._counters.requests_in_flight += 1
        try:
            with exchange:
                try:
                    await self._app(scope, receive, send)
                except Exception:
                    # The outermost edge of a request. The application answers its own errors; one that gets here is
                    # a bug in that, and may cost this connection only. Completing the answer below will say 500.
                    self._counters.count(Fault.APP_CRASHED)
                    _log.exception("application_crashed", method=scope.get("method"))
                await send(None)
        finally:
            self._counters.requests_in_flight -= 1

    async def _write(self, data: bytes) -> None:
        if self._writing.locked():
            await self._writing.acquire()
        else:
            self._writing.acquire_nowait()  # without the turn of the scheduler that acquire() always takes
        try:
            if self._is_broken:
                # An application that writes in a loop must still come to where its cancellation reaches it.
                await trio.lowlevel.checkpoint()
                return
            rest = memoryview(data)
            try:
                # What fits into the kernel's buffer, as nearly everything does, needs neither a deadline nor a turn of
                # the scheduler: a third of what it costs to deliver an event.
                with suppress(BlockingIOError):
                    rest = rest[os.write(self._stream.socket.fileno(), rest) :]
                while rest:
                    with trio.fail_after(self._limits.send_stall_s):
                        sent = await self._stream.socket.send(rest)
                    rest = rest[sent:]
            except trio.TooSlowError:
                self._abort(Fault.STALLED)
            except OSError:
                self._abort(Fault.LOST)
            except BaseException:
                self._is_broken = True
                raise
        finally:
            self._writing.release()

    # Closing.

    def _close(self) -> None:
        self._is_closing = True
        self._reading.cancel()

    def _abort(self, fault: Fault) -> None:
        """Cut the connection: its peer will never read the rest."""
        self._counters.count(fault)
        self._is_broken = True
        self._nursery.cancel_scope.cancel()

    async def _linger(self) -> None:
        with trio.move_on_after(self._limits.linger_s):
            try:
                await self._stream.send_eof()
                left = self._limits.linger_bytes_max
                while left > 0 and (data := await self._stream.receive_some(READ_BYTES)):
                    left -= len(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
                return

    def _note_malformed(self) -> None:
        self._counters.count(Fault.MALFORMED)
