from dataclasses import replace
from datetime import timedelta

import pytest

from greenroom.schema.errors import AliasNotFound, InvalidInput, RegionNotFound
from greenroom.schema.search.places import AliasFilter, AliasId, AliasSource, AliasState, RegionId
from greenroom.storage.ports import Storage
from tests.storage.builders import NOW
from tests.storage.places_builders import (
    BROOKLYN,
    NYC,
    PARK_SLOPE,
    REGIONS,
    a_region,
    add_places,
    an_alias,
)


async def test_regions_are_stored_all_or_none(storage: Storage) -> None:
    orphan = a_region("nyc/nowhere/here", "Here")
    with pytest.raises(RegionNotFound):
        await storage.gazetteer.upsert_regions([*REGIONS, orphan])
    assert await storage.places.cities() == []


async def test_a_parent_may_come_after_its_children(storage: Storage) -> None:
    await storage.gazetteer.upsert_regions(REGIONS[::-1])
    assert len(await storage.places.regions([region.region.id for region in REGIONS])) == len(REGIONS)


async def test_aliases_are_stored_all_or_none(storage: Storage) -> None:
    await add_places(storage)
    before = await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=99)
    with pytest.raises(RegionNotFound):
        await storage.gazetteer.upsert_aliases([an_alias("The Slope", PARK_SLOPE), an_alias("x", "no")], now=NOW)
    assert await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=99) == before


async def test_a_name_is_one_alias_of_a_region_however_it_is_written(storage: Storage) -> None:
    await add_places(storage)
    aliases = [an_alias("BK", BROOKLYN), an_alias("B-K?", NYC), an_alias("b k", NYC), an_alias("?", NYC)]

    stored = await storage.gazetteer.upsert_aliases(aliases, now=NOW + timedelta(days=1))

    assert stored == 2
    page = await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=99)
    assert [(a.name, a.region_id, a.weight, a.created_at) for a in page if a.name.lower() in {"bk", "b k"}] == [
        ("b k", NYC, 1.0, NOW + timedelta(days=1)),
        ("BK", BROOKLYN, 1.0, NOW),
    ]


async def test_aliases_are_paged_newest_first_and_by_state(storage: Storage) -> None:
    await add_places(storage)
    learned = an_alias("the slope", PARK_SLOPE, source=AliasSource.LEARNED, state=AliasState.PROPOSED)
    await storage.gazetteer.upsert_aliases([learned], now=NOW)

    first = await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=3)
    rest = await storage.gazetteer.aliases_page(AliasFilter(), before=first[-1].id, limit=3)
    proposed = await storage.gazetteer.aliases_page(AliasFilter(state=AliasState.PROPOSED), before=None, limit=3)

    assert [alias.name for alias in first + rest] == ["the slope", "Park Slop", "LES", "BK", "NYC"]
    assert [alias.name for alias in proposed] == ["the slope"]


async def names_of(storage: Storage, wanted: AliasFilter) -> list[str]:
    return [alias.name for alias in await storage.gazetteer.aliases_page(wanted, before=None, limit=99)]


async def test_aliases_are_told_by_where_they_come_from_and_their_state_together(storage: Storage) -> None:
    await add_places(storage)
    own = an_alias("the slope", PARK_SLOPE, source=AliasSource.OPERATOR)
    proposed = an_alias("slopes", PARK_SLOPE, source=AliasSource.LEARNED, state=AliasState.PROPOSED)
    learned = an_alias("p slope", PARK_SLOPE, source=AliasSource.LEARNED)
    await storage.gazetteer.upsert_aliases([own, proposed, learned], now=NOW)

    assert await names_of(storage, AliasFilter(source=AliasSource.OPERATOR)) == ["the slope"]
    assert await names_of(storage, AliasFilter(source=AliasSource.LEARNED)) == ["p slope", "slopes"]
    both = AliasFilter(source=AliasSource.LEARNED, state=AliasState.ACTIVE)
    assert await names_of(storage, both) == ["p slope"]
    assert await names_of(storage, AliasFilter(source=AliasSource.OPERATOR, state=AliasState.REVOKED)) == []


async def test_aliases_are_found_by_part_of_their_name_or_of_their_regions(storage: Storage) -> None:
    await add_places(storage)
    await storage.gazetteer.upsert_aliases([an_alias("11215", PARK_SLOPE), an_alias("Slip", NYC)], now=NOW)

    assert await names_of(storage, AliasFilter(text="121")) == ["11215"]
    assert await names_of(storage, AliasFilter(text="slop")) == ["11215", "Park Slop"]
    assert await names_of(storage, AliasFilter(text="york")) == ["Slip", "NYC"]
    assert await names_of(storage, AliasFilter(text="slop", state=AliasState.REVOKED)) == []
    assert await names_of(storage, AliasFilter(text="atlantis")) == []


async def test_one_or_two_letters_find_what_begins_with_them(storage: Storage) -> None:
    await add_places(storage)

    assert await names_of(storage, AliasFilter(text="le")) == ["LES"]
    assert await names_of(storage, AliasFilter(text="es")) == []


async def test_what_was_found_by_name_is_paged_too(storage: Storage) -> None:
    await add_places(storage)
    await storage.gazetteer.upsert_aliases([an_alias(f"slope {n}", PARK_SLOPE) for n in range(5)], now=NOW)
    wanted = AliasFilter(text="slope")

    first = await storage.gazetteer.aliases_page(wanted, before=None, limit=3)
    rest = await storage.gazetteer.aliases_page(wanted, before=first[-1].id, limit=9)

    assert [alias.name for alias in first] == ["slope 4", "slope 3", "slope 2"]
    assert [alias.name for alias in rest] == ["slope 1", "slope 0", "Park Slop"]


async def test_an_approved_alias_is_looked_up(storage: Storage) -> None:
    await add_places(storage)
    learned = an_alias("slopes", PARK_SLOPE, source=AliasSource.LEARNED, state=AliasState.PROPOSED)
    await storage.gazetteer.upsert_aliases([learned], now=NOW)
    (proposed,) = await storage.gazetteer.aliases_page(
        AliasFilter(state=AliasState.PROPOSED), before=None, limit=3
    )
    assert (await storage.places.look_up("slopes", cities=[])).alias == ()

    decided = await storage.gazetteer.decide_alias(proposed.id, AliasState.ACTIVE, decided_by="ann", now=NOW)

    assert decided == replace(proposed, state=AliasState.ACTIVE, decided_at=NOW, decided_by="ann")
    (found,) = (await storage.places.look_up("slopes", cities=[])).alias
    assert found.region.id == PARK_SLOPE


async def test_an_alias_that_is_not_there_can_not_be_decided(storage: Storage) -> None:
    with pytest.raises(AliasNotFound):
        await storage.gazetteer.decide_alias(AliasId(7), AliasState.ACTIVE, decided_by="ann", now=NOW)


async def test_regions_without_an_embedding_are_told_until_they_have_one(storage: Storage) -> None:
    await add_places(storage)
    first = await storage.gazetteer.without_embedding("m", limit=2)
    assert [region.id for region in first] == ["london", "london/westminster"]

    vectors = [(region.id, (1.0, 0.0)) for region in first]
    await storage.gazetteer.put_embeddings("m", [*vectors, (RegionId("gone"), (0.0, 1.0))])

    assert len(await storage.gazetteer.without_embedding("m", limit=99)) == len(REGIONS) - 2
    assert len(await storage.gazetteer.without_embedding("other", limit=99)) == len(REGIONS)


async def test_a_region_of_a_new_name_is_to_be_embedded_anew(storage: Storage) -> None:
    await add_places(storage)
    await storage.gazetteer.put_embeddings("m", [(region.region.id, (1.0, 0.0)) for region in REGIONS])
    await storage.gazetteer.upsert_regions([*REGIONS, a_region(PARK_SLOPE, "The Slope")])
    without = await storage.gazetteer.without_embedding("m", limit=99)
    assert [region.id for region in without] == [PARK_SLOPE]


async def test_embeddings_of_several_lengths_are_refused(storage: Storage) -> None:
    await add_places(storage)
    with pytest.raises(InvalidInput):
        await storage.gazetteer.put_embeddings("m", [(NYC, (1.0,)), (BROOKLYN, (1.0, 0.0))])
    await storage.gazetteer.put_embeddings("m", [])
    assert len(await storage.gazetteer.without_embedding("m", limit=99)) == len(REGIONS)
