"""A whole server to search in, on a virtual clock: the twins' storage, models that take as long as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import trio

from greenroom.actors.search.answer import SearchAnswer
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.room import SearchPlan
from greenroom.models.mock import MockEmbedder
from greenroom.models.opening import Models
from greenroom.models.ports import ChosenPlace, ModelTimeout, ParsedByModel, Vector
from greenroom.schema.search.diagnostics import Prompt
from greenroom.schema.search.indexing import IndexedText
from greenroom.schema.search.places import PlaceCandidate
from greenroom.schema.search.understood import Understood
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.memory import MemoryDatabase, memory_storage
from greenroom.storage.ports import Storage
from tests.actors.world import World, a_world
from tests.storage.market_builders import Teacher, store
from tests.storage.places_builders import add_places


class SlowEmbedder:
    """Takes ``takes_s`` for each call, or raises ``fails`` after it; its vectors are the mock's."""

    is_local = False

    def __init__(self) -> None:
        self._mock = MockEmbedder()
        self.takes_s = 0.05
        self.fails: Exception | None = None
        self.calls = 0
        self.in_flight = 0

    model = "slow-256"
    dimensions = 256

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        self.calls += 1
        self.in_flight += 1
        try:
            with trio.move_on_after(timeout_s):
                await trio.sleep(self.takes_s)
                if self.fails is not None:
                    raise self.fails
                return await self._mock.embed(texts, timeout_s=timeout_s)
            raise ModelTimeout("no answer in time")
        finally:
            self.in_flight -= 1


class SlowSentenceModel:
    """Understands every sentence as ``says`` changes the rules' understanding."""

    def __init__(self) -> None:
        self.takes_s = 1.0
        self.says: dict[str, object] = {}
        self.calls = 0

    async def parse(
        self, text: str, *, known: Understood, categories: Sequence[str], timeout_s: float
    ) -> ParsedByModel:
        self.calls += 1
        with trio.move_on_after(timeout_s):
            await trio.sleep(self.takes_s)
            return ParsedByModel(
                replace(known, **self.says),  # type: ignore[arg-type]
                Prompt("parsing", "slow", text, "said"),
            )
        raise ModelTimeout("no answer in time")


class SlowPlaceModel:
    """Chooses the first of the places it is offered; ``offered`` is how many those were, by call."""

    def __init__(self) -> None:
        self.takes_s = 0.05
        self.offered: list[int] = []

    @property
    def calls(self) -> int:
        return len(self.offered)

    async def choose(
        self, text: str, *, sentence: str, candidates: Sequence[PlaceCandidate], timeout_s: float
    ) -> ChosenPlace:
        self.offered.append(len(candidates))
        with trio.move_on_after(timeout_s):
            await trio.sleep(self.takes_s)
            return ChosenPlace(candidates[0].region.id, 0.9, Prompt("location", "slow", text, "1"))
        raise ModelTimeout("no answer in time")


@dataclass(frozen=True, slots=True)
class SlowModels:
    embedder: SlowEmbedder = field(default_factory=SlowEmbedder)
    local: MockEmbedder = field(default_factory=MockEmbedder)
    sentence: SlowSentenceModel = field(default_factory=SlowSentenceModel)
    place: SlowPlaceModel = field(default_factory=SlowPlaceModel)

    def plan(self, **settings: object) -> SearchPlan:
        chosen = SearchSettings.model_construct(**settings)  # type: ignore[arg-type]
        models = Models(primary=self.embedder, local=self.local, sentence=self.sentence, place=self.place)
        return SearchPlan(settings=chosen, board=SearchBoard(chosen.config()), models=models)


@asynccontextmanager
async def a_market(
    *teachers: Teacher,
    models: SlowModels | None = None,
    database: MemoryDatabase | None = None,
    **settings: object,
) -> AsyncIterator[World]:
    """A server where Maya searches among some teachers, by models of which services have vectors."""
    models = models or SlowModels()
    database = database or MemoryDatabase()
    storage = memory_storage(database)
    await add_places(storage)
    for teacher in teachers:
        await store(storage, teacher)
    await index(storage, models)
    async with a_world(database=database, search=models.plan(**settings)) as world:
        yield world


async def index(storage: Storage, models: SlowModels) -> None:
    names = [models.embedder.model, models.local.model]
    for name in names:
        await storage.search_index.add_model(name, 256)
    changed = await storage.search_index.changed(limit=500)
    vectors = await models.local.embed([service.title for service in changed], timeout_s=1)
    await storage.search_index.put([IndexedText(service) for service in changed], dict.fromkeys(names, vectors))
    for name in names:
        await storage.search_index.make_ready(name)


async def search(world: World, text: str, **changes: object) -> SearchAnswer:
    request = SearchRequest(user_id=world.maya.user.id, text=text)
    return await world.core.search.search(world.maya, replace(request, **changes))  # type: ignore[arg-type]


def reasons(answer: SearchAnswer) -> dict[str, str]:
    """What was left out, and why."""
    return {skip.stage.value: skip.reason.value for skip in answer.budget.skipped}


def titles(answer: SearchAnswer) -> list[str]:
    return [hit.card.title for hit in answer.hits if hit.card is not None]
