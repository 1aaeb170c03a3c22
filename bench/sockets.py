"""Sends over WebSocket, beside sends over HTTP to the same server; and what an idle socket occupies.

- *sends*: 32 people, each in a conversation of their own. Over HTTP each has a connection that is kept, and sends one
  message after the other. Over WebSocket each has a socket, once the same way, and once with up to 8 messages under way,
  which is what a socket is for: nothing waits there for the reply of the one before. A socket brings its user's events,
  too, so each of these messages comes back as a reply and as an event; what that costs is in it.
  Given per second of the server's own processor time: clients and Postgres take their part of the machine, not of this
  figure.
- *memory*: growth of the resident set over 1,000 idle sockets, beside as many idle event streams.
"""

from __future__ import annotations

import gc
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import trio

from bench.deliveries import STREAMS_EACH, Talk, cpu_s, meet, resident_kib
from bench.figures import Better, Figure
from bench.http_client import Connection, open_connections, post
from bench.socket_clients import Socket, command, open_socket
from bench.stream_readers import open_readers
from chaos.server import a_server

CONNECTIONS: Final = 32
IN_FLIGHT: Final = 8
WARM_UP_S: Final = 0.7
TURN_S: Final = 2.0
ROUNDS: Final = 2

SOCKETS: Final = 1_000
SETTLE_S: Final = 1.0

CONTENT: Final = "Is Saturday at ten still all right? I would like to go through the second movement again."

OVER_HTTP: Final = "sends over HTTP, one at a time"
STREAM: Final = "an idle event stream"
ONE_AT_A_TIME: Final = "sends over WebSocket per second of the server's processor time, one at a time"
PER_CPU_S: Final = f"sends over WebSocket per second of the server's processor time, {IN_FLIGHT} under way"
PER_S: Final = f"sends over WebSocket, {IN_FLIGHT} under way"
MEMORY: Final = f"memory of an idle socket, {SOCKETS:,} of them"

_PROC: Final = Path("/proc/self/stat")
_names = (f"w{n}" for n in count())


async def socket_figures() -> list[Figure]:
    """About 40 s. Empty where there is no ``/proc`` to read the processor time of a process from."""
    if not _PROC.exists():
        return []
    async with a_server() as server, open_connections(server.port) as connections:
        talks = await meet(connections, CONNECTIONS)
        ways = (
            partial(_over_http, server.port),
            partial(_over_sockets, server.port, 1),
            partial(_over_sockets, server.port, IN_FLIGHT),
        )
        rounds = []
        for n in range(ROUNDS):
            turns = [(at, await _turn(server.pid, talks, ways[at])) for at in ((0, 1, 2), (2, 1, 0))[n % 2]]
            rounds.append([turn for _, turn in sorted(turns, key=lambda found: found[0])])
    memory = (await _kib_each(_sockets), await _kib_each(_streams))
    return [
        _figure(ONE_AT_A_TIME, "sends/s", [(one.per_cpu_s, http.per_cpu_s) for http, one, _ in rounds]),
        _figure(PER_CPU_S, "sends/s", [(many.per_cpu_s, http.per_cpu_s) for http, _, many in rounds]),
        _figure(PER_S, "sends/s", [(many.per_s, http.per_s) for http, _, many in rounds]),
        Figure(MEMORY, "KiB", Better.LESS, STREAM, (memory[0],), (memory[1],)),
    ]


def _figure(name: str, unit: str, samples: Sequence[tuple[float, float]]) -> Figure:
    ours, theirs = zip(*samples, strict=True)
    return Figure(name, unit, Better.MORE, OVER_HTTP, ours, theirs)


@dataclass(frozen=True, slots=True)
class Turn:
    """What was sent and answered in one turn."""

    sends: int
    took_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.sends / self.took_s

    @property
    def per_cpu_s(self) -> float:
        return self.sends / self.cpu_s


Way = Callable[[Talk, float], Awaitable[int]]
"""Sends in a conversation until a moment; returns how many were answered."""


async def _turn(pid: int, talks: Sequence[Talk], way: Way) -> Turn:
    async def send_for(seconds: float) -> int:
        sent = 0

        async def keep_sending(talk: Talk) -> None:
            nonlocal sent
            answered = await way(talk, trio.current_time() + seconds)
            sent += answered

        async with trio.open_nursery() as nursery:
            for talk in talks:
                nursery.start_soon(keep_sending, talk)
        return sent

    await send_for(WARM_UP_S)
    gc.collect()
    began, cpu_before = trio.current_time(), cpu_s(pid)
    sends = await send_for(TURN_S)
    return Turn(sends, trio.current_time() - began, cpu_s(pid) - cpu_before)


async def _over_http(port: int, talk: Talk, until: float) -> int:
    connection, sent = Connection(port), 0
    path = f"/api/v1/conversations/{talk.conversation_id}/messages"
    while trio.current_time() < until:
        body = {"content": CONTENT, "client_id": next(_names)}
        await connection.exchange(post(path, body, token=talk.tokens[0]))
        sent += 1
    await connection.aclose()
    return sent


async def _over_sockets(port: int, in_flight: int, talk: Talk, until: float) -> int:
    async with open_socket(port, token=talk.tokens[0]) as socket:
        return await _keep_sending(socket, talk.conversation_id, in_flight, until)


async def _keep_sending(socket: Socket, conversation_id: str, in_flight: int, until: float) -> int:
    def next_send() -> bytes:
        name = next(_names)
        return command(ref=name, cmd="send", conversation_id=conversation_id, content=CONTENT, client_id=name)

    await socket.send(*(next_send() for _ in range(in_flight)))
    under_way, sent = in_flight, 0
    while under_way:
        answered = await socket.replies()
        sent += answered
        under_way -= answered
        if answered and trio.current_time() < until:
            await socket.send(*(next_send() for _ in range(answered)))
            under_way += answered
    return sent


Opening = Callable[[Sequence[str]], AbstractAsyncContextManager[object]]
"""Opens one idle thing for each of these tokens."""


async def _kib_each(opening: Callable[[int], Opening]) -> float:
    """Growth per idle thing, after a tenth of them was open once: what that warmed up does not count.

    On a server of its own, because memory that one has given back would be used by the other.
    """
    async with a_server() as server, open_connections(server.port) as connections:
        talks = await meet(connections, math.ceil(SOCKETS / STREAMS_EACH / 2))
        tokens = [token for talk in talks for token in talk.tokens]
        people = [tokens[n // STREAMS_EACH] for n in range(SOCKETS)]
        async with opening(server.port)(people[: SOCKETS // 10]):
            await trio.sleep(SETTLE_S)
        await trio.sleep(SETTLE_S)
        before = resident_kib(server.pid)
        async with opening(server.port)(people):
            await trio.sleep(SETTLE_S)
            return (resident_kib(server.pid) - before) / SOCKETS


def _sockets(port: int) -> Opening:
    @asynccontextmanager
    async def opened(tokens: Sequence[str]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for token in tokens:
                await stack.enter_async_context(open_socket(port, token=token))
            yield

    return opened


def _streams(port: int) -> Opening:
    def opened(tokens: Sequence[str]) -> AbstractAsyncContextManager[object]:
        request = "GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n"
        return open_readers(port, [request.format(token).encode() for token in tokens])

    return opened
