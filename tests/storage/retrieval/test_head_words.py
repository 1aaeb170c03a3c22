"""Which word of a title names the thing."""

from __future__ import annotations

import pytest

from greenroom.storage.retrieval.head_words import head_words


@pytest.mark.parametrize(
    ("title", "heads"),
    [
        ("Jazz piano", "piano"),
        ("Coffee table with drawers", "table"),
        ("Singing & jazz piano for children", "Singing piano"),
        ("Saxophone: from first squeak to solo", "Saxophone"),
        ("Guitar lessons", "Guitar"),
        ("Drivers' ed", "ed"),
        ("Lessons", ""),
        ("For beginners", ""),
        ("", ""),
        ("2 + 2", ""),
    ],
)
def test_the_last_word_before_a_preposition_names_the_thing(title: str, heads: str) -> None:
    assert head_words(title) == heads
