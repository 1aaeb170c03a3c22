"""Whatever is asked: nothing breaks a filter, nothing that passes is missed, and both twins find the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.records import Service
from greenroom.schema.search.candidates import HardFilters, RetrievalQuery, TimeWindow
from greenroom.schema.search.places import RegionId
from greenroom.schema.search.understood import AgeBounds, Level, PriceBounds, PriceUnit
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.memory import memory_storage
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from tests.postgres import PostgresServer, fresh_name
from tests.storage.market_builders import MODEL, Teacher, a_teacher, open_market

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
AREAS = ("nyc", "nyc/brooklyn", "nyc/brooklyn/park-slope", "nyc/queens", "london/camden")
WORDS = ("piano", "violin", "jazz", "children")

lessons = st.fixed_dictionaries(
    {
        "price_cents": st.sampled_from([3_000, 6_000, 9_000]),
        "duration_minutes": st.sampled_from([30, 60, 90]),
        "levels": st.sampled_from([(), (Level.BEGINNER,), (Level.INTERMEDIATE, Level.ADVANCED)]),
        "age_min": st.sampled_from([None, 6]),
        "age_max": st.sampled_from([None, 12]),
        "category": st.sampled_from([None, "piano", "violin"]),
    }
).flatmap(
    lambda lesson: st.sampled_from([(True, False), (False, True), (True, True)]).map(
        lambda how: {**lesson, "is_online": how[0], "is_in_person": how[1]}
    )
)
hours = st.integers(6, 21)
slots = st.lists(
    st.builds(lambda day, at: WeeklySlot(day, 60 * at, 60 * at + 90), st.integers(1, 7), hours),
    max_size=4,
    unique_by=lambda slot: (slot.weekday, slot.from_minute),
).map(lambda given: tuple(one for place, one in enumerate(sorted(given)) if _is_apart(sorted(given), place)))


def _is_apart(given: list[WeeklySlot], place: int) -> bool:
    before = given[place - 1] if place else None
    return before is None or before.weekday != given[place].weekday or before.to_minute <= given[place].from_minute


teachers = st.lists(
    st.builds(
        lambda titles, lesson, areas, home, free: (titles, lesson, tuple(areas), home, free),
        st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=2),
        lessons,
        st.lists(st.sampled_from(AREAS), max_size=2, unique=True),
        st.sampled_from([None, "nyc", "london"]),
        slots,
    ),
    min_size=1,
    max_size=5,
).map(
    lambda drawn: [
        a_teacher(number, *titles, lesson=lesson, areas=areas, home_city=home, availability=free)
        for number, (titles, lesson, areas, home, free) in enumerate(drawn, start=1)
    ]
)
windows = st.lists(
    st.builds(
        lambda day, at, length: TimeWindow(
            MONDAY + timedelta(days=day, hours=at), MONDAY + timedelta(days=day, hours=at + length)
        ),
        st.integers(0, 9),
        hours,
        st.integers(1, 5),
    ),
    max_size=2,
).map(tuple)
regions = st.lists(st.sampled_from([RegionId(area) for area in AREAS]), max_size=2, unique=True).map(tuple)
prices = st.builds(
    PriceBounds,
    st.sampled_from([None, 5_000]),
    st.sampled_from([4_000, 6_000, 8_000]),
    st.sampled_from(PriceUnit),
)
filters = st.builds(
    HardFilters,
    cities=st.sampled_from([(), (RegionId("nyc"),), (RegionId("nyc"), RegionId("london"))]),
    areas=regions,
    price=st.none() | prices,
    age=st.none()
    | st.sampled_from(
        [AgeBounds(5, 5), AgeBounds(8, 10), AgeBounds(5, 13, are_together=True), AgeBounds(13, None)]
    ),
    levels=st.frozensets(st.sampled_from(Level), max_size=2),
    windows=windows,
    online=st.sampled_from([None, True, False]),
    barred_areas=regions,
    barred_categories=st.sampled_from([(), ("piano",), ("piano", "violin")]),
    only_ages=st.none() | st.sampled_from([AgeBounds(6, None), AgeBounds(0, 12), AgeBounds(5, 17)]),
)
queries = st.builds(
    lambda filters, words, categories, vector: RetrievalQuery(
        " ".join(words), categories, filters, vector, None if vector is None else MODEL, None, MONDAY
    ),
    filters,
    st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=2),
    st.sampled_from([(), (("piano", 0.7),)]),
    st.sampled_from([None, (1.0, 0.0, 0.0)]),
)


@contextmanager
def a_database(server: PostgresServer) -> Iterator[PostgresOptions]:
    with server.migrated_database(fresh_name()) as options:
        yield options


async def _asked(storage: Storage, market: list[Teacher], asked: list[RetrievalQuery]) -> list[list[str]]:
    await open_market(storage, *market)
    return [
        sorted(each.service_id for each in (await storage.retrieval.retrieve(query)).candidates) for query in asked
    ]


def _passes(service: Service, teacher: Teacher, filters: HardFilters) -> bool:
    """The filters once more, said as plainly as they can be."""
    if filters.online is not None and not (service.is_online if filters.online else service.is_in_person):
        return False
    if filters.price is not None:
        per = 60 / service.duration_minutes if filters.price.unit is PriceUnit.HOUR else 1
        cents = service.price_cents * per
        if filters.price.max_cents is not None and cents > filters.price.max_cents:
            return False
        if filters.price.min_cents is not None and cents < filters.price.min_cents:
            return False
    if filters.age is not None:
        if filters.age.are_together and not (service.age_min or 0) <= 5 < 13 <= (service.age_max or 999):
            return False
        oldest = 999 if filters.age.max_years is None else filters.age.max_years
        if (service.age_min or 0) > oldest or filters.age.min_years > (service.age_max or 999):
            return False
    if filters.only_ages is not None:
        low, high = filters.only_ages.min_years, filters.only_ages.max_years
        if (service.age_min or 0) < low or (high is not None and (service.age_max or 999) > high):
            return False
    if filters.levels and service.levels and not filters.levels & set(service.levels):
        return False
    if service.category in filters.barred_categories:
        return False
    cities = {area.split("/")[0] for area in teacher.areas} | ({teacher.home_city} - {None})
    is_of_city = not filters.cities or bool(cities & set(filters.cities)) or (service.is_online and not cities)
    is_there = service.is_in_person and any(
        f"{mine}/".startswith(f"{asked}/") or f"{asked}/".startswith(f"{mine}/")
        for mine in teacher.areas
        for asked in filters.areas
        if not filters.cities or asked.split("/")[0] in filters.cities
    )
    if not is_of_city or (filters.areas and filters.online is not True and not service.is_online and not is_there):
        return False
    if filters.areas and filters.online is False and not is_there:
        return False
    if filters.barred_areas and filters.online is not True and not (filters.online is None and service.is_online):
        asked = [area for area in filters.areas if not filters.cities or area.split("/")[0] in filters.cities]
        asked = asked or list(filters.cities)
        left = [a for a in asked if not any(f"{a}/".startswith(f"{barred}/") for barred in filters.barred_areas)]
        elsewhere = [
            mine
            for mine in teacher.areas
            if not any(f"{mine}/".startswith(f"{barred}/") for barred in filters.barred_areas)
            and any(
                f"{mine}/".startswith(f"{area}/") or f"{area}/".startswith(f"{mine}/")
                for area in (left if asked else [mine])
            )
        ]
        if not elsewhere:
            return False
    return not filters.windows or any(_is_free(teacher, service, window) for window in filters.windows)


def _is_free(teacher: Teacher, service: Service, window: TimeWindow) -> bool:
    lesson = timedelta(minutes=service.duration_minutes)
    at = window.starts_at
    while at + lesson <= window.ends_at:
        from_minute = at.hour * 60 + at.minute
        if any(
            slot.weekday == at.isoweekday()
            and slot.from_minute <= from_minute
            and from_minute + service.duration_minutes <= slot.to_minute
            for slot in teacher.availability
        ):
            return True
        at += timedelta(minutes=30)
    return False


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(market=teachers, asked=st.lists(queries, min_size=1, max_size=12))
def test_both_twins_find_the_same_and_nothing_that_breaks_a_filter(
    postgres_server: PostgresServer, market: list[Teacher], asked: list[RetrievalQuery]
) -> None:
    async def in_postgres() -> list[list[str]]:
        async with open_pool(options) as pool:
            return await _asked(postgres_storage(pool, bus=LocalBus()), market, asked)

    async def in_memory() -> list[list[str]]:
        return await _asked(memory_storage(), market, asked)

    with a_database(postgres_server) as options:
        found = trio.run(in_postgres)

    assert found == trio.run(in_memory)
    by_id = {service.id: (service, teacher) for teacher in market for service in teacher.services}
    for query, ids in zip(asked, found, strict=True):
        passing = sorted(i for i, (service, teacher) in by_id.items() if _passes(service, teacher, query.filters))
        assert set(ids) <= set(passing)
        if not query.text and not query.categories and query.vector is None:
            assert ids == passing
