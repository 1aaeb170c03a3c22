"""What is found for a sentence, and what never is; both twins alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.records import Service
from greenroom.schema.search.candidates import HardFilters, TimeWindow
from greenroom.schema.search.places import Point, RegionId
from greenroom.schema.search.understood import AgeBounds, Level, PriceBounds, PriceUnit
from greenroom.storage.ports import Storage
from tests.storage.builders import ANN, NOW, a_booking, a_conversation, a_user, open_all, save_bookings
from tests.storage.market_builders import (
    MODEL,
    a_lesson,
    a_query,
    a_teacher,
    an_offer_of,
    found,
    index_changes,
    lesson_id,
    open_market,
    teacher_id,
)
from tests.storage.places_builders import REGIONS

SLOPE, BROOKLYN, NYC, QUEENS = (
    RegionId(i) for i in ("nyc/brooklyn/park-slope", "nyc/brooklyn", "nyc", "nyc/queens")
)
SATURDAY = datetime(2026, 3, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def between(from_hour: float, to_hour: float, *, day: datetime = SATURDAY) -> tuple[TimeWindow, ...]:
    return (TimeWindow(day + from_hour * HOUR, day + to_hour * HOUR),)


async def test_lessons_are_found_by_their_words_the_closest_first(storage: Storage) -> None:
    piano = a_teacher(1, "Piano for children", "Drums", lesson={"description": "Scales and songs."})
    songs = a_teacher(2, "Singing", lesson={"description": "We sing, and I play the piano."})
    await open_market(storage, piano, songs)

    retrieved = await storage.retrieval.retrieve(a_query("children piano"))

    assert [each.service_id for each in retrieved.candidates] == [lesson_id(10), lesson_id(20)]
    best, other = retrieved.candidates
    assert best.text_score is not None
    assert other.text_score is not None
    assert 1 >= best.text_score > other.text_score > 0
    assert best.vector_score is None
    assert retrieved.funnel.text == retrieved.total == 2


async def test_what_a_title_names_counts_more_than_what_it_says_of_it(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Guitar repair"), a_teacher(2, "Classical guitar"))

    assert await found(storage, a_query("guitar")) == [lesson_id(20), lesson_id(10)]


async def test_accents_and_endings_do_not_matter(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Forró dancing"))

    assert await found(storage, a_query("forro dances")) == [lesson_id(10)]


async def test_a_word_is_found_in_spite_of_a_typing_error_if_no_text_has_it(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Ukulele"), a_teacher(2, "Violin"))

    assert await found(storage, a_query("ukelele")) == [lesson_id(10)]
    assert await found(storage, a_query("xylophone")) == []


async def test_a_word_is_found_though_it_was_written_as_two(storage: Storage) -> None:
    await open_market(
        storage, a_teacher(1, "Woodworking"), a_teacher(2, "Working with wood"), a_teacher(3, "Violin")
    )

    retrieved = await storage.retrieval.retrieve(a_query("wood working"))

    assert {each.service_id for each in retrieved.candidates} == {lesson_id(10), lesson_id(20)}
    assert all(each.text_score is not None and 0.5 < each.text_score <= 1 for each in retrieved.candidates)
    assert await found(storage, a_query("wood, working")) == [lesson_id(20)]


async def test_two_words_that_no_title_has_as_one_are_two_words(storage: Storage) -> None:
    await open_market(
        storage, a_teacher(1, "Violin", lesson={"description": "In a ballroom."}), a_teacher(2, "Ball games")
    )

    alone = await storage.retrieval.text_strength("ball room")

    assert await found(storage, a_query("ball room")) == [lesson_id(20)]
    assert alone.best < 0.6


async def test_a_misspelt_word_scores_no_more_than_1_however_many_words_of_a_text_are_like_it(
    storage: Storage,
) -> None:
    await open_market(
        storage, a_teacher(1, "Driver, drivable, driven"), a_teacher(2, "Violin"), a_teacher(3, "Cello")
    )

    retrieved = await storage.retrieval.retrieve(a_query("drivng"))

    [driving] = retrieved.candidates
    assert driving.text_score is not None
    assert 0 < driving.text_score <= 1
    assert (await storage.retrieval.text_strength("drivng")).best == pytest.approx(driving.text_score)


async def test_lessons_are_found_by_what_their_category_is_called(storage: Storage) -> None:
    teacher = a_teacher(1, "With Mia", lesson={"category": "piano"})
    await open_market(storage, teacher, a_teacher(2, "With Noa"), words={"piano": "Piano pianoforte"})

    assert await found(storage, a_query("pianoforte")) == [lesson_id(10)]


async def test_the_strength_of_words_says_how_well_they_find_something(storage: Storage) -> None:
    teachers = [a_teacher(n, title) for n, title in enumerate(("Piano", "Violin", "Drums", "Cello"), start=1)]
    await open_market(storage, *teachers)

    strong = await storage.retrieval.text_strength("piano")
    weak = await storage.retrieval.text_strength("piano xylophone")
    none = await storage.retrieval.text_strength("xylophone")

    assert strong.best > 0.6
    assert strong.hits == 1
    assert 0 < weak.best < strong.best
    assert weak.hits == 0
    assert (none.best, none.hits) == (0, 0)


async def test_the_words_that_no_lesson_has_nor_any_like_them_are_named_in_order(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Woodworking"), a_teacher(2, "Driving lessons"))

    strength = await storage.retrieval.text_strength("fizzlewump drivng of the wood working, asdfgh 12 fizzlewump")

    assert strength.unknown == ("fizzlewump", "asdfgh")


async def test_a_word_that_no_lesson_has_may_be_meant_as_one_that_begins_alike_and_is_about_as_long(
    storage: Storage,
) -> None:
    await open_market(
        storage, a_teacher(1, "Sourdough baking"), a_teacher(2, "Stained glass, Síntesis"), a_teacher(3, "Glass")
    )

    found = await storage.retrieval.spellings("soudough glas", ["soudough", "glas"])

    assert {spelling.word: spelling.documents for spelling in found["glas"]} == {"glass": 2}
    assert {spelling.word: spelling.documents for spelling in found["soudough"]} == {
        "sourdough": 1,
        "stained": 1,
        "sintesis": 1,
    }


async def test_a_word_that_some_lesson_has_in_any_form_or_as_one_with_its_neighbour_is_meant_as_no_other(
    storage: Storage,
) -> None:
    await open_market(
        storage, a_teacher(1, "Ballroom dances"), a_teacher(2, "Bell ringing"), a_teacher(3, "Rooms")
    )

    assert await storage.retrieval.spellings("dancing ball room", ["dancing", "ball", "room"]) == {}


async def test_a_word_in_common_is_not_enough_for_another_kind_than_the_one_that_is_meant(
    storage: Storage,
) -> None:
    swimming = a_teacher(1, "Learn to swim", lesson={"category": "swimming"})
    floating = a_teacher(2, "With Mia", lesson={"category": "swimming"})
    chess = a_teacher(3, "Learn chess", lesson={"category": "chess"})
    await open_market(storage, swimming, floating, chess)
    vague = a_query("learn swim")
    meant = replace(vague, categories=(("swimming", 1.0),))

    assert set(await found(storage, vague)) == {lesson_id(10), lesson_id(30)}
    assert await found(storage, meant) == [lesson_id(10), lesson_id(20)]
    assert (await storage.retrieval.retrieve(meant)).total == 2


async def test_what_is_not_to_be_had_is_not_replaced_by_another_kind(storage: Storage) -> None:
    swimming = a_teacher(1, "Learn to swim", lesson={"category": "swimming", "price_cents": 9_000})
    chess = a_teacher(2, "Learn chess", lesson={"category": "chess"})
    await open_market(storage, swimming, chess)
    query = replace(a_query("learn swim", price=PriceBounds(None, 7_000)), categories=(("swimming", 1.0),))

    retrieved = await storage.retrieval.retrieve(query)

    assert (retrieved.candidates, retrieved.total) == ((), 0)


async def test_without_words_all_are_found_the_best_rated_first(storage: Storage) -> None:
    await open_market(storage, a_teacher(2), a_teacher(1), a_teacher(3))

    retrieved = await storage.retrieval.retrieve(a_query())

    assert [each.service_id for each in retrieved.candidates] == [lesson_id(10), lesson_id(20), lesson_id(30)]
    assert retrieved.total == 3


async def test_lessons_are_found_by_meaning_where_words_do_not_suffice(storage: Storage) -> None:
    vectors = {"Pianoforte": (1.0, 0.0, 0.0), "Violin": (0.0, 1.0, 0.0)}
    await open_market(storage, a_teacher(1, "Pianoforte", vectors=vectors), a_teacher(2, "Violin"))
    query = replace(a_query("grand"), vector=(0.9, 0.1, 0.42), model=MODEL)

    retrieved = await storage.retrieval.retrieve(query)

    assert retrieved.candidates[0].service_id == lesson_id(10)
    assert retrieved.candidates[0].vector_score == pytest.approx(0.9, abs=0.001)
    assert retrieved.candidates[0].text_score is None


async def test_where_words_suffice_nothing_is_let_in_for_its_meaning_alone(storage: Storage) -> None:
    vectors = {"Piano": (0.8, 0.6, 0.0), "Organ": (1.0, 0.0, 0.0)}
    others = [a_teacher(n, title) for n, title in enumerate(("Violin", "Drums", "Cello"), start=3)]
    await open_market(storage, a_teacher(1, "Piano", vectors=vectors), a_teacher(2, "Organ"), *others)
    query = replace(a_query("piano"), vector=(1.0, 0.0, 0.0), model=MODEL)

    assert await found(storage, query) == [lesson_id(10)]


async def test_lessons_of_a_meant_kind_are_found_without_any_of_the_words(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, "With Mia", lesson={"category": "piano"}),
        a_teacher(2, "With Noa", lesson={"category": "keyboard"}),
        a_teacher(3, "With Ada", lesson={"category": "chess"}),
    )
    query = replace(a_query("keys"), categories=(("piano", 0.4), ("keyboard", 0.6)))

    assert await found(storage, query) == [lesson_id(20), lesson_id(10)]


async def test_a_model_that_no_service_has_vectors_of_finds_nothing(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, "Piano"))
    query = replace(a_query("organ"), vector=(1.0, 0.0), model="another-2")

    assert await found(storage, query) == []
    assert await storage.retrieval.embedding_models() == [MODEL]


@pytest.mark.parametrize(
    ("price", "is_found"),
    [
        (PriceBounds(None, 5_999), False),
        (PriceBounds(None, 6_000), True),
        (PriceBounds(6_001, None), False),
        (PriceBounds(6_000, 6_000, currency="USD"), True),
        (PriceBounds(6_000, 6_000, currency="EUR"), False),
        (PriceBounds(None, 7_999, PriceUnit.HOUR), False),
        (PriceBounds(None, 8_000, PriceUnit.HOUR), True),
        (PriceBounds(8_001, None, PriceUnit.HOUR), False),
    ],
)
async def test_nothing_outside_the_price_is_found(storage: Storage, price: PriceBounds, is_found: bool) -> None:
    await open_market(storage, a_teacher(1, lesson={"duration_minutes": 45}))

    assert bool(await found(storage, a_query("piano", price=price))) is is_found


@pytest.mark.parametrize(
    ("age", "is_found"),
    [(AgeBounds(5, 5), False), (AgeBounds(4, 6), True), (AgeBounds(12, None), True), (AgeBounds(13, None), False)],
)
async def test_nothing_for_another_age_is_found(storage: Storage, age: AgeBounds, is_found: bool) -> None:
    await open_market(storage, a_teacher(1, lesson={"age_min": 6, "age_max": 12}))

    assert bool(await found(storage, a_query("piano", age=age))) is is_found


@pytest.mark.parametrize(
    ("only", "are_found"),
    [
        (AgeBounds(18, None), [1]),
        (AgeBounds(16, None), [1, 2]),
        (AgeBounds(0, 17), [3]),
        (AgeBounds(6, 12), [3]),
        (AgeBounds(6, 11), []),
        (AgeBounds(7, 12), []),
    ],
)
async def test_what_is_for_nobody_else_tells_so_itself(
    storage: Storage, only: AgeBounds, are_found: list[int]
) -> None:
    await open_market(
        storage,
        a_teacher(1, lesson={"age_min": 18}),
        a_teacher(2, lesson={"age_min": 16}),
        a_teacher(3, lesson={"age_min": 6, "age_max": 12}),
        a_teacher(4),
    )

    assert sorted(await found(storage, a_query("", only_ages=only))) == [
        lesson_id(10 * number) for number in are_found
    ]


async def test_lessons_of_a_level_are_found_with_those_of_whatever_level(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, lesson={"levels": (Level.BEGINNER,)}),
        a_teacher(2, lesson={"levels": (Level.INTERMEDIATE, Level.ADVANCED)}),
        a_teacher(3),
    )

    only_advanced = a_query("piano", levels=frozenset({Level.ADVANCED}))
    assert sorted(await found(storage, only_advanced)) == [lesson_id(20), lesson_id(30)]


async def test_who_is_asked_for_learners_of_several_ages_together_teaches_each_of_them(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, lesson={"age_min": 8}),
        a_teacher(2, lesson={"age_min": 6, "age_max": 12}),
        a_teacher(3, lesson={"age_max": 9}),
    )

    each = AgeBounds(7, 10, are_together=True)
    assert await found(storage, a_query("", age=each)) == [lesson_id(20)]
    assert len(await found(storage, a_query("", age=AgeBounds(7, 10)))) == 3


async def test_a_kind_that_is_barred_is_not_found_and_what_is_of_no_kind_is(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, lesson={"category": "piano"}),
        a_teacher(2, lesson={"category": "singing"}),
        a_teacher(3),
    )

    assert sorted(await found(storage, a_query("", barred_categories=("piano",)))) == [
        lesson_id(20),
        lesson_id(30),
    ]


async def test_where_it_must_not_be_nobody_is_found_who_comes_to_nowhere_else(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, areas=(SLOPE,)),
        a_teacher(2, areas=(SLOPE, QUEENS)),
        a_teacher(3, areas=(RegionId("nyc"),)),
        a_teacher(4, areas=(BROOKLYN,), lesson={"is_online": True}),
        a_teacher(5),
    )

    async def numbers(**filters: object) -> list[str]:
        return sorted(await found(storage, a_query("", barred_areas=(BROOKLYN,), **filters)))

    assert await numbers() == [lesson_id(20), lesson_id(30), lesson_id(40)]
    assert await numbers(online=False) == [lesson_id(20), lesson_id(30)]
    assert await numbers(online=True) == [lesson_id(40)]
    assert await numbers(areas=(QUEENS,), online=False) == [lesson_id(20), lesson_id(30)]
    assert await numbers(areas=(SLOPE,), online=False) == []
    assert await numbers(areas=(SLOPE, QUEENS), online=False) == [lesson_id(20), lesson_id(30)]
    assert await numbers(cities=(RegionId("nyc"),)) == [lesson_id(20), lesson_id(30), lesson_id(40)]


async def test_a_region_that_is_barred_bars_none_whose_id_only_begins_or_ends_alike(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, areas=(QUEENS,)),
        a_teacher(2, areas=("nyc/queens-village",)),
        a_teacher(3, areas=("la/nyc/queens",)),
        a_teacher(4, areas=("nyc/que",)),
        a_teacher(5, areas=(SLOPE, "nyc/queens/astoria"), home_city="nyc"),
    )
    barred = (QUEENS, BROOKLYN, RegionId("nyc/queens/astoria"), RegionId("nyc/b_x"), RegionId("london"))

    left = await found(storage, a_query("", barred_areas=barred))
    within = await found(storage, a_query("", barred_areas=barred, areas=(RegionId("nyc"),), online=False))

    assert sorted(left) == [lesson_id(20), lesson_id(30), lesson_id(40)]
    assert sorted(within) == [lesson_id(20), lesson_id(40)]


@pytest.mark.parametrize(
    ("area", "numbers"),
    [
        ("nyc/brooklyn/park-slope", [1, 2, 4, 5]),
        ("nyc/brooklyn", [1, 2, 4, 5]),
        ("nyc", [1, 2, 3, 4, 5]),
        ("nyc/queens", [3, 5]),
        ("nyc/brook", [5]),
    ],
)
async def test_an_area_has_those_who_serve_it_or_a_part_of_it_or_all_around_it(
    storage: Storage, area: str, numbers: list[int]
) -> None:
    await open_market(
        storage,
        a_teacher(1, areas=(SLOPE,)),
        a_teacher(2, areas=(BROOKLYN,)),
        a_teacher(3, areas=(QUEENS,)),
        a_teacher(4, areas=(QUEENS, SLOPE)) if area != QUEENS else a_teacher(4, areas=(SLOPE,)),
        a_teacher(5, areas=(), lesson={"is_online": True}),
    )

    both_ways = await found(storage, a_query("piano", areas=(RegionId(area),)))
    in_person = await found(storage, a_query("piano", areas=(RegionId(area),), online=False))

    assert sorted(both_ways) == [lesson_id(10 * n) for n in numbers]
    assert sorted(in_person) == [lesson_id(10 * n) for n in numbers if n != 5]


async def test_a_city_has_those_at_home_there_and_those_who_teach_there_and_nowhere(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, areas=(), home_city="nyc"),
        a_teacher(2, areas=(SLOPE,), home_city="london"),
        a_teacher(3, areas=(), home_city=None, lesson={"is_online": True}),
        a_teacher(4, areas=("london/westminster",), home_city="london"),
        a_teacher(5, areas=(), home_city=None),
    )

    assert sorted(await found(storage, a_query("piano", cities=(NYC,)))) == [lesson_id(10 * n) for n in (1, 2, 3)]


async def test_online_and_in_person_lessons_are_told_apart(storage: Storage) -> None:
    await open_market(
        storage,
        a_teacher(1, lesson={"is_online": True, "is_in_person": False}),
        a_teacher(2),
        a_teacher(3, lesson={"is_online": True}),
    )

    assert sorted(await found(storage, a_query("piano", online=True))) == [lesson_id(10), lesson_id(30)]
    assert sorted(await found(storage, a_query("piano", online=False))) == [lesson_id(20), lesson_id(30)]


@pytest.mark.parametrize(
    ("from_hour", "to_hour", "free_at"),
    [
        (8, 12, 9),
        (9, 10, 9),
        (9.5, 10.5, 9.5),
        (9.5, 10.25, None),
        (10.5, 14, None),
        (6, 9.5, None),
        (12, 13, None),
    ],
)
async def test_a_whole_lesson_has_to_fit_into_the_time_that_was_asked_for(
    storage: Storage, from_hour: float, to_hour: float, free_at: float | None
) -> None:
    await open_market(storage, a_teacher(1, availability=(WeeklySlot(6, 540, 660), WeeklySlot(7, 480, 1_440))))

    retrieved = await storage.retrieval.retrieve(a_query("piano", windows=between(from_hour, to_hour)))

    expected = [] if free_at is None else [SATURDAY + free_at * HOUR]
    assert [each.next_free_at for each in retrieved.candidates] == expected


async def test_weekly_times_are_those_of_where_the_instructor_lives(storage: Storage) -> None:
    nine_to_ten = (WeeklySlot(6, 540, 600),)
    await open_market(
        storage,
        a_teacher(1, timezone="America/New_York", availability=nine_to_ten),
        a_teacher(2, timezone="Europe/London", availability=nine_to_ten),
    )

    assert await found(storage, a_query("piano", windows=between(14, 15))) == [lesson_id(10)]
    assert await found(storage, a_query("piano", windows=between(9, 10))) == [lesson_id(20)]


async def test_a_time_of_one_zone_is_for_those_who_live_there(storage: Storage) -> None:
    nine_to_ten = (WeeklySlot(6, 540, 600),)
    zones = {1: "America/New_York", 2: "Europe/London"}
    await open_market(
        storage, *(a_teacher(number, timezone=zone, availability=nine_to_ten) for number, zone in zones.items())
    )
    [london], [new_york] = between(9, 10), between(14, 15)
    own = (replace(london, timezone=zones[2]), replace(new_york, timezone=zones[1]))
    others = (replace(london, timezone=zones[1]), replace(new_york, timezone=zones[2]))

    assert await found(storage, a_query("piano", windows=own)) == [lesson_id(10), lesson_id(20)]
    assert await found(storage, a_query("piano", windows=others)) == []
    assert await storage.retrieval.timezones() == sorted(zones.values())


async def test_booked_times_are_not_free(storage: Storage) -> None:
    await open_market(storage, a_teacher(1, availability=(WeeklySlot(6, 540, 720),)))
    await storage.accounts.create_user(a_user(ANN), "hash")
    await open_all(storage, a_conversation(ANN, teacher_id(1), 1))
    lesson = a_booking(
        1, instructor_id=teacher_id(1), starts_at=SATURDAY + 9.5 * HOUR, minutes=60, service_id=lesson_id(10)
    )
    await save_bookings(storage, lesson)

    assert await found(storage, a_query("piano", windows=between(9, 11))) == []
    retrieved = await storage.retrieval.retrieve(a_query("piano", windows=between(9, 12)))
    assert [each.next_free_at for each in retrieved.candidates] == [SATURDAY + 10.5 * HOUR]


async def test_what_is_over_is_not_free(storage: Storage) -> None:
    await open_market(storage, a_teacher(1))

    assert await found(storage, a_query("piano", windows=between(8, 10), now=SATURDAY + 9.5 * HOUR)) == []
    assert await found(storage, a_query("piano", windows=between(8, 10), now=SATURDAY + 10 * HOUR)) == []
    assert await found(storage, a_query("piano", windows=between(8, 11), now=SATURDAY + 10 * HOUR)) == [
        lesson_id(10)
    ]


async def test_without_a_time_the_next_free_one_is_told(storage: Storage) -> None:
    await open_market(
        storage, a_teacher(1, availability=(WeeklySlot(6, 540, 600),)), a_teacher(2, availability=())
    )

    retrieved = await storage.retrieval.retrieve(a_query("piano", now=SATURDAY - 40 * HOUR))

    assert [each.next_free_at for each in retrieved.candidates] == [SATURDAY + 9 * HOUR, None]


async def test_distances_are_to_the_nearest_region_that_is_served(storage: Storage) -> None:
    await storage.gazetteer.upsert_regions(REGIONS)
    await open_market(
        storage,
        a_teacher(1, areas=(QUEENS, SLOPE)),
        a_teacher(2, lesson={"is_online": True, "is_in_person": False}),
    )

    retrieved = await storage.retrieval.retrieve(a_query("piano", near=Point(40.671, -73.978)))

    assert [each.distance_km for each in retrieved.candidates] == [pytest.approx(0, abs=0.001), None]


async def test_filters_follow_a_change_at_once(storage: Storage) -> None:
    teacher = a_teacher(1)
    await open_market(storage, teacher)
    dearer = replace(teacher.services[0], price_cents=9_000)
    changed = replace(teacher, services=(dearer,), areas=("nyc/queens",))

    await storage.catalogue.replace(teacher.user_id, an_offer_of(changed), now=NOW + HOUR)

    assert await found(storage, a_query("piano", price=PriceBounds(None, 6_000))) == []
    assert await found(storage, a_query("piano", areas=(SLOPE,))) == []
    assert await found(storage, a_query("piano", areas=(QUEENS,))) == [lesson_id(10)]


async def test_words_follow_a_change_once_it_is_indexed(storage: Storage) -> None:
    teacher = a_teacher(1, "Piano", "Drums")
    await open_market(storage, teacher)
    renamed = replace(teacher, services=(a_lesson(10, "Violin", instructor_id=teacher.user_id),))
    await storage.catalogue.replace(teacher.user_id, an_offer_of(renamed), now=NOW + HOUR)

    await index_changes(storage)
    assert await storage.search_index.clear(limit=10) == 1

    assert await found(storage, a_query("violin")) == [lesson_id(10)]
    assert await found(storage, a_query("piano")) == []
    assert await found(storage, a_query("drums")) == []
    assert await storage.search_index.changed(limit=10) == []


async def test_what_is_retired_or_whose_instructor_is_gone_is_not_found(storage: Storage) -> None:
    booked = a_teacher(1)
    await open_market(storage, booked)
    await storage.accounts.create_user(a_user(ANN), "hash")
    await open_all(storage, a_conversation(ANN, teacher_id(1), 1))
    await save_bookings(storage, a_booking(1, instructor_id=teacher_id(1), service_id=lesson_id(10)))

    await storage.catalogue.replace(booked.user_id, an_offer_of(replace(booked, services=())), now=NOW + HOUR)

    assert await found(storage, a_query("piano")) == []
    assert await found(storage, a_query()) == []


async def test_cards_show_a_service_with_its_instructor(storage: Storage) -> None:
    await storage.gazetteer.upsert_regions(REGIONS)
    lesson: dict[str, object] = {
        "levels": (Level.BEGINNER,),
        "age_min": 6,
        "is_online": True,
        "description": "Songs.",
    }
    teacher = a_teacher(1, areas=("nyc/brooklyn/park-slope", "nyc/nowhere"), lesson=lesson)
    await open_market(storage, teacher)

    [card] = await storage.retrieval.cards([lesson_id(10), lesson_id(99)], filters=HardFilters(), now=NOW)

    assert (card.service_id, card.instructor_id, card.display_name) == (lesson_id(10), teacher_id(1), "Teacher 1")
    assert card.areas == ("Park Slope", "nyc/nowhere")
    shown: Service = teacher.services[0]
    assert (card.title, card.description, card.price_cents) == (shown.title, "Songs.", shown.price_cents)
    assert (card.levels, card.age_min, card.age_max, card.is_online) == ((Level.BEGINNER,), 6, None, True)


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        (HardFilters(), {10, 20}),
        (HardFilters(price=PriceBounds(None, 6_000)), {10}),
        (HardFilters(age=AgeBounds(8, 8)), {20}),
        (HardFilters(only_ages=AgeBounds(18, None)), {10}),
        (HardFilters(levels=frozenset({Level.BEGINNER})), {10}),
        (HardFilters(areas=(QUEENS,), online=False), {20}),
        (HardFilters(windows=between(9, 12)), {10}),
        (HardFilters(windows=between(9, 12), price=PriceBounds(7_000, None)), set()),
        (HardFilters(windows=(TimeWindow(NOW - 2 * HOUR, NOW),)), set()),
    ],
)
async def test_cards_are_of_what_is_on_offer_and_passes_every_filter_now(
    storage: Storage, filters: HardFilters, passing: set[int]
) -> None:
    morning = (WeeklySlot(6, 540, 720),)
    old = a_teacher(1, availability=morning, lesson={"age_min": 18, "levels": (Level.BEGINNER,)})
    dear = a_teacher(
        2,
        areas=(QUEENS,),
        availability=(WeeklySlot(6, 780, 1_080),),
        lesson={"price_cents": 9_000, "levels": (Level.ADVANCED,)},
    )
    retired = a_teacher(3, "Piano", "Violin")
    await open_market(storage, old, dear, retired)
    await storage.catalogue.replace(retired.user_id, replace(an_offer_of(retired), services=()), now=NOW)
    shown = [lesson_id(number) for number in (10, 20, 30, 31)]

    cards = await storage.retrieval.cards(shown, filters=filters, now=NOW)

    assert {card.service_id for card in cards} == {lesson_id(number) for number in passing}


async def test_there_is_no_card_of_a_time_that_was_booked_meanwhile(storage: Storage) -> None:
    teacher = a_teacher(1, availability=(WeeklySlot(6, 540, 600),))
    await open_market(storage, teacher)
    await storage.accounts.create_user(a_user(ANN), "hash")
    await open_all(storage, a_conversation(ANN, teacher.user_id))
    filters = HardFilters(windows=between(9, 12))
    assert len(await storage.retrieval.cards([lesson_id(10)], filters=filters, now=NOW)) == 1
    lesson = a_booking(instructor_id=teacher.user_id, starts_at=SATURDAY + 9 * HOUR, ends_at=SATURDAY + 10 * HOUR)
    await save_bookings(storage, replace(lesson, service_id=lesson_id(10)))

    assert await storage.retrieval.cards([lesson_id(10)], filters=filters, now=NOW) == []


async def test_two_hundred_are_found_and_all_that_may_be_shown_are_counted(storage: Storage) -> None:
    others = (
        a_teacher(900, "Violin"),
        a_teacher(901, "Chess, draughts and dominoes by a warm stove next to a piano"),
    )
    await open_market(storage, *(a_teacher(n) for n in range(1, 204)), *others)
    vague = a_query("piano")

    retrieved = await storage.retrieval.retrieve(vague)
    meant = await storage.retrieval.retrieve(replace(vague, categories=(("piano", 1.0),)))

    assert len(retrieved.candidates) == 200
    assert retrieved.candidates[0].service_id == lesson_id(10)
    assert (retrieved.total, meant.total) == (204, 203)
