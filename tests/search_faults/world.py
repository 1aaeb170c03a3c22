"""A server to search in over a real Postgres, with OpenAI's own client speaking to a server of the test's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from random import Random

import trio

from greenroom.actors.core import Core, open_core
from greenroom.actors.identity import Identity
from greenroom.actors.search.answer import SearchAnswer
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.room import SearchPlan
from greenroom.models.mock import MockEmbedder
from greenroom.models.opening import Models, open_models
from greenroom.models.ports import Flights
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import RandomIds
from greenroom.schema.records import Role
from greenroom.schema.search.indexing import IndexedText
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from greenroom.storage.retrieval.rules import RetrievalRules
from tests.openai_server import OpenAIServer, Turn, open_openai_server
from tests.storage.market_builders import Teacher, a_teacher, store
from tests.storage.places_builders import add_places

WAIT_S = 20.0
TOLERANCE_S = 0.2
"""On top of a budget, on a machine that runs other tests besides. What is overrun by more is not kept at all."""

DIMENSIONS = 256
PIANO = a_teacher(1, "Piano for children")
VIOLIN = a_teacher(2, "Violin")
DEAR = a_teacher(3, "Piano, advanced", lesson={"price_cents": 20_000})
TEACHERS = (PIANO, VIOLIN, DEAR)


@dataclass(frozen=True, slots=True)
class World:
    core: Core
    pool: Pool
    models: Models
    openai: OpenAIServer
    settings: SearchSettings
    maya: Identity

    async def search(self, text: str, **changes: object) -> SearchAnswer:
        request = SearchRequest(user_id=self.maya.user.id, text=text)
        return await self.core.search.search(self.maya, replace(request, **changes))  # type: ignore[arg-type]

    async def until_asked(self, path: str) -> None:
        """Wait until the model server holds a request of this kind."""
        await self.until(lambda: any(asked.path.endswith(path) for asked in self.openai.asked))

    async def until_at_rest(self) -> None:
        """Wait until nobody uses the database; the indexer and the board do, now and then, for a moment."""
        await self.until(lambda: self.pool.statistics().in_use == 0)

    @staticmethod
    async def until(condition: Callable[[], bool]) -> None:
        with trio.fail_after(WAIT_S):
            while not condition():  # noqa: ASYNC110 - the other side of a socket sets no event
                await trio.sleep(0.005)


@asynccontextmanager
async def a_world(
    database: PostgresOptions,
    *,
    turn: Turn | None = None,
    pool_size: int = 4,
    flights: Flights | None = None,
    teachers: Sequence[Teacher] = TEACHERS,
    **settings: object,
) -> AsyncIterator[World]:
    """Maya may search among some teachers; the model server answers everything with ``turn``, at once by default.

    Args:
        flights: of other workers.
    """
    options = replace(database, pool_size=pool_size, pool_timeout_s=0.1)
    async with AsyncExitStack() as stack:
        openai = await stack.enter_async_context(open_openai_server())
        openai.script(turn or Turn())
        chosen = SearchSettings(
            _env_file=None,  # type: ignore[call-arg]
            openai_api_key="a-key",
            openai_base_url=openai.base_url,
            embedding_dimensions=DIMENSIONS,
            **settings,  # type: ignore[arg-type]
        )
        board, models = await stack.enter_async_context(_models(chosen, flights))
        pool = await stack.enter_async_context(open_pool(options))
        storage = _storage(pool, chosen)
        await add_places(storage)
        for teacher in teachers:
            await store(storage, teacher)
        await index(storage, [embedder.model for embedder in models.embedders])
        core = await stack.enter_async_context(_core(storage, SearchPlan(chosen, board, models), seed=1))
        signed_in = await core.sign_in.register(
            email="maya@example.com", password="correct horse", display_name="Maya", role=Role.STUDENT
        )
        yield World(core, pool, models, openai, chosen, signed_in.identity)


@asynccontextmanager
async def another_worker(
    world: World, database: PostgresOptions, *, flights: Flights | None = None
) -> AsyncIterator[World]:
    """The same world by way of another worker."""
    async with AsyncExitStack() as stack:
        board, models = await stack.enter_async_context(_models(world.settings, flights))
        pool = await stack.enter_async_context(open_pool(replace(database, pool_size=4, pool_timeout_s=0.2)))
        storage = _storage(pool, world.settings)
        plan = SearchPlan(world.settings, board, models)
        core = await stack.enter_async_context(_core(storage, plan, seed=2))
        yield replace(world, core=core, pool=pool, models=models)


@asynccontextmanager
async def _models(settings: SearchSettings, flights: Flights | None) -> AsyncIterator[tuple[SearchBoard, Models]]:
    board = SearchBoard(settings.config())
    async with open_models(settings, config=lambda: board.config, rng=Random(1), flights=flights) as models:
        with trio.fail_after(WAIT_S):
            await models.local.embed(["a first text loads the model"], timeout_s=WAIT_S)
        yield board, models


def _storage(pool: Pool, settings: SearchSettings) -> Storage:
    return postgres_storage(pool, bus=LocalBus(), retrieval_rules=RetrievalRules.from_settings(settings))


def _core(storage: Storage, plan: SearchPlan, *, seed: int) -> AbstractAsyncContextManager[Core]:
    return open_core(
        storage,
        passwords=SimulatedPasswords(),
        ids=RandomIds(Random(seed), system_wall_clock),
        wall=system_wall_clock,
        seed=seed,
        search=plan,
    )


async def index(storage: Storage, names: Sequence[str]) -> None:
    """Give every lesson a vector of each model, the mock's, without asking any."""
    for name in names:
        await storage.search_index.add_model(name, DIMENSIONS)
    changed = await storage.search_index.changed(limit=500)
    vectors = await MockEmbedder(DIMENSIONS).embed([service.title for service in changed], timeout_s=1)
    await storage.search_index.put([IndexedText(service) for service in changed], dict.fromkeys(names, vectors))
    for name in names:
        await storage.search_index.make_ready(name)


def titles(answer: SearchAnswer) -> list[str]:
    return [hit.card.title for hit in answer.hits if hit.card is not None]


def reasons(answer: SearchAnswer, stage: str) -> list[str]:
    """Why a stage was left out, or its outcome not used."""
    return [skip.reason.value for skip in answer.budget.skipped if skip.stage == stage]
