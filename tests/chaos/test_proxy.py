"""The network before Postgres breaks as it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from chaos.proxy import Network, Proxy

TIMEOUT_S = 30.0


async def echo(stream: trio.SocketStream) -> None:
    try:
        async for piece in stream:
            await stream.send_all(piece)
    except trio.BrokenResourceError:
        pass


@pytest.fixture
async def proxy(tmp_path: Path, nursery: trio.Nursery) -> AsyncIterator[Proxy]:
    path = tmp_path / "echo"
    sock = trio.socket.socket(trio.socket.AF_UNIX)
    await sock.bind(str(path))
    sock.listen()
    nursery.start_soon(trio.serve_listeners, echo, [trio.SocketListener(sock)])
    proxy = Proxy(path)
    await nursery.start(proxy.run)
    yield proxy
    nursery.cancel_scope.cancel()


async def test_it_forwards_while_the_network_is_well(proxy: Proxy) -> None:
    with trio.fail_after(TIMEOUT_S):
        client = await trio.open_tcp_stream("127.0.0.1", proxy.port)
        await client.send_all(b"hello")
        assert await client.receive_some() == b"hello"
        await client.aclose()


async def test_a_blackhole_takes_everything_and_forgets_who_was_there(proxy: Proxy) -> None:
    with trio.fail_after(TIMEOUT_S):
        client = await trio.open_tcp_stream("127.0.0.1", proxy.port)
        proxy.become(Network.BLACKHOLE)
        await client.send_all(b"hello")
        with trio.move_on_after(0.1) as silence:
            await client.receive_some()
        assert silence.cancelled_caught
        proxy.become(Network.WELL)
        with trio.move_on_after(0.1) as silence:
            await client.receive_some()
        assert silence.cancelled_caught
        await client.aclose()


async def test_a_reset_cuts_those_who_are_there_and_those_who_come(proxy: Proxy) -> None:
    with trio.fail_after(TIMEOUT_S):
        client = await trio.open_tcp_stream("127.0.0.1", proxy.port)
        await client.send_all(b"hello")
        assert await client.receive_some() == b"hello"
        proxy.become(Network.RESET)
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()
        other = await trio.open_tcp_stream("127.0.0.1", proxy.port)
        with pytest.raises(trio.BrokenResourceError):
            await other.receive_some()
        await client.aclose()
        await other.aclose()
