"""A stop under load: every client is answered or finds nobody there; none is left with half a conversation."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.http.serving import listen
from tests.http.raw import PATIENT, WAIT_S, a_server, read_to_end, read_until, statuses

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nhi"
STOP = replace(PATIENT, drain_s=600.0, drain_idle_s=60.0)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await trio.sleep(0.005)  # so that a stop finds some of them under way
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_a_hundred_requests_in_flight_are_all_answered(skipping_clock: MockClock) -> None:
    arrived, may_finish = 0, trio.Event()
    all_arrived = trio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal arrived
        arrived += 1
        if arrived == 100:
            all_arrived.set()
        await may_finish.wait()
        await hello(scope, receive, send)

    async with a_server(slow, STOP) as server, trio.open_nursery() as nursery:
        streams = [await server.connect() for _ in range(100)]
        for stream in streams:
            await stream.send_all(POST)
        with trio.fail_after(WAIT_S):
            await all_arrived.wait()
        nursery.start_soon(server.drain)
        await wait_all_tasks_blocked()
        skipping_clock.jump(STOP.drain_idle_s * 2)  # longer than anything idle is kept
        may_finish.set()

        answers = [await read_to_end(stream) for stream in streams]

        assert [statuses(answer) for answer in answers] == [[200]] * 100
        assert all(b"connection: close\r\n" in answer and answer.endswith(b"hello") for answer in answers)


async def test_requests_that_come_on_idle_connections_amid_a_stop_are_answered(skipping_clock: MockClock) -> None:
    async with a_server(hello, STOP) as server, trio.open_nursery() as nursery:
        streams = [await server.connect() for _ in range(50)]
        for stream in streams:
            await stream.send_all(GET)
        for stream in streams:
            await read_until(stream, b"hello")

        nursery.start_soon(server.drain)
        await wait_all_tasks_blocked()
        skipping_clock.jump(STOP.drain_idle_s / 2)
        for stream in streams:
            await stream.send_all(GET)

        assert [statuses(await read_to_end(stream)) for stream in streams] == [[200]] * 50
        skipping_clock.jump(STOP.drain_idle_s)


async def test_connections_that_come_amid_a_stop_are_served(skipping_clock: MockClock) -> None:
    async with a_server(hello, STOP) as server, trio.open_nursery() as nursery:
        nursery.start_soon(server.drain)
        await wait_all_tasks_blocked()
        skipping_clock.jump(STOP.drain_idle_s / 2)

        received = await server.converse(GET)

        assert statuses(received) == [200]
        assert b"connection: close\r\n" in received
        skipping_clock.jump(STOP.drain_idle_s)


async def test_a_listener_that_refuses_handshakes_still_hands_over_what_it_had() -> None:
    [listener] = await listen("127.0.0.1", 0, limits=STOP)
    address = listener.socket.getsockname()
    with socket.create_connection(address), socket.socket() as late:
        listener.refuse_handshakes()
        late.settimeout(0.2)
        with pytest.raises(TimeoutError):  # its SYN was dropped; it will be sent again
            late.connect(address)

        accepted = listener.accept_nowait()

        assert accepted is not None
        assert listener.accept_nowait() is None
        accepted[0].close()
        listener.close()


async def test_what_waits_in_a_shared_socket_is_left_to_the_successor() -> None:
    async with a_server(hello, replace(PATIENT, connections_max=1)) as server:
        [listener] = server._listeners
        successor = listener.socket.dup()
        busy, waiting = await server.connect(), await server.connect()
        await busy.send_all(GET)
        await read_until(busy, b"hello")
        await waiting.send_all(GET)

        with trio.fail_after(WAIT_S):
            await server.drain(has_successor=True)

        with successor:
            accepted, _ = successor.accept()
            with accepted:
                accepted.settimeout(1)
                assert accepted.recv(1000) == GET


def swarm(address: tuple[str, int], rng: Random, is_over: threading.Event, ends: Counter[str]) -> None:
    """One client: keeps a connection for some requests, makes a new one, until it finds nobody there."""
    while not is_over.is_set():
        with socket.socket() as sock:
            sock.settimeout(3.0)
            try:
                sock.connect(address)
            except OSError:
                ends["nobody there"] += 1
                continue
            sock.settimeout(WAIT_S)
            for _ in range(rng.randrange(1, 5)):
                try:
                    sock.sendall(POST)
                    received = b""
                    while not received.endswith(b"hello"):
                        piece = sock.recv(4096)
                        if not piece:
                            raise ConnectionError
                        received += piece
                except OSError as exc:
                    ends[f"lost: {type(exc).__name__}"] += 1
                    break
                ends["answered"] += 1
                if b"connection: close\r\n" in received:
                    break


async def test_a_stop_loses_no_request_of_clients_that_come_and_go() -> None:
    ends: Counter[str] = Counter()
    for seed in range(3):
        is_over = threading.Event()
        # Who is amid a request has two seconds to send it.
        async with a_server(hello, replace(STOP, drain_idle_s=2.0)) as server, trio.open_nursery() as nursery:
            host, _, port = server.addresses[0].rpartition(":")
            for number in range(20):
                nursery.start_soon(
                    trio.to_thread.run_sync,
                    swarm, (host, int(port)), Random(seed * 100 + number), is_over, ends,
                )  # fmt: skip
            with trio.fail_after(WAIT_S):
                while ends["answered"] < 100 * (seed + 1):  # noqa: ASYNC110 - threads count
                    await trio.sleep(0.01)
                await server.drain()
            is_over.set()

    assert [end for end in ends if end.startswith("lost")] == [], ends
