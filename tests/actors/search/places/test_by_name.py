"""What a text names, against New York's and London's real names in memory."""

from collections.abc import Sequence

import pytest

from greenroom.actors.search.places.by_name import borough_at_end, decide_by_name
from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, RegionId, Tier
from greenroom.storage.memory import memory_storage
from greenroom.storage.ports import PlaceRows, Storage
from tests.storage.builders import NOW
from tests.storage.places_builders import a_region

NYC, LONDON = RegionId("nyc"), RegionId("london")


@pytest.fixture
async def storage() -> Storage:
    storage = memory_storage()
    await load_gazetteer(storage.gazetteer, now=NOW, city_ids=[NYC, LONDON])
    return storage


async def decide(storage: Storage, text: str, cities: Sequence[RegionId] = (NYC,)) -> PlaceAnswer:
    return decide_by_name(text, await storage.places.look_up(text, cities=()), cities)


def ids(answer: PlaceAnswer) -> list[str]:
    return [region.id for region in answer.regions]


@pytest.mark.parametrize(
    ("text", "region", "tier"),
    [
        ("park slope", "nyc/brooklyn/park-slope", Tier.EXACT),
        ("les", "nyc/manhattan/lower-east-side", Tier.ALIAS),
        ("the village", "nyc/manhattan/greenwich-village", Tier.ALIAS),
        ("sunnyside staten island", "nyc/staten-island/sunnyside", Tier.EXACT),
        ("park slope brooklyn ny", "nyc/brooklyn/park-slope", Tier.EXACT),
        ("willamsburg", "nyc/brooklyn/williamsburg", Tier.FUZZY),
        ("greenpiont brooklyn", "nyc/brooklyn/greenpoint", Tier.FUZZY),
        ("astroia", "nyc/queens/astoria", Tier.FUZZY),
        ("midtown eat", "nyc/manhattan/midtown-east", Tier.FUZZY),
        ("park slope north", "nyc/brooklyn/park-slope", Tier.FUZZY),
        ("north brooklyn", "nyc/brooklyn", Tier.FUZZY),
        ("carroll", "nyc/brooklyn/carroll-gardens", Tier.FUZZY),
    ],
)
async def test_a_place_is_known_by_the_cheapest_tier_that_knows_it(
    storage: Storage, text: str, region: str, tier: Tier
) -> None:
    answer = await decide(storage, text)
    assert (answer.outcome, ids(answer), answer.tier) == (PlaceOutcome.RESOLVED, [region], tier)
    assert answer.candidates[0].region.id == region


async def test_a_name_of_two_cities_means_the_one_where_the_asker_is(storage: Storage) -> None:
    here = await decide(storage, "soho", [NYC])
    there = await decide(storage, "soho", [LONDON])
    anywhere = await decide(storage, "soho", [])

    assert (ids(here), ids(there)) == (["nyc/manhattan/soho"], ["london/westminster/soho"])
    assert anywhere.outcome is PlaceOutcome.AMBIGUOUS
    assert sorted(ids(anywhere)) == ["london/westminster/soho", "nyc/manhattan/soho"]


@pytest.mark.parametrize(
    ("text", "city", "regions"),
    [
        ("hyde park", None, ["chicago/south-side/hyde-park", "london/westminster/bayswater"]),
        ("hyde park", LONDON, ["london/westminster/bayswater"]),
        ("hyde park", NYC, ["chicago/south-side/hyde-park", "london/westminster/bayswater"]),
        ("hyde park london", None, ["london/westminster/bayswater"]),
        ("hyed park", None, ["chicago/south-side/hyde-park", "london/westminster/bayswater"]),
        ("riverdale", None, ["nyc/bronx/riverdale", "chicago/far-south-side/riverdale"]),
        ("chelsea", None, ["nyc/manhattan/chelsea", "london/kensington-and-chelsea/chelsea"]),
        ("murray hill", None, ["nyc/manhattan/murray-hill"]),
        ("brooklyn", None, ["nyc/brooklyn"]),
    ],
)
async def test_where_nothing_tells_the_city_a_name_of_several_is_that_of_each(
    text: str, city: RegionId | None, regions: list[str]
) -> None:
    storage = memory_storage()
    await load_gazetteer(storage.gazetteer, now=NOW, city_ids=[NYC, LONDON, RegionId("chicago")])
    answer = await decide(storage, text, [] if city is None else [city])

    assert ids(answer) == regions
    assert answer.outcome is (PlaceOutcome.RESOLVED if len(regions) == 1 else PlaceOutcome.AMBIGUOUS)


async def test_another_city_is_meant_when_it_is_named(storage: Storage) -> None:
    assert ids(await decide(storage, "chelsea london")) == ["london/kensington-and-chelsea/chelsea"]
    assert ids(await decide(storage, "brixton")) == ["london/lambeth/brixton"]


async def test_of_two_regions_of_a_name_the_much_likelier_one_is_meant(storage: Storage) -> None:
    answer = await decide(storage, "murray hill")
    assert ids(answer) == ["nyc/manhattan/murray-hill"]
    assert [c.region.id for c in answer.candidates] == ["nyc/manhattan/murray-hill", "nyc/queens/murray-hill"]
    assert answer.confidence < 1


async def test_regions_of_a_name_that_are_about_as_likely_are_all_meant(storage: Storage) -> None:
    answer = await decide(storage, "bay terrace")
    assert answer.outcome is PlaceOutcome.AMBIGUOUS
    assert ids(answer) == ["nyc/queens/bay-terrace", "nyc/staten-island/bay-terrace"]


async def test_a_word_of_many_names_is_no_name(storage: Storage) -> None:
    answer = await decide(storage, "heights")
    assert answer.outcome is PlaceOutcome.AMBIGUOUS
    assert len(answer.regions) > 3


@pytest.mark.parametrize(
    "text",
    ["hoboken", "long island", "jersey city", "elmont", "willets point", "my house", "downtown chicago", "x"],
)
async def test_a_place_that_is_none_of_ours_is_unknown(storage: Storage, text: str) -> None:
    answer = await decide(storage, text)
    assert (answer.outcome, answer.regions, answer.tier) == (PlaceOutcome.UNKNOWN, (), None)
    assert len(answer.candidates) <= 10


async def test_a_borough_at_the_end_of_an_unknown_text_is_better_than_nothing(storage: Storage) -> None:
    text = "old bakery brooklyn"
    rows = await storage.places.look_up(text, cities=[NYC])

    assert decide_by_name(text, rows, [NYC]).outcome is PlaceOutcome.UNKNOWN
    answer = borough_at_end(text, rows)

    assert answer is not None
    assert ids(answer) == ["nyc/brooklyn"]
    assert borough_at_end("yonkers ny", await storage.places.look_up("yonkers ny", cities=[NYC])) is None


async def test_a_region_that_lies_in_another_of_its_name_is_no_rival() -> None:
    storage = memory_storage()
    regions = [
        a_region("nyc", "New York"),
        a_region("nyc/queens", "Queens"),
        a_region("nyc/queens/queens", "Queens"),
    ]
    await storage.gazetteer.upsert_regions(regions)
    assert ids(await decide(storage, "queens")) == ["nyc/queens"]


def test_nothing_found_is_an_unknown_place() -> None:
    assert decide_by_name("x", PlaceRows(), []) == PlaceAnswer("x", PlaceOutcome.UNKNOWN)
