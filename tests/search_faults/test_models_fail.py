"""Whatever a model server does, a search answers within its budget, says what is missing, and holds no connection."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.search.recent_durations import SAMPLES_MIN
from greenroom.schema.search.diagnostics import StageName
from greenroom.storage.postgres import PostgresOptions
from tests.openai_server import Turn
from tests.search_faults.world import TOLERANCE_S, WAIT_S, a_world, reasons, titles

BUDGET_S = 0.5
SOON_S = 2.0
"""Until what needs a connection for a moment has had it."""

FAULTS = {
    "hangs": Turn(hangs=True),
    "answers after the budget": Turn(after_s=1.5),
    "closes the connection": Turn(drops=True),
    "is limited": Turn(status=429),
    "is limited and names a pause": Turn(status=429, headers={"retry-after": "3"}),
    "fails": Turn(status=500),
    "does not accept the key": Turn(status=401),
    "sends half of its answer": Turn(cut=True),
    "sends no JSON": Turn(body=b"<html>Bad gateway</html>"),
    "sends other JSON": Turn(body=b'{"data": null}'),
    "sends vectors of another size": Turn(dimensions=8),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_search_is_answered_in_time_whatever_the_model_server_does(
    slow_clock: MockClock, database: PostgresOptions, fault: str
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, turn=FAULTS[fault]) as world:
            began = trio.current_time()
            answer = await world.search("piano lessons in park slope under $80")
            took_s = trio.current_time() - began
            await world.until_at_rest()

    assert took_s <= BUDGET_S + TOLERANCE_S
    assert titles(answer) == ["Piano for children"]
    assert answer.budget.degraded
    assert "fallback" in reasons(answer, "embedding")
    assert answer.hits[0].ranked.candidate.vector_score is not None


@pytest.mark.parametrize("model", ["gpt-5-nano", "text-embedding-3-small", "gpt-4o-mini"])
async def test_no_connection_is_held_while_a_model_is_asked(
    slow_clock: MockClock, database: PostgresOptions, model: str
) -> None:
    # One connection for everything: whoever held it would keep everybody else from it, too.
    with trio.fail_after(WAIT_S):
        async with (
            a_world(database, pool_size=1, search_budget_ms=5_000, openai_parsing_timeout_ms=5_000) as world,
            trio.open_nursery() as nursery,
        ):
            hanging, other = Turn(hangs=True), Turn(status=400)
            world.openai.choose = lambda asked: hanging if asked.body.get("model") == model else other
            # A model that reads quickly is waited for, like the others.
            for _ in range(SAMPLES_MIN):
                world.core.search_room.history.add(StageName.MODEL_PARSE, 0.1, now=trio.current_time())
            nursery.start_soon(world.search, "piano lessons in parc slobe")
            await world.until(lambda: any(asked.body.get("model") == model for asked in world.openai.asked))
            with trio.move_on_after(SOON_S) as waiting:
                await world.until_at_rest()
            asking, searching = world.openai.in_flight, world.core.search_room.admission.statistics().in_flight
            nursery.cancel_scope.cancel()

    assert not waiting.cancelled_caught, "a connection is held while the model is asked"
    assert (asking, searching) == (1, 1)


async def test_a_search_whose_asker_leaves_ends_its_calls_and_gives_its_connections_back(
    database: PostgresOptions,
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, turn=Turn(hangs=True), search_budget_ms=5_000) as world:
            for _ in range(8):
                with trio.move_on_after(0.1):
                    await world.search("piano lessons in park slope")
            await world.until_at_rest()
            now = world.pool.statistics()
            again = await world.search("violin", limit=1)

    assert now.waiting == 0
    assert now.open <= now.size
    assert titles(again) == ["Violin"]


async def test_a_pause_that_does_not_fit_is_not_begun_and_a_short_one_is(
    slow_clock: MockClock, database: PostgresOptions
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database) as world:
            world.openai.choose = _limited_at_first(world.openai.asked)
            answer = await world.search("piano lessons")
            asked = [each for each in world.openai.asked if each.path.endswith("/embeddings")]

    assert len(asked) == 2
    assert reasons(answer, "embedding") == []


def _limited_at_first(asked: list) -> object:  # type: ignore[type-arg]
    def choose(_: object) -> Turn:
        embeddings = [each for each in asked if each.path.endswith("/embeddings")]
        return Turn(status=429, headers={"retry-after-ms": "20"}) if len(embeddings) == 1 else Turn()

    return choose
