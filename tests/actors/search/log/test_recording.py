"""Searches and clicks are recorded beside what happens, and never in its way. On the virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.retention import Retention
from greenroom.actors.search.answer import SearchAnswer
from greenroom.actors.search.log.reading import SearchNotFound
from greenroom.actors.search.log.recent import RecentSearches
from greenroom.actors.search.log.writer import MAILBOX, LogCounts
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.log import QueryId, SearchesShown
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase, memory_storage
from tests.actors.search.world import a_market, search
from tests.actors.world import World
from tests.storage.builders import NOW
from tests.storage.market_builders import a_teacher, lesson_id
from tests.storage.search_builders import a_search, query_id

PIANO = a_teacher(1, "Piano for children")
LESSON = lesson_id(10)
SOON = 0.01


def counts(world: World) -> LogCounts:
    return world.core.search_room.log_counts


def click(world: World, answer: SearchAnswer, service_id: ServiceId = LESSON) -> None:
    world.core.search.recorder.clicked(world.maya, QueryId(answer.query_id), service_id)


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - counts tell nobody that they have changed
            await trio.sleep(SOON)


def stalled(database: MemoryDatabase, operation: str) -> None:
    """Have one operation of the database never end."""

    async def stall(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point.operation == operation and point.phase is Phase.BEFORE:
            await trio.sleep_forever()

    database.faults = stall


async def test_every_search_is_recorded_with_what_it_showed(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, "Piano in Park Slope under $80")
        await until(lambda: counts(world).recorded == 1)

        recorded = await world.core.searches.search(QueryId(answer.query_id))

    assert recorded.line.text == "piano in park slope under $80"
    assert recorded.line.user_id == world.maya.user.id
    assert recorded.line.region_id == "nyc/brooklyn/park-slope"
    assert recorded.details is not None
    assert recorded.details.shown == (LESSON,)
    assert recorded.details.diagnostics.stages[0].name == "parse"


async def test_a_click_on_a_result_counts_once(autojump_clock: MockClock) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, "piano")
        click(world, answer)
        click(world, answer)
        await until(lambda: counts(world).unmatched == 1)

        recorded = await world.core.searches.search(QueryId(answer.query_id))

    assert [(one.service_id, one.position) for one in recorded.clicks] == [(LESSON, 0)]


async def test_a_click_for_somebody_else_or_on_what_was_not_shown_does_not_count(
    autojump_clock: MockClock,
) -> None:
    async with a_market(PIANO) as world:
        answer = await search(world, "piano")
        world.core.search.recorder.clicked(world.tomas, QueryId(answer.query_id), LESSON)
        click(world, answer, lesson_id(99))
        await until(lambda: counts(world).unmatched == 2)

        recorded = await world.core.searches.search(QueryId(answer.query_id))

    assert recorded.clicks == ()


async def test_searches_go_on_as_fast_while_the_log_is_stalled(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_market(PIANO, database=database) as world:
        stalled(database, "search_log.add_searches")
        began_at = trio.current_time()
        answers = [await search(world, "piano") for _ in range(5)]
        took_s = trio.current_time() - began_at
        await until(lambda: counts(world).timed_out == 5)

    # Longer than the log's timeout is only what all five took together with their models, were they to wait for it.
    assert took_s < 0.5
    assert all(answer.hits for answer in answers)
    assert counts(world).recorded == 0


@pytest.mark.parametrize("timeout_s", [0.2, 3.0])
async def test_a_stalled_log_is_waited_for_as_long_as_is_set(autojump_clock: MockClock, timeout_s: float) -> None:
    database = MemoryDatabase()
    async with a_market(PIANO, database=database, search_analytics_timeout_s=timeout_s) as world:
        stalled(database, "search_log.add_searches")
        await search(world, "piano")
        answered_at = trio.current_time()
        await until(lambda: counts(world).timed_out == 1)

        assert trio.current_time() - answered_at == pytest.approx(timeout_s, abs=2 * SOON)


async def test_a_full_mailbox_drops_what_comes(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_market(PIANO, database=database) as world:
        stalled(database, "search_log.add_searches")
        answer = await search(world, "piano")
        await trio.sleep(SOON)
        for _ in range(MAILBOX + 3):
            click(world, answer)

        assert counts(world).dropped == 3


async def test_what_is_at_hand_can_be_read_while_the_database_is_away(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()

    async def away(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point.operation.startswith("search_log"):
            raise StorageUnavailable("away")

    async with a_market(PIANO, database=database) as world:
        answer = await search(world, "piano")
        database.faults = away

        recorded = await world.core.searches.search(QueryId(answer.query_id))
        with pytest.raises(StorageUnavailable):
            await world.core.searches.search(query_id(1))

    assert recorded.details is not None


async def test_a_database_that_is_away_costs_the_record_and_nothing_else(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()

    async def away(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point.operation == "search_log.add_searches":
            raise StorageUnavailable("away")

    async with a_market(PIANO, database=database) as world:
        database.faults = away
        answer = await search(world, "piano")
        await until(lambda: counts(world).failed == 1)

        recorded = await world.core.searches.search(QueryId(answer.query_id))

    assert recorded.line.total == 1


async def test_under_high_load_nothing_is_recorded_and_operators_see_it_all_the_same(
    autojump_clock: MockClock,
) -> None:
    async with a_market(PIANO, search_high_load_threshold=1) as world:
        async with world.core.search_room.admission.admitted():
            answer = await search(world, "piano")
            await until(lambda: counts(world).skipped == 1)

        recorded = await world.core.searches.search(QueryId(answer.query_id))
        listed = await world.core.searches.page(SearchesShown(), limit=10, cursor=None)

    assert recorded.details is not None
    assert listed.items == ()


async def test_nothing_is_recorded_while_somebody_waits_for_the_database(autojump_clock: MockClock) -> None:
    database = MemoryDatabase(writer_timeout_s=60)

    async def write() -> None:
        async with database.sole_writer():
            await trio.sleep_forever()

    async with a_market(PIANO, database=database) as world, trio.open_nursery() as nursery:
        nursery.start_soon(write)
        nursery.start_soon(write)
        answer = await search(world, "piano")
        await until(lambda: counts(world).skipped == 1)
        nursery.cancel_scope.cancel()

        assert counts(world).recorded == 0
        assert answer.hits


async def test_a_search_that_nobody_made_is_not_found(autojump_clock: MockClock) -> None:
    async with a_market() as world:
        with pytest.raises(SearchNotFound):
            await world.core.searches.search(query_id(1))


async def test_searches_go_after_a_month_and_how_they_went_after_a_week() -> None:
    storage = memory_storage()
    await storage.search_log.add_searches(
        [a_search(number, at=NOW - timedelta(days=days)) for number, days in enumerate((31, 8, 6), start=1)]
    )
    retention = Retention(
        streams=storage.streams,
        accounts=storage.accounts,
        idempotency=storage.idempotency,
        outbox=storage.outbox,
        search_log=storage.search_log,
        wall=lambda: NOW,
        keep=timedelta(days=28),
        keep_searches=timedelta(days=30),
    )

    await retention.run_once()

    found = [await storage.search_log.get(query_id(number)) for number in (1, 2, 3)]
    assert [one and one.details is not None for one in found] == [None, False, True]


def test_only_the_newest_are_kept_at_hand() -> None:
    recent = RecentSearches(kept_max=2)
    for number in (1, 2, 3):
        recent.add(a_search(number))

    assert recent.get(query_id(1)) is None
    assert recent.get(query_id(3)) == a_search(3)
    assert len(recent) == 2
