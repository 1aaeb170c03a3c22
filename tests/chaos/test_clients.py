"""Clients leave nothing open, whenever they are cut off."""

from __future__ import annotations

import gc
import socket
from functools import partial
from random import Random

import pytest
import trio

from chaos.clients import Gate, Listener, Person, Sender
from chaos.line import Line

TIMEOUT_S = 30.0
PERSON = Person("student", "token")


def sockets_to(port: int) -> list[socket.socket]:
    """Client sockets of this process that are open, and connected to a port."""
    found = []
    for thing in gc.get_objects():
        if isinstance(thing, socket.socket) and thing.fileno() >= 0 and thing.family == socket.AF_INET:
            try:
                if thing.getpeername()[1] == port:
                    found.append(thing)
            except OSError:
                continue
    return found


async def swallow(stream: trio.SocketStream) -> None:
    """A server that takes everything and answers nothing."""
    try:
        async for _ in stream:
            pass
    except trio.BrokenResourceError:
        pass


async def accept_all(stream: trio.SocketStream) -> None:
    """A server that says of every piece it is sent that it is stored."""
    body = b'{"id": "m1", "seq": 1}'
    try:
        async for _ in stream:
            await stream.send_all(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except trio.BrokenResourceError:
        pass


async def test_a_sender_that_has_stopped_leaves_no_socket_open() -> None:
    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(partial(trio.serve_tcp, accept_all, 0, host="127.0.0.1"))
            port = listener.socket.getsockname()[1]
            sender = Sender(
                Line(port, timeout_s=TIMEOUT_S), PERSON, "talk", random=Random(1), pause_s=0.01, content="?"
            )
            async with trio.open_nursery() as sending:
                sending.start_soon(sender.run)
                await sender.wait_acked(2)
                sender.stop()
            assert sockets_to(port) == []
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.05])
async def test_clients_that_are_cancelled_leave_no_socket_open(after_s: float) -> None:
    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(partial(trio.serve_tcp, swallow, 0, host="127.0.0.1"))
            port = listener.socket.getsockname()[1]
            with trio.move_on_after(after_s):
                async with trio.open_nursery() as clients:
                    for n in range(20):
                        line = Line(port, timeout_s=TIMEOUT_S)
                        sender = Sender(line, PERSON, "talk", random=Random(n), pause_s=0.0, content="?")
                        reader = Listener("l", PERSON, frozenset(), port=port, gate=Gate(), random=Random(n))
                        clients.start_soon(sender.run)
                        clients.start_soon(reader.run)
            assert sockets_to(port) == []
            nursery.cancel_scope.cancel()
