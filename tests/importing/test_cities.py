"""Maps of cities: the gazetteer's, what GeoNames adds to them, and cities that are GeoNames' alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from greenroom.data.gazetteer import GazetteerCity, city_of_gazetteer
from greenroom.data.gazetteer.further_city import NoSuchCity, SeveralCities, city_of_settlements, find_city, id_of
from greenroom.data.gazetteer.geonames import Settlement
from greenroom.importing.cities import CityNotTold, WantedCity, map_of
from greenroom.schema.search.geometry import contains
from greenroom.schema.search.places import MappedRegion, Point, RegionId, RegionSource

LONDON = RegionId("london")
TIMEOUT_S = 90


def settlement(
    name: str, lat: float, lng: float, *other_names: str, people: int = 10_000, **changes: str
) -> Settlement:
    told = {"country": "GB", "state": "ENG", "timezone": "Europe/London"} | changes
    return Settlement(name, Point(lat, lng), population=people, other_names=other_names, **told)


def region_of(city: GazetteerCity, name: str) -> MappedRegion:
    return next(mapped for mapped in city.regions if mapped.region.name == name)


def added_to_london(*settlements: Settlement) -> tuple[set[str], set[tuple[str, str]]]:
    plain, completed = city_of_gazetteer(LONDON), city_of_gazetteer(LONDON, settlements)
    return (
        {mapped.region.id for mapped in completed.regions} - {mapped.region.id for mapped in plain.regions},
        {(alias.name, alias.region_id) for alias in {*completed.aliases} - {*plain.aliases}},
    )


def test_a_place_that_the_gazetteer_lacks_lies_in_the_borough_of_its_nearest_and_has_a_boundary() -> None:
    ladywell = settlement("Ladywell", 51.4560, -0.0230)

    city = city_of_gazetteer(LONDON, [ladywell])

    mapped = region_of(city, "Ladywell")
    assert mapped.region.id == "london/lewisham/ladywell"
    assert mapped.source is RegionSource.GEONAMES
    assert mapped.boundary is not None
    assert contains(mapped.boundary, ladywell.at)
    [catford] = [region for region in city.regions if region.region.name == "Catford"]
    assert catford.boundary is not None
    assert not contains(catford.boundary, ladywell.at), "its neighbour gave up what is nearer to the new one"


def test_what_the_gazetteer_has_is_not_added_again() -> None:
    camden = region_of(city_of_gazetteer(LONDON), "Camden Town").region.centroid
    near = (camden.lat + 0.001, camden.lng)

    assert added_to_london(settlement("Camden  TOWN", *near)) == (set(), set())
    assert added_to_london(settlement("Kamden", *near, "Camden Town")) == (
        set(),
        {("Kamden", "london/camden/camden-town")},
    )
    assert added_to_london(settlement("Lockside", *near)) == (set(), {("Lockside", "london/camden/camden-town")})


@pytest.mark.parametrize(
    "elsewhere",
    [
        settlement("Brighton", 50.8229, -0.1363),
        settlement("Knightsbridge and Belgravia", 51.4900, -0.1600),
        settlement("East End of London", 51.4560, -0.0230),
    ],
)
def test_what_lies_elsewhere_or_is_no_name_of_a_place_is_passed_over(elsewhere: Settlement) -> None:
    assert added_to_london(elsewhere) == (set(), set())


def test_outside_of_a_citys_outline_nothing_is_added() -> None:
    perth_amboy = settlement("Perth Amboy", 40.5068, -74.2654, country="US", state="NJ")

    plain, completed = (city_of_gazetteer(RegionId("nyc"), known) for known in ((), (perth_amboy,)))

    assert completed == plain


BOSTON = settlement(
    "Boston", 42.3584, -71.0598, people=653_000, country="US", state="MA", timezone="America/New_York"
)
FENWAY = settlement("Fenway", 42.3467, -71.0972, country="US", state="MA", timezone="America/New_York")
BACK_BAY = settlement("Back Bay", 42.3501, -71.0870, country="US", state="MA", timezone="America/New_York")
ENGLISH = settlement("Boston", 52.9763, -0.0266, people=45_000)
WORLD = (ENGLISH, FENWAY, BOSTON, BACK_BAY)


def test_a_city_without_a_file_is_made_of_the_settlements_around_it() -> None:
    city = city_of_settlements(BOSTON, WORLD, city_id=id_of(BOSTON, WORLD), radius_km=8)

    whole, *parts = (mapped.region for mapped in city.regions)
    assert (whole.id, whole.parent_id, whole.timezone) == ("boston", None, "America/New_York")
    assert [(part.id, part.parent_id) for part in parts] == [
        ("boston/back-bay", "boston"),
        ("boston/fenway", "boston"),
    ]
    by_id = {mapped.region.id: mapped.boundary for mapped in city.regions}
    between = Point(42.3499, -71.0880)
    assert [region for region, area in by_id.items() if area is not None and contains(area, between)] == [
        "boston",
        "boston/back-bay",
    ]


def test_a_name_means_the_clearly_largest_city_that_has_it() -> None:
    assert find_city(WORLD, "boston") is BOSTON
    assert find_city(WORLD, "boston", country="gb") is ENGLISH
    assert id_of(ENGLISH, WORLD) == "boston-gb-eng"
    with pytest.raises(NoSuchCity):
        find_city(WORLD, "boston", country="FR")
    with pytest.raises(SeveralCities) as told:
        find_city([settlement("Boston", 1, 1, people=300_000), *WORLD], "boston")
    assert told.value.cities[0] is BOSTON


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (WantedCity("Atlantis", country="GR"), "Atlantis, GR: no city of that name"),
        (WantedCity("NYC", radius_km=9), "leave out --radius-km"),
    ],
)
def test_a_city_that_is_not_to_be_had_is_told_why(wanted: WantedCity, reason: str) -> None:
    with pytest.raises(CityNotTold, match=reason):
        map_of(wanted, WORLD)


def test_a_city_is_put_on_the_map_from_the_command_line(new_data_dir: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "greenroom", "add-city", *arguments],
            env=inherited | {"GREENROOM_DATA_DIR": str(new_data_dir), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    unclear, added = run("Springfield"), run("Boston")

    assert unclear.returncode == 2
    assert "say which: --country US --state MO" in unclear.stderr
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("Boston is on the map as boston, with ")
