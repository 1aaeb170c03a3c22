"""The accept loop: errors of one connection stay with it, and a stop loses nothing that was begun.

Written because the stock loop ends the whole process on one malformed connection: there, an exception group raised by
a connection's handler reaches the nursery that accepts (https://github.com/pgjones/hypercorn/issues/225).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
import trio
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework
from hypercorn.utils import repr_socket_addr

from greenroom.http.serving.connection import Connection
from greenroom.http.serving.http1 import Refusal, pinned_config
from greenroom.http.serving.limits import Limits
from greenroom.http.serving.statistics import Fault, ServingCounters, ServingStatistics

ACCEPT_PAUSE_S: Final = 0.1
"""Pause after the kernel refused an accept (no descriptors, no memory): long enough not to spin, short enough to resume
within a second."""

SWEEP_QUIET_S: Final = 0.05
SWEEP_MAX_S: Final = 1.0
"""When we stop, connections already in the backlog are accepted and served: closing the socket would reset them."""

_log = structlog.get_logger(__name__)


def bare_refusal(status: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Refuse without a body."""
    return [(b"content-length", b"0")], b""


class Server:
    """Serves one ASGI application on listeners that are already bound.

    Args:
        refusal: makes the answer to bytes that never became a request.
    """

    def __init__(
        self,
        app: ASGIFramework,
        listeners: Sequence[trio.SocketListener],
        *,
        limits: Limits,
        refusal: Refusal = bare_refusal,
    ) -> None:
        self._app = app
        self._listeners = tuple(listeners)
        self._limits = limits
        self._refusal = refusal
        self._config = pinned_config(limits)
        self._context = WorkerContext(None)
        self._counters = ServingCounters()
        self._free = trio.Semaphore(limits.connections_max)
        self._open: dict[Connection, None] = {}
        self._accepting = trio.CancelScope()
        self._ended = trio.Event()
        self.addresses = tuple(
            repr_socket_addr(listener.socket.family, listener.socket.getsockname()) for listener in listeners
        )
        """``host:port`` of every listener, as bound."""

    @property
    def is_draining(self) -> bool:
        return self._context.terminated.is_set()

    def statistics(self) -> ServingStatistics:
        return self._counters.snapshot()

    async def run(self, *, task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until :meth:`drain` is done or this is cancelled; listeners and connections are closed then.

        ``task_status`` gets this server once it accepts.
        """
        try:
            async with trio.open_nursery() as connections:
                with self._accepting:
                    async with trio.open_nursery() as accepting:
                        for listener in self._listeners:
                            accepting.start_soon(self._accept, listener, connections)
                        task_status.started(self)
                # Only drain() ends the accept loops.
                connections.cancel_scope.deadline = trio.current_time() + self._limits.drain_s
                self._drain_connections()
                with trio.move_on_after(SWEEP_MAX_S):
                    await self._sweep_backlogs(connections)
                self._close_listeners()
                self._drain_connections()
        finally:
            self._close_listeners()
            self._ended.set()

    async def drain(self) -> None:
        """Stop accepting, answer what was begun, close what is idle; after ``limits.drain_s`` cut the rest.

        Streams have to be ended by the application; those that are not are cut. Calling it again waits too.
        """
        await self._context.terminated.set()
        self._accepting.cancel()
        await self._ended.wait()

    async def _accept(self, listener: trio.SocketListener, connections: trio.Nursery) -> None:
        while True:
            await self._free.acquire()
            try:
                stream = await listener.accept()
            except trio.ClosedResourceError:
                self._free.release()
                return
            except OSError as error:
                self._free.release()
                self._counters.accept_failures += 1
                _log.warning("accept_failed", error=type(error).__name__, errno=error.errno)
                await trio.sleep(ACCEPT_PAUSE_S)
            except trio.Cancelled:
                self._free.release()
                raise
            else:
                connections.start_soon(self._serve, stream)

    async def _sweep_backlogs(self, connections: trio.Nursery) -> None:
        for listener in self._listeners:
            is_quiet = False
            while not is_quiet:
                await self._free.acquire()
                try:
                    with trio.fail_after(SWEEP_QUIET_S):
                        stream = await listener.accept()
                except (trio.TooSlowError, trio.Cancelled, OSError) as error:
                    self._free.release()
                    if isinstance(error, trio.Cancelled):
                        raise
                    is_quiet = True
                else:
                    connections.start_soon(self._serve, stream)

    async def _serve(self, stream: trio.SocketStream) -> None:
        connection = Connection(
            self._app,
            stream,
            config=self._config,
            context=self._context,
            limits=self._limits,
            counters=self._counters,
            refusal=self._refusal,
        )
        self._open[connection] = None
        self._counters.connections_open += 1
        self._counters.connections_accepted += 1
        try:
            await connection.run()
        except* Exception:
            # The outermost edge of a connection: whatever went wrong in it ends here and is counted.
            self._counters.count(Fault.CRASHED)
            _log.exception("connection_crashed")
        finally:
            del self._open[connection]
            self._counters.connections_open -= 1
            self._free.release()

    def _drain_connections(self) -> None:
        for connection in self._open:
            connection.drain()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.socket.close()


async def serve(
    app: ASGIFramework,
    listeners: Sequence[trio.SocketListener],
    *,
    limits: Limits,
    refusal: Refusal = bare_refusal,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a :class:`Server`; ``await nursery.start(...)`` returns it once it accepts."""
    await Server(app, listeners, limits=limits, refusal=refusal).run(task_status=task_status)
