from greenroom.actors.search.places.areas import NearbyAreas
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, RegionId, RegionKind
from greenroom.storage.memory import memory_storage
from tests.storage.places_builders import BROOKLYN, PARK_SLOPE, REGIONS, add_places


async def areas(region_id: RegionId, *, is_near: bool) -> tuple[RegionId, ...]:
    storage = memory_storage()
    await add_places(storage)
    regions = await storage.places.regions([region_id])
    answer = PlaceAnswer("x", PlaceOutcome.RESOLVED, tuple(regions))
    return await NearbyAreas(storage.places)(answer, is_near=is_near)


async def test_a_place_alone_is_searched_alone() -> None:
    assert await areas(PARK_SLOPE, is_near=False) == (PARK_SLOPE,)


async def test_near_a_neighbourhood_are_those_within_a_walk_nearest_first() -> None:
    assert await areas(PARK_SLOPE, is_near=True) == (PARK_SLOPE, "nyc/brooklyn/gowanus")


async def test_near_a_borough_is_the_borough() -> None:
    assert await areas(BROOKLYN, is_near=True) == (BROOKLYN,)


async def test_many_places_in_question_have_no_neighbours() -> None:
    storage = memory_storage()
    await add_places(storage)
    regions = tuple(mapped.region for mapped in REGIONS if mapped.region.kind is RegionKind.NEIGHBOURHOOD)
    found = await NearbyAreas(storage.places)(PlaceAnswer("x", PlaceOutcome.AMBIGUOUS, regions), is_near=True)
    assert found == tuple(region.id for region in regions)


async def test_without_a_place_nothing_is_narrowed() -> None:
    assert await NearbyAreas(memory_storage().places)(PlaceAnswer("x", PlaceOutcome.UNKNOWN), is_near=True) == ()
