"""Everyday short names of places, and the words that they also are: "tai chi", "les paul", "si"."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import Understood

LEXICON = load_lexicon()
KNOWN = {(name,) for name in ["nyc", "chi", "chitown", "ldn", "bk", "bx", "si", "lic", "uws", "ues", "les"]} | {
    ("chi", "town")
}


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=date(2026, 11, 23))


@pytest.mark.parametrize("name", ["nyc", "chitown", "chi town", "ldn", "bk", "bx", "lic", "uws", "ues", "les"])
@pytest.mark.parametrize("sentence", ["piano {}", "piano in {}", "{} piano lessons", "{} piano under $50"])
def test_a_short_name_is_a_place_wherever_it_stands(name: str, sentence: str) -> None:
    understood = read(sentence.format(name))

    assert (understood.service_text, understood.place_text) == ("piano", name)


@pytest.mark.parametrize(
    ("text", "lesson", "place"),
    [
        ("tai chi", "tai chi", None),
        ("tai chi in chi", "tai chi", "chi"),
        ("tai chi lessons chi", "tai chi", "chi"),
        ("guitar lessons chi under $50", "guitar", "chi"),
        ("piano chi", "piano", "chi"),
        ("chi gung", "chi gung", None),
        ("chi running", "chi running", None),
        ("yoga chi", "yoga chi", None),
        ("piano les saturday", "piano", "les"),
        ("math tutor les please", "math", "les"),
        ("apprendre les maths", "apprendre les maths", None),
        ("piano pour les enfants", "piano pour les enfants", None),
        ("les paul guitar", "les paul guitar", None),
        ("les mills bodypump", "les mills bodypump", None),
        ("piano in si", "piano", "si"),
        ("si hablas español", "si hablas español", None),
    ],
)
def test_a_short_name_eats_no_word_of_a_lesson(text: str, lesson: str, place: str | None) -> None:
    understood = read(text)

    assert (understood.service_text, understood.place_text) == (lesson, place)


def test_chi_gung_is_a_kind_of_lesson() -> None:
    assert read("chi gung").services == read("qi gong").services == read("qigong").services
    assert read("chi gung").services
