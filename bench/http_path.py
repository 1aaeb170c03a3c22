"""The whole way over HTTP, beside FastAPI doing the same job, and beside a hello that does nothing.

- *sends*: 32 connections, each sending one message after the other in a conversation of its own; answered only when
  durable. Beside two ways of writing it with FastAPI (:mod:`bench.peers.fastapi_chat`), and beside a bare Quart-Trio hello
  on greenroom's own server: what share of the machine is left for everything but HTTP.
- *latency*: 100 messages a second, from the moment a message was meant to be sent to its arrival on the recipient's
  event stream. The load is open: a message leaves at its time whether or not earlier ones were answered, so a stall of
  the server shows in every message that it holds up, and not only in one ("coordinated omission").

Each server is one process with a Postgres of its own, of the same make and settings, every commit durable, on loopback.
Client and Postgres take their part of the machine's processors. Every stream is held to its promise: an event that is
lost, repeated or out of order ends the measurement.
"""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles
from typing import Final

import trio

from bench.database import a_database
from bench.figures import Better, Figure, Work, operations_per_second
from bench.http_client import Connection, Connections, get, open_connections, post
from bench.peer_process import a_peer
from chaos.event_source import open_events
from chaos.server import a_server

CONNECTIONS: Final = 32
"""Each sends in a conversation of its own, so that no peer's senders wait for each other's locks."""

TURN_S: Final = 1.2
ROUNDS: Final = 3
SENDS_PER_S: Final = 100
LISTENED: Final = 8
"""Conversations with somebody listening, which take the messages of the latency in turn."""

LATENCY_S: Final = 3.0
"""300 samples a round: enough for a p99 to be the third slowest, and for nothing further out."""

WARM_UP_S: Final = 0.5
LATENCY_ROUNDS: Final = 3
ARRIVAL_TIMEOUT_S: Final = 10.0
CONTENT: Final = "Is Saturday at ten still all right? I would like to go through the second movement again."
HELLO: Final = get("/")

ORM: Final = "FastAPI, SQLAlchemy ORM, asyncpg"
CORE: Final = "FastAPI, tuned SQLAlchemy Core, asyncpg"
BARE: Final = "bare Quart-Trio hello on the same server"
SENDS: Final = f"sends over HTTP, {CONNECTIONS} connections"
ARRIVALS: Final = f"send to arrival by SSE at {SENDS_PER_S}/s"


class StreamBroken(Exception):
    """The event stream lost, repeated or reordered something: there is no use in measuring how fast."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: who writes in it, and who listens."""

    conversation_id: str
    student_token: str
    instructor_token: str

    def sending(self, client_id: str) -> bytes:
        path = f"/api/v1/conversations/{self.conversation_id}/messages"
        return post(path, {"content": CONTENT, "client_id": client_id}, token=self.student_token)


@dataclass(frozen=True, slots=True)
class House:
    """A server and the conversations in it."""

    port: int
    talks: list[Talk]


async def http_figures() -> list[Figure]:
    """All figures over HTTP, about 60 s with the start of all servers."""
    async with (
        a_server() as greenroom,
        _a_fastapi_chat("orm") as orm,
        _a_fastapi_chat("core") as core,
        a_peer("bench.peers.quart_hello") as hello,
    ):
        ours, *theirs = [await _gather(port) for port in (greenroom.port, orm, core)]
        names = (f"c{n}" for n in range(10**9))
        sends = await operations_per_second(
            SENDS,
            "requests/s",
            _sending(ours, names),
            {
                ORM: _sending(theirs[0], names),
                CORE: _sending(theirs[1], names),
                BARE: _closed_loop(await hello.number(), [lambda: HELLO]),
            },
            rounds=ROUNDS,
        )
        return [*sends, *await _latencies(ours, dict(zip((ORM, CORE), theirs, strict=True)))]


@asynccontextmanager
async def _a_fastapi_chat(way: str) -> AsyncIterator[int]:
    """Run it beside a Postgres of its own; yields its port."""
    async with a_database() as conninfo, a_peer("bench.peers.fastapi_chat", conninfo, way) as peer:
        yield await peer.number()


async def _gather(port: int) -> House:
    """Register people and open their conversations."""
    async with open_connections(port) as connections:
        return House(port, [await _meet(connections, n) for n in range(CONNECTIONS)])


async def _meet(connections: Connections, n: int) -> Talk:
    """Register two people and open their conversation."""
    student = await _register(connections, f"student{n}", "student")
    instructor = await _register(connections, f"teacher{n}", "instructor")
    opening = post("/api/v1/conversations", {"participant_id": instructor[0]}, token=student[1])
    opened = json.loads(await connections.exchange(opening))
    return Talk(opened["conversation"]["id"], student[1], instructor[1])


async def _register(connections: Connections, name: str, role: str) -> tuple[str, str]:
    """The new user's id and token."""
    body = {"email": f"{name}@example.com", "password": "correct horse", "display_name": name, "role": role}
    made = json.loads(await connections.exchange(post("/api/v1/auth/register", body)))
    return made["user"]["id"], made["access_token"]


# Throughput.


def _sending(house: House, names: Iterator[str]) -> Work:
    return _closed_loop(house.port, [partial(_next_send, talk, names) for talk in house.talks])


def _next_send(talk: Talk, names: Iterator[str]) -> bytes:
    return talk.sending(next(names))


def _closed_loop(port: int, requests: list[Callable[[], bytes]]) -> Work:
    """Exchange for a fixed time on every connection; counts what was answered with a 2xx."""

    async def exchange() -> int:
        answered = 0
        until = trio.current_time() + TURN_S

        async def keep_asking(connection: Connection, next_request: Callable[[], bytes]) -> None:
            nonlocal answered
            while trio.current_time() < until:
                await connection.exchange(next_request())
                answered += 1
            await connection.aclose()

        async with trio.open_nursery() as nursery:
            for n in range(CONNECTIONS):
                nursery.start_soon(keep_asking, Connection(port), requests[n % len(requests)])
        return answered

    return exchange


# Latency.


@dataclass(slots=True)
class Arrivals:
    """What came over the event streams: when each client id did first, and how often it did."""

    at: dict[str, float] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    grew: trio.Event = field(default_factory=trio.Event)

    def note(self, client_id: str) -> None:
        self.at.setdefault(client_id, trio.current_time())
        self.times[client_id] += 1
        self.grew.set()

    async def wait_for(self, client_ids: set[str]) -> None:
        """Wait until all of these have come.

        Raises:
            StreamBroken: they did not, or one came twice.
        """
        with trio.move_on_after(ARRIVAL_TIMEOUT_S):
            while not client_ids <= self.at.keys():
                self.grew = trio.Event()
                await self.grew.wait()
        missing = len(client_ids - self.at.keys())
        repeated = sum(1 for count in self.times.values() if count > 1)
        if missing or repeated:
            raise StreamBroken(f"{missing} of {len(client_ids)} lost, {repeated} repeated")


async def _latencies(ours: House, theirs: Mapping[str, House]) -> list[Figure]:
    """p50 and p99 of all, by round."""
    houses = [ours, *theirs.values()]
    taken: list[list[tuple[float, float]]] = [[] for _ in houses]
    for n, for_s in enumerate([WARM_UP_S, *([LATENCY_S] * LATENCY_ROUNDS)]):
        turns = list(zip(houses, taken, strict=True))
        for house, samples in turns if n % 2 == 0 else reversed(turns):
            samples.append(await _send_to_arrival(house, for_s=for_s, prefix=f"latency-{n}"))
    return [
        Figure(
            f"{ARRIVALS}, {name}",
            "ms",
            Better.LESS,
            peer,
            tuple(round_[at] * 1e3 for round_ in taken[0][1:]),
            tuple(round_[at] * 1e3 for round_ in samples[1:]),
        )
        for at, name in enumerate(("p50", "p99"))
        for peer, samples in zip(theirs, taken[1:], strict=True)
    ]


async def _send_to_arrival(house: House, *, for_s: float, prefix: str) -> tuple[float, float]:
    arrivals = Arrivals()
    meant_at: dict[str, float] = {}
    talks = house.talks[:LISTENED]

    async with open_connections(house.port) as connections, trio.open_nursery() as nursery:

        async def send(n: int, moment: float) -> None:
            client_id = f"{prefix}.{n}"
            meant_at[client_id] = moment
            await connections.exchange(talks[n % len(talks)].sending(client_id))

        for talk in talks:
            await nursery.start(_listen, house.port, talk, arrivals)
        gc.collect()
        await _on_schedule(send, for_s)
        await arrivals.wait_for(set(meant_at))
        nursery.cancel_scope.cancel()
    return _p50_p99([arrivals.at[client_id] - moment for client_id, moment in meant_at.items()])


async def _on_schedule(act: Callable[[int, float], Awaitable[None]], for_s: float) -> None:
    """Call ``act(n, moment)`` in a task of its own at every moment of an even schedule; ends when all have ended."""
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for n in range(round(for_s * SENDS_PER_S)):
            moment = began + n / SENDS_PER_S
            await trio.sleep_until(moment)
            nursery.start_soon(act, n, moment)


async def _listen(port: int, talk: Talk, arrivals: Arrivals, *, task_status: trio.TaskStatus[None]) -> None:
    """Follow the instructor's stream and note every message, and hold the stream to its promise of density."""
    last_seq: int | None = None
    async with open_events(port, token=talk.instructor_token, cursor=None) as source:
        while True:
            for event in await source.receive():
                if event.id is not None:
                    seq = int(event.id.rpartition(".")[2])
                    if last_seq is None:
                        task_status.started()
                    elif seq != last_seq + 1:
                        raise StreamBroken(f"{seq} came after {last_seq}")
                    last_seq = seq
                if event.name == "message.created":
                    arrivals.note(json.loads(event.data)["message"]["client_id"])


def _p50_p99(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]
