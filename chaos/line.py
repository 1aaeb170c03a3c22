"""One HTTP/1.1 connection of a sender, on a plain socket: cheap, and it tells exactly how an attempt ended.

It understands what greenroom sends, no more: a status, headers, and a body of a stated length.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import trio

from chaos.pulse import Pulse

HEAD_END: Final = b"\r\n\r\n"
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
PIECE_BYTES: Final = 64 * 1024


class NoAnswer(Exception):
    """An attempt came to no whole answer; ``str(error)`` is how: one of the constants below."""


REFUSED: Final = "refused"
"""Nobody listened."""

RESET: Final = "reset"
"""A RST cut the attempt off, so that the peer had closed with bytes of ours unread, or was gone."""

CLOSED: Final = "closed"
"""The connection ended before a whole answer had come."""

TIMED_OUT: Final = "timed out"
"""Nothing came for as long as the client was ready to wait."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def problem(self) -> dict[str, Any]:
        """The problem document of a refusal; empty if there is none."""
        return self.json() if self.headers.get("content-type", "").startswith("application/problem+json") else {}

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Line:
    """A connection that is kept, and made anew where the last one ended. One exchange at a time.

    Args:
        timeout_s: bound of one attempt, connecting included.
        asked: beats when a request has been handed to the kernel.
    """

    def __init__(self, port: int, *, timeout_s: float, asked: Pulse | None = None) -> None:
        self._asked = Pulse() if asked is None else asked
        self._port = port
        self._timeout_s = timeout_s
        self._stream: trio.SocketStream | None = None
        self.local_port = 0
        """Of the connection that was used last; 0 if it was not made."""

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            NoAnswer: and the connection is given up.
        """
        try:
            with trio.fail_after(self._timeout_s):
                stream = await self._connected()
                await stream.send_all(_request(method, path, self._port, headers, body))
                self._asked.beat()
                return await self._receive(stream)
        except trio.TooSlowError as exc:
            self.close()
            raise NoAnswer(TIMED_OUT) from exc
        except trio.BrokenResourceError as exc:
            self.close()
            raise NoAnswer(RESET) from exc
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Cut the connection, without a farewell."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.socket.close()

    async def _connected(self) -> trio.SocketStream:
        if self._stream is not None and not self._stream.socket.is_readable():
            return self._stream
        # Readable between two exchanges: the server has closed an idle connection, as it may.
        self.close()
        self.local_port = 0
        sock = trio.socket.socket()
        try:
            await sock.connect(("127.0.0.1", self._port))
        except OSError as exc:
            sock.close()
            raise NoAnswer(REFUSED if exc.errno == errno.ECONNREFUSED else RESET) from exc
        except BaseException:
            sock.close()
            raise
        self.local_port = sock.getsockname()[1]
        self._stream = trio.SocketStream(sock)
        return self._stream

    async def _receive(self, stream: trio.SocketStream) -> Answer:
        received = bytearray()
        while (end := received.find(HEAD_END)) < 0:
            received += await _piece(stream)
        first, *lines = bytes(received[:end]).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        whole = end + len(HEAD_END) + int(headers.get("content-length", "0"))
        while len(received) < whole:
            received += await _piece(stream)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split(" ")[1]), headers, bytes(received[end + len(HEAD_END) : whole]))


async def _piece(stream: trio.SocketStream) -> bytes:
    piece = await stream.receive_some(PIECE_BYTES)
    if not piece:
        raise NoAnswer(CLOSED)
    return bytes(piece)


def _request(
    method: str, path: str, port: int, headers: Mapping[str, str], body: Mapping[str, Any] | None
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{n}: {v}" for n, v in headers.items())]
    content = b""
    if body is not None:
        content = json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content
