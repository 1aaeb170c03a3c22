"""What a sentence denies: turned around where that can be asked for, told where it can't."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.actors.search.understanding.clock import DAY
from greenroom.actors.search.understanding.spoken_times import TIMES_MAX
from greenroom.schema.search.understood import (
    AgeBounds,
    NoticeKind,
    PartKind,
    PriceBounds,
    Understood,
    Weekday,
    When,
)

LEXICON = load_lexicon()
KNOWN = {("brooklyn",), ("queens",), ("the", "bronx"), ("manhattan",), ("harlem",), ("soho",)}
TODAY = date(2026, 11, 23)
WORKDAYS = frozenset(list(Weekday)[:5])
BUT_MONDAY = frozenset(list(Weekday)[1:])
MONDAY, SATURDAY, SUNDAY = (frozenset({day}) for day in (Weekday.MONDAY, Weekday.SATURDAY, Weekday.SUNDAY))


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=TODAY)


def notices(understood: Understood) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.text) for notice in understood.notices]


@pytest.mark.parametrize(
    ("text", "place", "denied"),
    [
        ("piano not in brooklyn", None, ("brooklyn",)),
        ("piano, not brooklyn", None, ("brooklyn",)),
        ("guitar anywhere but brooklyn or queens", None, ("brooklyn", "queens")),
        ("piano not in brooklyn, queens or the bronx", None, ("brooklyn", "queens", "the bronx")),
        ("guitar in manhattan but not harlem", "manhattan", ("harlem",)),
        ("piano not in brooklyn, in queens", "queens", ("brooklyn",)),
        ("piano not in brooklyn but queens", "queens", ("brooklyn",)),
        ("piano outside of brooklyn", None, ("brooklyn",)),
        ("I can't get to queens, piano", None, ("queens",)),
        ("piano not in astoria", None, ("astoria",)),
        ("piano not taught in brooklyn", None, ("brooklyn",)),
        ("piano not anywhere in brooklyn", None, ("brooklyn",)),
        ("piano, don't want to go all the way to brooklyn", None, ("brooklyn",)),
        ("piano not in brooklyn unless online", None, ("brooklyn",)),
        ("piano just outside brooklyn", "brooklyn", ()),
        ("piano not far from brooklyn", "brooklyn", ()),
        ("piano not only in brooklyn", None, ()),
        ("piano, doesn't have to be in brooklyn", None, ()),
        ("I don't live in queens, piano", None, ()),
    ],
)
def test_places_that_are_denied_are_told_apart_from_those_that_are_asked_for(
    text: str, place: str | None, denied: tuple[str, ...]
) -> None:
    understood = read(text)

    assert (understood.place_text, understood.denied_places) == (place, denied)
    assert understood.service_text in ("piano", "guitar")
    assert sum(part.kind is PartKind.DENIED for part in understood.parts) == len(denied)
    assert understood.notices == ()


def test_a_denied_place_can_be_cut_out_of_the_sentence_with_its_not() -> None:
    understood = read("piano but not in brooklyn please")

    assert [part.text for part in understood.parts if part.kind is PartKind.DENIED] == ["but not in brooklyn"]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("spanish, not for kids", AgeBounds(18, None)),
        ("no children, yoga", AgeBounds(18, None)),
        ("yoga adults only", AgeBounds(18, None)),
        ("art not for toddlers", AgeBounds(4, None)),
        ("art, no under 5s", AgeBounds(5, None)),
        ("yoga not for adults", AgeBounds(0, 17)),
        ("yoga not for kids or seniors", AgeBounds(18, 59)),
        ("art for my 8 year old, not for toddlers", AgeBounds(8, 8)),
        ("art for ages 10 and up, not for adults", AgeBounds(10, 17)),
        ("art for ages 10 and up, not for kids", AgeBounds(13, None)),
        ("art not just for kids", None),
    ],
)
def test_an_audience_that_is_denied_leaves_the_others(text: str, age: AgeBounds | None) -> None:
    understood = read(text)

    assert understood.age == age
    assert understood.notices == ()


def test_denied_times_stay_out_however_many_are_left() -> None:
    days = ("monday", "tuesday", "wednesday", "thursday")

    understood = read("piano " + ", ".join(f"not on {day} afternoons" for day in days))

    assert 0 < len(understood.asked_times) <= TIMES_MAX
    for when in understood.asked_times:
        is_on_another_day = bool(when.weekdays) and when.weekdays.isdisjoint(list(Weekday)[:4])
        assert is_on_another_day or (when.to_minute or DAY) <= 720 or (when.from_minute or 0) >= 1_020


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("piano not in the mornings", [When(from_minute=720)]),
        ("piano no evenings", [When(to_minute=1_020)]),
        ("piano not in the afternoon", [When(to_minute=720), When(from_minute=1_020)]),
        ("piano no evenings or weekends", [When(WORKDAYS, to_minute=1_020)]),
        ("piano not on monday mornings", [When(BUT_MONDAY), When(MONDAY, from_minute=720)]),
        (
            "piano weekends but not sunday afternoon",
            [When(SATURDAY), When(SUNDAY, to_minute=720), When(SUNDAY, from_minute=1_020)],
        ),
        ("piano evenings except sunday", [When(frozenset(Weekday) - SUNDAY, from_minute=1_020, to_minute=1_320)]),
        ("piano not only on weekends", []),
        ("piano, doesn't have to be saturday", []),
    ],
)
def test_hours_and_days_that_are_denied_leave_the_others(text: str, times: list[When]) -> None:
    assert list(read(text).asked_times) == times


def test_a_price_that_is_denied_bounds_from_the_other_side() -> None:
    assert read("guitar, don't want to pay over $40").price == PriceBounds(None, 4_000, currency="USD")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("piano not tomorrow", "not tomorrow"),
        ("piano, not on december 25", "not on december 25"),
        ("yoga, not too early in the morning", "not too early in the morning"),
        ("piano not near me", "not near me"),
        ("piano without metronome", "without metronome"),
        ("art for my 8 year old, not for 8 year olds", "not for 8 year olds"),
    ],
)
def test_what_is_denied_and_cannot_be_searched_without_is_told(text: str, told: str) -> None:
    assert notices(read(text)) == [(NoticeKind.NOT_HEEDED, told)]


@pytest.mark.parametrize("text", ["piano, no rush", "guitar, no pressure", "never played piano", "I can't swim"])
def test_what_only_sounds_denied_is_not_worth_a_word(text: str) -> None:
    assert read(text).notices == ()


@pytest.mark.parametrize("text", ["hello", "please help me", "I am looking for something", "?!", "lessons"])
def test_a_sentence_that_says_nothing_of_what_is_looked_for_is_told_so(text: str) -> None:
    assert notices(read(text)) == [(NoticeKind.NOTHING_UNDERSTOOD, text)]


@pytest.mark.parametrize("text", ["lessons near me", "in soho", "not in soho", "under $50", "online", "for kids"])
def test_whatever_bounds_the_search_is_something(text: str) -> None:
    assert read(text).notices == ()


@pytest.mark.parametrize(
    ("text", "is_near_me"),
    [
        ("piano near me", True),
        ("piano nearby", True),
        ("piano close to my home", True),
        ("piano in the city", False),
        ("piano near soho", False),
        ("piano in person", False),
    ],
)
def test_near_me_is_told(text: str, is_near_me: bool) -> None:
    assert read(text).is_near_me is is_near_me
