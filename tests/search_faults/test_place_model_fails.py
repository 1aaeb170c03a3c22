"""Tier 5 is one call more, which may fail in more ways; the search is answered without it, and no place is made up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.search.places import PlaceOutcome
from greenroom.storage.postgres import PostgresOptions
from tests.openai_server import Asked, Turn
from tests.search_faults.world import TOLERANCE_S, WAIT_S, a_world, reasons, titles

SENTENCE = "piano lessons in parc slobe under $80"
PLACE_MODEL = "gpt-4o-mini"

FAULTS = {
    "hangs": (Turn(hangs=True), "timeout"),
    "is limited": (Turn(status=429), "busy"),
    "fails": (Turn(status=500), "failed"),
    "sends half of its answer": (Turn(cut=True, says={"number": 1, "confidence": 1.0}), "failed"),
    "chooses what was not offered": (Turn(says={"number": 99, "confidence": 1.0}), "failed"),
    "names a place of its own": (Turn(says={"region": "nyc/brooklyn/park-slope", "confidence": 1.0}), "failed"),
    "says something else": (Turn(says="Park Slope, surely."), "failed"),
    "is cut off": (Turn(says='{"number": 1, "conf', finish_reason="length"), "failed"),
    "declines": (Turn(refusal="I can't help with that."), "failed"),
    "says nothing": (Turn(says=None), "failed"),
}


def at_the_place(turn: Turn) -> Callable[[Asked], Turn]:
    """That answer where a place is asked for, and a refusal at once of everything else."""
    return lambda asked: turn if asked.body.get("model") == PLACE_MODEL else Turn(status=400)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_place_that_the_model_does_not_tell_is_unknown_and_the_rest_is_answered(
    slow_clock: MockClock, database: PostgresOptions, fault: str
) -> None:
    turn, reason = FAULTS[fault]
    with trio.fail_after(WAIT_S):
        async with a_world(database, search_budget_ms=1_000) as world:
            world.openai.choose = at_the_place(turn)
            began = trio.current_time()
            answer = await world.search(SENTENCE)
            took_s = trio.current_time() - began
            await world.until_at_rest()

    assert took_s <= 1.0 + TOLERANCE_S
    assert answer.place.outcome is PlaceOutcome.UNKNOWN
    assert reasons(answer, "tier5") == [reason]
    assert answer.budget.degraded
    assert titles(answer) == ["Piano for children"]


async def test_a_choice_among_what_was_offered_is_taken(slow_clock: MockClock, database: PostgresOptions) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, search_budget_ms=5_000) as world:
            world.openai.choose = at_the_place(Turn(says={"number": 1, "confidence": 0.9}))
            answer = await world.search(SENTENCE)
            [asked] = [each for each in world.openai.asked if each.body.get("model") == PLACE_MODEL]

    assert answer.place.outcome is PlaceOutcome.RESOLVED
    assert answer.place.regions[0].name in str(asked.body)


async def test_a_choice_that_the_model_is_not_sure_of_is_not_taken(
    slow_clock: MockClock, database: PostgresOptions
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, search_budget_ms=5_000, location_llm_confidence_threshold=0.8) as world:
            world.openai.choose = at_the_place(Turn(says={"number": 1, "confidence": 0.79}))
            answer = await world.search(SENTENCE)

    assert answer.place.outcome is not PlaceOutcome.RESOLVED
