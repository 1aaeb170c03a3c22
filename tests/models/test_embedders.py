"""What holds for every embedder that needs no network."""

from __future__ import annotations

import math

import pytest

from greenroom.models.local import LocalEmbedder
from greenroom.models.mock import MockEmbedder
from greenroom.models.ports import Embedder, ModelTimeout, Vector

LOCAL = LocalEmbedder()
PATIENCE_S = 60.0
"""The first text waits for the weights to be read."""


@pytest.fixture(params=["local", "mock"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return LOCAL if request.param == "local" else MockEmbedder()


def cosine(left: Vector, right: Vector) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_every_text_has_a_vector_of_unit_length_and_of_the_stated_size(embedder: Embedder) -> None:
    vectors = await embedder.embed(["piano lessons", "学ぶ", "😀", "!"], timeout_s=PATIENCE_S)

    assert [len(vector) for vector in vectors] == [embedder.dimensions] * 4
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1.0] * 4)


async def test_an_empty_text_has_the_zero_vector(embedder: Embedder) -> None:
    assert await embedder.embed(["", "  "], timeout_s=PATIENCE_S) == [(0.0,) * embedder.dimensions] * 2


async def test_a_text_has_the_same_vector_alone_and_among_many(embedder: Embedder) -> None:
    texts = [f"lesson number {n} of many" for n in range(40)]
    await embedder.embed(texts, timeout_s=PATIENCE_S)

    [alone] = await embedder.embed([texts[7]], timeout_s=PATIENCE_S)
    together = await embedder.embed(texts, timeout_s=PATIENCE_S)

    assert together[7] == pytest.approx(alone, abs=1e-6)


async def test_words_that_are_alike_are_closer_than_others(embedder: Embedder) -> None:
    piano, pianos, tax = await embedder.embed(
        ["piano lesson", "piano lessons", "income tax"], timeout_s=PATIENCE_S
    )

    assert cosine(piano, pianos) > cosine(piano, tax)


async def test_the_local_model_knows_meaning_and_not_only_letters() -> None:
    asked, keyboard, calculus = await LOCAL.embed(
        ["someone to teach my 8 year old keyboard", "piano lessons for children", "calculus tutoring"],
        timeout_s=PATIENCE_S,
    )

    assert cosine(asked, keyboard) > cosine(asked, calculus)


async def test_the_local_model_has_common_words_of_english_and_no_misspelt_ones() -> None:
    assert not LocalEmbedder().has_word("table"), "it is not loaded"
    await LOCAL.load()

    assert [word for word in ("table", "bread", "tabel", "breda", "lullabies") if LOCAL.has_word(word)] == [
        "table",
        "bread",
    ]


async def test_to_the_local_model_a_word_is_much_the_same_in_capitals_and_in_the_plural() -> None:
    asked, written, other = await LOCAL.embed(["sofa", "Sofas", "Tables"], timeout_s=PATIENCE_S)

    assert cosine(asked, written) > 0.6
    assert cosine(asked, written) > cosine(asked, other) + 0.3


@pytest.mark.parametrize("text", ["asdkjh", "qwrtpl zxcvbn", "Asdkjh 12"])
async def test_letters_at_random_have_no_meaning(text: str) -> None:
    assert await LOCAL.embed([text], timeout_s=PATIENCE_S) == [(0.0,) * LOCAL.dimensions]


@pytest.mark.parametrize("text", ["ukulele", "asdkjh piano", "oboe", "kayak", "mahjong", "dj", "11+", "Çrğçşğ"])
async def test_a_rare_word_or_one_of_others_or_of_another_language_has_a_meaning(text: str) -> None:
    [vector] = await LOCAL.embed([text], timeout_s=PATIENCE_S)

    assert math.hypot(*vector) == pytest.approx(1.0)


@pytest.mark.parametrize("texts", [["piano"] * 9, ["piano lessons " * 143] * 8, ["piano " * 334]])
async def test_a_large_request_is_computed_beside_the_event_loop_so_it_can_be_given_up(texts: list[str]) -> None:
    await LOCAL.load()

    with pytest.raises(ModelTimeout):
        await LOCAL.embed(texts, timeout_s=0)


async def test_a_small_request_is_computed_at_once() -> None:
    await LOCAL.load()

    assert len(await LOCAL.embed(["piano lessons for children"] * 8, timeout_s=0)) == 8


def test_a_size_that_the_local_model_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="64, 128, 256"):
        LocalEmbedder(100)
