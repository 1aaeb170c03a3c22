"""A wire between a client and a server that can be cut, and can lose answers."""

from __future__ import annotations

import trio


class FlakyWire:
    """Passes bytes on, both ways, until told otherwise."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._passing: set[trio.CancelScope] = set()
        self._answers_to_lose = 0
        self.url = ""
        self.lost = 0

    def cut(self) -> None:
        """Cut all connections there are."""
        for scope in self._passing:
            scope.cancel()

    def lose_answers(self, count: int) -> None:
        """Cut the next ``count`` connections at the moment when the server answers."""
        self._answers_to_lose = count

    async def handle(self, client: trio.SocketStream) -> None:
        with trio.CancelScope() as scope:
            self._passing.add(scope)
            try:
                async with await trio.open_tcp_stream(*self._target) as server, trio.open_nursery() as nursery:
                    nursery.start_soon(self._pass, client, server, scope)
                    await self._pass_answers(server, client, scope)
                    scope.cancel()
            finally:
                self._passing.discard(scope)
                await trio.aclose_forcefully(client)

    async def _pass(self, source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope) -> None:
        try:
            async for piece in source:
                await sink.send_all(piece)
        except trio.BrokenResourceError:
            pass
        scope.cancel()

    async def _pass_answers(
        self, source: trio.SocketStream, sink: trio.SocketStream, scope: trio.CancelScope
    ) -> None:
        try:
            async for piece in source:
                if self._answers_to_lose:
                    self._answers_to_lose -= 1
                    self.lost += 1
                    return
                await sink.send_all(piece)
        except trio.BrokenResourceError:
            pass


async def flaky_wire(nursery: trio.Nursery, target: str) -> FlakyWire:
    """Stand before the server at ``target``, on a port of its own."""
    wire = FlakyWire(target)
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    wire.url = "http://{}:{}".format(*listener.socket.getsockname()[:2])
    nursery.start_soon(trio.serve_listeners, wire.handle, [listener])
    return wire
