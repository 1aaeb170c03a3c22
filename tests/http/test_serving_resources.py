"""A server in a process of its own, short of file descriptors or under thousands of hostile connections."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from greenroom.http.serving import room_for_connections
from greenroom.http.serving.limits import DESCRIPTORS_RESERVED
from greenroom.http.serving.server import ACCEPT_PAUSE_S
from tests.http.raw import WAIT_S, read_to_end
from tests.http.test_serving import LEGAL, MALFORMED

ROOT = Path(__file__).parents[2]
GET = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"

PROGRAM = """
import json, structlog, sys, trio
from greenroom.http.serving import Limits, Server, listen, room_for_connections

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

def rss_kib():
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4
    except OSError:  # no descriptor left
        return None

async def main(wanted: int, is_bounded: bool) -> None:
    wanted = room_for_connections(wanted, elsewhere=0) if is_bounded else wanted
    limits = Limits(connections_max=wanted, head_s=60, keep_alive_s=60, linger_s=0.2)

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        while (await receive())["more_body"]:
            pass
        told = {"connections_max": wanted, "rss_kib": rss_kib(),
                "accept_failures": server.statistics().accept_failures, "faults": server.statistics().faults}
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    server = Server(app, await listen("127.0.0.1", 0, limits=limits), limits=limits)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        print(server.addresses[0], flush=True)

trio.run(main, int(sys.argv[1]), sys.argv[2] == "bounded")
"""


class ServerProcess:
    """A server in a process of its own."""

    def __init__(self, address: str, process: trio.Process) -> None:
        host, _, port = address.strip().rpartition(":")
        self.address = (host, int(port))
        self.process = process

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream(*self.address)

    async def converse(self, sent: bytes) -> bytes:
        async with await self.connect() as stream:
            await stream.send_all(sent)
            return await read_to_end(stream)

    async def ask(self) -> dict[str, Any]:
        """What it says of itself."""
        told: dict[str, Any] = json.loads((await self.converse(GET)).partition(b"\r\n\r\n")[2])
        return told


@asynccontextmanager
async def a_process(wanted: int, bound: str, *, descriptors: int | None = None) -> AsyncIterator[ServerProcess]:
    def lower() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    async with trio.open_nursery() as nursery:
        process = await nursery.start(
            partial(
                trio.run_process,
                [sys.executable, "-c", PROGRAM, str(wanted), bound],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                preexec_fn=lower,
                check=False,
            )
        )
        assert process.stdout is not None
        with trio.fail_after(WAIT_S):
            address = await process.stdout.receive_some()
        yield ServerProcess(address.decode(), process)
        process.send_signal(signal.SIGKILL)


async def test_without_descriptors_the_accept_loop_waits_and_then_goes_on() -> None:
    async with a_process(10_000, "unbounded", descriptors=256) as server:
        before, began = await server.ask(), trio.current_time()
        streams = [await server.connect() for _ in range(300)]  # more than it can have
        for stream in streams:
            await stream.send_all(GET.replace(b"close", b"keep-alive"))
        with trio.fail_after(WAIT_S):
            while len(os.listdir(f"/proc/{server.process.pid}/fd")) < 256:  # noqa: ASYNC110 - nothing else tells
                await trio.sleep(0.01)
        await trio.sleep(5 * ACCEPT_PAUSE_S)

        for stream in streams[:200]:
            await stream.aclose()
        after = await server.ask()

        failures = after["accept_failures"] - before["accept_failures"]
        assert 0 < failures <= (trio.current_time() - began) / ACCEPT_PAUSE_S + 1  # it did not spin
        for stream in streams[200:]:
            await trio.aclose_forcefully(stream)


async def test_connections_leave_descriptors_for_everything_else() -> None:
    async with a_process(10_000, "bounded", descriptors=256) as server:
        connections_max = (await server.ask())["connections_max"]
        assert connections_max == 256 - DESCRIPTORS_RESERVED
        streams = [await server.connect() for _ in range(connections_max + 20)]
        for stream in streams:
            await stream.send_all(GET.replace(b"close", b"keep-alive"))

        told = []
        for stream in streams[:connections_max]:
            with trio.fail_after(WAIT_S):
                told.append(await stream.receive_some(65536))

        assert all(b'"rss_kib": null' not in answer for answer in told)  # each of them could open a file
        assert b'"accept_failures": 0' in told[-1]
        for stream in streams:
            await trio.aclose_forcefully(stream)


def test_there_is_room_for_what_was_wanted_or_less(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = 100_000, 100_000
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))

    assert room_for_connections(10_000, elsewhere=8) == 10_000
    soft = hard = 1024
    assert room_for_connections(10_000, elsewhere=8) == 1024 - 8 - DESCRIPTORS_RESERVED
    soft = hard = 20
    assert room_for_connections(10_000, elsewhere=8) == 1
    soft = hard = resource.RLIM_INFINITY
    assert room_for_connections(10_000, elsewhere=8) == 10_000


def mutate(rng: Random, request: bytes) -> bytes:
    """Change a good request a little: overwrite, cut out, repeat, cut off."""
    changed = bytearray(request)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(changed) or 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[at : at + rng.randint(1, 8)]
            case 2:
                changed[at:at] = changed[at : at + rng.randint(1, 40)] * rng.randint(1, 5)
            case _:
                del changed[max(1, at) :]
    return bytes(changed)


async def attack(server: ServerProcess, sent: bytes, limiter: trio.CapacityLimiter) -> None:
    async with limiter, await server.connect() as stream:
        try:
            await stream.send_all(sent)
            await stream.send_eof()
        except trio.BrokenResourceError:
            return
        await read_to_end(stream)


async def test_five_thousand_hostile_connections_leave_the_same_process_at_the_same_size() -> None:
    rng = Random(20261123)
    malformed = [sent for sent, _ in MALFORMED.values()]
    good = [sent for sent, _ in LEGAL.values()]
    async with a_process(1_000, "bounded") as server:
        limiter = trio.CapacityLimiter(40)

        async def storm(connections: int) -> None:
            async with trio.open_nursery() as nursery:
                for number in range(connections):
                    sent = (
                        malformed[number] if number < len(malformed) else mutate(rng, rng.choice(good + malformed))
                    )
                    nursery.start_soon(attack, server, sent, limiter)

        await storm(1_000)
        before = await server.ask()  # code and buffers that stay are there now
        await storm(4_000)
        after = await server.ask()

        assert after["faults"]["crashed"] == 0
        assert after["faults"]["malformed"] > 2_000
        assert after["rss_kib"] - before["rss_kib"] < 5 * 1024
        assert server.process.returncode is None
