"""Many readers of event streams in one task each, cheap enough that it is the server that is measured.

They count what they received and hold every stream to its promise: cursors are dense, none is skipped or repeated.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import trio

PIECE_BYTES: Final = 256 * 1024
OPEN_TIMEOUT_S: Final = 30.0

# A chunk of the body begins and ends between events, so the sizes between chunks never share a line with a field.
_ID: Final = re.compile(rb"^id: v1\.\w+\.(\d+)$", re.MULTILINE)
_CURSOR: Final = re.compile(rb"^id: (\S+)$", re.MULTILINE)


class StreamBroken(Exception):
    """A stream lost, repeated or reordered something, or ended: there is no use in measuring how fast."""


@dataclass(slots=True)
class Reader:
    """One open stream.

    Attributes:
        opened_at: when its first byte came, after it was asked for at ``asked_at``.
        cursor: where it began.
        received: durable events counted, the last of them at ``reached_at``.
        arrived_at: when each came, if that is noted.
    """

    asked_at: float = 0.0
    opened_at: float = 0.0
    cursor: str = ""
    last_seq: int | None = None
    received: int = 0
    reached_at: float = 0.0
    arrived_at: list[float] | None = None

    def read(self, lines: bytes) -> None:
        """Count what complete lines hold."""
        for found in _ID.finditer(lines):
            seq = int(found[1])
            if self.last_seq is not None and seq != self.last_seq:
                if seq != self.last_seq + 1:
                    raise StreamBroken(f"{seq} came after {self.last_seq}")
                self.received += 1
                self.reached_at = trio.current_time()
                if self.arrived_at is not None:
                    self.arrived_at.append(self.reached_at)
            self.last_seq = seq


@dataclass(slots=True)
class Readers:
    """All readers of a measurement."""

    all: list[Reader] = field(default_factory=list)

    @property
    def received(self) -> int:
        return sum(reader.received for reader in self.all)

    async def wait_received(self, count: int, *, within_s: float) -> None:
        """Wait until together they have received ``count``; looks every few milliseconds.

        Raises:
            StreamBroken: they did not in time.
        """
        with trio.move_on_after(within_s):
            while self.received < count:  # noqa: ASYNC110 - an event per arrival would cost what is measured
                await trio.sleep(0.005)
            return
        raise StreamBroken(f"{count - self.received} of {count} events did not arrive")


@asynccontextmanager
async def open_readers(
    port: int, requests: Sequence[bytes], *, note_arrivals: bool = False
) -> AsyncIterator[Readers]:
    """Open a stream per request, all at once, and read them for the length of the block.

    Raises:
        StreamBroken: one was refused, or did not begin in time.
    """
    readers = Readers([Reader(arrived_at=[] if note_arrivals else None) for _ in requests])
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(OPEN_TIMEOUT_S) as opening:
            async with trio.open_nursery() as starting:
                for reader, request in zip(readers.all, requests, strict=True):
                    starting.start_soon(nursery.start, _follow, port, request, reader)
        if opening.cancelled_caught:
            raise StreamBroken("not all streams began in time")
        yield readers
        nursery.cancel_scope.cancel()


async def _follow(port: int, request: bytes, reader: Reader, *, task_status: trio.TaskStatus[None]) -> None:
    reader.asked_at = trio.current_time()
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(request)
        rest = b""
        while True:
            piece = await stream.receive_some(PIECE_BYTES)
            if not piece:
                raise StreamBroken("a stream ended")
            lines = rest + bytes(piece)
            if not reader.opened_at:
                if not lines.startswith(b"HTTP/1.1 200 "):
                    raise StreamBroken(f"refused: {lines[:200]!r}")
                reader.opened_at = trio.current_time()
            end = lines.rfind(b"\n") + 1
            lines, rest = lines[:end], lines[end:]
            reader.read(lines)
            if not reader.cursor and (found := _CURSOR.search(lines)):
                reader.cursor = found[1].decode()
                task_status.started()
