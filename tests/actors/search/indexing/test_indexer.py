"""Services become findable by what they say, whatever fails meanwhile. On the virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from trio.testing import MockClock

from greenroom.actors.search.indexing import Indexing, SearchIndexer
from greenroom.actors.search.indexing.indexer import FILL_S, LOOK_S
from greenroom.models.mock import MockEmbedder
from greenroom.models.ports import ModelUnavailable, Vector
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.search.taxonomy import parse_taxonomy
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase, memory_storage
from greenroom.storage.ports import Storage
from greenroom.supervisor import ActorSystem, ChildSpec, SupervisorSpec, open_system
from tests.storage.builders import NOW
from tests.storage.market_builders import MODEL, a_query, a_teacher, found, lesson_id, open_market, store

TAXONOMY = parse_taxonomy(
    '{"kinds": [{"slug": "piano", "name": "Piano", "group": "music", "synonyms": ["pianoforte"], "wording": ""}], '
    '"shared": {}}'
)
SOON = 2 * LOOK_S[1]


class FailingEmbedder(MockEmbedder):
    """Embeds once it works."""

    def __init__(self) -> None:
        super().__init__(8)
        self.works = False
        self.calls = 0

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        self.calls += 1
        if not self.works:
            raise ModelUnavailable("away")
        return await super().embed(texts, timeout_s=timeout_s)


@asynccontextmanager
async def indexing(storage: Storage, *embedders: MockEmbedder, workers: int = 1) -> AsyncIterator[ActorSystem]:
    def an_indexer(worker: str) -> ChildSpec:
        return ChildSpec(
            f"search-indexer-{worker}",
            lambda: SearchIndexer(
                index=storage.search_index,
                indexing=Indexing(storage.search_index, embedders, TAXONOMY),
                worker=worker,
            ),
        )

    tree = SupervisorSpec("greenroom", tuple(an_indexer(str(n)) for n in range(workers)))
    async with open_system(tree, seed=1, wall=lambda: NOW) as system:
        yield system
        await system.shutdown(1.0)


async def test_a_service_is_found_soon_after_it_was_stored(autojump_clock: MockClock) -> None:
    storage = memory_storage()
    async with indexing(storage, MockEmbedder(16)):
        await trio.sleep(SOON)
        teacher = a_teacher(1, "With Mia", lesson={"category": "piano"})
        await store(storage, teacher)

        await trio.sleep(SOON)

        assert await found(storage, a_query("pianoforte")) == [lesson_id(10)]


async def test_every_model_is_ready_once_all_have_its_vectors(autojump_clock: MockClock) -> None:
    storage = memory_storage()
    await open_market(storage, *(a_teacher(n) for n in range(1, 450)))
    async with indexing(storage, MockEmbedder(16)):
        await trio.sleep(SOON)

        assert "mock-16" in await storage.retrieval.embedding_models()


async def test_words_are_indexed_although_a_model_fails_and_vectors_follow(autojump_clock: MockClock) -> None:
    storage, embedder = memory_storage(), FailingEmbedder()
    teacher = a_teacher(1, "Piano")
    async with indexing(storage, embedder, MockEmbedder(16)):
        await store(storage, teacher)
        await trio.sleep(SOON)
        assert await found(storage, a_query("piano")) == [lesson_id(10)]
        assert "mock-8" not in await storage.retrieval.embedding_models()

        embedder.works = True
        await trio.sleep(2 * FILL_S)

        assert await storage.retrieval.embedding_models() == ["mock-16", "mock-8"]


async def test_a_database_that_was_away_delays_and_loses_nothing(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    storage = memory_storage(database)
    teacher = a_teacher(1, "Piano")
    await store(storage, teacher)

    async def away(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point == FaultPoint("search_index.put", Phase.BEFORE):
            raise StorageUnavailable("away")

    before, database.faults = database.faults, away
    async with indexing(storage) as system:
        await trio.sleep(10 * SOON)
        assert system.inspect("/greenroom/search-indexer-0").exits == ()
        assert await found(storage, a_query("piano")) == []

        database.faults = before
        await trio.sleep(SOON)

        assert await found(storage, a_query("piano")) == [lesson_id(10)]


async def test_of_several_workers_one_embeds(autojump_clock: MockClock) -> None:
    storage, embedder = memory_storage(), FailingEmbedder()
    embedder.works = True
    async with indexing(storage, embedder, workers=3):
        await trio.sleep(SOON)
        teacher = a_teacher(1, "Piano")
        await store(storage, teacher)

        await trio.sleep(SOON)

        assert embedder.calls == 1


async def test_what_was_left_unfinished_is_gone_on_with(autojump_clock: MockClock) -> None:
    storage, embedder = memory_storage(), FailingEmbedder()
    await open_market(storage, *(a_teacher(n) for n in range(1, 450)))
    first = Indexing(storage.search_index, [embedder], TAXONOMY)
    await first.prepare()
    read = await storage.search_index.without_vector("mock-8", after=None, limit=300)
    await storage.search_index.put_vectors("mock-8", [(one, (1.0,) * 8) for one in read])
    embedder.works = True
    told: list[int] = []

    assert await first.missing() == 149
    assert await first.drop_others() == ()

    made = await first.fill(progress=told.append)

    assert made == {"mock-8": 149}
    assert told == [149]
    assert await first.drop_others() == (MODEL,)
    assert await storage.retrieval.embedding_models() == ["mock-8"]


async def test_a_worker_that_stops_leaves_the_work_to_the_next_at_once(autojump_clock: MockClock) -> None:
    storage = memory_storage()
    async with indexing(storage, MockEmbedder(8)):
        await trio.sleep(SOON)

    assert await storage.search_index.hold("the next", for_s=60)
