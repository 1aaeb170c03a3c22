"""What stands around requests: proxies, the application's lifespan, and WebSocket."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from hypercorn.utils import LifespanFailureError
from pydantic import ValidationError
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Ping, RejectConnection, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

from greenroom.http.serving import Fault, Limits, Server, TrustedProxies, listen
from tests.http.raw import SMALL, WAIT_S, ReachableServer, a_server, read_to_end, read_until, statuses
from tests.http.world import a_world, some_settings

FORWARDED = (
    b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\r\n"
)


async def who(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['scheme']} {scope['client'][0]}".encode()})


async def test_a_proxy_that_is_trusted_says_who_the_client_is() -> None:
    async with a_server(who, proxies=TrustedProxies.parse(["127.0.0.1"])) as server:
        assert (await server.converse(FORWARDED)).endswith(b"https 203.0.113.9")


async def test_anybody_else_is_taken_for_what_they_are() -> None:
    async with a_server(who, proxies=TrustedProxies.parse(["10.0.0.0/8"])) as server:
        assert (await server.converse(FORWARDED)).endswith(b"http 127.0.0.1")


def test_trusted_proxies_are_a_list_of_networks() -> None:
    assert some_settings(trusted_proxies="10.0.0.7, fd00::/8").trusted_proxies == ("10.0.0.7", "fd00::/8")
    assert some_settings().trusted_proxies == ()
    with pytest.raises(ValidationError, match=r"10\.0\.0\.7/8"):
        some_settings(trusted_proxies="10.0.0.7/8")


async def test_the_application_starts_before_the_first_request_and_stops_after_the_last() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["greeting"] = "hello"
            for step in ("startup", "shutdown"):
                seen.append((await receive())["type"])
                await send({"type": f"lifespan.{step}.complete"})
            return
        seen.append(scope["state"]["greeting"])
        await who(scope, receive, send)

    server = Server(app, await listen("127.0.0.1", 0, limits=SMALL), limits=SMALL)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        host, _, port = server.addresses[0].rpartition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(FORWARDED)
            assert statuses(await read_to_end(stream)) == [200]
        with trio.fail_after(WAIT_S):
            await server.drain()

    assert seen == ["lifespan.startup", "hello", "lifespan.shutdown"]


async def test_an_application_that_can_not_start_ends_the_server() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    server = Server(app, await listen("127.0.0.1", 0, limits=SMALL), limits=SMALL)
    with trio.fail_after(WAIT_S), pytest.RaisesGroup(LifespanFailureError):
        await server.run()


class WebSocket:
    """The client's side of a WebSocket connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)

    async def send(self, event: Event) -> None:
        await self._stream.send_all(self._protocol.send(event))

    async def receive(self) -> Event:
        with trio.fail_after(WAIT_S):
            while True:
                for event in self._protocol.events():
                    if not isinstance(event, Ping):
                        return event
                self._protocol.receive_data(await self._stream.receive_some(65536) or None)


async def echo_websocket(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await who(scope, receive, send)
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message["text"] == "crash":
            raise RuntimeError
        await send({"type": "websocket.send", "text": message["text"]})


async def open_websocket(server: ReachableServer, *, path: str = "/ws") -> tuple[WebSocket, Event]:
    socket = WebSocket(await server.connect())
    await socket.send(Request(host="here", target=path, extensions=[PerMessageDeflate()]))
    return socket, await socket.receive()


async def test_a_websocket_is_served_where_the_application_says() -> None:
    async with a_server(echo_websocket, websocket_paths=["/ws"]) as server:
        socket, accepted = await open_websocket(server)

        assert isinstance(accepted, AcceptConnection)
        assert accepted.extensions == []  # no permessage-deflate
        for text in ("one", "two"):
            await socket.send(TextMessage(text))
            assert (await socket.receive()).data == text  # type: ignore[attr-defined]
        await socket.send(CloseConnection(1000))
        assert isinstance(await socket.receive(), CloseConnection)


async def test_anywhere_else_the_upgrade_is_ignored() -> None:
    async with a_server(echo_websocket, websocket_paths=["/ws"]) as server:
        _, answer = await open_websocket(server, path="/other")

        assert isinstance(answer, RejectConnection)
        assert answer.status_code == 200


async def test_a_websocket_is_not_cut_for_being_silent() -> None:
    async with a_server(echo_websocket, Limits(keep_alive_s=0.1, head_s=0.1), websocket_paths=["/ws"]) as server:
        socket, _ = await open_websocket(server)
        await trio.sleep(0.3)

        await socket.send(TextMessage("still here"))

        assert (await socket.receive()).data == "still here"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\xf1\x80abcd", 1002),  # reserved bits
        (b"\x83\x80abcd", 1002),  # a reserved opcode
        (b"\x8b\x80abcd", 1002),  # a reserved control opcode
        (b"\x81\x05hello", 1002),  # not masked
        (b"\x89\xfe\x00\x7eabcd", 1002),  # a ping of 126 bytes
        (b"\x09\x80abcd", 1002),  # a ping in fragments
        (b"\x80\x80abcd", 1002),  # a continuation of nothing
        (b"\x01\x80abcd\x81\x80abcd", 1002),  # a message within a message
        (b"\x81\xfe\x00\x05abcd01234", 1002),  # a length in more bytes than it needs
        (b"\x81\xff" + b"\xff" * 8 + b"abcd", 1002),  # a length with the first bit set
        (b"\xc1\x85abcd01234", 1002),  # compressed, which was not agreed on
        (b"\x88\x81\0\0\0\0\x03", 1002),  # half a close code
        (b"\x88\x82\0\0\0\0\x03\xed", 1002),  # a close code that is never sent, 1005
        (b"\x88\x84\0\0\0\0\x03\xe8\xff\xfe", 1007),  # a reason for closing that is no UTF-8
        (b"\x81\x82\0\0\0\0\xff\xfe", 1007),  # text that is no UTF-8
        (b"\x01\x81\0\0\0\0\xe2\x80\x81\0\0\0\0\x28", 1007),  # nor is it when put together
        (b"\x81\xff\0\0\0\0\0\x01\0\x01\0\0\0\0" + b"a" * 65_537, 1009),  # one byte too many
        (b"\x01\xfe\x80\x01\0\0\0\0" + b"a" * 32_769 + b"\x80\xfe\x80\0\0\0\0\0" + b"a" * 32_768, 1009),  # in two
    ],
)  # fmt: skip
async def test_malformed_frames_close_one_websocket_and_disturb_no_other(sent: bytes, code: int) -> None:
    async with a_server(echo_websocket, websocket_paths=["/ws"]) as server:
        healthy, _ = await open_websocket(server)
        hostile, _ = await open_websocket(server)

        await hostile._stream.send_all(sent)

        closed = await hostile.receive()
        assert isinstance(closed, CloseConnection)
        assert closed.code == code
        await healthy.send(TextMessage("well"))
        assert (await healthy.receive()).data == "well"  # type: ignore[attr-defined]
        assert server.statistics().faults[Fault.CRASHED] == 0


async def test_an_application_that_crashes_closes_its_websocket() -> None:
    async with a_server(echo_websocket, websocket_paths=["/ws"]) as server:
        socket, _ = await open_websocket(server)
        await socket.send(TextMessage("crash"))

        closed = await socket.receive()

        assert isinstance(closed, CloseConnection)
        assert closed.code == 1011
        assert server.statistics().faults[Fault.APP_CRASHED] == 1


async def test_a_client_that_leaves_ends_its_websocket() -> None:
    ended = trio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await echo_websocket(scope, receive, send)
        finally:
            ended.set()

    async with a_server(app, websocket_paths=["/ws"]) as server:
        socket, _ = await open_websocket(server)
        await socket._stream.aclose()

        with trio.fail_after(WAIT_S):
            await ended.wait()


async def test_bytes_behind_an_upgrade_are_refused_on_its_path_too() -> None:
    async with a_server(echo_websocket, websocket_paths=["/ws"]) as server:
        stream = await server.connect()
        await stream.send_all(
            b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nx"
        )

        assert statuses(await read_until(stream, b"\r\n\r\n")) == [400]


async def test_a_body_that_drips_is_given_up_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.http.request_cycle.BODY_BEGIN_TIMEOUT_S", 0.3)
    async with a_world() as world:
        stream = await trio.open_tcp_stream(*_address(world.host))
        async with stream, trio.open_nursery() as nursery:
            await stream.send_all(
                b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
                b"Content-Length: 1000\r\n\r\n"
            )

            async def drip() -> None:
                while True:
                    await stream.send_all(b" ")
                    await trio.sleep(0.02)

            nursery.start_soon(drip)
            began = trio.current_time()
            received = await read_until(stream, b"body_timeout")
            nursery.cancel_scope.cancel()

    assert statuses(received) == [408]
    assert trio.current_time() - began < 2.0


async def test_a_body_that_comes_fast_enough_may_take_longer_than_its_first_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("greenroom.http.request_cycle.BODY_BEGIN_TIMEOUT_S", 0.2)
    async with a_world() as world:
        stream = await trio.open_tcp_stream(*_address(world.host))
        async with stream:
            await stream.send_all(
                b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
                b"Content-Length: 2560\r\n\r\n"
            )
            for _ in range(5):
                await stream.send_all(b" " * 512)
                await trio.sleep(0.1)

            assert statuses(await read_until(stream, b"malformed_body")) == [400]


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return name, int(port)
