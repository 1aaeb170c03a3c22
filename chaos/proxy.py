"""A TCP proxy before Postgres or Redis whose network can be broken: it hangs, resets, drips, delays, or loses messages."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import trio

PIECE_BYTES: Final = 64 * 1024
DELAY_S: Final = 0.1
DRIP_S: Final = 1.0


class Network(StrEnum):
    """What the way to Postgres is like."""

    WELL = "well"
    BLACKHOLE = "blackhole"
    """Connections are accepted and stay open, and nothing passes. Those that were open then are forgotten for good, as by a
    gateway that lost its table."""
    RESET = "reset"
    """Every connection is cut by a RST, and so is each new one."""
    DRIP = "drip"
    """A byte a second."""
    DELAY = "delay"
    """A tenth of a second each way."""


Sieve = Callable[[bytes], bytes]
"""Given what a server sends on one connection, in pieces cut anywhere; returns what of it is to arrive by now."""


def keep_all() -> Sieve:
    """Nothing is lost."""
    return bytes


class Proxy:
    """Forwards connections on a port of loopback to the Unix socket of a server.

    Args:
        sieve: makes the sieve of one connection.
    """

    def __init__(self, target: Path, sieve: Callable[[], Sieve] = keep_all) -> None:
        self._target = target
        self._sieve = sieve
        self._network = Network.WELL
        self._changed = trio.Event()
        self._clients: set[trio.SocketStream] = set()
        self.port = 0

    def become(self, network: Network) -> None:
        self._network = network
        if network is Network.RESET:
            for client in self._clients:
                _reset(client)
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        await trio.serve_listeners(self._serve, listeners, task_status=_Started(task_status))

    async def _serve(self, client: trio.SocketStream) -> None:
        if self._network is Network.RESET:
            _reset(client)
            return
        self._clients.add(client)
        try:
            async with await trio.open_unix_socket(self._target) as server, trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, client, server, bytes, nursery.cancel_scope)
                nursery.start_soon(self._pump, server, client, self._sieve(), nursery.cancel_scope)
        except OSError:
            pass  # the server is away
        finally:
            self._clients.discard(client)
            await trio.aclose_forcefully(client)

    async def _pump(
        self, source: trio.SocketStream, target: trio.SocketStream, sieve: Sieve, both: trio.CancelScope
    ) -> None:
        try:
            while piece := await source.receive_some(PIECE_BYTES):
                await self._forward(sieve(bytes(piece)), target)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        both.cancel()

    async def _forward(self, piece: bytes, target: trio.SocketStream) -> None:
        while piece:
            match self._network:
                case Network.BLACKHOLE:
                    await trio.sleep_forever()
                case Network.DRIP:
                    await target.send_all(piece[:1])
                    piece = piece[1:]
                    with trio.move_on_after(DRIP_S):
                        await self._changed.wait()
                case network:
                    await trio.sleep(DELAY_S if network is Network.DELAY else 0.0)
                    await target.send_all(piece)
                    return


class _Started:
    """Tells that the proxy listens, without handing out its listeners."""

    def __init__(self, task_status: trio.TaskStatus[None]) -> None:
        self._task_status = task_status

    def started(self, value: object = None) -> None:
        self._task_status.started()


def _reset(stream: trio.SocketStream) -> None:
    # Lingering for no time makes closing a RST: socket(7).
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()
