"""How the index follows the services; both twins alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import trio

from greenroom.schema.errors import InvalidInput
from greenroom.schema.search.indexing import IndexedModel, IndexedText
from greenroom.storage.ports import Storage, VectorCount
from tests.storage.builders import NOW
from tests.storage.market_builders import (
    MODEL,
    a_lesson,
    a_query,
    a_teacher,
    an_offer_of,
    found,
    index_changes,
    lesson_id,
    open_market,
)

LATER = NOW + timedelta(hours=1)
OTHER = "other-2"


async def rename(storage: Storage, title: str) -> None:
    teacher = a_teacher(1)
    renamed = replace(teacher, services=(a_lesson(10, title, instructor_id=teacher.user_id),))
    await storage.catalogue.replace(teacher.user_id, an_offer_of(renamed), now=LATER)


async def test_what_is_new_or_changed_is_to_be_indexed_and_then_no_more(storage: Storage) -> None:
    await open_market(storage, a_teacher(1))
    assert await storage.search_index.changed(limit=10) == []

    await rename(storage, "Violin")
    [changed] = await storage.search_index.changed(limit=10)
    assert (changed.service_id, changed.title, changed.updated_at) == (lesson_id(10), "Violin", LATER)
    await index_changes(storage)

    assert await storage.search_index.changed(limit=10) == []


async def test_what_changed_while_it_was_being_indexed_is_indexed_again(storage: Storage) -> None:
    await open_market(storage, a_teacher(1))
    await rename(storage, "Violin")
    [read] = await storage.search_index.changed(limit=10)
    teacher = a_teacher(1)
    last = replace(teacher, services=(a_lesson(10, "Drums", instructor_id=teacher.user_id),))
    await storage.catalogue.replace(teacher.user_id, an_offer_of(last), now=LATER + timedelta(hours=1))

    assert await storage.search_index.put([IndexedText(read)], {}) == 1

    assert [one.title for one in await storage.search_index.changed(limit=10)] == ["Drums"]


async def test_what_is_gone_meanwhile_is_left_out(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Piano", "Drums"))
    await rename(storage, "Violin")
    [read] = await storage.search_index.changed(limit=10)
    gone = replace(read, service_id=lesson_id(11))

    assert await storage.search_index.put([IndexedText(gone), IndexedText(read)], {}) == 1

    assert await found(storage, a_query("violin")) == [lesson_id(10)]


async def test_indexing_the_same_twice_changes_nothing(storage: Storage) -> None:
    await open_market(storage, *(a_teacher(n, title) for n, title in enumerate(("Piano", "Violin", "Drums"), 1)))
    before = await storage.retrieval.text_strength("piano")
    await rename(storage, "Piano")
    await rename(storage, "Piano, too")
    await index_changes(storage)
    await rename(storage, "Piano")
    await index_changes(storage)

    assert await storage.retrieval.text_strength("piano") == before


async def test_no_word_is_meant_of_which_the_last_lesson_is_gone(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Sourdough"))
    await rename(storage, "Sourness, too")
    await index_changes(storage)

    found = await storage.retrieval.spellings("sourdoug", ["sourdoug"])

    assert [spelling.word for spelling in found["sourdoug"]] == ["sourness"]


async def test_words_of_texts_that_are_gone_leave_room_for_others(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenroom.storage.postgres.search.spellings.SPELLINGS_MAX", 1)
    await open_market(storage, a_teacher(1, "Sourness"))
    for title in ("Sourdust", "Sourdour", "Sourdough"):
        await rename(storage, title)
        await index_changes(storage)

    found = await storage.retrieval.spellings("sourdoug", ["sourdoug"])

    assert [spelling.word for spelling in found["sourdoug"]] == ["sourdough"]


async def test_a_word_that_comes_back_is_known_again(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Sourdough"))
    for title in ("Violin", "Sourdough"):
        await rename(storage, title)
        await index_changes(storage)

    assert [
        spelling.word for spelling in (await storage.retrieval.spellings("sourdoug", ["sourdoug"]))["sourdoug"]
    ] == ["sourdough"]
    assert await found(storage, a_query("sourdough")) == [lesson_id(10)]


async def test_several_may_index_at_the_same_time(storage: Storage) -> None:
    await open_market(storage)
    for teacher in (a_teacher(n, "Piano", "Drums") for n in range(1, 6)):
        await open_market(storage, teacher)
        await storage.catalogue.replace(
            teacher.user_id,
            an_offer_of(replace(teacher, services=tuple(replace(s, title="Cello") for s in teacher.services))),
            now=LATER,
        )

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(index_changes, storage)

    assert await storage.search_index.changed(limit=50) == []
    assert len(await found(storage, a_query("cello"))) == 10
    assert await found(storage, a_query("drums")) == []


async def test_a_model_is_searched_with_once_every_service_has_a_vector_of_it(storage: Storage) -> None:
    await open_market(storage, a_teacher(1), a_teacher(2, "Drums"))
    await storage.search_index.add_model(OTHER, 2)
    assert await storage.search_index.models() == [IndexedModel(MODEL, 3, True), IndexedModel(OTHER, 2, False)]

    missing = await storage.search_index.without_vector(OTHER, after=None, limit=1)
    assert [one.service_id for one in missing] == [lesson_id(10)]
    assert await storage.search_index.put_vectors(OTHER, [(missing[0], (1.0, 0.0))]) == 1
    assert not await storage.search_index.make_ready(OTHER)
    assert await storage.search_index.count(OTHER) == VectorCount(services=2, with_vector=1)
    missing = await storage.search_index.without_vector(OTHER, after=lesson_id(10), limit=9)
    assert [one.service_id for one in missing] == [lesson_id(20)]
    await storage.search_index.put_vectors(OTHER, [(missing[0], (0.0, 1.0))])

    assert await storage.search_index.make_ready(OTHER)
    assert await storage.retrieval.embedding_models() == [MODEL, OTHER]
    query = replace(a_query("xyz"), vector=(0.1, 0.99), model=OTHER)
    assert await found(storage, query) == [lesson_id(20), lesson_id(10)]


async def test_a_model_can_be_dropped_and_come_back(storage: Storage) -> None:
    await open_market(storage, a_teacher(1))

    await storage.search_index.drop_model(MODEL)
    assert await storage.search_index.models() == []
    assert await found(storage, replace(a_query("xyz"), vector=(1.0, 0.0, 0.0), model=MODEL)) == []

    await storage.search_index.add_model(MODEL, 2)
    assert not await storage.search_index.make_ready(MODEL)


async def test_a_vector_of_what_changed_meanwhile_is_not_kept(storage: Storage) -> None:
    await open_market(storage, a_teacher(1))
    await storage.search_index.add_model(OTHER, 2)
    [read] = await storage.search_index.without_vector(OTHER, after=None, limit=9)
    await rename(storage, "Violin")

    assert await storage.search_index.put_vectors(OTHER, [(read, (1.0, 0.0))]) == 0


async def test_vectors_of_another_length_or_of_no_known_model_are_refused(storage: Storage) -> None:
    await open_market(storage, a_teacher(1))
    await rename(storage, "Violin")
    [read] = await storage.search_index.changed(limit=9)

    with pytest.raises(InvalidInput):
        await storage.search_index.put([IndexedText(read)], {MODEL: [(1.0, 0.0)]})
    with pytest.raises(InvalidInput):
        await storage.search_index.put([IndexedText(read)], {OTHER: [(1.0, 0.0)]})
    with pytest.raises(InvalidInput):
        await storage.search_index.add_model(MODEL, 4)
    assert await storage.search_index.changed(limit=9) == [read]


async def test_there_is_room_for_four_models(storage: Storage) -> None:
    for number in range(4):
        await storage.search_index.add_model(f"model-{number}", 2)

    with pytest.raises(InvalidInput):
        await storage.search_index.add_model("model-4", 2)
    await storage.search_index.drop_model("model-1")
    await storage.search_index.add_model("model-4", 2)

    assert [one.model for one in await storage.search_index.models()] == [f"model-{n}" for n in (0, 2, 3, 4)]


async def test_one_worker_holds_the_right_to_index_until_its_time_is_over(storage: Storage) -> None:
    assert await storage.search_index.hold("one", for_s=60)
    assert not await storage.search_index.hold("other", for_s=60)
    assert await storage.search_index.hold("one", for_s=-1)
    assert await storage.search_index.hold("other", for_s=60)
