"""What a search answers when the database is slow: what it has by its deadline, and never what was not asked for."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.answer import CacheUse, SearchAnswer
from greenroom.actors.search.recent_durations import SAMPLES_MIN
from greenroom.schema.search.diagnostics import StageName
from greenroom.schema.search.places import PlaceOutcome
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase
from tests.actors.search.world import a_market, reasons, search
from tests.storage.market_builders import a_teacher

PIANO = a_teacher(1, "Piano for children")
FAR = a_teacher(2, "Piano in Queens", areas=("nyc/queens/astoria",))
BUDGET_S = 0.5


async def answered(text: str, *, stalled: str) -> SearchAnswer:
    """The answer to a sentence while one kind of read never ends; it comes at the deadline."""
    database = MemoryDatabase()

    async def stall(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point.operation == stalled and point.phase is Phase.BEFORE:
            await trio.sleep_forever()

    async with a_market(PIANO, FAR, database=database) as world:
        database.faults = stall
        began_at = trio.current_time()
        answer = await search(world, text)
        assert trio.current_time() - began_at <= BUDGET_S
        assert (await search(world, text)).cache is CacheUse.MISS
    return answer


@pytest.mark.parametrize("text", ["piano in park slope", "cello in harlem", "yoga near the bronx"])
async def test_a_place_that_was_not_found_out_in_time_is_not_called_unknown_and_nothing_elsewhere_is_shown(
    autojump_clock: MockClock, text: str
) -> None:
    answer = await answered(text, stalled="places.look_up")

    assert answer.hits == ()
    assert answer.place.outcome is PlaceOutcome.NOT_LOOKED_UP
    assert answer.budget.degraded
    assert reasons(answer)["burst1"] == "timeout"


async def test_where_a_denied_place_was_not_found_out_in_time_nothing_is_shown_rather_than_lessons_there(
    autojump_clock: MockClock,
) -> None:
    answer = await answered("piano not in queens", stalled="places.look_up")

    assert answer.hits == ()
    assert answer.place.outcome is PlaceOutcome.NOT_ASKED
    assert reasons(answer)["burst1"] == "timeout"


async def test_without_the_strength_of_the_words_lessons_are_found_all_the_same(autojump_clock: MockClock) -> None:
    answer = await answered("piano in park slope", stalled="retrieval.text_strength")

    assert [hit.card.title for hit in answer.hits if hit.card is not None] == ["Piano for children"]
    assert answer.budget.degraded
    assert reasons(answer)["burst1"] == "timeout"


async def test_lessons_that_were_not_found_in_time_are_said_to_be_missing(autojump_clock: MockClock) -> None:
    answer = await answered("piano", stalled="retrieval.retrieve")

    assert answer.hits == ()
    assert answer.budget.degraded
    assert reasons(answer)["burst2"] == "timeout"


async def test_cards_that_would_come_too_late_are_not_begun_to_be_read(autojump_clock: MockClock) -> None:
    async with a_market(PIANO, FAR) as world:
        for _ in range(SAMPLES_MIN):
            world.core.search_room.history.add(StageName.HYDRATION, 2 * BUDGET_S, now=trio.current_time())
        answer = await search(world, "piano under $80")

    assert [hit.card for hit in answer.hits] == [None, None]
    assert reasons(answer)["hydration"] == "budget"


async def test_lessons_whose_cards_were_not_read_in_time_are_shown_without_them(autojump_clock: MockClock) -> None:
    answer = await answered("piano under $80", stalled="retrieval.cards")

    assert [hit.card for hit in answer.hits] == [None, None]
    assert answer.budget.degraded
    assert reasons(answer)["hydration"] == "timeout"
