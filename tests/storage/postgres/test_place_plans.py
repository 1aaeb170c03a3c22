"""How Postgres looks up a place: by its indexes, whatever it believes of the tables, and by our threshold, whatever the session's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from psycopg.conninfo import make_conninfo

from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.schema.search.places import AliasSource, AliasState
from greenroom.storage.postgres import PostgresOptions, open_pool
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.search.gazetteer import (
    ALIASES_PAGE,
    NAMED_ALIASES_PAGE,
    NEWEST,
    PostgresGazetteer,
)
from greenroom.storage.postgres.search.places import ASK_BY_INDEX, LOOK_UP, PostgresPlaces
from greenroom.storage.postgres.transactions import in_transaction
from tests.storage.builders import NOW
from tests.storage.places_builders import NYC, REGIONS

MANY_LEARNED = """
INSERT INTO location_aliases (name, normal_name, compact_name, region_id, source, state, weight, created_at)
SELECT name, name, name, 'nyc', 'learned', 'proposed', 1, %(now)s FROM (SELECT md5(n::text) AS name FROM generate_series(1, 20000) AS n) m
"""


@pytest.mark.parametrize("analysed", [False, True])
async def test_similar_names_are_found_by_their_trigrams_and_no_table_is_read_whole(
    database: PostgresOptions, analysed: bool
) -> None:
    params = {
        "text": "prak slope brooklyn",
        "rests": texts(["prak slope"]),
        "containers": texts(["brooklyn"]),
        "cities": texts([NYC]),
        "rows_max": 40,
    }
    async with open_pool(database) as pool:
        await load_gazetteer(PostgresGazetteer(pool), now=NOW)
        if analysed:
            await pool.run("ANALYZE", None)
        async with in_transaction(pool, "BEGIN READ ONLY") as session:
            await session.send(ASK_BY_INDEX)
            plan = "\n".join(await session.fetch("EXPLAIN " + LOOK_UP, params, str))

    assert "Bitmap Index Scan on region_boundaries_similar" in plan
    assert "Bitmap Index Scan on location_aliases_similar" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        (ALIASES_PAGE, ["location_aliases_sources"]),
        (NAMED_ALIASES_PAGE, ["location_aliases_similar", "region_boundaries_similar"]),
    ],
)
async def test_pages_of_aliases_are_read_by_an_index(
    database: PostgresOptions, query: str, indexes: list[str]
) -> None:
    params = {
        "sources": texts(AliasSource),
        "states": texts(AliasState),
        "before": NEWEST,
        "limit": 51,
        "pattern": "%slope%",
    }
    async with open_pool(database) as pool:
        await load_gazetteer(PostgresGazetteer(pool), now=NOW)
        # With as few as the gazetteer has, reading them all would do as well.
        await pool.run(MANY_LEARNED, {"now": NOW})
        await pool.run("ANALYZE location_aliases, region_boundaries", None)
        plan = "\n".join(await pool.fetch("EXPLAIN " + query, params, str))

    assert [index for index in indexes if index not in plan] == []
    assert "Seq Scan" not in plan


async def test_a_look_up_is_one_round_trip_and_leaves_no_setting_behind(database: PostgresOptions) -> None:
    strict = replace(
        database,
        conninfo=make_conninfo(database.conninfo, options="-c pg_trgm.similarity_threshold=0.9"),
        pool_size=1,
    )
    async with open_pool(strict) as pool:
        await PostgresGazetteer(pool).upsert_regions(REGIONS)
        found = await PostgresPlaces(pool).look_up("prak slope", cities=[NYC])
        left = await pool.fetch("SELECT current_setting('pg_trgm.similarity_threshold')", None, float)

    assert [candidate.matched_name for candidate in found.fuzzy] == ["Park Slope"]
    assert left == [0.9]


async def test_a_look_up_works_behind_a_transaction_mode_pooler(database: PostgresOptions) -> None:
    async with open_pool(replace(database, prepare=False)) as pool:
        await PostgresGazetteer(pool).upsert_regions(REGIONS)
        found = await PostgresPlaces(pool).look_up("soho", cities=[])
    assert len(found.exact) == 2
