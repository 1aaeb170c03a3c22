from __future__ import annotations

from collections import Counter
from itertools import islice
from statistics import mean

import pytest

from greenroom.data.gazetteer import city_of_gazetteer
from greenroom.marketplace import invented_instructors
from greenroom.marketplace.words import kinds
from greenroom.schema.catalogue import (
    AGE_MAX,
    AREAS_MAX,
    DESCRIPTION_LENGTH_MAX,
    PRICE_CENTS_MAX,
    SERVICES_MAX,
    TITLE_LENGTH_MAX,
    Listing,
    joined,
)
from greenroom.schema.search.places import Point, Region, RegionId, RegionKind

NYC, BROOKLYN = RegionId("nyc"), RegionId("nyc/brooklyn")


def a_map() -> list[Region]:
    where = Point(40.68, -73.97)
    return [
        Region(NYC, NYC, None, RegionKind.CITY, "New York", where, "America/New_York"),
        Region(BROOKLYN, NYC, NYC, RegionKind.BOROUGH, "Brooklyn", where, "America/New_York"),
        *(
            Region(
                RegionId(f"nyc/brooklyn/{n}"),
                NYC,
                BROOKLYN,
                RegionKind.NEIGHBOURHOOD,
                f"Quarter {n}",
                Point(40.6 + n / 100, -73.97),
                "America/New_York",
            )
            for n in range(20)
        ),
    ]


@pytest.fixture(scope="module")
def instructors() -> list[Listing]:
    return list(invented_instructors(a_map(), seed=1, count=2_000))


def test_the_same_seed_makes_the_same_instructors_and_more_begin_with_the_fewer(
    instructors: list[Listing],
) -> None:
    again = invented_instructors(reversed(a_map()), seed=1, count=10_000)
    assert list(islice(again, 2_000)) == instructors
    assert list(invented_instructors(a_map(), seed=2, count=2_000)) != instructors


def test_everything_is_within_the_bounds_of_what_may_be_offered(instructors: list[Listing]) -> None:
    regions = {region.id for region in a_map()}
    for one in instructors:
        assert set(one.areas or ()) <= regions
        assert len(one.areas or ()) <= AREAS_MAX
        assert one.availability
        assert one.availability == joined(one.availability)
        assert 1 <= len(one.services) <= SERVICES_MAX
        assert len({service.title for service in one.services}) == len(one.services)
        for service in one.services:
            assert service.category in kinds()
            assert 0 < len(service.title) <= TITLE_LENGTH_MAX
            assert 0 < len(service.description) <= DESCRIPTION_LENGTH_MAX
            assert "{" not in service.title + service.description + (one.bio or "")
            assert 0 < service.price_cents <= PRICE_CENTS_MAX
            assert 0 <= (service.age_min or 0) <= (service.age_max or AGE_MAX)
            assert service.is_online or service.is_in_person
        assert one.areas or not any(service.is_in_person for service in one.services)


def test_who_teaches_in_person_serves_some_area_and_who_does_not_serves_none(instructors: list[Listing]) -> None:
    for one in instructors:
        assert bool(one.areas) is any(service.is_in_person for service in one.services)


def test_no_two_describe_themselves_in_the_same_words_and_kinds_vary(instructors: list[Listing]) -> None:
    services = [service for one in instructors for service in one.services]
    assert len({service.description for service in services}) > 0.98 * len(services)
    assert len({service.category for service in services}) > 200
    assert Counter(service.category for service in services).most_common(1)[0][1] < 0.08 * len(services)


def test_ratings_have_a_long_tail_and_some_instructors_have_none(instructors: list[Listing]) -> None:
    counts = sorted(one.rating_count or 0 for one in instructors)
    rated = [one for one in instructors if one.rating_count]
    assert 0.1 < counts.count(0) / len(counts) < 0.25
    assert counts[len(counts) // 2] < 15 < 100 < counts[-1]
    assert all(1 <= (one.rating or 0) <= 5 for one in rated)
    assert 4.4 < mean(one.rating or 0 for one in rated) < 4.85


def test_nobody_is_prepared_for_exams_of_another_country() -> None:
    regions = [mapped.region for city in ("nyc", "london") for mapped in city_of_gazetteer(city).regions]
    taught = {"nyc": set[str](), "london": set[str]()}
    for listing in invented_instructors(regions, seed=5, count=1_000):
        taught[str(listing.home_city)] |= {str(service.category) for service in listing.services}

    assert "gcse-alevel" in taught["london"]
    assert not taught["london"] & {"sat-prep", "act-prep", "shsat-prep", "regents-prep", "ged-prep", "isee-ssat"}
    assert "sat-prep" in taught["nyc"]
    assert "gcse-alevel" not in taught["nyc"]
