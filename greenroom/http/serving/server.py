"""The accept loop: errors of one connection stay with it, and a stop loses nothing that was begun.

Written because the stock loop ends the whole process on one malformed connection: there, an exception group raised by
a connection's handler reaches the nursery that accepts (https://github.com/pgjones/hypercorn/issues/225).

A stop goes like this: every answer says ``Connection: close``; for ``drain_idle_s`` new connections and idle ones are
still served, because a load balancer needs to learn of it and a request may be on its way; then no handshake is begun
any more, what was queued is accepted and served, and the listening socket is closed when nothing waits in it. Where
another process accepts from the same sockets, what is queued is left to it instead.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Collection, Sequence
from typing import Final

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.typing import ASGIFramework

from greenroom.http.serving.body_room import BodyRoom
from greenroom.http.serving.connection import Connection
from greenroom.http.serving.door import Door, let_in
from greenroom.http.serving.forwarded import TrustedProxies
from greenroom.http.serving.hang_ups import HangUps
from greenroom.http.serving.limits import Limits
from greenroom.http.serving.listening import Listener
from greenroom.http.serving.response_head import DateHeader, Refusal, bare_refusal
from greenroom.http.serving.room import Room
from greenroom.http.serving.shared import Shared
from greenroom.http.serving.statistics import Fault, ServingCounters, ServingStatistics
from greenroom.schema.clock import WallClock, system_wall_clock

ACCEPT_PAUSE_S: Final = 0.1
"""Pause after the kernel refused an accept (no descriptors, no memory): long enough not to spin, short enough to resume
within a second."""

ACCEPTS_AT_ONCE: Final = 32
"""Accepted before connections get their turn, so that a storm of them doesn't hold up those that are being served."""

HANDSHAKE_S: Final = 0.2
"""How long after the last handshake was begun its end may take to reach us: a round trip around the world."""

LIFESPAN_S: Final = 10.0
"""For the application to start, and to stop."""

_log = structlog.get_logger(__name__)


def pinned_config() -> Config:
    """Return the Hypercorn configuration for what is left to it: the lifespan."""
    config = Config()
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    config.startup_timeout = LIFESPAN_S
    config.shutdown_timeout = LIFESPAN_S
    return config


class Server:
    """Serves one ASGI application on listeners that are already bound.

    Args:
        door: turns requests away before the application is asked.
        refusal: makes the answer to bytes that never became a request.
        proxies: whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed.
        websocket_paths: where a request to go on with WebSocket is followed; anywhere else it is ignored, as RFC 9110,
            7.8 allows, and answered as an ordinary GET.
        wall: for the Date header.
    """

    def __init__(
        self,
        app: ASGIFramework,
        listeners: Sequence[Listener],
        *,
        limits: Limits,
        door: Door = let_in,
        refusal: Refusal = bare_refusal,
        proxies: TrustedProxies = TrustedProxies(),  # noqa: B008 - frozen
        websocket_paths: Collection[str] = (),
        wall: WallClock = system_wall_clock,
    ) -> None:
        self._listeners = tuple(listeners)
        self._limits = limits
        self._counters = ServingCounters()
        self._shared = Shared(
            app=app,
            bodies=BodyRoom(limits.bodies_bytes_max, longest=limits.body_bytes_max),
            config=pinned_config(),
            counters=self._counters,
            date=DateHeader(wall),
            door=door,
            drains=trio.Event(),
            hang_ups=HangUps(),
            limits=limits,
            proxies=proxies,
            refusal=refusal,
            state={},
            websocket_paths=frozenset(path.encode("ascii") for path in websocket_paths),
        )
        self._open: dict[Connection, None] = {}
        # Apart, so that operators reach every worker however many clients it has.
        self._room = Room(limits.connections_max)
        self._local_room = Room(limits.local_connections_max)
        self._is_refused = False  # the kernel did not let us accept
        self._accepting = trio.CancelScope()
        self._drain_deadline = math.inf
        self._has_successor = False
        self._ended = trio.Event()
        self.addresses = tuple(listener.address for listener in listeners)
        """``host:port`` of every listener, as bound."""

    @property
    def is_draining(self) -> bool:
        return self._shared.is_draining

    def statistics(self) -> ServingStatistics:
        return self._counters.snapshot()

    async def run(self, *, task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until :meth:`drain` is done or this is cancelled; listeners and connections are closed then.

        ``task_status`` gets this server once it accepts.

        Raises:
            hypercorn.utils.LifespanFailureError: the application would not start; in a group.
        """
        try:
            async with trio.open_nursery() as life:
                lifespan = Lifespan(ASGIWrapper(self._shared.app), self._shared.config, self._shared.state)
                await life.start(lifespan.handle_lifespan)
                await lifespan.wait_for_startup()
                await self._serve_all(task_status)
                await lifespan.wait_for_shutdown()
                life.cancel_scope.cancel()
        finally:
            self._close_listeners()
            self._shared.hang_ups.close()
            self._ended.set()

    async def drain(self, *, has_successor: bool = False) -> None:
        """Answer what was begun, serve who is about to begin, close; after ``limits.drain_s`` cut the rest.

        Streams have to be ended by the application; those that are not are cut. Calling it again waits too.

        Args:
            has_successor: another process goes on accepting from the same sockets: what waits there is left to it.
        """
        self._shared.drains.set()
        self._has_successor = has_successor
        now = trio.current_time()
        self._drain_deadline = min(self._drain_deadline, now + self._limits.drain_s)
        accepting_until = now + (0.0 if has_successor else self._limits.drain_idle_s)
        self._accepting.deadline = min(self._accepting.deadline, self._drain_deadline, accepting_until)
        for connection in self._open:
            connection.drain()
        await self._ended.wait()

    async def _serve_all(self, task_status: trio.TaskStatus[Server]) -> None:
        async with trio.open_nursery() as watching:
            watching.start_soon(self._shared.hang_ups.run)
            async with trio.open_nursery() as connections:
                with self._accepting:
                    async with trio.open_nursery() as accepting:
                        for listener in self._listeners:
                            accepting.start_soon(self._accept, listener, connections)
                        task_status.started(self)
                # Only drain() ends the accept loops.
                connections.cancel_scope.deadline = self._drain_deadline
                if not self._has_successor:
                    await self._empty_queues(connections)
                self._close_listeners()
            watching.cancel_scope.cancel()

    async def _accept(self, listener: Listener, connections: trio.Nursery) -> None:
        while True:
            await listener.wait()
            await self._accept_waiting(listener, connections)

    async def _accept_waiting(self, listener: Listener, connections: trio.Nursery) -> int:
        """Accept what waits, up to about ACCEPTS_AT_ONCE, waiting for room; return 0 if nobody waited."""
        room = self._local_room if listener.is_local else self._room
        for count in range(ACCEPTS_AT_ONCE):
            await room.wait()
            try:
                accepted = listener.accept_nowait()
            except OSError as error:
                self._counters.accept_failures += 1
                if not self._is_refused:  # once for each shortage, however often we try again
                    _log.warning("accept_failed", errno=error.errno, reason=error.strerror)
                self._is_refused = True
                await trio.sleep(ACCEPT_PAUSE_S)
                continue  # who waits there is not to be forgotten, least of all when this empties the queue
            if accepted is None:
                return count
            self._is_refused = False
            self._take(*accepted, room, connections)
        return ACCEPTS_AT_ONCE

    async def _empty_queues(self, connections: trio.Nursery) -> None:
        """Accept who got through before us, and nobody else, until nobody waits."""
        for listener in self._listeners:
            listener.refuse_handshakes()
        await trio.sleep(HANDSHAKE_S)
        for listener in self._listeners:
            while await self._accept_waiting(listener, connections):
                pass

    def _take(self, sock: socket.socket, peer: tuple[str, int], room: Room, connections: trio.Nursery) -> None:
        try:
            connection = Connection(sock, peer, self._shared)
        except OSError:  # gone before we looked
            sock.close()
            return
        room.take()
        self._open[connection] = None
        self._counters.connections_open += 1
        self._counters.connections_accepted += 1
        connections.start_soon(self._serve, connection, room)

    async def _serve(self, connection: Connection, room: Room) -> None:
        try:
            await connection.run()
        except* Exception:
            # The outermost edge of a connection: whatever went wrong in it ends here and is counted.
            self._counters.count(Fault.CRASHED)
            _log.exception("connection_crashed")
        finally:
            del self._open[connection]
            self._counters.connections_open -= 1
            room.give_back()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
