"""What a second worker brings: sends to two workers with a Redis between them, beside sends to one that needs no bus.

Each worker has as many senders of its own, so two are asked twice as much as one. Clients and Postgres run on the same processors
as the workers, so how much more two workers answer per second says as much about them as about the workers. Hence three ways:

- *held*: each worker is held to a share of a processor, by SIGSTOP whenever it has had it and SIGCONT when it may go on. One
  worker then has half of what two have, and clients and Postgres have what they need both times, as on a machine where every
  worker has a processor of its own.
- *processor time of the workers per send*: what a second worker costs (a bus to speak on and to listen to, smaller batches, waits
  for rows that the other one has locked) shows here, wherever the bottleneck is. Two workers with a processor each answer 2
  divided by this ratio times what one does, as long as Postgres keeps up: so the bar of 1.7 above is one of 2 / 1.7 here.
- *nobody held*: everything shares this machine. Once with people who write in conversations of their own, and once with pairs who
  both write in the same one, on connections that fall to either worker: then workers wait for each other's rows.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import trio

from bench.deliveries import Talk, cpu_s, meet
from bench.figures import Better, Figure
from bench.http_client import Connection, open_connections, post
from bench.sockets import CONTENT
from chaos.launch import Launch, prepare_nothing
from chaos.redis import a_redis
from chaos.server import ServerProcess, a_server

SENDERS: Final = 64
"""For each worker: what is beyond one worker's reach is what a second one is for, and it is then as busy as the first."""
SHARE: Final = 0.25
"""Of a processor, for each worker: two of them and what their clients and Postgres take for it fit into two processors."""

LOOK_S: Final = 0.004
WARM_UP_S: Final = 0.7
TURN_S: Final = 2.0
ROUNDS: Final = 2

ONE: Final = "one worker"
AS_IS: Final = "nobody held"
SHARED: Final = "nobody held, both of each pair"
HELD: Final = f"sends to two workers, each held to {SHARE:.0%} of a processor"
COST: Final = "processor time of two workers per send"
COST_APART: Final = f"{COST}, {AS_IS}"
DATABASE: Final = "processor time of Postgres per send to two workers"

_PROC: Final = Path("/proc/self/stat")
_names = (f"s{n}" for n in count())


@dataclass(frozen=True, slots=True)
class Side:
    """A server under measurement."""

    server: ServerProcess
    talks: Sequence[Talk]

    @property
    def workers(self) -> list[int]:
        """Process ids of all workers."""
        if self.server.workers.count == 1:
            return [self.server.pid]
        return list(self.server.workers.serving().values())

    def senders(self, *, shared: bool) -> list[tuple[Talk, str]]:
        """Who sends: a conversation, and a token of somebody in it."""
        count = SENDERS * self.server.workers.count
        if shared:
            return [(talk, token) for talk in self.talks[: count // 2] for token in talk.tokens]
        return [(talk, talk.tokens[0]) for talk in self.talks]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side did in one turn; processor time in seconds."""

    sends: int
    took_s: float
    workers_s: float
    database_s: float

    @property
    def per_s(self) -> float:
        return self.sends / self.took_s

    @property
    def worker_us(self) -> float:
        return self.workers_s / self.sends * 1e6

    @property
    def database_us(self) -> float:
        return self.database_s / self.sends * 1e6


async def scaling_figures() -> list[Figure]:
    """About 55 s. Empty where there is no ``/proc`` to read the processor time of a process from."""
    if not _PROC.exists():
        return []
    async with AsyncExitStack() as stack:
        one = await _side(stack, await stack.enter_async_context(a_server(prepare_nothing)))
        two = await _side(stack, await stack.enter_async_context(a_server(_on_redis, workers=2)))
        held = await _rounds((two, one), shared=False, share=SHARE)
        apart = await _rounds((two, one), shared=False, share=None)
        shared = await _rounds((two, one), shared=True, share=None)
        return [
            _figure(HELD, "sends/s", Better.MORE, [(a.per_s, b.per_s) for a, b in held]),
            _figure(f"{COST}, each held", "µs", Better.LESS, [(a.worker_us, b.worker_us) for a, b in held]),
            _figure(COST_APART, "µs", Better.LESS, [(a.worker_us, b.worker_us) for a, b in apart]),
            _figure(f"{COST}, {SHARED}", "µs", Better.LESS, [(a.worker_us, b.worker_us) for a, b in shared]),
            _figure(DATABASE, "µs", Better.LESS, [(a.database_us, b.database_us) for a, b in apart]),
            _figure(
                f"sends to two workers, {AS_IS}", "sends/s", Better.MORE, [(a.per_s, b.per_s) for a, b in apart]
            ),
            _figure(
                f"sends to two workers, {SHARED}", "sends/s", Better.MORE, [(a.per_s, b.per_s) for a, b in shared]
            ),
        ]


@asynccontextmanager
async def _on_redis(folder: Path) -> AsyncIterator[Launch]:
    async with a_redis(folder) as redis:
        yield Launch(environment={"GREENROOM_REDIS_URL": f"unix://{redis.socket_path}"}, redis=redis)


def _figure(name: str, unit: str, better: Better, samples: Sequence[tuple[float, float]]) -> Figure:
    two, one = zip(*samples, strict=True)
    return Figure(name, unit, better, ONE, two, one)


async def _side(stack: AsyncExitStack, server: ServerProcess) -> Side:
    connections = await stack.enter_async_context(open_connections(server.port))
    return Side(server, await meet(connections, SENDERS * server.workers.count))


async def _rounds(sides: tuple[Side, Side], *, shared: bool, share: float | None) -> list[tuple[Turn, Turn]]:
    """By turns, in an order that swaps from round to round."""
    rounds = []
    for n in range(ROUNDS):
        order = (0, 1) if n % 2 == 0 else (1, 0)
        turns = {at: await _turn(sides[at], shared=shared, share=share) for at in order}
        rounds.append((turns[0], turns[1]))
    return rounds


async def _turn(side: Side, *, shared: bool, share: float | None) -> Turn:
    """Have everybody send one message after the other for a while, each on a connection that is kept."""
    senders = [(Connection(side.server.port), *sender) for sender in side.senders(shared=shared)]
    sent = 0

    async def keep_sending(connection: Connection, talk: Talk, token: str, until: float) -> None:
        nonlocal sent
        path = f"/api/v1/conversations/{talk.conversation_id}/messages"
        while trio.current_time() < until:
            await connection.exchange(post(path, {"content": CONTENT, "client_id": next(_names)}, token=token))
            sent += 1

    async def send_for(seconds: float) -> None:
        async with trio.open_nursery() as nursery:
            for sender in senders:
                nursery.start_soon(keep_sending, *sender, trio.current_time() + seconds)

    try:
        await send_for(WARM_UP_S)
        gc.collect()
        async with _held(side.workers, share):
            sent, began = 0, trio.current_time()
            workers_s, database_s = _cpu_s(side.workers), _cpu_s(_postgres(side.server))
            await send_for(TURN_S)
            return Turn(
                sent,
                trio.current_time() - began,
                _since(workers_s),
                _since(database_s),
            )
    finally:
        for connection, *_ in senders:
            await connection.aclose()


@asynccontextmanager
async def _held(pids: Sequence[int], share: float | None) -> AsyncIterator[None]:
    """Hold each process to a share of a processor for as long as the block; None lets them be."""
    async with trio.open_nursery() as nursery:
        if share is not None:
            for pid in pids:
                nursery.start_soon(partial(_hold, pid, share))
        try:
            yield
        finally:
            nursery.cancel_scope.cancel()


async def _hold(pid: int, share: float) -> None:
    began, had_s = trio.current_time(), cpu_s(pid)
    is_stopped = False
    try:
        while True:
            is_over = cpu_s(pid) - had_s > share * (trio.current_time() - began)
            if is_over is not is_stopped:
                os.kill(pid, signal.SIGSTOP if is_over else signal.SIGCONT)
                is_stopped = is_over
            await trio.sleep(LOOK_S)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _cpu_s(pids: Sequence[int]) -> dict[int, float]:
    """Processor time of each process; one that has ended is left out."""
    found = {}
    for pid in pids:
        with suppress(OSError):
            found[pid] = cpu_s(pid)
    return found


def _since(before: Mapping[int, float]) -> float:
    """Processor time that these processes took since then."""
    return sum(now - before[pid] for pid, now in _cpu_s(list(before)).items())


def _postgres(server: ServerProcess) -> list[int]:
    """The postmaster and its children, which stay as long as the workers' pools do."""
    postmaster = server.postmaster_pid()
    found = [] if postmaster is None else [postmaster]
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and int(_fields(entry)[1]) == postmaster:
                found.append(int(entry.name))
    return found


def _fields(process: Path) -> list[str]:
    return (process / "stat").read_text().rpartition(")")[2].split()
