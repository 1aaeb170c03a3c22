"""Speaking to a server in bytes, the way no HTTP client would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from hypercorn.typing import ASGIFramework

from greenroom.http.serving import Limits, Server, listen

WAIT_S = 20.0
"""Only ever waited for in full by a test that fails."""

PATIENT = Limits(
    head_s=60.0, keep_alive_s=60.0, send_stall_s=60.0, linger_s=0.3, ping_s=60.0, pong_s=50.0, close_s=60.0,
    abandoned_s=60.0, drain_s=60.0, drain_idle_s=0.1,
)  # fmt: skip
"""Nothing that a test does not bring about itself is due within its WAIT_S, however slow the machine is; but for
``linger_s``, which a stop waits for, and ``drain_idle_s``."""


class ReachableServer(Server):
    """A server that can be spoken to; what connected to it is closed with it."""

    clients: list[trio.SocketStream]

    async def connect(self) -> trio.SocketStream:
        host, _, port = self.addresses[0].rpartition(":")
        self.clients.append(await trio.open_tcp_stream(host, int(port)))
        return self.clients[-1]

    async def converse(self, sent: bytes) -> bytes:
        """Send some bytes and return everything that comes back until the server closes."""
        async with await self.connect() as stream:
            await stream.send_all(sent)
            return await read_to_end(stream)


@asynccontextmanager
async def a_server(app: ASGIFramework, limits: Limits = PATIENT, **options: Any) -> AsyncIterator[ReachableServer]:
    listeners = await listen("127.0.0.1", 0, limits=limits)
    server = ReachableServer(without_lifespan(app), listeners, limits=limits, **options)
    server.clients = []
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(lambda task_status: server.run(task_status=task_status))
            yield server
            nursery.cancel_scope.cancel()
    finally:
        for client in server.clients:
            await trio.aclose_forcefully(client)


def without_lifespan(app: ASGIFramework) -> ASGIFramework:
    """An application that knows requests only, as most of them here."""

    async def http_only(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await app(scope, receive, send)

    return http_only


async def read_to_end(stream: trio.SocketStream) -> bytes:
    """Everything until the server closes; a reset counts as the end."""
    received = b""
    with trio.fail_after(WAIT_S):
        while True:
            try:
                data = await stream.receive_some(65536)
            except trio.BrokenResourceError:
                return received
            if not data:
                return received
            received += data


async def read_until(stream: trio.SocketStream, mark: bytes) -> bytes:
    received = b""
    with trio.fail_after(WAIT_S):
        while mark not in received:
            data = await stream.receive_some(65536)
            assert data, f"closed before {mark!r}: {received!r}"
            received += data
    return received


def statuses(received: bytes) -> list[int]:
    """The status of every response in what was received, interim ones included."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
