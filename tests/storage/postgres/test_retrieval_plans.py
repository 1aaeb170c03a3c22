"""How Postgres finds services: by its indexes, whatever it believes of the tables, as the plan is kept while they grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.schema.search.candidates import TimeWindow
from greenroom.schema.search.places import RegionId
from greenroom.schema.search.understood import PriceBounds
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.search import legs
from greenroom.storage.postgres.search.cards import asked_cards
from greenroom.storage.postgres.search.spellings import SPELLINGS, spellings_params
from greenroom.storage.postgres.transactions import in_transaction
from greenroom.storage.retrieval.rules import RetrievalRules
from tests.storage.builders import NOW
from tests.storage.market_builders import MODEL, a_query, a_teacher, found, lesson_id, open_market

SLOPE = RegionId("nyc/brooklyn/park-slope")
LARGE = ("search_documents", "search_postings", "search_lexemes", "service_embeddings", "instructor_availability")


@pytest.mark.parametrize("analysed", [False, True])
async def test_no_large_table_is_read_whole_for_words_and_kinds(database: PostgresOptions, analysed: bool) -> None:
    window = TimeWindow(NOW, NOW + timedelta(days=1))
    query = replace(
        a_query("piano", areas=(SLOPE,), online=False, windows=(window,)),
        categories=(("piano", 1.0),),
        vector=(1.0, 0.0, 0.0),
        model=MODEL,
    )
    shape, params = legs.asked(query, RetrievalRules())
    async with open_pool(database) as pool:
        await open_market(postgres_storage(pool, bus=LocalBus()), a_teacher(1), a_teacher(2, "Violin"))
        if analysed:
            await pool.run("ANALYZE", None)
        async with in_transaction(pool, "BEGIN READ ONLY") as session:
            await session.send(legs.ASK_FOR_SOME, legs.SOME_PARAMS)
            plan = "\n".join(await session.fetch("EXPLAIN " + legs.found_text(shape), params, str))

    assert not [table for table in LARGE if f"Seq Scan on {table}" in plan]
    assert "search_postings_pkey" in plan
    assert analysed or "search_documents_reach" in plan
    assert "Hash Cond: (h.doc = n.doc)" in plan


@pytest.mark.parametrize("analysed", [False, True])
async def test_no_large_table_is_read_whole_for_cards(database: PostgresOptions, analysed: bool) -> None:
    window = TimeWindow(NOW, NOW + timedelta(days=1))
    filters = a_query(areas=(SLOPE,), online=False, price=PriceBounds(None, 7_000)).filters
    statement, params = asked_cards([lesson_id(10), lesson_id(20)], filters, (window,), NOW)
    async with open_pool(database) as pool:
        await open_market(postgres_storage(pool, bus=LocalBus()), a_teacher(1), a_teacher(2, "Violin"))
        if analysed:
            await pool.run("ANALYZE", None)
        plan = "\n".join(await pool.fetch("EXPLAIN " + statement, params, str))

    assert "Seq Scan" not in plan
    assert "search_documents_service_id_key" in plan
    assert "search_documents_reach" not in plan


@pytest.mark.parametrize("analysed", [False, True])
async def test_words_that_may_be_meant_are_found_by_one_walk_along_an_index(
    database: PostgresOptions, analysed: bool
) -> None:
    async with open_pool(database) as pool:
        await open_market(postgres_storage(pool, bus=LocalBus()), a_teacher(1), a_teacher(2, "Violin"))
        if analysed:
            await pool.run("ANALYZE", None)
        plan = "\n".join(await pool.fetch("EXPLAIN " + SPELLINGS, spellings_params("voilin", ["voilin"]), str))

    assert "Seq Scan" not in plan
    assert "search_spellings_alike" in plan
    assert "search_lexemes_pkey" in plan


async def test_a_neighbourhood_is_asked_for_first_where_many_have_the_words(
    database: PostgresOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(a_query("piano", areas=(SLOPE,), online=False), categories=(("piano", 1.0),))
    async with open_pool(database) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await open_market(storage, a_teacher(1), a_teacher(2), a_teacher(3, areas=("nyc/queens",)))

        one_by_one = await storage.retrieval.retrieve(here)
        monkeypatch.setattr(legs, "MANY", 0)
        by_reach = await storage.retrieval.retrieve(here)

        assert await found(storage, here) == [lesson_id(10), lesson_id(20)]
    assert by_reach == one_by_one
