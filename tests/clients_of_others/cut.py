"""A way to the server that can be cut, as a walk into a lift does."""

from __future__ import annotations

import trio


class Way:
    """Forwards connections on a port of its own to a server's."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[trio.CancelScope] = set()
        self._is_cut = False
        self.port = 0

    def cut(self) -> None:
        """End every connection without a word, and every new one at once."""
        self._is_cut = True
        for scope in self._open:
            scope.cancel()

    def mend(self) -> None:
        self._is_cut = False

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._serve, listeners)

    async def _serve(self, client: trio.SocketStream) -> None:
        if self._is_cut:
            return
        async with client, await trio.open_tcp_stream(*self._target) as server, trio.open_nursery() as nursery:
            self._open.add(nursery.cancel_scope)
            nursery.start_soon(self._pump, client, server, nursery.cancel_scope)
            nursery.start_soon(self._pump, server, client, nursery.cancel_scope)
        self._open.discard(nursery.cancel_scope)

    async def _pump(self, source: trio.SocketStream, target: trio.SocketStream, both: trio.CancelScope) -> None:
        try:
            while piece := await source.receive_some(65536):
                await target.send_all(piece)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        both.cancel()
