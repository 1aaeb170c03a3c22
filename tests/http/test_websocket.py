"""One WebSocket on the wire: the handshake, frames and their fragments, pings, and every way it ends.

The client's side is written by hand here, so that it can break every rule.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from wsproto.utilities import generate_accept_token

from greenroom.http.serving import Fault, Limits
from greenroom.http.serving.websocket import MESSAGE_BYTES_MAX, PENDING_BYTES_MAX
from greenroom.http.serving.websocket_frames import Broken, Ended, FrameReader, Pinged
from tests.http.raw import PATIENT, WAIT_S, ReachableServer, a_server, read_to_end, read_until, statuses

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)

QUICK = replace(PATIENT, ping_s=0.2, pong_s=0.2, close_s=0.3)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes = b"abcd") -> bytes:
    """A client's frame."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = b"\xfe" + struct.pack("!H", size)
    else:
        length = b"\xff" + struct.pack("!Q", size)
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
    return bytes([opcode | (0x80 if fin else 0)]) + length + mask + masked


def close(code: int | None = None, reason: str = "") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())


class Peer:
    """A client on a connection that has become a WebSocket."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._unread = b""

    async def send(self, *frames: bytes) -> None:
        await self.stream.send_all(b"".join(frames))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame's opcode and payload; server's frames are whole and never masked."""
        head = await self._take(2)
        assert head[0] & 0xF0 == 0x80
        size = head[1]
        if size == 126:
            [size] = struct.unpack("!H", await self._take(2))
        elif size == 127:
            [size] = struct.unpack("!Q", await self._take(8))
        return head[0] & 0x0F, await self._take(size)

    async def text(self) -> str:
        opcode, payload = await self.receive()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    async def close_code(self) -> int:
        """Read on until the server's Close frame; 1005 if it names no code."""
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                return int(struct.unpack("!H", payload[:2])[0]) if payload else 1005

    async def end(self) -> bytes:
        """What comes until the server closes the connection."""
        return self._unread + await read_to_end(self.stream)

    async def _take(self, size: int) -> bytes:
        with trio.fail_after(WAIT_S):
            while len(self._unread) < size:
                received = await self.stream.receive_some(65536)
                assert received, "the server closed the connection"
                self._unread += received
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers every message with itself; ``crash`` makes it raise, ``close`` makes it close."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", "headers": [(b"x-more", b"1")]})
    while (message := await receive())["type"] == "websocket.receive":
        if message["text"] == "crash":
            raise RuntimeError
        if message["text"] == "close":
            await send({"type": "websocket.close", "code": 4321, "reason": "as you wish"})
            return
        await send({"type": "websocket.send", "text": message["text"], "bytes": message["bytes"]})


async def open_peer(server: ReachableServer) -> Peer:
    stream = await server.connect()
    await stream.send_all(HANDSHAKE)
    answer = await read_until(stream, b"\r\n\r\n")
    assert statuses(answer) == [101], answer
    peer = Peer(stream)
    peer._unread = answer.partition(b"\r\n\r\n")[2]
    return peer


@asynccontextmanager
async def an_echo(limits: Limits = PATIENT) -> AsyncIterator[ReachableServer]:
    async with a_server(echo, limits, websocket_paths=["/ws"]) as server:
        yield server
        assert server.statistics().faults[Fault.CRASHED] == 0


# The handshake.


async def test_it_is_agreed_to_without_any_extension() -> None:
    async with an_echo() as server:
        stream = await server.connect()
        await stream.send_all(HANDSHAKE)

        head = await read_until(stream, b"\r\n\r\n")

    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert b"sec-websocket-accept: " + generate_accept_token(KEY) in lines
    assert b"x-more: 1" in lines
    assert b"extension" not in head.lower()


@pytest.mark.parametrize(
    ("line", "instead", "status"),
    [
        (b"Sec-WebSocket-Key: " + KEY, b"X: 1", 400),
        (b"Sec-WebSocket-Key: " + KEY, b"Sec-WebSocket-Key: c2hvcnQ=", 400),
        (b"Sec-WebSocket-Key: " + KEY, b"Sec-WebSocket-Key: !!!!", 400),
        (b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Key: ", 400),
        (b"Version: 13", b"Version: 8", 426),
        (b"Sec-WebSocket-Version: 13", b"X: 1", 426),
        (b"permessage-deflate", "perm\u00e9".encode(), 400),
    ],
)
async def test_a_handshake_that_is_none_is_refused(line: bytes, instead: bytes, status: int) -> None:
    async with an_echo() as server:
        answer = await server.converse(HANDSHAKE.replace(line, instead))

        assert statuses(answer) == [status]
        assert (b"sec-websocket-version: 13\r\n" in answer) == (status == 426)
        assert server.statistics().faults[Fault.MALFORMED] == 1


async def test_anywhere_else_the_upgrade_is_ignored() -> None:
    async with an_echo() as server:
        stream = await server.connect()
        await stream.send_all(HANDSHAKE.replace(b"/ws", b"/other"))

        assert statuses(await read_until(stream, b"hello")) == [200]


async def test_bytes_behind_an_upgrade_that_was_not_agreed_to_yet_are_refused() -> None:
    async with an_echo() as server:
        stream = await server.connect()
        await stream.send_all(HANDSHAKE + b"x")

        assert statuses(await read_until(stream, b"\r\n\r\n")) == [400]


async def test_an_application_may_refuse_in_its_own_words_or_none() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["query_string"] == b"words":
            await send({"type": "websocket.http.response.start", "status": 404, "headers": [(b"x-why", b"1")]})
            await send({"type": "websocket.http.response.body", "body": b"not here"})
        elif scope["query_string"] == b"close":
            await send({"type": "websocket.close"})
        elif scope["query_string"] == b"crash":
            raise RuntimeError

    async with a_server(app, websocket_paths=["/ws"]) as server:
        answers = {
            how: await server.converse(HANDSHAKE.replace(b"/ws", b"/ws?" + how))
            for how in (b"words", b"close", b"crash", b"nothing")
        }

    assert {how: statuses(answer) for how, answer in answers.items()} == {
        b"words": [404],
        b"close": [403],
        b"crash": [500],
        b"nothing": [500],
    }
    assert answers[b"words"].endswith(b"not here")
    assert b"x-why: 1\r\n" in answers[b"words"]


async def test_a_header_that_would_end_its_line_is_never_sent() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"x", b"1\r\nset-cookie: a=b")]})

    async with a_server(app, websocket_paths=["/ws"]) as server:
        answer = await server.converse(HANDSHAKE)

    assert statuses(answer) == [500]
    assert b"set-cookie" not in answer


# Messages.


async def test_messages_of_any_size_come_back_as_they_were() -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        for size in (0, 1, 125, 126, 65_535, MESSAGE_BYTES_MAX):
            for opcode in (TEXT, BINARY):
                await peer.send(frame(opcode, b"x" * size))
                assert await peer.receive() == (opcode, b"x" * size)


async def test_fragments_are_put_together_whatever_comes_between_them() -> None:
    text = "Grüße, 👋!".encode()
    async with an_echo() as server:
        peer = await open_peer(server)
        for n, byte in enumerate(text):  # characters are cut in two, and each piece is sent on its own
            await peer.send(frame(TEXT if n == 0 else CONTINUATION, bytes([byte]), fin=False))
            await peer.send(frame(CONTINUATION, b"", fin=False), frame(PONG, b"unasked"))
        await peer.send(frame(CONTINUATION), frame(TEXT, b"next"))

        assert [await peer.receive(), await peer.receive()] == [(TEXT, text), (TEXT, b"next")]


def test_fragments_without_anything_in_them_do_not_pile_up() -> None:
    reader = FrameReader(10)
    reader.feed(frame(TEXT, fin=False))
    for _ in range(1_000):
        assert reader.feed(frame(CONTINUATION, fin=False)) == []

    assert len(reader._pieces) <= 1
    assert reader.feed(frame(CONTINUATION, b"end")) == ["end"]


def test_what_comes_behind_the_end_means_nothing() -> None:
    reader = FrameReader(10)

    assert reader.feed(frame(PING, b"p") + close(1000, "bye") + frame(TEXT, b"more")) == [
        Pinged(b"p"),
        Ended(1000, "bye"),
    ]
    assert reader.feed(frame(TEXT, b"more")) == []
    assert FrameReader(10).feed(frame(TEXT, b"x" * 11) + frame(TEXT, b"more")) == [Broken(1009)]


def test_a_message_is_as_long_as_its_bytes() -> None:
    assert FrameReader(4).feed(frame(TEXT, "👋".encode())) == ["👋"]
    assert FrameReader(3).feed(frame(TEXT, "👋".encode())) == [Broken(1009)]


async def test_what_is_sent_in_one_go_is_one_write() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        for n in range(100):
            await send({"type": "websocket.send", "text": str(n)})
        await receive()

    async with a_server(app, websocket_paths=["/ws"]) as server:
        peer = await open_peer(server)
        await peer.send(frame(TEXT, b"go"))

        with trio.fail_after(WAIT_S):
            received = await peer.stream.receive_some(65536)

    assert received == b"".join(b"\x81" + bytes([len(str(n))]) + str(n).encode() for n in range(100))


# Control frames.


async def test_a_ping_is_answered_and_of_several_at_once_the_last() -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        await peer.send(frame(PING, b"are you there?"))
        assert await peer.receive() == (PONG, b"are you there?")

        await peer.send(*(frame(PING, b"%d" % n) for n in range(50)), frame(TEXT, b"done"))

        frames = [await peer.receive()]
        while frames[-1][0] != TEXT:
            frames.append(await peer.receive())
        assert (PONG, b"49") in frames
        assert len(frames) < 50


async def test_who_answers_no_ping_is_given_up() -> None:
    async with an_echo(QUICK) as server:
        peer = await open_peer(server)

        assert await peer.receive() == (PING, b"")
        assert await peer.end() == b""
        assert server.statistics().faults[Fault.SILENT] == 1


async def test_who_answers_them_may_be_silent_for_ever(skipping_clock: MockClock) -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        for _ in range(4):
            await wait_all_tasks_blocked()
            skipping_clock.jump(PATIENT.ping_s)
            assert await peer.receive() == (PING, b"")
            await peer.send(frame(PONG))

        await peer.send(frame(TEXT, b"still here"))

        assert await peer.receive() == (TEXT, b"still here")
        assert server.statistics().faults[Fault.SILENT] == 0


async def test_a_client_that_talks_is_not_pinged(skipping_clock: MockClock) -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        for _ in range(4):
            await wait_all_tasks_blocked()
            skipping_clock.jump(PATIENT.ping_s * 0.6)
            await peer.send(frame(TEXT, b"hello"))
            assert await peer.receive() == (TEXT, b"hello")


# Ends.


@pytest.mark.parametrize(("sent", "code"), [(1000, 1000), (1001, 1001), (3000, 3000), (4999, 4999), (None, 1005)])
async def test_a_client_that_closes_is_answered_with_its_code(sent: int | None, code: int) -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        await peer.send(
            frame(TEXT, b"last words"), close(sent, "bye"[: 0 if sent is None else 3]), b"and nonsense"
        )

        assert await peer.text() == "last words"
        assert await peer.close_code() == code
        assert await peer.end() == b""
        assert server.statistics().faults[Fault.MALFORMED] == 0


async def test_the_application_closes_with_its_code_and_sees_the_handshake_through() -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        await peer.send(frame(TEXT, b"close"))

        assert await peer.receive() == (CLOSE, struct.pack("!H", 4321) + b"as you wish")
        await peer.send(frame(TEXT, b"still on its way"), close(4321))
        assert await peer.end() == b""


async def test_who_never_answers_a_close_is_left_in_time() -> None:
    async with an_echo(QUICK) as server:
        peer = await open_peer(server)
        await peer.send(frame(TEXT, b"close"))
        assert await peer.close_code() == 4321

        assert await peer.end() == b""


async def test_an_application_that_crashes_closes_its_websocket() -> None:
    async with an_echo() as server:
        peer = await open_peer(server)
        await peer.send(frame(TEXT, b"crash"))

        assert await peer.close_code() == 1011
        assert server.statistics().faults[Fault.APP_CRASHED] == 1


async def test_a_client_that_leaves_without_a_word_ends_it() -> None:
    codes: list[int] = []
    ended = trio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            codes.append(len(message["text"]))
        codes.append(message["code"])
        ended.set()

    async with a_server(app, websocket_paths=["/ws"]) as server:
        peer = await open_peer(server)
        await peer.send(frame(TEXT, b"last words"))
        await peer.stream.aclose()

        with trio.fail_after(WAIT_S):
            await ended.wait()
    assert codes == [10, 1006]


async def test_what_was_begun_for_a_client_that_left_may_end_within_a_bound(skipping_clock: MockClock) -> None:
    ended: list[str] = []
    began, may_settle, settled, done = trio.Event(), trio.Event(), trio.Event(), trio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        began.set()
        try:
            await may_settle.wait()
            ended.append("settled")
            settled.set()
            await trio.sleep_forever()
        finally:
            ended.append("given up")
            done.set()

    async with a_server(app, websocket_paths=["/ws"]) as server:
        peer = await open_peer(server)
        await peer.send(frame(TEXT, b"begin"))
        with trio.fail_after(WAIT_S):
            await began.wait()
        await peer.stream.aclose()
        await wait_all_tasks_blocked(0.05)  # it has been noticed
        may_settle.set()
        with trio.fail_after(WAIT_S):
            await settled.wait()
        skipping_clock.jump(PATIENT.abandoned_s)

        with trio.fail_after(WAIT_S):
            await done.wait()
    assert ended == ["settled", "given up"]


async def test_a_client_that_does_not_read_holds_little_and_is_cut() -> None:
    sent = 0
    ended = trio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await receive()
        await send({"type": "websocket.accept"})
        async with trio.open_nursery() as nursery:

            async def talk() -> None:
                nonlocal sent
                while True:
                    await send({"type": "websocket.send", "text": "x" * 1_000})
                    sent += 1_000

            nursery.start_soon(talk)
            assert (await receive())["type"] == "websocket.disconnect"
            nursery.cancel_scope.cancel()
        ended.set()

    limits = replace(PATIENT, send_stall_s=0.3, send_buffer_bytes=16 * 1024)
    async with a_server(app, limits, websocket_paths=["/ws"]) as server:
        host, _, port = server.addresses[0].rpartition(":")
        narrow = trio.socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await narrow.connect((host, int(port)))
        server.clients.append(trio.SocketStream(narrow))
        await server.clients[-1].send_all(HANDSHAKE)

        with trio.fail_after(WAIT_S):
            await ended.wait()

        assert server.statistics().faults[Fault.STALLED] == 1
    assert sent < 2 * PENDING_BYTES_MAX + 128 * 1024


async def test_a_stop_is_not_held_up_by_a_socket_that_nobody_ends() -> None:
    async with an_echo(replace(PATIENT, drain_s=0.5)) as server:
        peer = await open_peer(server)

        with trio.fail_after(WAIT_S):
            await server.drain()

        assert await peer.end() == b""


# What breaks the protocol.

MALFORMED: Final = {
    "reserved bits": (b"\xf1\x80abcd", 1002),
    "a reserved opcode": (b"\x83\x80abcd", 1002),
    "a reserved control opcode": (b"\x8b\x80abcd", 1002),
    "not masked": (b"\x81\x05hello", 1002),
    "a ping of 126 bytes": (b"\x89\xfe\x00\x7eabcd", 1002),
    "a ping in fragments": (b"\x09\x80abcd", 1002),
    "a continuation of nothing": (b"\x80\x80abcd", 1002),
    "a message within a message": (b"\x01\x80abcd\x81\x80abcd", 1002),
    "a length in more bytes than it needs": (b"\x81\xfe\x00\x05abcd01234", 1002),
    "a length with its first bit set": (b"\x81\xff" + b"\xff" * 8 + b"abcd", 1002),
    "compressed, which was not agreed to": (b"\xc1\x85abcd01234", 1002),
    "half a close code": (frame(CLOSE, b"\x03"), 1002),
    "a close code that is never sent": (close(1005), 1002),
    "a close code below all": (close(999), 1002),
    "a reason for closing that is no UTF-8": (frame(CLOSE, b"\x03\xe8\xff\xfe"), 1007),
    "text that is no UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "text that is none when put together": (frame(TEXT, b"\xe2\x80", fin=False) + frame(CONTINUATION, b"("), 1007),
    "text that ends amid a character": (frame(TEXT, b"\xe2\x80"), 1007),
    "a byte too many": (frame(TEXT, b"a" * (MESSAGE_BYTES_MAX + 1)), 1009),
    "a byte too many in two": (
        frame(BINARY, b"a" * 40_000, fin=False) + frame(CONTINUATION, b"a" * (MESSAGE_BYTES_MAX - 39_999)),
        1009,
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_malformed_frames_close_one_websocket_and_disturb_no_other(what: str) -> None:
    sent, code = MALFORMED[what]
    async with an_echo() as server:
        healthy, hostile = await open_peer(server), await open_peer(server)

        await hostile.send(sent)

        assert await hostile.close_code() == code
        await healthy.send(frame(TEXT, b"well"))
        assert await healthy.text() == "well"
        assert server.statistics().faults[Fault.MALFORMED] == 1


@dataclass(frozen=True)
class Session:
    """What a random client sends, in pieces, and what must come back: frames but pongs, the last a Close."""

    pieces: list[bytes]
    echoes: list[tuple[int, bytes]]
    code: int


def a_session(random: Random) -> Session:
    sent, echoes = b"", []
    for _ in range(random.randrange(6)):
        opcode, message = _a_message(random)
        sent += _in_fragments(random, opcode, message)
        echoes.append((opcode, message))
    match random.randrange(3):
        case 0:
            code = random.choice([1000, 1001, 3000, 4000, 4999])
            sent += close(code, random.choice(["", "bye"]))
        case 1:
            ending, code = random.choice(list(MALFORMED.values()))
            sent += ending
        case _:  # noise, behind a frame that ends it in any case
            sent += bytes([random.choice([0x70, 0x83, 0xF2, 0x0F])]) + random.randbytes(random.randrange(1, 60))
            code = 1002
    return Session(list(_cut(random, sent)), echoes, code)


def _a_message(random: Random) -> tuple[int, bytes]:
    size = random.choice([0, 1, 20, 125, 126, 300, 5_000])
    if random.random() < 0.5:
        return BINARY, random.randbytes(size)
    return TEXT, "".join(random.choices("ab \u00e9\u20ac\U0001f44b", k=size // 2)).encode()


def _in_fragments(random: Random, opcode: int, message: bytes) -> bytes:
    sent, at, first = b"", 0, True
    while True:
        end = min(len(message), at + random.choice([1, 50, 100_000]) + len(message) // 10)
        is_last = end == len(message)
        mask = random.randbytes(4)
        sent += frame(opcode if first else CONTINUATION, message[at:end], fin=is_last, mask=mask)
        if is_last:
            return sent
        sent += random.choice([b"", b"", frame(PING, b"p"), frame(PONG)])
        at, first = end, False


def _cut(random: Random, data: bytes) -> Iterator[bytes]:
    pieces_max = random.choice([1, 1, 3, 8])
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(pieces_max - 1))
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        if end > begin:
            yield data[begin:end]


SESSIONS: Final = 1_000
AT_ONCE: Final = 20
SEED: Final = 13


async def test_a_thousand_random_clients_get_what_they_deserve_and_a_neighbour_notices_nothing() -> None:
    async with an_echo() as server:
        neighbour = await open_peer(server)

        async def run(seed: int) -> None:
            session = a_session(Random(seed))
            peer = await open_peer(server)
            for piece in session.pieces:
                try:
                    await peer.stream.send_all(piece)
                except trio.BrokenResourceError:
                    break  # it has been told already
                await trio.lowlevel.checkpoint()
            frames: list[tuple[int, bytes]] = []
            while not frames or frames[-1][0] != CLOSE:
                received = await peer.receive()
                if received[0] != PONG:
                    frames.append(received)
            assert frames[:-1] == session.echoes, f"seed {seed}"
            assert frames[-1][1][:2] == struct.pack("!H", session.code), f"seed {seed}"
            await trio.aclose_forcefully(peer.stream)
            server.clients.remove(peer.stream)

        await _all_at_once(run, range(SEED * SESSIONS, (SEED + 1) * SESSIONS), neighbour)

        assert server.statistics().faults[Fault.APP_CRASHED] == 0


async def _all_at_once(run: Callable[[int], Any], seeds: range, neighbour: Peer) -> None:
    waiting = iter(seeds)

    async def one_after_the_other() -> None:
        for seed in waiting:
            await run(seed)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(one_after_the_other)
            while len(nursery.child_tasks) > 0:
                await neighbour.send(frame(TEXT, b"well"))
                assert await neighbour.text() == "well"
                await trio.sleep(0.01)
