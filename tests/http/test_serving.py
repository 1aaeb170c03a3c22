"""The serving loop against clients that misbehave, with an application that does nothing surprising."""

from __future__ import annotations

import errno
import random
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.http.serving import Fault, Listener, Server, adopt, connection, listen
from greenroom.workers.colleagues import LocalListener
from tests.http.raw import PATIENT, WAIT_S, a_server, read_to_end, read_until, statuses, without_lifespan

HELLO = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
HELLO_AND_CLOSE = b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers 200 with the method, the path and the body."""
    body = b""
    while True:
        event = await receive()
        body += event["body"]
        if not event["more_body"]:
            break
    answer = f"{scope['method']} {scope['path']} ".encode() + body
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer, "more_body": False})


def head(*lines: str, body: bytes = b"", request: str = "GET / HTTP/1.1", host: str = "Host: here") -> bytes:
    return "\r\n".join([request, *([host] if host else []), *lines, "", ""]).encode("latin-1") + body


UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: " + "A" * 22 + "==",
)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

MALFORMED = {
    "upgrade with a stray byte": (head(*UPGRADE, body=b"x"), 400),
    "upgrade with a non-ASCII protocol": (head(*UPGRADE, "Sec-WebSocket-Protocol: caf\xe9"), 400),
    "HTTP/2 preface": (PREFACE, 505),
    "HTTP/2 preface and frames": (PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 100, 505),
    "HTTP/2 priority frames": (PREFACE + b"\x00\x00\x05\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01" * 2000, 505),
    "content length and chunked": (
        head(
            "Content-Length: 5", "Transfer-Encoding: chunked", request="POST / HTTP/1.1", body=b"0\r\n\r\n" + HELLO
        ),
        400,
    ),
    "chunked in HTTP/1.0": (head("Transfer-Encoding: chunked", request="POST / HTTP/1.0", body=b"0\r\n\r\n"), 400),
    "two content lengths": (head("Content-Length: 1", "Content-Length: 2", request="POST / HTTP/1.1"), 400),
    "a negative content length": (head("Content-Length: -1", request="POST / HTTP/1.1"), 400),
    "a plus in the content length": (head("Content-Length: +1", request="POST / HTTP/1.1", body=b"x"), 400),
    "a content length of 400 digits": (head("Content-Length: " + "9" * 400, request="POST / HTTP/1.1"), 400),
    "an unknown transfer coding": (head("Transfer-Encoding: gzip", request="POST / HTTP/1.1"), 501),
    "chunked twice": (head("Transfer-Encoding: chunked, chunked", request="POST / HTTP/1.1"), 400),
    "chunked in two headers": (head(*["Transfer-Encoding: chunked"] * 2, request="POST / HTTP/1.1"), 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: here\n\n", 400),
    "one bare line feed": (b"GET / HTTP/1.1\r\nHost: here\nX: y\r\n\r\n", 400),
    "a folded header": (head("X: a", " b"), 400),
    "a folded header with a tab": (head("X: a", "\tb"), 400),
    "a space before the colon": (head("X : a"), 400),
    "a header without a name": (head(": a"), 400),
    "a header without a colon": (head("nonsense"), 400),
    "NUL in a header": (head("X: a\x00b"), 400),
    "a carriage return in a header": (head("X: a\rb"), 400),
    "no host": (head(host=""), 400),
    "two hosts": (head("Host: there"), 400),
    "a host with a slash": (head(host="Host: here/there"), 400),
    "a host with a space": (head(host="Host: he re"), 400),
    "a host with credentials": (head(host="Host: me@here"), 400),
    "an unclosed bracket in the host": (head(host="Host: [::1"), 400),
    "no version": (b"GET /\r\nHost: here\r\n\r\n", 400),
    "version 1.2": (head(request="GET / HTTP/1.2"), 505),
    "version 2.0": (head(request="GET / HTTP/2.0"), 505),
    "a lower-case version": (head(request="GET / http/1.1"), 400),
    "a target that is no path": (head(request="GET here HTTP/1.1"), 400),
    "a target with a space": (head(request="GET /a b HTTP/1.1"), 400),
    "a target with a non-ASCII byte": (head(request="GET /caf\xe9 HTTP/1.1"), 400),
    "an asterisk": (head(request="OPTIONS * HTTP/1.1"), 400),
    "CONNECT": (head(request="CONNECT there:443 HTTP/1.1"), 400),
    "a method with a non-ASCII byte": (head(request="G\xcbT / HTTP/1.1"), 400),
    "a method with a control character": (head(request="G\x01T / HTTP/1.1"), 400),
    "an empty first line": (b"\r\n" + HELLO, 400),
    "headers of 17 KiB": (head("X: " + "a" * 17 * 1024), 431),
    "a target of 17 KiB": (head(request=f"GET /{'a' * 17 * 1024} HTTP/1.1"), 431),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
    "SSH": (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", 400),
    "zeros": (bytes(2000), 400),
    "a chunk size that is no number": (
        head("Transfer-Encoding: chunked", request="POST / HTTP/1.1", body=b"zz\r\n\r\n"),
        400,
    ),
    "a chunk longer than it says": (
        head("Transfer-Encoding: chunked", request="POST / HTTP/1.1", body=b"1\r\nabc\r\n0\r\n\r\n"),
        400,
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_malformed_bytes_get_one_refusal_and_a_close(case: str) -> None:
    sent, status = MALFORMED[case]
    async with a_server(echo) as server:
        healthy = await server.connect()
        await healthy.send_all(HELLO)
        await read_until(healthy, b"GET / ")

        received = await server.converse(sent)

        assert statuses(received) == [status]
        assert b"connection: close" in received.lower()
        assert server.statistics().faults[Fault.MALFORMED] == 1
        assert server.statistics().faults[Fault.CRASHED] == 0
        await healthy.send_all(HELLO)  # a neighbour noticed nothing
        await read_until(healthy, b"GET / ")


async def test_nothing_that_follows_malformed_bytes_is_answered() -> None:
    async with a_server(echo) as server:
        for case, (sent, status) in MALFORMED.items():
            assert statuses(await server.converse(sent + HELLO + HELLO)) == [status], case

        assert server.statistics().requests == 2  # the two whose head is fine and whose chunks are not


LEGAL = {
    "an upgrade, which is ignored": (head(*UPGRADE, "Connection: close"), b"GET / "),
    "permessage-deflate offered": (
        head(*UPGRADE, "Sec-WebSocket-Extensions: permessage-deflate", "Connection: close"),
        b"GET / ",
    ),
    "HTTP/1.0": (head(request="GET / HTTP/1.0"), b"GET / "),
    "HTTP/1.0 without a host": (head(request="GET / HTTP/1.0", host=""), b"GET / "),
    "an absolute target": (head("Connection: close", request="GET http://here/x HTTP/1.1"), b"GET http://here/x "),
    "line feeds in a body": (
        head("Content-Length: 6", "Connection: close", request="POST / HTTP/1.1", body=b"a\nb\n c"),
        b"POST / a\nb\n c",
    ),
    "a chunked body": (
        head(
            "Transfer-Encoding: chunked",
            "Connection: close",
            request="POST / HTTP/1.1",
            body=b"2\r\nab\r\n0\r\n\r\n",
        ),
        b"POST / ab",
    ),
    "an escaped NUL in the path": (head("Connection: close", request="GET /%00 HTTP/1.1"), b"GET /\x00 "),
    "a bracketed IPv6 host": (head("Connection: close", host="Host: [::1]:8000"), b"GET / "),
}


@pytest.mark.parametrize("case", LEGAL)
async def test_unusual_but_legal_requests_are_served(case: str) -> None:
    sent, answer = LEGAL[case]
    async with a_server(echo) as server:
        received = await server.converse(sent)

        assert statuses(received) == [200]
        assert received.endswith(answer)
        assert b"101" not in received
        assert b"sec-websocket" not in received.lower()


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    async with a_server(echo) as server:
        stream = await server.connect()
        await stream.send_all(
            head("Content-Length: 2", "Expect: 100-continue", "Connection: close", request="POST / HTTP/1.1")
        )
        assert statuses(await read_until(stream, b"\r\n\r\n")) == [100]

        await stream.send_all(b"ok")

        assert (await read_to_end(stream)).endswith(b"POST / ok")


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with a_server(echo) as server:
        second = head("Connection: close", request="GET /two HTTP/1.1")
        received = await server.converse(head(request="GET /one HTTP/1.1") + second)

        assert statuses(received) == [200, 200]
        assert received.index(b"GET /one") < received.index(b"GET /two")


async def test_as_many_requests_may_be_sent_ahead_as_the_kernel_holds() -> None:
    async with a_server(echo) as server:
        stream = await server.connect()
        sent = b"".join(head(request=f"GET /{number} HTTP/1.1") for number in range(2_000)) + HELLO_AND_CLOSE
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, sent)
            received = await read_to_end(stream)

        assert statuses(received) == [200] * 2_001
        assert received.index(b"GET /1999") > received.index(b"GET /1998") > received.index(b"GET /7")


async def test_a_request_behind_an_upgrade_that_is_ignored_waits_for_its_answer() -> None:
    async with a_server(echo) as server:
        stream = await server.connect()
        for _ in range(2):
            await stream.send_all(
                head("Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk")
            )
            await read_until(stream, b"GET / ")


async def test_an_answer_to_head_has_no_body_and_another_request_may_follow() -> None:
    async with a_server(echo) as server:
        received = await server.converse(head(request="HEAD /one HTTP/1.1") + HELLO_AND_CLOSE)

        assert statuses(received) == [200, 200]
        first, _, second = received.partition(b"\r\n\r\n")
        assert b"content-length: 10\r\n" in first
        assert second.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_body_nobody_reads_does_not_become_the_next_request() -> None:
    async def ignore(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async with a_server(ignore) as server:
        whole = head(f"Content-Length: {len(HELLO)}", request="POST /one HTTP/1.1", body=HELLO)
        received = await server.converse(whole + HELLO_AND_CLOSE)
        cut = head(f"Content-Length: {len(HELLO) + 1000}", request="POST /one HTTP/1.1", body=HELLO)

        assert received.count(b"HTTP/1.1 200") == 2  # it was all there, so it was skipped
        assert (await server.converse(cut)).count(b"HTTP/1.1 200") == 1


async def test_connection_close_closes_at_once() -> None:
    async with a_server(echo) as server:  # which keeps others for longer than this test waits
        received = await server.converse(HELLO_AND_CLOSE)

        assert received.endswith(b"GET / ")


async def test_an_idle_connection_is_closed_after_the_keep_alive_timeout(skipping_clock: MockClock) -> None:
    async with a_server(echo) as server:
        stream = await server.connect()
        await stream.send_all(HELLO)
        await read_until(stream, b"GET / ")
        await wait_all_tasks_blocked()  # it waits for the next request

        skipping_clock.jump(PATIENT.keep_alive_s)

        assert await read_to_end(stream) == b""


async def test_each_request_arms_the_keep_alive_timeout_anew(skipping_clock: MockClock) -> None:
    async with a_server(echo) as server:
        stream = await server.connect()
        for _ in range(4):
            await stream.send_all(HELLO)
            await read_until(stream, b"GET / ")
            await wait_all_tasks_blocked()
            skipping_clock.jump(PATIENT.keep_alive_s * 0.6)


async def test_a_connection_that_sends_nothing_is_closed() -> None:
    async with a_server(echo, replace(PATIENT, head_s=0.5)) as server:
        stream = await server.connect()

        assert await read_to_end(stream) == b""


async def test_headers_that_drip_are_cut_off_in_time(skipping_clock: MockClock) -> None:
    async with a_server(echo) as server:
        stream = await server.connect()
        await stream.send_all(HELLO + HELLO[:4])  # one read: it is amid the second head once the first is answered
        await read_until(stream, b"GET / ")

        for byte in HELLO[4:9]:
            await wait_all_tasks_blocked()
            skipping_clock.jump(PATIENT.head_s / 4)
            await stream.send_all(bytes([byte]))

        assert statuses(await read_to_end(stream)) == [408]
        assert server.statistics().faults[Fault.HEAD_TIMEOUT] == 1


async def test_an_application_that_crashes_costs_one_connection_one_500() -> None:
    async def crash(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/":
            raise ExceptionGroup("two", [RuntimeError("one"), ValueError("two")])
        await echo(scope, receive, send)

    async with a_server(crash) as server:
        received = await server.converse(HELLO)
        after = await server.converse(head("Connection: close", request="GET /fine HTTP/1.1"))

        assert statuses(received) == [500]
        assert statuses(after) == [200]
        assert server.statistics().faults[Fault.APP_CRASHED] == 1


@pytest.mark.parametrize("body", [b"four", b"sixsix"])
async def test_an_answer_that_is_not_as_long_as_it_says_is_never_begun(body: bytes) -> None:
    async def lie(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": body})

    async with a_server(lie) as server:
        assert statuses(await server.converse(HELLO)) == [500]
        assert server.statistics().faults[Fault.APP_CRASHED] == 1


async def test_an_application_that_crashes_amid_its_answer_ends_the_connection() -> None:
    async def crash(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    async with a_server(crash) as server:
        received = await server.converse(HELLO)

        assert received.endswith(b"half")


async def test_a_client_that_stops_reading_is_cut_and_its_request_ended() -> None:
    ended = trio.Event()

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        finally:
            ended.set()

    async with a_server(flood, replace(PATIENT, send_stall_s=0.5)) as server:
        stream = await server.connect()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await stream.send_all(HELLO)

        with trio.fail_after(WAIT_S):
            await ended.wait()

        assert server.statistics().faults[Fault.STALLED] == 1
        assert await server.converse(b"bad\r\n\r\n")  # others are served


async def test_a_client_that_leaves_ends_a_request_that_only_reads() -> None:
    began, ended = trio.Event(), trio.Event()

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with a_server(wait) as server:
        stream = await server.connect()
        await stream.send_all(HELLO)
        with trio.fail_after(WAIT_S):
            await began.wait()
            await stream.aclose()
            await ended.wait()


async def test_a_client_that_leaves_does_not_stop_a_request_that_changes_something() -> None:
    began, may_finish, finished = trio.Event(), trio.Event(), trio.Event()

    async def change(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        began.set()
        await may_finish.wait()
        finished.set()
        await echo(scope, receive, send)

    async with a_server(change) as server:
        stream = await server.connect()
        await stream.send_all(head("Content-Length: 0", request="POST / HTTP/1.1"))
        with trio.fail_after(WAIT_S):
            await began.wait()
            await stream.aclose()
            await wait_all_tasks_blocked(0.05)
            may_finish.set()
            await finished.wait()


async def test_what_a_client_that_left_began_is_bounded_in_time() -> None:
    began, ended = trio.Event(), trio.Event()

    async def hang(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with a_server(hang, replace(PATIENT, abandoned_s=0.5)) as server:
        stream = await server.connect()
        await stream.send_all(head("Content-Length: 0", request="POST / HTTP/1.1"))
        with trio.fail_after(WAIT_S):
            await began.wait()
            await stream.aclose()
            await ended.wait()


async def test_an_early_refusal_reaches_a_client_that_is_still_sending() -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"too much", "more_body": False})

    async with a_server(refuse, replace(PATIENT, linger_s=60.0)) as server:
        sent = head("Content-Length: 500000", request="POST / HTTP/1.1", body=bytes(500_000))

        received = await server.converse(sent)

        assert statuses(received) == [413]
        assert received.endswith(b"too much")


async def test_bodies_beyond_what_all_may_hold_wait_unread() -> None:
    heads = 0
    whole: list[int] = []
    heads_are_read, one_is_whole, may_answer = trio.Event(), trio.Event(), trio.Event()

    async def hold(scope: Any, receive: Any, send: Any) -> None:
        nonlocal heads
        heads += 1
        if heads == 8:
            heads_are_read.set()
        size = 0
        while True:
            event = await receive()
            size += len(event["body"])
            if not event["more_body"]:
                break
        whole.append(size)
        one_is_whole.set()
        await may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"held"})

    limits = replace(PATIENT, bodies_bytes_max=256 * 1024, body_bytes_max=64 * 1024)
    body = bytes(64 * 1024)
    async with a_server(hold, limits) as server:
        streams = [await server.connect() for _ in range(8)]
        for stream in streams:
            await stream.send_all(head(f"Content-Length: {len(body)}", request="POST / HTTP/1.1"))
        with trio.fail_after(WAIT_S):
            await heads_are_read.wait()  # what comes with one is never waited for
        for part in (body[: 24 * 1024], body[24 * 1024 :]):  # all begin before one ends
            for stream in streams:
                await stream.send_all(part)  # as far as it is not read, the kernel has it
        with trio.fail_after(WAIT_S):
            await one_is_whole.wait()
        await wait_all_tasks_blocked(0.05)

        assert len(whole) <= 4
        assert server._shared.bodies.held <= limits.bodies_bytes_max + 16 * 1024
        may_answer.set()
        for stream in streams:
            await read_until(stream, b"held")
        assert whole == [len(body)] * 8
        assert server._shared.bodies.held == 0


async def test_no_more_connections_are_accepted_than_allowed_and_the_rest_wait() -> None:
    limits = replace(PATIENT, connections_max=2)
    async with a_server(echo, limits) as server:
        first, second = await server.connect(), await server.connect()
        for stream in (first, second):
            await stream.send_all(HELLO)
            await read_until(stream, b"GET / ")

        third = await server.connect()
        await third.send_all(HELLO)
        await wait_all_tasks_blocked(0.05)
        assert server.statistics().connections_accepted == 2
        await first.aclose()

        await read_until(third, b"GET / ")


async def test_when_there_is_room_again_every_listener_goes_on_accepting() -> None:
    limits = replace(PATIENT, connections_max=2)
    listeners = [listener for _ in range(2) for listener in await listen("127.0.0.1", 0, limits=limits)]
    server = Server(without_lifespan(echo), listeners, limits=limits)
    addresses = [listener.socket.getsockname() for listener in listeners]

    async def ask(address: tuple[str, int]) -> list[int]:
        async with await trio.open_tcp_stream(*address) as stream:
            await stream.send_all(HELLO_AND_CLOSE)
            return statuses(await read_to_end(stream))

    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        held = [await trio.open_tcp_stream(*addresses[0]) for _ in range(2)]
        await wait_all_tasks_blocked(0.05)
        waiting = [await trio.open_tcp_stream(*address) for address in addresses]
        await wait_all_tasks_blocked(0.05)  # both listeners wait for room
        for stream in (*held, *waiting):
            await stream.aclose()

        assert [await ask(address) for address in addresses] == [[200], [200]]
        nursery.cancel_scope.cancel()


async def test_colleagues_are_served_however_many_clients_there_are(tmp_path: Path) -> None:
    limits = replace(PATIENT, connections_max=1)
    public = await listen("127.0.0.1", 0, limits=limits)
    local = LocalListener(tmp_path / "1.sock", limits=limits)
    server = Server(without_lifespan(echo), [*public, local], limits=limits)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        async with await trio.open_tcp_stream(*public[0].socket.getsockname()) as busy:
            await busy.send_all(HELLO)
            await read_until(busy, b"GET / ")
            async with await trio.open_unix_socket(tmp_path / "1.sock") as colleague:
                await colleague.send_all(HELLO_AND_CLOSE)
                assert statuses(await read_to_end(colleague)) == [200]
        nursery.cancel_scope.cancel()


async def test_draining_answers_what_was_begun_and_closes_what_is_idle() -> None:
    began, may_finish = trio.Event(), trio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/slow":
            began.set()
            await may_finish.wait()
        await echo(scope, receive, send)

    async with a_server(slow) as server, trio.open_nursery() as nursery:
        idle, busy = await server.connect(), await server.connect()
        await idle.send_all(HELLO)
        await read_until(idle, b"GET / ")
        await busy.send_all(head(request="GET /slow HTTP/1.1"))
        with trio.fail_after(WAIT_S):
            await began.wait()
            nursery.start_soon(server.drain)

            assert await read_to_end(idle) == b""
            may_finish.set()
            received = await read_to_end(busy)

        assert statuses(received) == [200]
        assert b"connection: close" in received
        assert server.is_draining


async def test_draining_serves_connections_that_were_waiting_to_be_accepted() -> None:
    async with a_server(echo, replace(PATIENT, connections_max=1)) as server, trio.open_nursery() as nursery:
        first, waiting = await server.connect(), await server.connect()
        await first.send_all(HELLO)
        await read_until(first, b"GET / ")
        await waiting.send_all(HELLO)

        nursery.start_soon(server.drain)

        assert statuses(await read_to_end(waiting)) == [200]


async def test_draining_cuts_what_does_not_end_in_time() -> None:
    began = trio.Event()

    async def forever(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        await trio.sleep_forever()

    async with a_server(forever, replace(PATIENT, drain_s=0.5)) as server:
        stream = await server.connect()
        await stream.send_all(HELLO)
        with trio.fail_after(WAIT_S):
            await began.wait()

            await server.drain()

        assert server.statistics().connections_open == 0


async def test_draining_ends_in_time_with_clients_that_stopped_reading() -> None:
    async def flood(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})

    async with a_server(flood, replace(PATIENT, drain_s=0.5)) as server:
        for _ in range(20):
            stream = await server.connect()
            await stream.send_all(HELLO)
            await stream.receive_some(1)  # the flood has begun
        await wait_all_tasks_blocked(0.05)

        with trio.fail_after(WAIT_S):
            await server.drain()


async def test_a_bug_in_handling_one_connection_stays_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = connection.parse_head

    def crash(received: bytes, bytes_max: int) -> Any:
        if b"boom" in received:
            raise ExceptionGroup("several", [RuntimeError("one"), KeyError("two")])
        return parse(received, bytes_max)

    monkeypatch.setattr(connection, "parse_head", crash)
    async with a_server(echo) as server:
        assert await server.converse(head(request="GET /boom HTTP/1.1")) == b""

        assert statuses(await server.converse(HELLO_AND_CLOSE)) == [200]
        assert server.statistics().faults[Fault.CRASHED] == 1


async def test_an_accept_that_the_kernel_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    accept, refusals = Listener.accept_nowait, iter([errno.EMFILE, errno.ENFILE, errno.ENOBUFS])

    def flaky(self: Listener) -> Any:
        for number in refusals:
            raise OSError(number, "no room")
        return accept(self)

    monkeypatch.setattr(Listener, "accept_nowait", flaky)
    async with a_server(echo) as server:
        assert statuses(await server.converse(HELLO_AND_CLOSE)) == [200]

        assert server.statistics().accept_failures == 3


async def test_who_waits_when_a_stop_begins_is_served_once_the_kernel_can(monkeypatch: pytest.MonkeyPatch) -> None:
    accept, refuse_handshakes = Listener.accept_nowait, Listener.refuse_handshakes
    refusals_left = None

    def short(self: Listener) -> Any:
        nonlocal refusals_left
        if refusals_left != 0:
            refusals_left = None if refusals_left is None else refusals_left - 1
            raise OSError(errno.EMFILE, "no descriptors")
        return accept(self)

    def closing(self: Listener) -> None:
        nonlocal refusals_left
        refusals_left = 3
        refuse_handshakes(self)

    monkeypatch.setattr(Listener, "accept_nowait", short)
    monkeypatch.setattr(Listener, "refuse_handshakes", closing)
    async with a_server(echo) as server, trio.open_nursery() as nursery:
        waiting = await server.connect()
        await waiting.send_all(HELLO)

        nursery.start_soon(server.drain)

        assert statuses(await read_to_end(waiting)) == [200]


async def test_listening_sockets_hand_their_options_on() -> None:
    [listener] = await listen("127.0.0.1", 0, limits=PATIENT)
    option = listener.socket.getsockopt

    assert option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == PATIENT.unacknowledged_s * 1000
    assert option(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert option(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * PATIENT.send_buffer_bytes  # the kernel doubles it
    await listener.aclose()


async def test_sockets_bound_by_somebody_else_are_served() -> None:
    bound = socket.create_server(("127.0.0.1", 0))
    server = Server(without_lifespan(echo), adopt([bound], limits=PATIENT), limits=PATIENT)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        host, _, port = server.addresses[0].rpartition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            await stream.send_all(HELLO_AND_CLOSE)
            assert statuses(await read_to_end(stream)) == [200]
        with trio.fail_after(WAIT_S):
            await server.drain()


async def test_random_bytes_never_reach_the_accept_loop() -> None:
    rng = random.Random(7)
    seeds = [sent for sent, _ in MALFORMED.values()] + [sent for sent, _ in LEGAL.values()]
    async with a_server(echo) as server:
        limiter = trio.CapacityLimiter(40)

        async def attack(sent: bytes) -> None:
            async with limiter:
                stream = await server.connect()
                async with stream:
                    try:
                        await stream.send_all(sent)
                        await stream.send_eof()
                    except trio.BrokenResourceError:
                        return
                    await read_to_end(stream)

        async with trio.open_nursery() as nursery:
            for _ in range(1_000):
                mutated = bytearray(rng.choice(seeds))
                for _ in range(rng.randint(1, 8)):
                    mutated[rng.randrange(len(mutated))] = rng.randrange(256)
                nursery.start_soon(attack, bytes(mutated))

        assert server.statistics().faults[Fault.CRASHED] == 0
        assert statuses(await server.converse(HELLO_AND_CLOSE)) == [200]
