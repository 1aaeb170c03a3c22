"""What a sentence denies: turned around where that can be asked for, told where it can't."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.actors.search.understanding.clock import DAY
from greenroom.actors.search.understanding.spoken_times import TIMES_MAX
from greenroom.schema.search.understood import (
    AgeBounds,
    Level,
    NoticeKind,
    PartKind,
    PriceBounds,
    Understood,
    Weekday,
    When,
)

LEXICON = load_lexicon()
NAMES = "brooklyn, queens, bronx, the bronx, manhattan, harlem, soho, bushwick, dumbo, astoria, nyc, london, camden, park slope, gowanus"
KNOWN = {tuple(name.split()) for name in NAMES.split(", ")}
TODAY = date(2026, 11, 23)
WORKDAYS = frozenset(list(Weekday)[:5])
BUT_MONDAY = frozenset(list(Weekday)[1:])
MONDAY, TUESDAY, SATURDAY, SUNDAY = (frozenset({list(Weekday)[at]}) for at in (0, 1, 5, 6))
WEEKEND = SATURDAY | SUNDAY


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
        ("piano not that far from brooklyn", "brooklyn", ()),
        ("piano not too far away from brooklyn", "brooklyn", ()),
        ("piano far away from brooklyn", None, ("brooklyn",)),
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
    assert any(part.kind is PartKind.DENIED for part in understood.parts) == bool(denied)
    assert understood.notices == ()


@pytest.mark.parametrize(
    ("text", "place", "denied"),
    [
        ("piano in brooklyn except bushwick and dumbo", "brooklyn", ("bushwick", "dumbo")),
        ("guitar in nyc minus queens", "nyc", ("queens",)),
        ("piano in queens except astoria", "queens", ("astoria",)),
        ("piano in queens excluding astoria", "queens", ("astoria",)),
        ("piano queens excluding astoria", "queens", ("astoria",)),
        ("piano in queens apart from astoria", "queens", ("astoria",)),
        ("piano in nyc aside from harlem, soho and dumbo", "nyc", ("harlem", "soho", "dumbo")),
        ("piano in queens save for astoria", "queens", ("astoria",)),
        ("piano in brooklyn other than bushwick or dumbo", "brooklyn", ("bushwick", "dumbo")),
        ("piano in nyc except for queens", "nyc", ("queens",)),
        ("piano in nyc except in queens and in the bronx", "nyc", ("queens", "bronx")),
        ("guitar in nyc but the bronx", "nyc", ("the bronx",)),
        ("guitar anywhere in london but camden", "london", ("camden",)),
        ("guitar anywhere in london but in camden", "london", ("camden",)),
        ("guitar anywhere bar camden", None, ("camden",)),
        ("piano not in park slope, gowanus", None, ("park slope", "gowanus")),
        ("piano but not in brooklyn and in queens", "queens", ("brooklyn",)),
    ],
)
def test_every_word_that_takes_a_place_out_of_another_does_so(
    text: str, place: str | None, denied: tuple[str, ...]
) -> None:
    understood = read(text)

    assert (understood.place_text, understood.denied_places) == (place, denied)
    assert understood.service_text in ("piano", "guitar")
    assert understood.notices == ()


@pytest.mark.parametrize(
    ("text", "place", "denied"),
    [
        ("piano not in brooklyn or zanzibar", None, ("brooklyn", "zanzibar")),
        ("not in brooklyn or zanzibar piano lessons", None, ("brooklyn", "zanzibar")),
        ("guitar in nyc except queens and zanzibar", "nyc", ("queens", "zanzibar")),
        ("guitar anywhere except brooklyn, zanzibar and queens", None, ("brooklyn", "zanzibar", "queens")),
        ("piano not in brooklyn, quens or harlem", None, ("brooklyn", "quens", "harlem")),
        ("piano not in brooklyn or in zanzibar", None, ("brooklyn", "zanzibar")),
        ("piano not in brooklyn and relaxed guitar", None, ("brooklyn",)),
        ("piano not in brooklyn, zanzibar", None, ("brooklyn",)),
    ],
)
def test_a_place_that_nobody_knows_is_denied_with_those_it_is_listed_with(
    text: str, place: str | None, denied: tuple[str, ...]
) -> None:
    understood = read(text)

    assert (understood.place_text, understood.denied_places) == (place, denied)
    assert ("zanzibar" in understood.service_text) == ("zanzibar" in text and "zanzibar" not in denied)


@pytest.mark.parametrize(
    ("text", "place", "is_near", "denied"),
    [
        ("piano but brooklyn is too far", None, False, ("brooklyn",)),
        ("brooklyn is too far, piano please", None, False, ("brooklyn",)),
        ("piano, queens is way too far away for me", None, False, ("queens",)),
        ("piano in queens, manhattan is too expensive", "queens", False, ("manhattan",)),
        ("piano in brooklyn is too expensive, queens please", "queens", False, ("brooklyn",)),
        ("piano in brooklyn, bushwick is too far", "brooklyn", False, ("bushwick",)),
        ("piano brooklyn doesn't work for me", None, False, ("brooklyn",)),
        ("piano queens isn't an option", None, False, ("queens",)),
        ("piano queens is out of the question", None, False, ("queens",)),
        ("piano brooklyn or queens is too far", None, False, ("brooklyn", "queens")),
        ("piano in manhattan, brooklyn and queens are too far", "manhattan", False, ("brooklyn", "queens")),
        ("piano in queens and brooklyn is too far", "queens", False, ("brooklyn",)),
        ("piano, I hate going to manhattan", None, False, ("manhattan",)),
        ("piano, unable to travel to queens", None, False, ("queens",)),
        ("piano nowhere near astoria", None, False, ("astoria",)),
        ("piano, I'd rather not go to queens", None, False, ("queens",)),
        ("piano not too far from astoria", "astoria", True, ()),
        ("piano too far from astoria is no good", "astoria", False, ()),
        ("piano in brooklyn, guitar is too hard", "brooklyn", False, ()),
    ],
)
def test_a_place_that_is_complained_of_is_denied(
    text: str, place: str | None, is_near: bool, denied: tuple[str, ...]
) -> None:
    understood = read(text)

    assert (understood.place_text, understood.is_near, understood.denied_places) == (place, is_near, denied)
    assert understood.notices == ()


def test_a_complaint_of_a_subject_denies_no_lesson() -> None:
    assert read("I hate math").denied == ()


def test_what_an_or_joins_to_a_denied_place_is_denied_too() -> None:
    assert read("piano not in brooklyn or online").online is False
    assert read("piano not in brooklyn or queens or on sundays").when == When(weekdays=frozenset(Weekday) - SUNDAY)
    assert read("piano outside of brooklyn or online").online is True


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        ("no pressure piano lessons", "piano", None),
        ("not too early piano", "piano", None),
        ("not too late guitar", "guitar", None),
        ("not too far yoga", "yoga", None),
        ("not too fast salsa", "salsa", None),
        ("no nonsense math tutor", "math", None),
        ("no fuss violin", "violin", None),
        ("no strings guitar", "guitar", None),
        ("no strings attached guitar", "guitar", None),
        ("why not salsa in soho", "salsa", None),
        ("not only piano", "piano", None),
        ("nothing but piano", "piano", None),
        ("no vegetarians cooking", "cooking", "no vegetarians"),
        ("no early piano", "piano", "no early"),
        ("non religious yoga", "yoga", "non religious"),
        ("piano without reading music", "piano", "without reading music"),
        ("guitar, no rock music", "guitar", "no rock music"),
    ],
)
def test_a_word_before_a_lesson_is_denied_and_not_the_lesson(text: str, asked: str, told: str | None) -> None:
    understood = read(text)

    assert (understood.service_text, understood.denied) == (asked, ())
    assert notices(understood) == ([] if told is None else [(NoticeKind.NOT_HEEDED, told)])


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("no more piano", ("piano",)),
        ("not the piano", ("piano",)),
        ("I don't want any piano lessons", ("piano",)),
        ("not interested in learning piano", ("piano",)),
        ("don't need piano, need guitar", ("piano",)),
        ("math, no calculus", ("calculus",)),
        ("no homework math", ("homework-help",)),
        ("math, anything but calculus and statistics", ("calculus", "statistics")),
    ],
)
def test_a_lesson_right_behind_the_denial_is_denied(text: str, denied: tuple[str, ...]) -> None:
    assert read(text).denied == denied


@pytest.mark.parametrize("text", ["anything but boring", "nothing with paino", "yoga, no dansing"])
def test_nothing_is_denied_for_looking_like_the_name_of_a_lesson(text: str) -> None:
    understood = read(text)

    assert understood.denied == ()
    assert [notice.kind for notice in understood.notices] == [NoticeKind.NOT_HEEDED]


def test_places_that_are_denied_together_are_one_piece() -> None:
    understood = read("piano in nyc except brooklyn, queens and in the bronx, not in harlem")

    assert [part.text for part in understood.parts if part.kind is PartKind.DENIED] == [
        "except brooklyn, queens and in the bronx",
        "not in harlem",
    ]


def test_a_denied_place_can_be_cut_out_of_the_sentence_with_its_not() -> None:
    understood = read("piano but not in brooklyn please")

    assert [part.text for part in understood.parts if part.kind is PartKind.DENIED] == ["but not in brooklyn"]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("spanish, not for kids", AgeBounds(18, None)),
        ("no children, yoga", AgeBounds(18, None)),
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


@pytest.mark.parametrize("text", ["art no teens", "art not for 9 year olds", "art for all but tweens"])
def test_an_age_amid_others_is_not_denied_with_all_that_are_younger(text: str) -> None:
    understood = read(text)

    assert understood.age is None
    assert [notice.kind for notice in understood.notices] == [NoticeKind.NOT_HEEDED]


def test_kids_and_beginners_are_denied_together() -> None:
    understood = read("no kids and beginners yoga")

    assert (understood.age, Level.BEGINNER in understood.levels) == (AgeBounds(18, None), False)


def test_kids_and_teens_are_denied_together() -> None:
    assert read("art, no teens and no kids").age == AgeBounds(20, None)


@pytest.mark.parametrize("text", ["piano not weekends not weekdays", "piano on mondays but not on mondays"])
def test_a_denial_that_leaves_no_time_at_all_is_told(text: str) -> None:
    assert [notice.kind for notice in read(text).notices] == [NoticeKind.NOT_HEEDED]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (
            "spanish but not on monday or tuesday, not in the evening",
            [When(BUT_MONDAY - TUESDAY, to_minute=1_020)],
        ),
        ("violin not on sunday, not in the evening", [When(frozenset(Weekday) - SUNDAY, to_minute=1_020)]),
        ("violin not on sunday and evenings", [When(frozenset(Weekday) - SUNDAY, to_minute=1_020)]),
        ("piano not in the morning on weekends", [When(WORKDAYS), When(WEEKEND, from_minute=720)]),
        ("piano no mornings on weekends", [When(WORKDAYS), When(WEEKEND, from_minute=720)]),
        ("piano not in the morning, on weekends", [When(WEEKEND, from_minute=720)]),
        ("piano not in the mornings", [When(from_minute=720)]),
        ("piano no evenings", [When(to_minute=1_020)]),
        ("piano not in the afternoon", [When(to_minute=720), When(from_minute=1_020)]),
        ("no classes on monday, piano", [When(BUT_MONDAY)]),
        ("piano, no lessons in the evening", [When(to_minute=1_020)]),
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
        ("piano not over the easter holidays", "over the easter holidays"),
        ("yoga, not too early in the morning", "not too early in the morning"),
        ("piano not near me", "not near me"),
        ("piano without metronome", "without metronome"),
        ("art for my 8 year old, not for 8 year olds", "not for 8 year olds"),
        ("dance, no zumba", "no zumba"),
        ("dance classes but no zumba", "no zumba"),
        ("hindi not urdu", "not urdu"),
    ],
)
def test_what_is_denied_and_cannot_be_searched_without_is_told(text: str, told: str) -> None:
    assert notices(read(text)) == [(NoticeKind.NOT_HEEDED, told)]


@pytest.mark.parametrize(
    "text", ["piano, no rush", "guitar, no pressure", "never played piano", "I can't swim", "piano, not keyboard"]
)
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


def test_a_price_alone_that_is_denied_is_told_and_a_bound_is_turned_around() -> None:
    alone, bound = read("piano not $50"), read("piano not over $50")

    assert (alone.price, notices(alone)) == (None, [("not_heeded", "not $50")])
    assert bound.price == PriceBounds(None, 5_000, currency="USD")


def test_that_there_is_no_limit_is_said_out_of_politeness() -> None:
    assert read("piano no budget limit").notices == ()


@pytest.mark.parametrize(
    "text",
    [
        "piano, online not required",
        "piano online is not necessary",
        "piano, in person isn't a must",
        "piano for beginners not strictly needed",
        "piano on sundays not essential, thanks",
    ],
)
def test_what_is_said_behind_it_to_be_needless_asks_for_nothing(text: str) -> None:
    understood = read(text)

    assert (understood.online, understood.levels, understood.asked_times) == (None, frozenset(), ())
    assert understood.service_text == "piano"
    assert understood.notices == ()
