"""Workers that want the same vector at the same time, over a real Redis that may be well or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from greenroom.http.metrics import SearchCollector
from greenroom.models.flown_vectors import FlightOutcome
from greenroom.models.opening import Models, open_models
from greenroom.models.ports import ModelError, ModelUnavailable, Vector
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.flights import RedisFlights
from greenroom.storage.flights.redis import EXCHANGE_TIMEOUT_S, LEASE_S
from greenroom.storage.postgres import PostgresOptions
from tests.openai_server import OpenAIServer, Turn, open_openai_server
from tests.search_faults.world import (
    DIMENSIONS,
    TOLERANCE_S,
    WAIT_S,
    World,
    a_world,
    another_worker,
    reasons,
    titles,
)
from tests.storage.bus.redis_server import RedisServer
from tests.storage.flights.workers import UNHURRIED_LEASE_S, a_worker, until

BUDGET_S = 0.5
UNHURRIED_MS = 30_000
SENTENCES = ("piano lessons", "piano lessons under $80", "piano")
"""All ask for the same vector."""


def embeddings_asked(openai: OpenAIServer) -> int:
    return sum(asked.path.endswith("/embeddings") for asked in openai.asked)


def count(models: Models, outcome: FlightOutcome) -> int:
    assert models.flown is not None
    return models.flown.outcomes()[outcome]


def metrics(world: World) -> dict[str, float]:
    """What operators see of flights, by outcome; ``seen`` is whether others are."""
    families = {family.name: family for family in SearchCollector(world.core.search_room).collect()}
    outcomes = families["greenroom_embedding_flights"].samples
    [seen] = families["greenroom_embedding_flights_seen"].samples
    return {"seen": seen.value} | {sample.labels["outcome"]: sample.value for sample in outcomes}


async def test_searches_of_two_workers_make_one_call(database: PostgresOptions, redis: RedisServer) -> None:
    left_out: list[str] = []

    async def search(world: World, sentence: str) -> None:
        left_out.extend(reasons(await world.search(sentence), "embedding"))

    with trio.fail_after(WAIT_S):
        async with (
            a_worker(redis) as flights,
            a_worker(redis) as other_flights,
            a_world(
                database,
                turn=Turn(after_s=0.2),
                flights=flights,
                search_budget_ms=UNHURRIED_MS,
                openai_embedding_timeout_ms=UNHURRIED_MS,
            ) as one,
            another_worker(one, database, flights=other_flights) as other,
        ):
            async with trio.open_nursery() as nursery:
                for sentence in SENTENCES:
                    nursery.start_soon(search, one, sentence)
                    nursery.start_soon(search, other, sentence)
            calls = embeddings_asked(one.openai)
            followed = sum(count(world.models, FlightOutcome.FOLLOWED) for world in (one, other))

    assert calls == 1
    assert followed == 1
    assert left_out == []


@pytest.mark.parametrize("stop", [RedisServer.kill, RedisServer.freeze])
async def test_without_redis_a_search_is_answered_in_its_budget_and_nothing_is_missing(
    slow_clock: MockClock, database: PostgresOptions, redis: RedisServer, stop: Callable[[RedisServer], None]
) -> None:
    with trio.fail_after(WAIT_S):
        async with (
            a_worker(redis, exchange_timeout_s=EXCHANGE_TIMEOUT_S) as flights,
            a_world(database, flights=flights) as world,
        ):
            stop(redis)
            began = trio.current_time()
            answers = [await world.search(sentence) for sentence in ("piano lessons under $80", "violin lessons")]
            took_s = trio.current_time() - began
            told = metrics(world)
            await world.until_at_rest()

    assert took_s <= 2 * BUDGET_S + TOLERANCE_S
    assert [titles(answer)[:1] for answer in answers] == [["Piano for children"], ["Violin"]]
    assert [reasons(answer, "embedding") for answer in answers] == [[], []]
    assert told["alone"] == 2
    assert told["seen"] == 0


@dataclass(frozen=True, slots=True)
class Two:
    """Models of two workers that ask one server, and see each other in one Redis.

    Attributes:
        dying: the first one's, which then neither renews its leases nor gives them back.
    """

    openai: OpenAIServer
    one: Models
    other: Models
    dying: trio.CancelScope

    async def until_asked(self, times: int) -> None:
        await until(lambda: embeddings_asked(self.openai) == times)


@asynccontextmanager
async def two_workers(redis: RedisServer, *turns: Turn, lease_s: float = UNHURRIED_LEASE_S) -> AsyncIterator[Two]:
    dying = trio.CancelScope()
    async with (
        open_openai_server() as openai,
        a_worker(redis, lease_s=lease_s) as flights,
        trio.open_nursery() as nursery,
    ):
        openai.script(*turns)
        settings = SearchSettings(
            _env_file=None,  # type: ignore[call-arg]
            openai_api_key="a-key",  # type: ignore[arg-type]
            openai_base_url=openai.base_url,
            embedding_dimensions=DIMENSIONS,
            openai_max_retries=0,
        )
        mortal = await nursery.start(see_flights, redis, dying, lease_s)
        async with (
            open_models(settings, config=settings.config, rng=Random(1), flights=mortal) as one,
            open_models(settings, config=settings.config, rng=Random(2), flights=flights) as other,
        ):
            yield Two(openai, one, other, dying)
        nursery.cancel_scope.cancel()


async def see_flights(
    redis: RedisServer, dying: trio.CancelScope, lease_s: float, *, task_status: trio.TaskStatus[RedisFlights]
) -> None:
    with dying:
        async with a_worker(redis, lease_s=lease_s) as flights:
            task_status.started(flights)
            await trio.sleep_forever()


class Asked:
    def __init__(self) -> None:
        self.vector: Vector | None = None
        self.error: ModelError | None = None
        self.leaving = trio.CancelScope()

    async def ask(self, models: Models, *, timeout_s: float) -> None:
        with self.leaving:
            try:
                [self.vector] = await models.primary.embed(["piano"], timeout_s=timeout_s)
            except ModelError as error:
                self.error = error


async def test_when_the_leading_worker_dies_another_calls_within_its_own_time(
    slow_clock: MockClock, redis: RedisServer
) -> None:
    first, second = Asked(), Asked()
    with trio.fail_after(WAIT_S):
        async with (
            two_workers(redis, Turn(hangs=True), Turn(), lease_s=LEASE_S) as two,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(lambda: first.ask(two.one, timeout_s=WAIT_S))
            await two.until_asked(1)
            two.dying.cancel()
            await second.ask(two.other, timeout_s=LEASE_S + 0.5)
            first.leaving.cancel()

    assert second.vector is not None
    assert embeddings_asked(two.openai) == 2


async def test_when_the_leader_fails_the_others_hear_of_it_and_do_not_call(
    slow_clock: MockClock, redis: RedisServer
) -> None:
    asked = [Asked(), Asked()]
    with trio.fail_after(WAIT_S):
        async with two_workers(redis, Turn(after_s=0.2, status=500), Turn()) as two:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(lambda: asked[0].ask(two.one, timeout_s=5))
                await two.until_asked(1)
                nursery.start_soon(lambda: asked[1].ask(two.other, timeout_s=5))
            heard = count(two.other, FlightOutcome.FAILED)

    assert [type(each.error) for each in asked] == [ModelUnavailable, ModelUnavailable]
    assert embeddings_asked(two.openai) == 1
    assert heard == 1


async def test_when_the_leader_is_cancelled_the_next_one_calls(slow_clock: MockClock, redis: RedisServer) -> None:
    """That it does so at once is tried where no machine that is held up can keep the news from Redis."""
    first, second = Asked(), Asked()
    with trio.fail_after(WAIT_S):
        async with two_workers(redis, Turn(hangs=True), Turn()) as two, trio.open_nursery() as nursery:
            nursery.start_soon(lambda: first.ask(two.one, timeout_s=WAIT_S))
            await two.until_asked(1)
            nursery.start_soon(lambda: second.ask(two.other, timeout_s=WAIT_S))
            await trio.testing.wait_all_tasks_blocked(0.01)
            first.leaving.cancel()
            await two.until_asked(2)

    assert second.vector is not None


async def test_each_text_flies_by_itself(slow_clock: MockClock, redis: RedisServer) -> None:
    with trio.fail_after(WAIT_S):
        async with two_workers(redis, Turn()) as two:
            await two.one.primary.embed(["piano"], timeout_s=5)
            await two.other.primary.embed(["violin"], timeout_s=5)
            calls = embeddings_asked(two.openai)

    assert calls == 2
