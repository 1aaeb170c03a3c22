"""Words without capitals and plurals."""

from __future__ import annotations

import pytest

from greenroom.models.plain_spelling import plain_spelling


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Accent Chairs", "accent chair"),
        ("HOBBIES", "hobby"),
        ("cities & boxes", "city & boxe"),
        ("Shoes, canoes, bees", "shoe, canoe, bee"),
    ],
)
def test_capitals_and_the_endings_of_plurals_go(written: str, plain: str) -> None:
    assert plain_spelling(written) == plain


@pytest.mark.parametrize(
    "word", ["bus", "chorus", "class", "tennis", "physics", "gas", "his", "piano", "学ぶ", "11+"]
)
def test_what_is_no_plural_stays_as_it_is(word: str) -> None:
    assert plain_spelling(word) == word
