"""A network between the client and a server's Unix socket, which can be told to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio


class Network:
    """Carries bytes both ways until frozen; then it swallows none and answers nothing, as a dead cable would."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._thawed = trio.Event()
        self._thawed.set()
        self.port = 0

    def freeze(self) -> None:
        self._thawed = trio.Event()

    def thaw(self) -> None:
        self._thawed.set()

    async def carry(self, client: trio.SocketStream) -> None:
        await self._thawed.wait()
        async with (
            client,
            await trio.open_unix_socket(str(self._server)) as server,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._copy, client, server, nursery.cancel_scope)
            nursery.start_soon(self._copy, server, client, nursery.cancel_scope)

    async def _copy(self, source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
        try:
            async for chunk in source:
                await self._thawed.wait()
                await sink.send_all(chunk)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()


@asynccontextmanager
async def network_to(server: Path) -> AsyncIterator[Network]:
    """Listen on a port of the loopback for as long as the context lasts."""
    network = Network(server)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, network.carry, 0)
        network.port = listeners[0].socket.getsockname()[1]
        yield network
        nursery.cancel_scope.cancel()
