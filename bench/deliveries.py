"""Event streams over HTTP: what a delivery costs, what an idle stream occupies, how a storm of reconnects is met.

greenroom runs as it is shipped, in a process of its own with its own embedded Postgres, and everything goes over
loopback. Beside it streams written by hand on bare Trio (:mod:`bench.bare_streams`), which neither store nor
authenticate anything. What is counted is what clients received, and a stream that loses or repeats anything ends it all.

- *deliveries*: 200 streams of ten people; five conversations, in each of which one message is sent after the other, so
  that each is delivered 40 times and, as long as the server keeps up, by a write of its own each time. Given per second
  of the server's own processor time: clients and Postgres take their part of the machine, not of this figure. What it
  costs the server to accept, store and announce the messages is in it.
- *latency*: 100 messages a second over the same streams, from the moment a message was meant to be sent to its arrival
  at each of them. The load is open: a message leaves at its time whether or not earlier ones were answered.
- *memory*: growth of the resident set over 1,000 idle streams.
- *storm*: the server is killed and started again with nothing in memory; 1,000 clients come back in the same instant,
  with a cursor and five missed events each.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Final

import trio

from bench.bare_streams import BareServer, a_bare_server
from bench.figures import Better, Figure
from bench.http_client import Connection, Connections, open_connections, post
from bench.stream_readers import Reader, open_readers
from chaos.server import ServerProcess, a_server

TALKS: Final = 5
STREAMS_EACH: Final = 20
"""As many as one user may hold."""

WARM_UP_S: Final = 1.0
TURN_S: Final = 3.0
ROUNDS: Final = 2
ARRIVAL_TIMEOUT_S: Final = 10.0

SENDS_PER_S: Final = 100
LATENCY_S: Final = 3.0

STREAMS: Final = 1_000
STORM_TALKS: Final = STREAMS // (2 * STREAMS_EACH)
MISSED: Final = 5
SETTLE_S: Final = 1.0

CONTENT: Final = "Is Saturday at ten still all right? I would like to go through the second movement again."
BARE: Final = "streams by hand on bare Trio"

PER_CPU_S: Final = "deliveries per second of the server's processor time"
PER_S: Final = "deliveries per second"
MEMORY: Final = f"memory of an idle stream, {STREAMS:,} of them"
FIRST_BYTE: Final = f"{STREAMS:,} streams at once, first byte p99"
CAUGHT_UP: Final = f"{STREAMS:,} streams at once, caught up p99"

_PROC: Final = Path("/proc/self/stat")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Side:
    """A server under measurement, and how its clients talk to it.

    Attributes:
        opening: opens a stream of a person, by number, at a cursor.
        sending: sends a message in a conversation, by number.
        deliveries: of one message.
    """

    port: int
    pid: int
    opening: Callable[[int, str], bytes]
    sending: Callable[[int], bytes]
    people: int
    talks: int
    deliveries: int

    def openings(self, streams: int) -> list[bytes]:
        """Requests that open so many streams, spread over all people."""
        return [self.opening(n % self.people, "") for n in range(streams)]


async def delivery_figures() -> list[Figure]:
    """About 40 s. Empty where there is no ``/proc`` to read the processor time of a process from."""
    if not _PROC.exists():
        return []
    # The clients' own pauses for collecting would be taken for the server's.
    gc.collect()
    gc.freeze()
    async with a_server() as server, a_bare_server() as bare, open_connections(server.port) as connections:
        talks = await meet(connections, STORM_TALKS)
        many, bare_many = _greenroom(server, talks), _bare(bare, STORM_TALKS)
        # First, while no memory has been used and given back that streams could be put into without growth.
        memory = [(await _kib_each(many), await _kib_each(bare_many))]
        sides = (_greenroom(server, talks[:TALKS]), _bare(bare, TALKS))
        rounds = [(await _turn(ours), await _turn(theirs)) for ours, theirs in [sides] * ROUNDS]
        latencies = [(await _latency(ours), await _latency(theirs)) for ours, theirs in [sides] * ROUNDS]
        storms = [(await _storm(many, killed=server), await _storm(bare_many, killed=None))]
    gc.unfreeze()
    return [
        _figure(PER_CPU_S, "deliveries/s", Better.MORE, [(a.per_cpu_s, b.per_cpu_s) for a, b in rounds]),
        _figure(PER_S, "deliveries/s", Better.MORE, [(a.per_s, b.per_s) for a, b in rounds]),
        *(
            _figure(
                f"send to arrival at each of 40 streams, {name}, {SENDS_PER_S}/s",
                "ms",
                Better.LESS,
                [(a[at] * 1e3, b[at] * 1e3) for a, b in latencies],
            )
            for at, name in enumerate(("p50", "p99"))
        ),
        _figure(MEMORY, "KiB", Better.LESS, memory),
        _figure(FIRST_BYTE, "ms", Better.LESS, [(a[0] * 1e3, b[0] * 1e3) for a, b in storms]),
        _figure(CAUGHT_UP, "ms", Better.LESS, [(a[1] * 1e3, b[1] * 1e3) for a, b in storms]),
    ]


def _figure(name: str, unit: str, better: Better, samples: Sequence[tuple[float, float]]) -> Figure:
    ours, theirs = zip(*samples, strict=True)
    return Figure(name, unit, better, BARE, ours, theirs)


# The two sides.


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation and the tokens of the two who have it."""

    conversation_id: str
    tokens: tuple[str, str]


async def meet(connections: Connections, count: int) -> list[Talk]:
    """Register pairs of people and open their conversations."""
    talks = []
    for n in range(count):
        student = await _register(connections, f"student{n}", "student")
        instructor = await _register(connections, f"teacher{n}", "instructor")
        opening = post("/api/v1/conversations", {"participant_id": instructor[0]}, token=student[1])
        opened = json.loads(await connections.exchange(opening))
        talks.append(Talk(opened["conversation"]["id"], (student[1], instructor[1])))
    return talks


async def _register(connections: Connections, name: str, role: str) -> tuple[str, str]:
    """The new user's id and token."""
    body = {"email": f"{name}@example.com", "password": "correct horse", "display_name": name, "role": role}
    made = json.loads(await connections.exchange(post("/api/v1/auth/register", body)))
    return made["user"]["id"], made["access_token"]


def _greenroom(server: ServerProcess, talks: Sequence[Talk]) -> Side:
    def opening(person: int, cursor: str) -> bytes:
        token = talks[person // 2].tokens[person % 2]
        resume = f"Last-Event-ID: {cursor}\r\n" if cursor else ""
        return f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{resume}\r\n".encode()

    def sending(n: int) -> bytes:
        talk = talks[n % len(talks)]
        path = f"/api/v1/conversations/{talk.conversation_id}/messages"
        return post(path, {"content": CONTENT}, token=talk.tokens[0])

    return Side(
        port=server.port,
        pid=server.pid,
        opening=opening,
        sending=sending,
        people=2 * len(talks),
        talks=len(talks),
        deliveries=2 * STREAMS_EACH,
    )


def _bare(server: BareServer, talks: int) -> Side:
    # As many bytes as greenroom sends of the same message.
    event = {"message": {"content": CONTENT, "padding": "x" * 420}}
    return Side(
        port=server.port,
        pid=server.pid,
        opening=lambda person, _: f"GET /{person % talks} HTTP/1.1\r\n\r\n".encode(),
        sending=lambda n: b"POST /%d HTTP/1.1\r\n\r\n%s" % (n % talks, json.dumps(event).encode()),
        people=talks,
        talks=talks,
        deliveries=2 * STREAMS_EACH,
    )


# Deliveries.


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side did in one turn."""

    deliveries: int
    took_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.deliveries / self.took_s

    @property
    def per_cpu_s(self) -> float:
        return self.deliveries / self.cpu_s


async def _turn(side: Side) -> Turn:
    """Send as fast as is answered, one at a time in each conversation, until everything has arrived everywhere."""
    async with open_readers(side.port, side.openings(side.talks * side.deliveries)) as readers:
        sent = 0

        async def keep_sending(n: int, until: float) -> None:
            nonlocal sent
            connection = Connection(side.port)
            while trio.current_time() < until:
                await connection.exchange(side.sending(n))
                sent += 1
            await connection.aclose()

        async def send_for(seconds: float) -> None:
            async with trio.open_nursery() as nursery:
                for n in range(side.talks):
                    nursery.start_soon(keep_sending, n, trio.current_time() + seconds)
            await readers.wait_received(sent * side.deliveries, within_s=ARRIVAL_TIMEOUT_S)

        await send_for(WARM_UP_S)
        before, began, cpu_before = readers.received, trio.current_time(), cpu_s(side.pid)
        await send_for(TURN_S)
        return Turn(readers.received - before, trio.current_time() - began, cpu_s(side.pid) - cpu_before)


def cpu_s(pid: int) -> float:
    """Processor time that a process has taken, its threads included and its children not; see proc(5)."""
    fields = (_PROC.parents[1] / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


# Latency.


async def _latency(side: Side) -> tuple[float, float]:
    """p50 and p99 of all arrivals, from the moment their messages were meant to be sent."""
    async with (
        open_readers(side.port, side.openings(side.talks * side.deliveries), note_arrivals=True) as readers,
        open_connections(side.port) as connections,
    ):
        # Within a conversation messages arrive in the order in which they are sent, so the nth arrival is of the nth.
        meant_at: list[list[float]] = [[] for _ in range(side.talks)]
        sent_before = [reader.received for reader in readers.all]
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for n in range(round(LATENCY_S * SENDS_PER_S)):
                moment = began + n / SENDS_PER_S
                meant_at[n % side.talks].append(moment)
                await trio.sleep_until(moment)
                nursery.start_soon(connections.exchange, side.sending(n))
        expected = round(LATENCY_S * SENDS_PER_S) * side.deliveries
        await readers.wait_received(sum(sent_before) + expected, within_s=ARRIVAL_TIMEOUT_S)
        taken = [
            arrived - moment
            for n, reader in enumerate(readers.all)
            for arrived, moment in zip(reader.arrived_at or (), meant_at[_talk_of(side, n)], strict=True)
        ]
    cuts = quantiles(taken, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _talk_of(side: Side, stream: int) -> int:
    person = stream % side.people
    return person * side.talks // side.people


# Many streams.


async def _kib_each(side: Side) -> float:
    """Growth of the resident set per idle stream, the second time: what the first time warmed up does not count."""
    async with open_readers(side.port, side.openings(STREAMS // 10)):
        await trio.sleep(SETTLE_S)
    await trio.sleep(SETTLE_S)
    before = resident_kib(side.pid)
    async with open_readers(side.port, side.openings(STREAMS)):
        await trio.sleep(SETTLE_S)
        return (resident_kib(side.pid) - before) / STREAMS


def resident_kib(pid: int) -> float:
    return int((_PROC.parents[1] / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


async def _storm(side: Side, *, killed: ServerProcess | None) -> tuple[float, float]:
    """p99 of the first byte, and of having caught up, over all streams that are opened at once."""
    missed = 0
    async with open_readers(side.port, side.openings(side.people)) as readers:
        cursors = [reader.cursor for reader in readers.all]
        if killed is not None:
            async with open_connections(side.port) as connections:
                for n in range(side.talks * MISSED):
                    await connections.exchange(side.sending(n))
            missed = MISSED
            await readers.wait_received(side.people * MISSED, within_s=ARRIVAL_TIMEOUT_S)
    if killed is not None:
        await killed.kill()
        await killed.start()
    requests = [side.opening(n % side.people, cursors[n % side.people]) for n in range(STREAMS)]
    async with open_readers(side.port, requests) as readers:
        await readers.wait_received(STREAMS * missed, within_s=ARRIVAL_TIMEOUT_S)
        first = [_since(reader, reader.opened_at) for reader in readers.all]
        caught_up = [_since(reader, reader.reached_at or reader.opened_at) for reader in readers.all]
    return quantiles(first, n=100)[98], quantiles(caught_up, n=100)[98]


def _since(reader: Reader, moment: float) -> float:
    return moment - reader.asked_at
