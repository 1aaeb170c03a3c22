"""What is said of a lesson and no lesson tells: it is no word of the lesson, and it is told."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import Understood

LEXICON = load_lexicon()
KNOWN = {("brooklyn",), ("queens",), ("nyc",), ("wicker", "park"), ("hyde", "park")}


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=date(2026, 11, 24))


def notices(text: str) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.text) for notice in read(text).notices]


@pytest.mark.parametrize(
    ("text", "lesson", "told"),
    [
        ("cheap swimming", "swimming", "cheap"),
        ("not too expensive swimming", "swimming", "not too expensive"),
        ("affordable piano", "piano", "affordable"),
        ("reasonably priced drums", "drums", "reasonably priced"),
        ("budget guitar lessons", "guitar", "budget"),
        ("cooking on a tight budget", "cooking", "on a tight budget"),
        ("piano in queens but cheap", "piano", "cheap"),
        ("piano in brooklyn, not too expensive", "piano", "not too expensive"),
        ("salsa for couples", "salsa", "for couples"),
        ("salsa for my wife and I", "salsa", "for my wife and I"),
        ("my wife and I want tango", "tango", "my wife and I"),
        ("tango for me and my boyfriend", "tango", "for me and my boyfriend"),
        ("french for me and 3 friends", "french", "for me and 3 friends"),
        ("yoga with my friend", "yoga", "with my friend"),
        ("piano as a gift for my dad", "piano", "as a gift"),
        ("birthday present pottery", "pottery", "birthday present"),
        ("guitar lesson for my girlfriend's birthday", "guitar", "for my girlfriend's birthday"),
        ("surprise cooking class", "cooking", "surprise"),
        ("piano at home not at teacher's place", "piano", "not at teacher's place"),
        ("piano in wicker park and guitar in hyde park", "piano guitar", "in hyde park"),
        ("guitar in nyc but queens only", "guitar", "queens"),
    ],
)
def test_what_no_lesson_tells_is_told_and_not_looked_for(text: str, lesson: str, told: str) -> None:
    assert (read(text).service_text, notices(text)) == (lesson, [("not_heeded", told)])


@pytest.mark.parametrize("text", ["cheap piano under $50", "affordable piano, max 40", "budget $40 piano"])
def test_a_price_says_how_cheap_it_should_be(text: str) -> None:
    understood = read(text)

    assert understood.price is not None
    assert understood.notices == ()


@pytest.mark.parametrize(
    "text",
    [
        "budgeting",
        "present tense spanish",
        "gift wrapping",
        "cake decorating for birthday cakes",
        "a couple of piano lessons",
    ],
)
def test_names_of_lessons_with_such_words_stay_whole(text: str) -> None:
    understood = read(text)

    assert understood.service_text
    assert understood.notices == ()


def test_the_same_place_named_twice_is_not_told() -> None:
    assert notices("piano in brooklyn, I live in brooklyn") == []


def test_whose_place_is_denied_asks_for_no_lesson_online() -> None:
    assert read("piano not at my place").online is None
    assert read("piano at home, not at the teacher's house").online is False
    assert read("piano not in person").online is True


@pytest.mark.parametrize(
    "text",
    [
        "how do I cancel my lesson",
        "how can I get a refund",
        "where can I change my password",
        "I want to reschedule my class",
    ],
)
def test_a_question_about_what_is_booked_looks_for_no_lesson(text: str) -> None:
    assert (read(text).service_text, notices(text)) == ("", [("nothing_understood", text)])


@pytest.mark.parametrize("text", ["how do I learn to sign", "can I learn guitar", "how to sing"])
def test_a_question_about_learning_is_a_search(text: str) -> None:
    assert read(text).service_text
