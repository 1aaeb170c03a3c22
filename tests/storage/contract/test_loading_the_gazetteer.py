from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.data.gazetteer import CITY_IDS, city_of_gazetteer
from greenroom.schema.search.places import AliasFilter, AliasState, Point, RegionId
from greenroom.storage.ports import Storage
from tests.storage.builders import NOW

NYC = RegionId("nyc")


async def test_the_gazetteer_is_loaded_whole_and_as_often_as_one_likes(storage: Storage) -> None:
    cities = await load_gazetteer(storage.gazetteer, now=NOW)
    assert cities == await load_gazetteer(storage.gazetteer, now=NOW)

    aliases = sum(len(city.aliases) for city in cities)
    assert {city.id for city in await storage.places.cities()} == set(CITY_IDS)
    page = await storage.gazetteer.aliases_page(
        AliasFilter(state=AliasState.ACTIVE), before=None, limit=aliases + 1
    )
    assert len(page) == aliases


async def test_a_loaded_place_is_found_by_name_nickname_and_position(storage: Storage) -> None:
    await load_gazetteer(storage.gazetteer, now=NOW, city_ids=[NYC])

    (named,) = (await storage.places.look_up("Park Slope", cities=[NYC])).exact
    (short,) = (await storage.places.look_up("les", cities=[NYC])).alias
    here = await storage.places.containing(Point(40.6710, -73.9790))

    assert named.region.id == "nyc/brooklyn/park-slope"
    assert short.region.id == "nyc/manhattan/lower-east-side"
    assert here == named.region


def test_ids_are_unique_parents_come_first_and_every_alias_has_a_region() -> None:
    for city_id in CITY_IDS:
        seen: set[RegionId] = set()
        city = city_of_gazetteer(city_id)
        for mapped in city.regions:
            assert mapped.region.id not in seen
            assert mapped.region.parent_id is None or mapped.region.parent_id in seen
            seen.add(mapped.region.id)
        assert {alias.region_id for alias in city.aliases} <= seen
