"""Each variable about models does what it says: seen by the model server, or by whoever waits."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.search.understood import ParseSource
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.postgres import PostgresOptions
from tests.openai_server import Asked, Turn
from tests.search_faults.world import WAIT_S, World, a_world, reasons, titles
from tests.storage.market_builders import a_teacher

MISSPELT = "piano lessons in parc slobe"
LATE = Turn(after_s=2.0)
UNDERSTOOD = {
    "service": "piano",
    "categories": [],
    "place": None,
    "near": False,
    "price": None,
    "age": None,
    "levels": [],
    "when": None,
    "mode": None,
}


def asked_of(world: World, model: str) -> list[Asked]:
    return [asked for asked in world.openai.asked if asked.body.get("model") == model]


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("openai_parsing_model", "/v1/chat/completions"),
        ("openai_location_model", "/v1/chat/completions"),
        ("openai_embedding_model", "/v1/embeddings"),
    ],
)
async def test_the_model_that_is_named_is_the_one_that_is_asked(
    slow_clock: MockClock, database: PostgresOptions, setting: str, path: str
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, search_budget_ms=5_000, **{setting: "a-model-of-ours"}) as world:
            await world.search(MISSPELT)
            await world.until(lambda: bool(asked_of(world, "a-model-of-ours")))
            paths = {asked.path for asked in asked_of(world, "a-model-of-ours")}

    assert paths == {path}


async def test_vectors_of_the_set_size_are_asked_for(slow_clock: MockClock, database: PostgresOptions) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database) as world:
            await world.search("piano lessons")
            [asked] = asked_of(world, "text-embedding-3-small")

    assert asked.body["dimensions"] == 256


@pytest.mark.parametrize("provider", ["local", "mock"])
async def test_another_provider_embeds_without_a_call_although_there_is_a_key(
    slow_clock: MockClock, database: PostgresOptions, provider: str
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, embedding_provider=provider) as world:
            answer = await world.search("piano lessons under $80")
            asked = [each for each in world.openai.asked if each.path.endswith("/embeddings")]

    assert not asked
    assert titles(answer) == ["Piano for children"]


@pytest.mark.parametrize(
    ("setting", "stage"),
    [
        ({"openai_embedding_timeout_ms": 100}, "embedding"),
        ({"nl_search_embedding_soft_timeout_ms": 100}, "embedding"),
        ({"openai_location_timeout_ms": 100}, "tier5"),
        # What none of the others ends: the client's own.
        ({"openai_timeout_s": 0.1}, "embedding"),
    ],
)
async def test_a_call_is_waited_for_no_longer_than_its_timeout(
    slow_clock: MockClock, database: PostgresOptions, setting: dict[str, float], stage: str
) -> None:
    slow = "text-embedding-3-small" if stage == "embedding" else "gpt-4o-mini"
    with trio.fail_after(WAIT_S):
        async with a_world(database, search_budget_ms=5_000, **setting) as world:
            world.openai.choose = lambda asked: LATE if asked.body.get("model") == slow else Turn(status=400)
            began = trio.current_time()
            answer = await world.search(MISSPELT)
            took_s = trio.current_time() - began

    assert took_s < LATE.after_s / 2
    assert "timeout" in reasons(answer, stage)


@pytest.mark.parametrize(("timeout_ms", "outcome"), [(100, "ModelTimeout"), (1_000, "ok")])
async def test_a_sentence_is_read_for_the_next_time_if_that_takes_no_longer_than_its_timeout(
    slow_clock: MockClock, database: PostgresOptions, timeout_ms: int, outcome: str
) -> None:
    read = Turn(after_s=0.3, says=UNDERSTOOD)
    with trio.fail_after(WAIT_S):
        async with a_world(database, openai_parsing_timeout_ms=timeout_ms) as world:
            world.openai.choose = lambda asked: read if asked.body.get("model") == "gpt-5-nano" else Turn()
            calls = world.models.calls
            assert calls is not None
            await world.search("something with keys")
            await world.until(lambda: any(purpose == "parsing" for purpose, _ in calls.outcomes()))
            outcomes = [each for purpose, each in calls.outcomes() if purpose == "parsing"]
            again = await world.search("something with keys")

    assert outcomes == [outcome]
    assert (again.understood.source is ParseSource.MODEL) is (outcome == "ok")


@pytest.mark.parametrize("retries", [0, 1])
async def test_a_call_is_repeated_as_often_as_is_set(
    slow_clock: MockClock, database: PostgresOptions, retries: int
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(
            database, turn=Turn(status=500), search_budget_ms=5_000, openai_max_retries=retries
        ) as world:
            await world.search("piano lessons")
            asked = asked_of(world, "text-embedding-3-small")

    assert len(asked) == retries + 1


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_no_more_calls_are_on_the_wire_than_are_set(
    slow_clock: MockClock, database: PostgresOptions, concurrency: int
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(
            database, turn=Turn(after_s=0.05), openai_call_concurrency=concurrency, search_budget_ms=5_000
        ) as world:
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(world.search, f"piano lessons {number}")
            in_flight_max = world.openai.in_flight_max

    assert in_flight_max == concurrency


@pytest.mark.parametrize(("score", "let_in"), [(0.05, []), (1.0, ["Zitherists together"])])
async def test_meaning_alone_lets_in_where_words_find_nothing_that_fits_so_well(
    slow_clock: MockClock, database: PostgresOptions, score: float, let_in: list[str]
) -> None:
    teachers = [a_teacher(1, "Zither"), a_teacher(2, "Zitherists together"), a_teacher(3, "Chess")]
    with trio.fail_after(WAIT_S):
        async with a_world(
            database, teachers=teachers, nl_search_text_require_text_match_score_threshold=score
        ) as world:
            answer = await world.search("zither tunings")

    assert titles(answer) == ["Zither", *let_in]


def test_an_empty_key_is_none() -> None:
    settings = SearchSettings(_env_file=None, openai_api_key="")  # type: ignore[call-arg,arg-type]

    assert not settings.has_model
    assert settings.provider == "local"
