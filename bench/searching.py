"""Searches over HTTP among 20,000 instructors, beside FastAPI doing what pgvector's documentation teaches.

- *latency*: so many a second from an open schedule, every sentence another one, from the moment it was meant to be sent to
  the last byte of the answer.
- *slow models*: the same schedule with a model server that takes a second for everything, twice the budget.

Both search the same Postgres, of greenroom's own make and settings, in turns. In time is within greenroom's budget.
"""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Final
from urllib.parse import quote, urlencode

import trio

from bench.figures import Better, Figure
from bench.http_client import Connection, Connections, NotServed, get, open_connections, post
from bench.marketplace import INSTRUCTORS, SLOW_DIMENSIONS, a_marketplace
from bench.peer_process import a_peer
from bench.sentences import Sentence, sentences
from chaos.launch import Launch
from chaos.server import ServerProcess, a_server

PER_S: Final = 10
"""About a quarter of what one worker and its Postgres do on two processors."""

LATENCY_S: Final = 5.0
ROUNDS: Final = 3
BUDGET_S: Final = 0.5
TOLERANCE_S: Final = 0.02

SLOW_MODEL_S: Final = 1.0
WARM_UP: Final = 40

PEER: Final = "FastAPI, asyncpg, tsvector and pgvector by RRF"
WAITING_PEER: Final = "the same, which waits for the model"
LATENCY: Final = f"search of {INSTRUCTORS:,} instructors at {PER_S}/s"
SLOW: Final = f"search with models that take {SLOW_MODEL_S:g} s"

CUT_SHORT: Final = b'"stage":"burst2"'
"""In an answer of greenroom's: of what it left out, the one thing without which there is nothing."""

Ask = Callable[[Sentence], bytes]


@dataclass(frozen=True, slots=True)
class Side:
    """One that is measured: where it is, and how it is asked."""

    port: int
    ask: Ask


@dataclass(slots=True)
class Answers:
    """Seconds from when each search was meant to be sent; of those that were refused, nothing but how many.

    ``cut`` of them say that they were cut short before anything was found, which nobody is served by.
    """

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    cut: int = 0

    def in_time(self) -> int:
        return sum(taken <= BUDGET_S + TOLERANCE_S for taken in self.seconds) - self.cut


async def search_figures() -> list[Figure]:
    """How long searches take, about 60 s; the first run on a machine takes a minute more to fill the marketplace."""
    asked = sentences(seed=3)
    async with a_marketplace() as url:
        async with a_greenroom(url) as ours, a_searching_peer(url) as theirs:
            sides = (ours, theirs)
            figures = await _latencies(sides, asked, LATENCY, PEER)
        async with (
            a_peer("bench.peers.slow_models", str(SLOW_MODEL_S)) as models,
            _with_models(url, f"http://127.0.0.1:{await models.number()}/v1") as sides,
        ):
            figures += await _latencies(sides, asked, SLOW, WAITING_PEER)
    return figures


# The sides.


@asynccontextmanager
async def a_greenroom(url: str, **environment: str) -> AsyncIterator[Side]:
    """A server over this database, without a model server unless the environment names one."""

    @asynccontextmanager
    async def prepare(folder: Path) -> AsyncIterator[Launch]:
        # Whatever key the reader has stays out of it.
        yield Launch(environment={"GREENROOM_DATABASE_URL": url, "OPENAI_API_KEY": "", **environment})

    async with a_server(prepare) as server:
        token = await _sign_in(server)

        def ask(sentence: Sentence) -> bytes:
            return get(f"/api/v1/search?q={quote(sentence.text)}", token=token)

        yield Side(server.port, ask)


async def _sign_in(server: ServerProcess) -> str:
    body = {
        "email": f"searcher{server.port}@example.com",
        "password": "correct horse",
        "display_name": "A searcher",
        "role": "student",
    }
    async with open_connections(server.port) as connections:
        return str(json.loads(await connections.exchange(post("/api/v1/auth/register", body)))["access_token"])


@asynccontextmanager
async def a_searching_peer(url: str, *models: str) -> AsyncIterator[Side]:
    async with a_peer("bench.peers.fastapi_search", url, *models) as peer:
        yield Side(await peer.number(), _ask_peer)


def _ask_peer(sentence: Sentence) -> bytes:
    told = {
        "q": sentence.lesson,
        "region": sentence.region_id,
        "price_max": sentence.price_max_cents,
        "age": sentence.age,
        "weekday": sentence.weekday,
        "online": "true" if sentence.online else None,
    }
    return get(f"/search?{urlencode({name: value for name, value in told.items() if value is not None})}")


@asynccontextmanager
async def _with_models(url: str, models: str) -> AsyncIterator[tuple[Side, Side]]:
    key = {"OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": models, "EMBEDDING_DIMENSIONS": str(SLOW_DIMENSIONS)}
    async with a_greenroom(url, **key) as ours, a_searching_peer(url, models) as theirs:
        yield ours, theirs


# Latency.


async def _latencies(sides: tuple[Side, Side], asked: Iterator[Sentence], name: str, peer: str) -> list[Figure]:
    """p50 and p99 by round."""
    for side in sides:
        await warm_up(side, asked)
    taken: list[list[Answers]] = [[], []]
    for n in range(ROUNDS):
        for at in (0, 1) if n % 2 == 0 else (1, 0):
            answers = await open_schedule(sides[at], islice(asked, round(PER_S * LATENCY_S)), per_s=PER_S)
            taken[at].append(answers)
    cuts = [[quantiles(one.seconds, n=100, method="inclusive") for one in each] for each in taken]
    return [
        Figure(
            f"{name}, {cut}",
            "ms",
            Better.LESS,
            peer,
            tuple(round_[at] * 1e3 for round_ in cuts[0]),
            tuple(round_[at] * 1e3 for round_ in cuts[1]),
        )
        for at, cut in ((49, "p50"), (98, "p99"))
    ]


async def warm_up(side: Side, asked: Iterator[Sentence]) -> None:
    async with open_connections(side.port) as connections:
        for sentence in islice(asked, WARM_UP):
            await connections.exchange(side.ask(sentence))


async def open_schedule(side: Side, asked: Iterator[Sentence], *, per_s: float) -> Answers:
    answers = Answers()
    gc.collect()
    async with open_connections(side.port) as connections:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for n, sentence in enumerate(asked):
                moment = began + n / per_s
                await trio.sleep_until(moment)
                nursery.start_soon(exchange, connections, side.ask(sentence), moment, answers)
    return answers


async def exchange(connections: Connections | Connection, request: bytes, moment: float, answers: Answers) -> bool:
    """Note the answer; False if it was a refusal."""
    try:
        found = await connections.exchange(request)
    except NotServed:
        answers.refused += 1
        return False
    except (trio.TooSlowError, OSError):
        answers.seconds.append(trio.current_time() - moment)
    else:
        answers.seconds.append(trio.current_time() - moment)
        answers.cut += CUT_SHORT in found
    return True
