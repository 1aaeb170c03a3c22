from __future__ import annotations

from datetime import timedelta

import pytest

from greenroom.actors.search.hard_filters import (
    centre_of,
    hard_filters,
    likely_cities,
    windows_in,
    within_areas,
    zones_of,
)
from greenroom.actors.search.request import SearchRequest
from greenroom.schema.search.candidates import HardFilters, TimeWindow
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Point, RegionId
from greenroom.schema.search.understood import Understood
from tests.storage.builders import ANN, NOW
from tests.storage.places_builders import PARK_SLOPE, REGIONS

BY_ID = {mapped.region.id: mapped.region for mapped in REGIONS}
SLOPE, NYC, LONDON = BY_ID[PARK_SLOPE], BY_ID[RegionId("nyc")], BY_ID[RegionId("london")]
SOHOS = (BY_ID[RegionId("nyc/manhattan/soho")], BY_ID[RegionId("london/westminster/soho")])
NOWHERE = PlaceAnswer(None, PlaceOutcome.NOT_ASKED)
IN_SLOPE = PlaceAnswer("park slope", PlaceOutcome.RESOLVED, (SLOPE,))
IN_SOHO = PlaceAnswer("soho", PlaceOutcome.AMBIGUOUS, SOHOS)
MURRAY_HILLS = (BY_ID[RegionId("nyc/manhattan/murray-hill")], BY_ID[RegionId("nyc/queens/murray-hill")])
IN_MURRAY_HILL = PlaceAnswer("murray hill", PlaceOutcome.AMBIGUOUS, MURRAY_HILLS)
ANYWHERE = SearchRequest(ANN, "piano")
IN_LONDON = SearchRequest(ANN, "piano", city=LONDON.id)
PIANO = Understood(text="piano", service_text="piano")


@pytest.mark.parametrize(
    ("request_", "place", "here", "cities"),
    [
        (ANYWHERE, NOWHERE, None, ()),
        (ANYWHERE, NOWHERE, SLOPE, ("nyc",)),
        (ANYWHERE, IN_SLOPE, LONDON, ("nyc",)),
        (ANYWHERE, IN_SOHO, None, ()),
        (ANYWHERE, IN_MURRAY_HILL, None, ("nyc",)),
        (IN_LONDON, NOWHERE, LONDON, ("london",)),
        (IN_LONDON, IN_SOHO, LONDON, ("london",)),
        (IN_LONDON, IN_SLOPE, LONDON, ("london",)),
    ],
)
def test_the_city_that_was_asked_for_comes_before_that_of_the_place_and_that_before_the_askers(
    request_: SearchRequest, place: PlaceAnswer, here: object, cities: tuple[str, ...]
) -> None:
    assert hard_filters(request_, PIANO, place, here, ()).cities == cities  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("online", "expected"),
    [
        (None, HardFilters(areas=(PARK_SLOPE,), online=False)),
        (False, HardFilters(areas=(PARK_SLOPE,), online=False)),
        (True, HardFilters(online=True)),
    ],
)
def test_areas_are_for_lessons_in_person(online: bool | None, expected: HardFilters) -> None:
    assert within_areas(HardFilters(online=online), (PARK_SLOPE,)) == expected


def test_mornings_are_those_of_the_place_or_of_where_the_search_is() -> None:
    assert zones_of(IN_SLOPE, LONDON) == (SLOPE.timezone,)
    assert zones_of(NOWHERE, LONDON) == (LONDON.timezone,)
    assert zones_of(NOWHERE, None) == ()


def test_times_in_several_zones_are_for_those_who_live_there() -> None:
    window = TimeWindow(NOW, NOW + timedelta(hours=1))

    assert windows_in(["UTC"], lambda zone: (window,)) == (window,)
    assert [each.timezone for each in windows_in(["Asia/Tokyo", "UTC"], lambda zone: (window,))] == [
        "Asia/Tokyo",
        "UTC",
    ]


def test_distances_are_from_the_place_unless_it_may_be_in_several_cities() -> None:
    near = Point(40.0, -70.0)
    request = SearchRequest(ANN, "piano", near=near)

    assert centre_of(request, IN_SLOPE) == SLOPE.centroid
    assert centre_of(request, NOWHERE) == near
    assert centre_of(request, IN_SOHO) == near


def test_a_name_is_likely_one_of_the_city_that_was_asked_for_or_of_the_askers() -> None:
    assert likely_cities(IN_LONDON, SLOPE) == ("london",)
    assert likely_cities(ANYWHERE, SLOPE) == ("nyc",)
    assert likely_cities(ANYWHERE, None) == ()
