"""One worker's stream as its colleagues read it, from a server on a Unix socket that does as it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.workers.event_source import Event, SourceLost, read_events

WAIT_S = 10
OPENING = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@asynccontextmanager
async def answering(path: Path, *parts: bytes, stays: bool = False) -> AsyncIterator[None]:
    """A server that writes the parts, and then closes or says nothing more."""

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        for part in parts:
            await stream.send_all(part)
        if stays:
            await trio.sleep_forever()
        await stream.aclose()

    sock = trio.socket.socket(trio.socket.AF_UNIX)
    await sock.bind(str(path))
    sock.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [trio.SocketListener(sock)])
        yield
        nursery.cancel_scope.cancel()


async def read(path: Path, take: Callable[[Event], Awaitable[None]], *, silence_s: float = 5.0) -> None:
    with trio.fail_after(WAIT_S):
        await read_events(path, "/stream", headers={"host": "worker"}, take=take, silence_s=silence_s)


class Reader:
    def __init__(self) -> None:
        self.events: list[Event] = []

    async def take(self, event: Event) -> None:
        await trio.lowlevel.checkpoint()
        self.events.append(event)


async def test_events_are_whole_however_they_are_cut(tmp_path: Path) -> None:
    said = b'retry: 3000\n\nevent: a\ndata: {"n":1}\n\nevent: b\ndata: {"n":"\xc3\xa9"}\n\n'
    parts = [chunk(said[n : n + 7]) for n in range(0, len(said), 7)]
    reader = Reader()
    async with answering(tmp_path / "s", OPENING, *parts, b"0\r\n\r\n"):
        await read(tmp_path / "s", reader.take)

    assert reader.events == [Event("a", '{"n":1}'), Event("b", '{"n":"é"}')]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"],
        [OPENING, chunk(b"event: a\n")],
        [b"nonsense\r\n\r\n"],
    ],
)
async def test_whatever_is_no_stream_or_breaks_off_is_lost(tmp_path: Path, parts: list[bytes]) -> None:
    reader = Reader()
    async with answering(tmp_path / "s", *parts):
        with pytest.raises(SourceLost):
            await read(tmp_path / "s", reader.take)

    assert reader.events == []


async def test_nobody_there_is_lost(tmp_path: Path) -> None:
    with pytest.raises(SourceLost):
        await read(tmp_path / "s", Reader().take)


async def test_silence_is_bounded_but_not_the_time_its_reader_takes(
    tmp_path: Path, skipping_clock: MockClock
) -> None:
    taken = trio.Event()
    silence_s = 60.0

    async def slow(event: Event) -> None:
        skipping_clock.jump(2 * silence_s)
        await trio.lowlevel.checkpoint()
        taken.set()

    async def listen() -> None:
        with pytest.raises(SourceLost):
            await read_events(
                tmp_path / "s", "/stream", headers={"host": "worker"}, take=slow, silence_s=silence_s
            )

    async with answering(tmp_path / "s", OPENING, chunk(b"event: a\ndata: {}\n\n"), stays=True):
        with trio.fail_after(3 * silence_s + WAIT_S):  # three of which are left out
            async with trio.open_nursery() as nursery:
                nursery.start_soon(listen)
                await taken.wait()
                await wait_all_tasks_blocked()
                assert nursery.child_tasks  # it reads on

                skipping_clock.jump(silence_s)


@pytest.mark.parametrize("data", ["{}", '{"n":1}'])
def test_an_event_is_passed_on_with_its_worker(data: str) -> None:
    name, told = Event("a", data).of_worker("2").decode().removesuffix("\n\n").split("\n")

    assert name == "event: a"
    assert json.loads(told.removeprefix("data: ")) == json.loads(data) | {"worker": "2"}
