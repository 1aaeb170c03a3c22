"""WebSocket clients that cost next to nothing, so that it is the server that is measured.

They mask with zeros, which is allowed and leaves the payload as it is; the server has to unmask all the same. They take
frames apart by their lengths and look at no more of them than says what they are.
"""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

PIECE_BYTES: Final = 256 * 1024
OPEN_TIMEOUT_S: Final = 30.0

_REPLY: Final = b'{"type":"reply",'
_REFUSED: Final = b'"ok":false'
_NO_MASK: Final = bytes(4)


class SocketBroken(Exception):
    """A command was refused, or the socket ended: there is no use in measuring how fast."""


class Socket:
    """One open WebSocket."""

    def __init__(self, stream: trio.SocketStream, unread: bytes) -> None:
        self._stream = stream
        self._unread = unread

    async def send(self, *frames: bytes) -> None:
        await self._stream.send_all(b"".join(frames))

    async def replies(self) -> int:
        """Wait for more and count the replies in it; events are passed over.

        Raises:
            SocketBroken: a reply is a refusal, or the server closed.
        """
        received = await self._stream.receive_some(PIECE_BYTES)
        if not received:
            raise SocketBroken("closed by the server")
        self._unread += received
        count = at = 0
        while (frame := _frame_at(self._unread, at)) is not None:
            payload, at = frame
            if payload.startswith(_REPLY):
                count += 1
                if _REFUSED in payload[:100]:
                    raise SocketBroken(payload.decode())
        self._unread = self._unread[at:]
        return count


def _frame_at(data: bytes, at: int) -> tuple[bytes, int] | None:
    """The payload of the frame that begins there, and where it ends; None if that has not come yet."""
    if len(data) < at + 4:
        return None
    size, begin = data[at + 1], at + 2
    if size == 126:
        size, begin = struct.unpack_from("!H", data, at + 2)[0], at + 4
    elif size == 127:
        raise SocketBroken("a frame of more than 64 KiB")
    return (data[begin : begin + size], begin + size) if len(data) >= begin + size else None


def command(**fields: object) -> bytes:
    """A command as it goes over the wire."""
    payload = json.dumps(fields).encode()
    if len(payload) < 126:
        return b"\x81" + bytes([0x80 | len(payload)]) + _NO_MASK + payload
    return b"\x81\xfe" + struct.pack("!H", len(payload)) + _NO_MASK + payload


@asynccontextmanager
async def open_socket(port: int, *, token: str) -> AsyncIterator[Socket]:
    """Open one, and wait for the first event on it.

    Raises:
        SocketBroken: the server did not agree.
    """
    request = (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    try:
        with trio.fail_after(OPEN_TIMEOUT_S):
            await stream.send_all(request.encode())
            got = b""
            while b'"ready"' not in got:
                piece = await stream.receive_some(PIECE_BYTES)
                if not piece:
                    raise SocketBroken(got.decode(errors="replace"))
                got += piece
        yield Socket(stream, got.partition(b"\r\n\r\n")[2])
    finally:
        await trio.aclose_forcefully(stream)
