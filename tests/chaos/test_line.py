"""A sender's connection tells exactly how an attempt ended."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable

import pytest
import trio

from chaos.line import CLOSED, REFUSED, RESET, TIMED_OUT, Line, NoAnswer

TIMEOUT_S = 30.0
ANSWER = b'HTTP/1.1 201 \r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'
Serve = Callable[[trio.SocketStream], Awaitable[None]]


async def a_server(nursery: trio.Nursery, serve: Serve) -> int:
    listeners: list[trio.SocketListener] = await nursery.start(trio.serve_tcp, serve, 0)
    port: int = listeners[0].socket.getsockname()[1]
    return port


async def attempt(nursery: trio.Nursery, serve: Serve, *, timeout_s: float = TIMEOUT_S) -> str:
    """Ask once; return the status, or how the attempt ended."""
    line = Line(await a_server(nursery, serve), timeout_s=timeout_s)
    try:
        answer = await line.ask("POST", "/x", headers={"A": "b"}, body={"content": "hello"})
        return f"{answer.status} {answer.json()['a']}"
    except NoAnswer as exc:
        return str(exc)
    finally:
        line.close()
        nursery.cancel_scope.cancel()


async def test_an_answer_is_read_whole_wherever_it_is_cut(nursery: trio.Nursery) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        for n in range(len(ANSWER)):
            await stream.send_all(ANSWER[n : n + 1])

    assert await attempt(nursery, serve) == "201 1"


async def test_a_connection_is_used_again(nursery: trio.Nursery) -> None:
    accepted = []

    async def serve(stream: trio.SocketStream) -> None:
        accepted.append(stream)
        while await stream.receive_some():
            await stream.send_all(ANSWER)

    line = Line(await a_server(nursery, serve), timeout_s=TIMEOUT_S)
    for _ in range(3):
        await line.ask("GET", "/")
    line.close()
    assert len(accepted) == 1
    nursery.cancel_scope.cancel()


async def test_half_an_answer_counts_as_closed(nursery: trio.Nursery) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(ANSWER[:-1])

    assert await attempt(nursery, serve) == CLOSED


async def test_a_reset_is_told_from_a_close(nursery: trio.Nursery) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.socket.close()

    assert await attempt(nursery, serve) == RESET


async def test_silence_ends_an_attempt_in_time(nursery: trio.Nursery) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    assert await attempt(nursery, serve, timeout_s=0.05) == TIMED_OUT


async def test_nobody_listening_is_a_refusal() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        # It stays bound, so that nobody else is given it.
        with pytest.raises(NoAnswer, match=REFUSED):
            await Line(port, timeout_s=TIMEOUT_S).ask("GET", "/")
