"""What holds for every embedder that needs no network."""

from __future__ import annotations

import math

import pytest

from greenroom.models.local import LocalEmbedder
from greenroom.models.mock import MockEmbedder
from greenroom.models.ports import Embedder, Vector

LOCAL = LocalEmbedder()


@pytest.fixture(params=["local", "mock"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return LOCAL if request.param == "local" else MockEmbedder()


def cosine(left: Vector, right: Vector) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_every_text_has_a_vector_of_unit_length_and_of_the_stated_size(embedder: Embedder) -> None:
    vectors = await embedder.embed(["piano lessons", "学ぶ", "😀", "!"], timeout_s=1)

    assert [len(vector) for vector in vectors] == [embedder.dimensions] * 4
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0] * 4)


async def test_an_empty_text_has_the_zero_vector(embedder: Embedder) -> None:
    assert await embedder.embed(["", "  "], timeout_s=1) == [(0.0,) * embedder.dimensions] * 2


async def test_a_text_has_the_same_vector_alone_and_among_many(embedder: Embedder) -> None:
    texts = [f"lesson number {n} of many" for n in range(40)]
    await embedder.embed(texts, timeout_s=5)

    [alone] = await embedder.embed([texts[7]], timeout_s=1)
    together = await embedder.embed(texts, timeout_s=5)

    assert together[7] == pytest.approx(alone, abs=1e-6)


async def test_words_that_are_alike_are_closer_than_others(embedder: Embedder) -> None:
    piano, pianos, tax = await embedder.embed(["piano lesson", "piano lessons", "income tax"], timeout_s=1)

    assert cosine(piano, pianos) > cosine(piano, tax)


async def test_the_local_model_knows_meaning_and_not_only_letters() -> None:
    asked, keyboard, calculus = await LOCAL.embed(
        ["someone to teach my 8 year old keyboard", "piano lessons for children", "calculus tutoring"], timeout_s=1
    )

    assert cosine(asked, keyboard) > cosine(asked, calculus)


def test_a_size_that_the_local_model_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="64, 128, 256"):
        LocalEmbedder(100)
