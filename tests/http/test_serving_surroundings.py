"""What stands around requests: proxies and the application's lifespan."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio
from hypercorn.utils import LifespanFailureError
from pydantic import ValidationError
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.http.request_body import BODY_TIMEOUT_S
from greenroom.http.serving import Server, TrustedProxies, listen
from tests.http.raw import PATIENT, WAIT_S, a_server, read_to_end, read_until, statuses
from tests.http.world import World, a_world, some_settings

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

    server = Server(app, await listen("127.0.0.1", 0, limits=PATIENT), limits=PATIENT)
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

    server = Server(app, await listen("127.0.0.1", 0, limits=PATIENT), limits=PATIENT)
    with trio.fail_after(WAIT_S), pytest.RaisesGroup(LifespanFailureError):
        await server.run()


async def test_a_body_that_drips_is_given_up_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("greenroom.http.request_body.BODY_BEGIN_TIMEOUT_S", 0.3)
    async with a_world() as world:
        stream = await trio.open_tcp_stream(*_address(world.host))
        async with stream, trio.open_nursery() as nursery:
            await stream.send_all(
                b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
                b"Content-Length: 1000\r\n\r\n"
            )

            async def drip() -> None:
                with suppress(trio.BrokenResourceError):  # it may be told late that nobody reads on
                    while True:
                        await stream.send_all(b" ")
                        await trio.sleep(0.02)

            nursery.start_soon(drip)
            began = trio.current_time()
            received = await read_until(stream, b"body_timeout")
            nursery.cancel_scope.cancel()

    assert statuses(received) == [408]
    assert trio.current_time() - began < BODY_TIMEOUT_S


async def test_a_body_that_comes_fast_enough_may_take_longer_than_its_first_seconds(
    world: World, skipping_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.http.request_body.BODY_BEGIN_TIMEOUT_S", 60)
    monkeypatch.setattr("greenroom.http.request_body.BODY_TIMEOUT_S", 600)
    monkeypatch.setattr("greenroom.http.request_body.BODY_BYTES_PER_S_MIN", 16)
    async with await trio.open_tcp_stream(*_address(world.host)) as stream:
        await stream.send_all(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2560\r\n\r\n" + b" " * 2048
        )
        await wait_all_tasks_blocked(0.05)
        skipping_clock.jump(120)  # of the 188 s that it has earned
        await stream.send_all(b" " * 512)

        assert statuses(await read_until(stream, b"malformed_body")) == [400]


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return name, int(port)
