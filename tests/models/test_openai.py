"""The real client against a real server on loopback that has bad days."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

import pytest
import trio

from greenroom.models.openai.calls import OpenAICalls, open_openai
from greenroom.models.openai.embedder import OpenAIEmbedder
from greenroom.models.openai.place import OpenAIPlaceModel
from greenroom.models.openai.sentence import OpenAISentenceModel
from greenroom.models.ports import (
    ModelAnswerInvalid,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
)
from greenroom.schema.search.places import PlaceCandidate, Point, Region, RegionId, RegionKind, Tier
from greenroom.schema.search.understood import (
    AgeBounds,
    ParseSource,
    PriceBounds,
    ServiceGuess,
    Understood,
    Weekday,
)
from tests.openai_server import OpenAIServer, Turn, open_openai_server

PARSED: Final = {
    "service": "Piano",
    "categories": ["piano", "keyboard"],
    "place": "Park Slope",
    "near": True,
    "price": {"min": None, "max": 80, "per": "lesson", "currency": "USD"},
    "age": {"min": 8, "max": 8},
    "levels": ["beginner"],
    "when": {"weekdays": ["sat"], "relative": None, "from_minute": 360, "to_minute": 720},
    "mode": None,
}
KNOWN: Final = Understood(text="piano for my 8 year old", service_text="piano")


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with open_openai_server() as server:
        yield server


@asynccontextmanager
async def calling(server: OpenAIServer, *, retries: int = 2, concurrency: int = 3) -> AsyncIterator[OpenAICalls]:
    with trio.fail_after(30):
        async with open_openai(
            api_key="sk-test",
            base_url=server.base_url,
            timeout_s=2,
            concurrency=concurrency,
            retries=lambda: retries,
            rng=Random(7),
        ) as calls:
            yield calls


def an_embedder(calls: OpenAICalls, dimensions: int = 1536) -> OpenAIEmbedder:
    return OpenAIEmbedder(calls, model="text-embedding-3-small", dimensions=dimensions)


def a_place(slug: str) -> PlaceCandidate:
    city = RegionId("nyc")
    region = Region(
        RegionId(f"nyc/{slug}"), city, city, RegionKind.NEIGHBOURHOOD, slug.title(), Point(40.7, -74), "UTC"
    )
    return PlaceCandidate(region, Tier.FUZZY, 0.5, slug)


async def test_texts_are_embedded_in_their_order_and_empty_ones_not_at_all(server: OpenAIServer) -> None:
    async with calling(server) as calls:
        piano, nothing, tax = await an_embedder(calls).embed(["piano", "  ", "tax"], timeout_s=5)

    assert (len(piano), any(nothing), piano != tax) == (1536, False, True)
    assert server.asked[0].body["input"] == ["piano", "tax"]
    assert "dimensions" not in server.asked[0].body
    assert server.asked[0].authorization == "Bearer sk-test"


async def test_another_size_than_the_models_own_is_asked_for(server: OpenAIServer) -> None:
    async with calling(server) as calls:
        [vector] = await an_embedder(calls, 256).embed(["piano"], timeout_s=5)

    assert (len(vector), server.asked[0].body["dimensions"]) == (256, 256)


@pytest.mark.parametrize("embedding", [[0.6, 0.8], "mpkZP83MTD8="])
async def test_vectors_are_read_as_numbers_and_as_bytes(server: OpenAIServer, embedding: object) -> None:
    server.script(Turn(body=json.dumps({"data": [{"index": 0, "embedding": embedding}]}).encode()))
    async with calling(server) as calls:
        [vector] = await an_embedder(calls, 2).embed(["piano"], timeout_s=5)

    assert server.asked[0].body["encoding_format"] == "base64"
    assert vector == pytest.approx((0.6, 0.8))


@pytest.mark.parametrize(
    ("turn", "expected", "attempts"),
    [
        (Turn(status=500), ModelUnavailable, 3),
        (Turn(status=429), ModelBusy, 3),
        (Turn(status=401), ModelUnavailable, 1),
        (Turn(status=400), ModelUnavailable, 1),
        (Turn(drops=True), ModelUnavailable, 3),
        (Turn(cut=True), ModelUnavailable, 3),
        (Turn(dimensions=12), ModelAnswerInvalid, 1),
        (Turn(body=b"<html>"), ModelAnswerInvalid, 1),
        (Turn(body=b"{}"), ModelAnswerInvalid, 1),
        (Turn(body=b'{"data": [{"index": 0, "embedding": [null]}]}'), ModelAnswerInvalid, 1),
        (Turn(body=b'{"data": [{"index": 0, "embedding": "AAA"}]}'), ModelAnswerInvalid, 1),
        (Turn(body=b'{"data": [{"index": 0, "embedding": "AACAfw=="}]}'), ModelAnswerInvalid, 1),
        (Turn(body=b"[]"), ModelAnswerInvalid, 1),
    ],
)
async def test_an_answer_that_is_no_use_fails_by_its_name_and_is_repeated_only_where_that_may_help(
    server: OpenAIServer, turn: Turn, expected: type[ModelError], attempts: int
) -> None:
    server.script(turn)
    async with calling(server) as calls:
        with pytest.raises(expected):
            await an_embedder(calls).embed(["piano"], timeout_s=5)

        assert calls.outcomes() == {("embedding", expected.__name__): 1}
    assert len(server.asked) == attempts


async def test_a_failure_that_passes_is_not_noticed(server: OpenAIServer) -> None:
    server.script(Turn(status=500), Turn(drops=True), Turn())
    async with calling(server) as calls:
        assert len(await an_embedder(calls).embed(["piano"], timeout_s=5)) == 1


async def test_a_server_that_hangs_costs_the_time_given_and_no_more(server: OpenAIServer) -> None:
    server.script(Turn(hangs=True))
    async with calling(server) as calls:
        with pytest.raises(ModelTimeout):  # long before the test is given up
            await an_embedder(calls).embed(["piano"], timeout_s=0.2)


async def test_a_pause_that_would_outlast_the_time_is_not_begun(server: OpenAIServer) -> None:
    server.script(Turn(status=429, headers={"retry-after": "30"}))
    async with calling(server) as calls:
        began = trio.current_time()
        with pytest.raises(ModelBusy):
            await an_embedder(calls).embed(["piano"], timeout_s=10)

        assert trio.current_time() - began < 10
    assert len(server.asked) == 1


async def test_no_more_calls_than_allowed_are_on_the_wire_at_once(server: OpenAIServer) -> None:
    server.script(Turn(after_s=0.05))
    async with calling(server, concurrency=2) as calls, trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(lambda n=number: an_embedder(calls).embed([f"text {n}"], timeout_s=5))

    assert (len(server.asked), server.in_flight_max) == (6, 2)


async def test_who_gets_no_slot_in_time_is_told_that_it_is_busy(server: OpenAIServer) -> None:
    server.script(Turn(hangs=True))
    async with calling(server, concurrency=1) as calls, trio.open_nursery() as nursery:

        async def hold() -> None:
            with pytest.raises(ModelTimeout):
                await an_embedder(calls).embed(["held"], timeout_s=0.5)

        nursery.start_soon(hold)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ModelBusy, match="slot"):
            await an_embedder(calls).embed(["piano"], timeout_s=0.05)


async def test_a_sentence_is_understood_by_what_the_model_says(server: OpenAIServer) -> None:
    server.script(Turn(says=PARSED))
    async with calling(server) as calls:
        model = OpenAISentenceModel(calls, model=lambda: "gpt-5-nano")
        parsed = await model.parse("a sentence", known=KNOWN, categories=["piano", "keyboard"], timeout_s=5)

    understood = parsed.understood
    assert understood.source is ParseSource.MODEL
    assert (understood.service_text, understood.place_text, understood.is_near) == ("piano", "park slope", True)
    assert [guess.category for guess in understood.services] == ["piano", "keyboard"]
    assert sum(guess.weight for guess in understood.services) == pytest.approx(1)
    assert understood.price == PriceBounds(None, 8_000, currency="USD")
    assert understood.age == AgeBounds(8, 8)
    assert understood.when.weekdays == {Weekday.SATURDAY}
    assert "a sentence" in parsed.prompt.request
    asked = server.asked[0].body
    assert (asked["model"], asked["reasoning_effort"]) == ("gpt-5-nano", "minimal")
    assert asked["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (Turn(says=PARSED, finish_reason="length"), ModelAnswerInvalid),
        (Turn(says=None), ModelAnswerInvalid),
        (Turn(says='{"service": "pia'), ModelAnswerInvalid),
        (Turn(says={**PARSED, "categories": ["astrology"]}), ModelAnswerInvalid),
        (Turn(says={**PARSED, "price": {**PARSED["price"], "min": 90}}), ModelAnswerInvalid),
        (Turn(says={**PARSED, "age": {"min": 400, "max": None}}), ModelAnswerInvalid),
        (Turn(says={**PARSED, "extra": 1}), ModelAnswerInvalid),
        (Turn(says=None, refusal="I can't help with that."), ModelRefused),
        (Turn(says="", finish_reason="content_filter"), ModelRefused),
        (Turn(body=b'{"choices": []}'), ModelAnswerInvalid),
    ],
)
async def test_what_a_chat_model_says_is_taken_only_if_it_is_whole_and_makes_sense(
    server: OpenAIServer, turn: Turn, expected: type[ModelError]
) -> None:
    server.script(turn)
    async with calling(server, retries=0) as calls:
        model = OpenAISentenceModel(calls, model=lambda: "gpt-5-nano")
        with pytest.raises(expected) as caught:
            await model.parse("a sentence", known=KNOWN, categories=["piano", "keyboard"], timeout_s=5)

    assert caught.value.prompt is not None
    assert caught.value.prompt.error is not None


async def test_a_model_without_any_kind_of_lessons_says_none(server: OpenAIServer) -> None:
    server.script(Turn(says={**PARSED, "categories": []}))
    async with calling(server) as calls:
        model = OpenAISentenceModel(calls, model=lambda: "gpt-5-nano")
        parsed = await model.parse("a sentence", known=KNOWN, categories=["piano"], timeout_s=5)

    assert parsed.understood.services == tuple[ServiceGuess, ...]()


async def test_a_place_is_chosen_among_those_offered(server: OpenAIServer) -> None:
    server.script(Turn(says={"number": 2, "confidence": 0.9}))
    async with calling(server) as calls:
        model = OpenAIPlaceModel(calls, model=lambda: "gpt-4o-mini")
        chosen = await model.choose(
            "the hights", sentence="yoga in the hights", candidates=[a_place("a"), a_place("b")], timeout_s=5
        )

    assert (chosen.region_id, chosen.confidence) == ("nyc/b", 0.9)
    assert "reasoning_effort" not in server.asked[0].body


async def test_none_of_the_places_is_an_answer_too(server: OpenAIServer) -> None:
    server.script(Turn(says={"number": 0, "confidence": 0.8}))
    async with calling(server) as calls:
        model = OpenAIPlaceModel(calls, model=lambda: "gpt-4o-mini")
        chosen = await model.choose("mars", sentence="yoga on mars", candidates=[a_place("a")], timeout_s=5)

    assert chosen.region_id is None


@pytest.mark.parametrize("number", [-1, 2, 99])
async def test_a_place_that_was_not_offered_is_never_taken(server: OpenAIServer, number: int) -> None:
    server.script(Turn(says={"number": number, "confidence": 1.0}))
    async with calling(server) as calls:
        model = OpenAIPlaceModel(calls, model=lambda: "gpt-4o-mini")
        with pytest.raises(ModelAnswerInvalid):
            await model.choose("mars", sentence="yoga on mars", candidates=[a_place("a")], timeout_s=5)
