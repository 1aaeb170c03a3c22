"""Where one may look: the cities."""

from __future__ import annotations

from tests.http.world import World, assert_problem
from tests.storage.places_builders import a_region

CITIES = "/api/v1/cities"


async def test_cities_are_listed_by_name_without_what_lies_in_them(world: World) -> None:
    await world.storage.gazetteer.upsert_regions(
        [a_region("nyc", "New York"), a_region("nyc/brooklyn", "Brooklyn"), a_region("london", "London")]
    )

    answer = await world.maya.api.get(CITIES)

    assert answer.json() == {"items": [{"id": "london", "name": "London"}, {"id": "nyc", "name": "New York"}]}


async def test_cities_are_for_those_who_are_signed_in(world: World) -> None:
    assert_problem(await world.nobody.get(CITIES), 401, "not_authenticated")
