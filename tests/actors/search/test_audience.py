"""Whom a lesson is for and nobody else: asked for where lessons tell it, told where they don't."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import AgeBounds, PartKind, Understood, Weekday

LEXICON = load_lexicon()
KNOWN = {("brooklyn",)}
ADULTS = AgeBounds(18, None)
UNDER_AGE = AgeBounds(0, 17)


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=date(2026, 11, 23))


def notices(text: str) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.text) for notice in read(text).notices]


@pytest.mark.parametrize(
    ("text", "said", "age", "only"),
    [
        ("adults only pottery", "adults only", ADULTS, ADULTS),
        ("pottery in brooklyn adults only", "adults only", ADULTS, ADULTS),
        ("18+ only pottery", "18+ only", ADULTS, ADULTS),
        ("pottery strictly for adults", "strictly for adults", ADULTS, ADULTS),
        ("adults-only pottery", "adults-only", ADULTS, ADULTS),
        ("pottery, no kids allowed", "no kids allowed", ADULTS, ADULTS),
        ("child-free pottery", "child-free", ADULTS, ADULTS),
        ("seniors only pottery", "seniors only", AgeBounds(60, None), AgeBounds(60, None)),
        ("kids only pottery", "kids only", AgeBounds(3, 12), UNDER_AGE),
        ("pottery only for kids", "only for kids", AgeBounds(3, 12), UNDER_AGE),
        ("pottery just for kids", "just for kids", AgeBounds(3, 12), UNDER_AGE),
        ("pottery exclusively for teens", "exclusively for teens", AgeBounds(13, 19), AgeBounds(13, 19)),
        ("pottery for ages 6-10 only", "for ages 6-10 only", AgeBounds(6, 10), AgeBounds(6, 10)),
        ("adults only or teens, pottery", "adults only teens", AgeBounds(13, None), AgeBounds(13, None)),
    ],
)
def test_who_is_said_to_be_alone_is_asked_for_alone(text: str, said: str, age: AgeBounds, only: AgeBounds) -> None:
    understood = read(text)

    assert (understood.age, understood.only_ages) == (age, only)
    assert understood.pieces(PartKind.AGE) == (said,)
    assert understood.service_text == "pottery"
    assert understood.notices == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("piano only for my 8 year old", "only for my 8 year old"),
        ("only for my kids, piano", "only for my kids"),
        ("8 year olds only piano", "8 year olds only"),
    ],
)
def test_that_others_may_come_too_is_told_of_who_is_one_learner(text: str, told: str) -> None:
    assert read(text).only_ages is None
    assert notices(text) == [("not_only", told)]


@pytest.mark.parametrize(
    "text",
    [
        "pottery, not only for kids",
        "pottery, not just for kids",
        "pottery, not adults only",
        "pottery for adults, only weekends",
        "pottery for kids only on saturday",
        "pottery just for my son",
        "women's self defense",
        "football for girls",
        "only weekends, boxing",
    ],
)
def test_a_word_for_somebody_alone_bars_nobody(text: str) -> None:
    assert read(text).only_ages is None
    assert notices(text) == []


def test_an_only_between_an_audience_and_a_day_is_of_the_day_where_it_may_be() -> None:
    either, of_kids = read("pottery for kids only on saturday"), read("kids only on saturday, pottery")

    assert (either.only_ages, either.when.weekdays) == (None, {Weekday.SATURDAY})
    assert (of_kids.only_ages, of_kids.when.weekdays) == (UNDER_AGE, {Weekday.SATURDAY})


@pytest.mark.parametrize(
    ("text", "told", "service"),
    [
        ("women only boxing", "women only", "boxing"),
        ("girls only football", "girls only", "football"),
        ("boxing just for women", "just for women", "boxing"),
        ("all female yoga", "all female", "yoga"),
        ("female piano teacher", "female", "piano"),
        ("a male tutor for maths", "a male tutor", "maths"),
    ],
)
def test_whom_no_lesson_says_it_is_for_is_told(text: str, told: str, service: str) -> None:
    assert notices(text) == [("not_heeded", told)]
    assert read(text).service_text == service


def test_kids_only_coding_is_the_kind_of_lesson_that_coding_for_kids_is() -> None:
    assert read("kids only coding").services == read("coding for kids").services
