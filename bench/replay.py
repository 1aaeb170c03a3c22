"""A client that comes back after 50,000 events and reads them slowly: what the server's memory grows by.

The client takes 64 KiB at a time, through a small buffer, with pauses in between; so the server has every reason to hold what it
has read. What counts is the process's resident set, looked at every few milliseconds: the highest it gets, less what it was before.
Replays of a thousand events come first, so that the way is warm; no longer ones, as a server that reads everything at once
would keep the memory and not grow again. Beside it, the size of what goes over the wire: the least that such a server needs.

The past is one message, copied in the database behind the server's back: 50,000 sends would take a minute and make no difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import trio

from bench.deliveries import CONTENT, Talk, meet, resident_kib
from bench.figures import Better, Figure
from bench.http_client import Connections, open_connections, post
from bench.stream_readers import StreamBroken
from chaos.server import a_server

EVENTS: Final = 50_000
WARM_UP_EVENTS: Final = 1_000
WARM_UPS: Final = 3
PIECE_BYTES: Final = 64 * 1024
PAUSE_S: Final = 0.008
LOOK_S: Final = 0.005
ROUNDS: Final = 2
SETTLE_S: Final = 0.5
REPLAY_TIMEOUT_S: Final = 60.0

ON_THE_WIRE: Final = "all of it, as it goes over the wire"
OVER_SSE: Final = f"memory that a replay of {EVENTS:,} events takes, event stream"
OVER_SOCKET: Final = f"memory that a replay of {EVENTS:,} events takes, WebSocket"

_PROC: Final = Path("/proc/self/statm")

PROLONG: Final = """
-- prolong: every stream that ends in a message goes on with copies of it.
WITH last AS (
    SELECT s.user_id, s.last_seq, e.at, e.name, e.data
      FROM user_streams s JOIN user_events e ON e.user_id = s.user_id AND e.seq = s.last_seq
     WHERE e.name = 'message.created'),
grown AS (
    INSERT INTO user_events (user_id, seq, at, name, data)
    SELECT user_id, last_seq + n, at, name, data FROM last, generate_series(1, %(count)s) AS n)
UPDATE user_streams s SET last_seq = s.last_seq + %(count)s FROM last WHERE last.user_id = s.user_id
"""


@dataclass(frozen=True, slots=True)
class Way:
    """How a client comes back: the request, given a token and a cursor, and where a cursor stands in what it gets."""

    request: Callable[[str, str], str]
    cursor: re.Pattern[bytes]


_SSE: Final = Way(
    lambda token, cursor: (
        f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Last-Event-ID: {cursor}\r\n\r\n"
    ),
    re.compile(rb"\nid: v1\.\w+\.(\d+)\nevent: message\.created\n"),
)
_SOCKET: Final = Way(
    lambda token, cursor: (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Last-Event-ID: {cursor}\r\n\r\n"
    ),
    re.compile(rb'"id":"v1\.\w+\.(\d+)","event":"message\.created"'),
)


async def replay_figures() -> list[Figure]:
    """About 40 s. Empty where there is no ``/proc`` to read the memory of a process from."""
    if not _PROC.exists():
        return []
    async with a_server() as server, open_connections(server.port) as connections:
        (talk,) = await meet(connections, 1)
        await _say(connections, talk)
        start = await _cursor(connections, talk)
        await trio.to_thread.run_sync(_prolong, server.database_folder())
        epoch, _, seq = start.rpartition(".")
        near = f"{epoch}.{int(seq) + EVENTS - WARM_UP_EVENTS}"
        figures = []
        for name, way in ((OVER_SSE, _SSE), (OVER_SOCKET, _SOCKET)):
            for _ in range(WARM_UPS):
                await _read_slowly(server.port, way.request(talk.tokens[0], near), way.cursor, WARM_UP_EVENTS)
            request = way.request(talk.tokens[0], start)
            taken = [await _replay(server.port, server.pid, request, way.cursor) for _ in range(ROUNDS)]
            figures.append(_figure(name, taken))
        return figures


def _figure(name: str, taken: Sequence[tuple[float, float]]) -> Figure:
    ours, wire = zip(*taken, strict=True)
    return Figure(name, "KiB", Better.LESS, ON_THE_WIRE, ours, wire)


async def _say(connections: Connections, talk: Talk) -> None:
    path = f"/api/v1/conversations/{talk.conversation_id}/messages"
    await connections.exchange(post(path, {"content": CONTENT}, token=talk.tokens[0]))


async def _cursor(connections: Connections, talk: Talk) -> str:
    """Where the first of the two would begin who has seen everything by now."""
    request = f"GET /api/v1/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {talk.tokens[0]}\r\n\r\n"
    answer = json.loads(await connections.exchange(request.encode()))
    return str(answer["cursor"])


def _prolong(folder: Path) -> None:
    with psycopg.connect(host=str(folder), user="postgres", dbname="greenroom") as connection:
        connection.execute(PROLONG, {"count": EVENTS})


async def _replay(port: int, pid: int, request: str, cursor: re.Pattern[bytes]) -> tuple[float, float]:
    """By how many KiB the process grew while it replayed, at most; and how many it wrote."""
    await trio.sleep(SETTLE_S)
    before = highest = resident_kib(pid)

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, resident_kib(pid))
            await trio.sleep(LOOK_S)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        with trio.fail_after(REPLAY_TIMEOUT_S):
            received = await _read_slowly(port, request, cursor, EVENTS)
        nursery.cancel_scope.cancel()
    return highest - before, received / 1024


async def _read_slowly(port: int, request: str, cursor: re.Pattern[bytes], events: int) -> int:
    """Read until so many events have come, each event once and in order; return how many bytes that was.

    Raises:
        StreamBroken: something was left out or repeated, or the stream ended.
    """
    sock = trio.socket.socket()
    sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, PIECE_BYTES)
    await sock.connect(("127.0.0.1", port))
    async with trio.SocketStream(sock) as stream:
        await stream.send_all(request.encode())
        received = count = last = 0
        unread = b""
        while count < events:
            piece = await stream.receive_some(PIECE_BYTES)
            if not piece:
                raise StreamBroken(f"ended after {count} events: {unread[-200:]!r}")
            received += len(piece)
            unread += piece
            at = 0
            for found in cursor.finditer(unread):
                seq, at = int(found[1]), found.end()
                if count and seq != last + 1:
                    raise StreamBroken(f"{seq} came after {last}")
                last, count = seq, count + 1
            unread = unread[at:]
            await trio.sleep(PAUSE_S)
        return received
