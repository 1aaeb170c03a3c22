"""Neighbouring words as one."""

from __future__ import annotations

from greenroom.storage.retrieval.joined_words import JOINED_MAX, joined_words


def test_each_two_neighbours_are_joined() -> None:
    assert joined_words("wood working class") == "woodworking workingclass"
    assert joined_words("Pre-algebra") == "Prealgebra"


def test_words_with_something_between_them_or_of_two_letters_are_not() -> None:
    assert joined_words("base, ball") == joined_words("on line") == joined_words("grade 4 maths") == ""
    assert joined_words("skating in ice") == ""


def test_of_a_long_sentence_only_the_first_are() -> None:
    assert len(joined_words("one two " * 40).split()) == JOINED_MAX
