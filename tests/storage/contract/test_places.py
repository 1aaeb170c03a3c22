from collections.abc import Sequence
from dataclasses import replace

import pytest

from greenroom.schema.search.places import AliasFilter, PlaceCandidate, Point, RegionId, Tier
from greenroom.storage.ports import PlaceRows, Storage
from tests.storage.builders import NOW
from tests.storage.places_builders import (
    BROOKLYN,
    LONDON,
    NYC,
    PARK_SLOPE,
    REGIONS,
    a_region,
    add_places,
    an_alias,
)


def ids(candidates: Sequence[PlaceCandidate]) -> list[str]:
    return [candidate.region.id for candidate in candidates]


async def look_up(storage: Storage, text: str, *cities: RegionId) -> PlaceRows:
    await add_places(storage)
    return await storage.places.look_up(text, cities=cities)


@pytest.mark.parametrize("text", ["Park Slope", "  park-slope ", "PARK SLOPE!", "parkslope", "the Párk Slope"])
async def test_a_name_is_found_however_it_is_written(storage: Storage, text: str) -> None:
    found = await look_up(storage, text)

    assert ids(found.exact) == [PARK_SLOPE]
    assert found.exact[0] == PlaceCandidate(found.exact[0].region, Tier.EXACT, 1.0, "Park Slope")
    assert found.fuzzy == ()


async def test_names_that_repeat_come_likeliest_first(storage: Storage) -> None:
    found = await look_up(storage, "murray hill")
    assert ids(found.exact) == ["nyc/manhattan/murray-hill", "nyc/queens/murray-hill"]


async def test_only_regions_of_the_asked_cities_are_found(storage: Storage) -> None:
    everywhere = await look_up(storage, "soho")
    in_new_york = await storage.places.look_up("soho", cities=[NYC])

    assert ids(everywhere.exact) == ["london/westminster/soho", "nyc/manhattan/soho"]
    assert ids(in_new_york.exact) == ["nyc/manhattan/soho"]
    assert (await storage.places.look_up("brooklin", cities=[LONDON])).fuzzy == ()


async def test_an_alias_counts_what_it_weighs(storage: Storage) -> None:
    found = await look_up(storage, "bk")
    assert (found.exact, ids(found.alias)) == ((), [BROOKLYN])
    assert (found.alias[0].confidence, found.alias[0].matched_name) == (0.9, "BK")


async def test_a_misspelt_name_is_similar_to_the_right_one(storage: Storage) -> None:
    found = await look_up(storage, "prak slope")
    assert (found.exact, found.alias, ids(found.fuzzy)[0]) == ((), (), PARK_SLOPE)
    assert found.fuzzy[0].confidence == pytest.approx(7 / 15, abs=1e-4)
    assert found.fuzzy[0].matched_name == "Park Slope"


async def test_a_region_is_told_under_each_name_that_is_similar(storage: Storage) -> None:
    found = await look_up(storage, "park slpe")
    names = [candidate.matched_name for candidate in found.fuzzy if candidate.region.id == PARK_SLOPE]
    assert sorted(names) == ["Park Slop", "Park Slope"]


async def test_a_short_text_is_never_similar_to_anything(storage: Storage) -> None:
    assert await look_up(storage, "sho") == PlaceRows()


async def test_a_short_alias_is_not_what_a_longer_text_is_similar_to(storage: Storage) -> None:
    found = await look_up(storage, "less")
    assert "nyc/manhattan/lower-east-side" not in ids(found.fuzzy)


@pytest.mark.parametrize(
    ("text", "container", "rest", "region"),
    [
        ("park slope brooklyn", "nyc/brooklyn", "park slope", "nyc/brooklyn/park-slope"),
        ("murray hill, Queens", "nyc/queens", "murray hill", "nyc/queens/murray-hill"),
        ("soho nyc", "nyc", "soho", "nyc/manhattan/soho"),
        ("bk park slope", "nyc/brooklyn", "park slope", "nyc/brooklyn/park-slope"),
        ("soho new york city", "nyc", "soho", "nyc/manhattan/soho"),
    ],
)
async def test_a_name_beside_its_city_or_borough_is_looked_for_in_there(
    storage: Storage, text: str, container: str, rest: str, region: str
) -> None:
    found = await look_up(storage, text)

    assert (found.exact, found.alias) == ((), ())
    assert [(w.container.id, w.rest, ids(w.rows.exact)) for w in found.within] == [(container, rest, [region])]


async def test_a_misspelt_name_beside_its_borough_is_similar_in_there(storage: Storage) -> None:
    found = await look_up(storage, "crwn heights brooklyn")
    (within,) = found.within
    assert ids(within.rows.fuzzy)[0] == "nyc/brooklyn/crown-heights"


@pytest.mark.parametrize("text", ["", " - ", "x" * 101, "\x00", "🎹"])
async def test_what_can_be_no_name_finds_nothing(storage: Storage, text: str) -> None:
    assert await look_up(storage, text) == PlaceRows()


async def test_regions_and_cities_are_read_as_they_were_written(storage: Storage) -> None:
    await add_places(storage)
    wanted = {mapped.region for mapped in REGIONS}
    found = await storage.places.regions([*(region.id for region in wanted), RegionId("nowhere")])
    assert set(found) == wanted
    assert [city.id for city in await storage.places.cities()] == [LONDON, NYC]


async def test_what_is_near_comes_nearest_first(storage: Storage) -> None:
    await add_places(storage)
    centre = Point(40.672, -73.98)
    found = await storage.places.near(centre, within_km=4.0, limit=3)
    assert [region.id for region in found] == [
        "nyc/brooklyn/park-slope",
        "nyc/brooklyn/gowanus",
        "nyc/brooklyn/brooklyn-heights",
    ]
    assert await storage.places.near(centre, within_km=0.1, limit=3) == []


@pytest.mark.parametrize(
    ("lat", "lng", "region"),
    [
        (40.671, -73.979, "nyc/brooklyn/park-slope"),
        (40.674, -73.989, "nyc/brooklyn/gowanus"),
        (40.672, -73.944, "nyc/brooklyn/crown-heights"),
        (40.58, -73.99, "nyc/brooklyn"),
        (40.50, -73.80, "nyc"),
        (48.85, 2.35, None),
    ],
)
async def test_a_point_lies_in_the_smallest_region_or_beside_the_nearest(
    storage: Storage, lat: float, lng: float, region: str | None
) -> None:
    await add_places(storage)
    found = await storage.places.containing(Point(lat, lng))
    assert (found and found.id) == region


async def test_the_nearest_names_are_those_of_one_model(storage: Storage) -> None:
    await add_places(storage)
    slope, heights, soho = (
        RegionId(f"nyc/{rest}") for rest in ("brooklyn/park-slope", "brooklyn/crown-heights", "manhattan/soho")
    )
    await storage.gazetteer.put_embeddings("m1", [(slope, (1.0, 0.0)), (heights, (0.6, 0.8))])
    await storage.gazetteer.put_embeddings("m2", [(soho, (1.0, 0.0, 0.0))])

    found = await storage.places.nearest((1.0, 0.0), model="m1", cities=[NYC], limit=5)

    assert ids(found) == [slope, heights]
    assert [candidate.confidence for candidate in found] == pytest.approx([1.0, 0.6])
    assert found[0].tier is Tier.EMBEDDING
    assert await storage.places.nearest((1.0, 0.0), model="m1", cities=[LONDON], limit=5) == []
    assert await storage.places.nearest((1.0, 0.0), model="m2", cities=[], limit=5) == []


async def test_a_later_import_replaces_a_region(storage: Storage) -> None:
    await add_places(storage)
    renamed = a_region(PARK_SLOPE, "The Slope", 40.67, -73.98)
    await storage.gazetteer.upsert_regions([renamed])
    assert await storage.places.regions([PARK_SLOPE]) == [renamed.region]
    assert ids((await storage.places.look_up("slope", cities=[])).exact) == [PARK_SLOPE]


async def test_a_revoked_alias_is_not_looked_up(storage: Storage) -> None:
    from greenroom.schema.search.places import AliasState

    await add_places(storage)
    (les,) = [
        a for a in await storage.gazetteer.aliases_page(AliasFilter(), before=None, limit=10) if a.name == "LES"
    ]
    await storage.gazetteer.decide_alias(les.id, AliasState.REVOKED, decided_by="ann", now=NOW)
    await storage.gazetteer.upsert_aliases([an_alias("LES", "nyc/manhattan/lower-east-side")], now=NOW)

    assert (await storage.places.look_up("les", cities=[])).alias == ()
    (kept,) = await storage.gazetteer.aliases_page(AliasFilter(state=AliasState.REVOKED), before=None, limit=10)
    assert kept == replace(les, state=AliasState.REVOKED, decided_at=NOW, decided_by="ann")


async def test_the_names_that_mean_a_region_are_known_in_normal_form(storage: Storage) -> None:
    await add_places(storage)

    names = await storage.places.known_names(limit=1_000)

    assert {"park slope", "brooklyn", "bk"} <= names
    assert await storage.places.known_names(limit=1) < names
