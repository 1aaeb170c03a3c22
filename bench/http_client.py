"""An HTTP/1.1 client that costs next to nothing, so that it is the server that is measured.

It speaks as much as this server answers with: one request at a time on a connection that stays open, bodies of a given
length. A client library would take more of the machine than the server does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

TIMEOUT_S: Final = 10.0
PIECE_BYTES: Final = 64 * 1024
IDLE_S_MAX: Final = 2.5
"""The server closes a connection after 5 s of silence; one that was silent for half of that is not trusted any more."""


class NotServed(Exception):
    """The answer was no success, or no answer at all."""


class Connection:
    """One connection to a server on loopback, opened anew where it broke or the server may have closed it between two requests.

    A refusal leaves it open, as it does for browsers: who is refused may ask again.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._stream: trio.SocketStream | None = None
        self._used_at = 0.0

    async def exchange(self, request: bytes) -> bytes:
        """Send a whole request and return the body of the answer.

        Raises:
            NotServed: a status other than 2xx, or the connection broke.
            trio.TooSlowError: no answer within 10 s.
        """
        is_whole = False
        try:
            with trio.fail_after(TIMEOUT_S):
                if trio.current_time() > self._used_at + IDLE_S_MAX:
                    await self.aclose()
                if self._stream is None:
                    self._stream = await trio.open_tcp_stream("127.0.0.1", self._port)
                await self._stream.send_all(request)
                head, body = await self._receive(self._stream)
                is_whole = b"connection: close" not in head
        except trio.BrokenResourceError as exc:
            raise NotServed("the connection broke") from exc
        finally:
            if not is_whole:
                await self.aclose()
        self._used_at = trio.current_time()
        if not head.startswith(b"http/1.1 2"):
            raise NotServed((head + b"\r\n\r\n" + body).decode(errors="replace"))
        return body

    async def _receive(self, stream: trio.SocketStream) -> tuple[bytes, bytes]:
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += await self._piece(stream)
        head = got[:end].lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(got) < end + 4 + length:
            got += await self._piece(stream)
        return head, got[end + 4 :]

    @staticmethod
    async def _piece(stream: trio.SocketStream) -> bytes:
        piece = await stream.receive_some(PIECE_BYTES)
        if not piece:
            raise NotServed("closed in the middle of an answer")
        return bytes(piece)

    async def aclose(self) -> None:
        if self._stream is not None:
            await trio.aclose_forcefully(self._stream)
            self._stream = None


class Connections:
    """A pool without a bound: a request never waits for a connection, as its sender would not wait for another's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Connection] = []
        self._all: list[Connection] = []

    async def exchange(self, request: bytes) -> bytes:
        """As :meth:`Connection.exchange`."""
        if self._idle:
            connection = self._idle.pop()
        else:
            connection = Connection(self._port)
            self._all.append(connection)
        try:
            return await connection.exchange(request)
        finally:
            self._idle.append(connection)

    async def aclose(self) -> None:
        for connection in self._all:
            await connection.aclose()


@asynccontextmanager
async def open_connections(port: int) -> AsyncIterator[Connections]:
    connections = Connections(port)
    try:
        yield connections
    finally:
        await connections.aclose()


def get(path: str, *, token: str | None = None) -> bytes:
    """A GET as it goes over the wire."""
    authorization = f"Authorization: Bearer {token}\r\n" if token is not None else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode()


def post(path: str, body: dict[str, str], *, token: str | None = None) -> bytes:
    """A POST of JSON as it goes over the wire."""
    content = json.dumps(body).encode()
    authorization = f"Authorization: Bearer {token}\r\n" if token is not None else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
