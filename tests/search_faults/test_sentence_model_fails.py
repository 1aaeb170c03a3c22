"""A model that can't read a sentence leaves it to the rules, which say so; it is not asked the same again at once."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.search.diagnostics import StageName
from greenroom.schema.search.understood import ParseSource
from greenroom.storage.postgres import PostgresOptions
from tests.openai_server import Turn
from tests.search_faults.world import TOLERANCE_S, WAIT_S, a_world, reasons, titles

BUDGET_S = 0.5
READER = "gpt-5-nano"

FAULTS = {
    "hangs": Turn(hangs=True),
    "is limited": Turn(status=429),
    "closes the connection": Turn(drops=True),
    "sends half of its answer": Turn(cut=True, says={}),
    "is cut off": Turn(says='{"service": "pia', finish_reason="length"),
    "leaves something out": Turn(says={"service": "piano"}),
    "names what there is not": Turn(says={"service": "piano", "categories": ["alchemy"]}),
    "declines": Turn(refusal="I can't help with that."),
    "says nothing": Turn(says=None),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_sentence_that_no_model_reads_is_read_by_rules(
    slow_clock: MockClock, database: PostgresOptions, fault: str
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, openai_parsing_timeout_ms=200, openai_max_retries=0) as world:
            world.openai.choose = lambda asked: FAULTS[fault] if asked.body.get("model") == READER else Turn()
            calls = world.models.calls
            assert calls is not None
            await world.search("piano lessons under $80")
            await world.until(lambda: any(purpose == "parsing" for purpose, _ in calls.outcomes()))
            began = trio.current_time()
            again = await world.search("piano lessons under $80", limit=1)
            took_s = trio.current_time() - began
            asked = [each for each in world.openai.asked if each.body.get("model") == READER]
            await world.until_at_rest()

    assert took_s <= BUDGET_S + TOLERANCE_S
    assert titles(again) == ["Piano for children"]
    assert again.understood.source is ParseSource.RULES
    assert reasons(again, "model_parse") == ["failed"]
    assert again.budget.degraded
    assert len(asked) == 1


async def test_of_a_model_that_is_away_it_is_said_that_it_failed_also_for_a_sentence_that_it_was_not_asked_about(
    slow_clock: MockClock,
    database: PostgresOptions,
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, openai_parsing_timeout_ms=5_000, openai_max_retries=0) as world:
            world.openai.choose = lambda asked: Turn(drops=True) if asked.body.get("model") == READER else Turn()
            calls = world.models.calls
            assert calls is not None
            await world.search("piano lessons")
            await world.until(lambda: calls.outages.of("parsing") is not None)
            # So slow that there is no time to ask.
            world.core.search_room.history.add(StageName.MODEL_PARSE, 10.0, now=trio.current_time())
            answer = await world.search("violin lessons")
            await world.until_at_rest()

    assert reasons(answer, "model_parse") == ["failed"]
    [skip] = [skip for skip in answer.budget.skipped if skip.stage is StageName.MODEL_PARSE]
    assert skip.detail.startswith("ModelUnavailable: ")
