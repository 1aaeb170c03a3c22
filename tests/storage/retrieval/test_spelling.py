"""Which word of lessons a misspelt one is taken for."""

from __future__ import annotations

import pytest

from greenroom.schema.search.candidates import Spelling
from greenroom.storage.retrieval.spelling import meant_word

LESSONS = [
    Spelling(word, documents=1) for word in ("glaze", "pasta", "suzuki", "calligraphy", "watercolour", "jazz")
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("suzki", "suzuki"),
        ("suzzuki", "suzuki"),
        ("suzuku", "suzuki"),
        ("szuuki", "suzuki"),
        ("jazzz", "jazz"),
        ("caligrahy", "calligraphy"),
        ("watercolor", "watercolour"),
    ],
)
def test_a_letter_that_is_missing_doubled_wrong_or_swapped_is_forgiven_and_two_in_a_long_word(
    written: str, meant: str
) -> None:
    assert meant_word(written, LESSONS) == meant


@pytest.mark.parametrize("written", ["szuka", "zuzuki", "sukuzi", "plaster", "kalligraphy", "watrcolr", "suzuki"])
def test_a_word_that_is_further_off_or_begins_otherwise_or_is_right_is_taken_for_none(written: str) -> None:
    assert meant_word(written, LESSONS) is None


def test_of_words_as_near_the_one_that_more_lessons_have_is_meant() -> None:
    assert meant_word("violn", [Spelling("viola", 2), Spelling("violin", 40), Spelling("violen", 1)]) == "violin"


def test_what_is_nearer_is_meant_however_few_have_it() -> None:
    assert meant_word("paintign", [Spelling("pointing", 90), Spelling("painting", 1)]) == "painting"


def test_of_words_that_as_many_have_it_is_always_the_same() -> None:
    assert meant_word("rost", [Spelling("rust", 1), Spelling("roast", 1)]) == "roast"
