"""WebSocket connections, handed to Hypercorn's protocol together with the request that asked for them.

``permessage-deflate`` is not offered to the application's side at all: an inflated message has no bound before it is
inflated, and a compression context costs 100 KiB per connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import ASGIReceiveEvent, ASGISendEvent, ConnectionState, Scope

from greenroom.http.serving.request_head import RequestHead
from greenroom.http.serving.statistics import Fault

if TYPE_CHECKING:
    from greenroom.http.serving.connection import Connection

RECEIVE_EVENTS_MAX: Final = 4
"""Messages that wait for the application; then we stop reading and TCP pushes back."""

_log = structlog.get_logger(__name__)


async def serve_websocket(connection: Connection, head: RequestHead) -> None:
    """Go on with a connection as WebSocket until either side ends it."""
    async with trio.open_nursery() as nursery:
        await _Handover(connection, nursery).run(head)
        nursery.cancel_scope.cancel()


class _Handover:
    """What Hypercorn's protocol asks of its surroundings."""

    def __init__(self, connection: Connection, nursery: trio.Nursery) -> None:
        self._connection = connection
        self._nursery = nursery
        self._writing = trio.Lock()
        self._reading = trio.CancelScope()

    async def run(self, head: RequestHead) -> None:
        connection = self._connection
        client, scheme = connection.origin(head.headers)
        protocol = H11Protocol(
            ASGIWrapper(connection.shared.app),
            connection.shared.config,
            connection.shared.context,
            self,
            ConnectionState(connection.shared.state.copy()),
            scheme == "https",
            client,
            connection.address,
            self._on_event,
        )
        with self._reading:
            await protocol.handle(RawData(_rendered(head)))
            while received := await connection.receive():
                await protocol.handle(RawData(received))
        with trio.move_on_after(connection.shared.limits.abandoned_s):
            await protocol.handle(Closed())  # tells the application, which may have no room to be told anything

    async def _on_event(self, event: Event) -> None:
        match event:
            case RawData():
                async with self._writing:
                    await self._connection.write(event.data)
            case Closed():
                self._reading.cancel()

    async def spawn_app(
        self,
        app: Any,
        config: Any,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        to_app, from_connection = trio.open_memory_channel[ASGIReceiveEvent](RECEIVE_EVENTS_MAX)

        async def run_app() -> None:
            try:
                await self._connection.shared.app(scope, from_connection.receive, send)
            except Exception:
                # The outermost edge, as for a request; what Hypercorn sends next tells the client (1011).
                self._connection.shared.counters.count(Fault.APP_CRASHED)
                _log.exception("application_crashed", method="websocket")
            await send(None)

        self._nursery.start_soon(run_app)
        return to_app.send

    def spawn(self, func: Callable[..., Any], *args: Any) -> None:
        self._nursery.start_soon(func, *args)

    async def __aenter__(self) -> _Handover:
        return self

    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None:
        return None


def _rendered(head: RequestHead) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (head.method.encode(), head.target)]
    lines += [b"%b: %b" % header for header in head.headers if header[0] != b"sec-websocket-extensions"]
    return b"\r\n".join([*lines, b"", b""])
