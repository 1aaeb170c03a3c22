"""What a parent and a worker say to each other, as lines of JSON over a socket pair.

The socket is also how each learns of the other's end: it closes.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from typing import Final, TypeAlias

import trio

LINE_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Orders:
    """To a worker that was started: begin.

    Attributes:
        name: its place among the workers, ``1`` to the number of them; its successor has the same.
        conninfo: how to reach the migrated database.
        listeners: descriptors of the sockets it inherited.
        run_dir: folder of the sockets by which workers reach each other.
    """

    name: str
    workers: int
    conninfo: str
    listeners: tuple[int, ...]
    run_dir: str


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: drain and end. ``is_last``: nobody will accept after it, so it also serves what waits in the queue."""

    is_last: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: requests are served."""


@dataclass(frozen=True, slots=True)
class Beat:
    """From a worker, every second: its event loop turns, and how many requests it has answered."""

    requests: int


Message: TypeAlias = Orders | Stop | Ready | Beat

_TYPES: Final = {kind.__name__: kind for kind in (Orders, Stop, Ready, Beat)}


def encode(message: Message) -> bytes:
    return json.dumps([type(message).__name__, asdict(message)]).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Read a line; both ends are of one version, so one that can't be read is a bug."""
    name, fields = json.loads(line)
    if "listeners" in fields:
        fields["listeners"] = tuple(fields["listeners"])
    message: Message = _TYPES[name](**fields)
    return message


class Control:
    """One end of the socket pair. One task receives; sending may come from any, a line at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
        self._sending = trio.Lock()
        self._buffer = bytearray()

    async def send(self, message: Message) -> None:
        """Say something; nothing happens if the other end is gone, which :meth:`receive` tells."""
        try:
            async with self._sending:
                await self._stream.send_all(encode(message))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def receive(self) -> Message | None:
        """Wait for the next message; None once the other end is gone."""
        while b"\n" not in self._buffer:
            try:
                data = await self._stream.receive_some(LINE_BYTES_MAX)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
            if not data or len(self._buffer) > LINE_BYTES_MAX:
                return None
            self._buffer += data
        line, _, rest = self._buffer.partition(b"\n")
        self._buffer = rest
        return decode(bytes(line))

    async def aclose(self) -> None:
        await self._stream.aclose()
