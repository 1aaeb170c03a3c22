"""The baseline of event streams: fan-out by hand on bare Trio, as little as a server of streams can get by with.

``GET /<topic>`` opens a stream, ``POST /<topic>`` writes its body to all streams of the topic. No authentication, no
cursors, no database, no heartbeats, nothing bounded, no HTTP beyond what one known client sends.

``python -m bench.bare_streams`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

CHANNEL_EVENTS: Final = 1_000
OPENING: Final = b"HTTP/1.1 200 \r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE: Final = b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"
START_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class BareServer:
    port: int
    pid: int


@asynccontextmanager
async def a_bare_server() -> AsyncIterator[BareServer]:
    """Run it in a process of its own, for the length of the block."""
    command = [sys.executable, "-m", "bench.bare_streams"]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    try:
        with trio.fail_after(START_TIMEOUT_S):
            said = await process.stdout.receive_some() if process.stdout else b""
        yield BareServer(int(said), process.pid)
    finally:
        process.kill()
        with trio.CancelScope(shield=True):  # a process that was killed is gone in an instant
            await process.wait()


async def _serve() -> None:
    topics: dict[str, list[trio.MemorySendChannel[bytes]]] = defaultdict(list)
    numbers: dict[str, int] = defaultdict(int)

    async def serve(stream: trio.SocketStream) -> None:
        try:
            while head := await stream.receive_some():
                request, _, body = bytes(head).partition(b"\r\n\r\n")
                method, path, _ = request.decode().split(" ", 2)
                if method == "GET":
                    await follow(stream, path)
                    break
                numbers[path] += 1
                frame = _frame(numbers[path], body)
                for channel in topics[path]:
                    channel.send_nowait(frame)
                await stream.send_all(DONE)
        except* trio.BrokenResourceError:
            pass  # the client left

    async def follow(stream: trio.SocketStream, path: str) -> None:
        into, out = trio.open_memory_channel[bytes](CHANNEL_EVENTS)
        topics[path].append(into)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_end_when_left, stream, nursery.cancel_scope)
                await stream.send_all(OPENING + _frame(numbers[path], b"{}", event=b"ready"))
                async for frame in out:
                    await stream.send_all(frame)
        finally:
            topics[path].remove(into)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=4096)
    print(listeners[0].socket.getsockname()[1], flush=True)
    await trio.serve_listeners(serve, listeners)


async def _end_when_left(stream: trio.SocketStream, following: trio.CancelScope) -> None:
    await stream.receive_some()
    following.cancel()


def _frame(number: int, data: bytes, *, event: bytes = b"message.created") -> bytes:
    frame = b"id: v1.bare.%d\nevent: %s\ndata: %s\n\n" % (number, event, data)
    return b"%x\r\n%s\r\n" % (len(frame), frame)


if __name__ == "__main__":
    trio.run(_serve)
