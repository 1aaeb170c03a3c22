from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import (
    AgeBounds,
    Level,
    PartKind,
    PriceBounds,
    PriceUnit,
    RelativeDay,
    Understood,
    Weekday,
    When,
)

LEXICON = load_lexicon()
KNOWN = {
    ("park", "slope"), ("brooklyn",), ("new", "york"), ("chinatown",), ("french", "quarter"), ("soho",), ("manhattan",),
    ("reading",), ("les",), ("queens",), ("village",), ("5th", "avenue"), ("loop",),
}  # fmt: skip
TODAY = date(2026, 11, 23)
"""A Monday."""

WORKDAYS = frozenset(list(Weekday)[:5])
WEEKEND = frozenset(list(Weekday)[5:])


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, is_place=KNOWN.__contains__, today=TODAY)


def dollars(
    low: int | None, high: int | None, unit: PriceUnit = PriceUnit.LESSON, currency: str | None = "USD"
) -> PriceBounds:
    return PriceBounds(None if low is None else low * 100, None if high is None else high * 100, unit, currency)


def test_a_whole_sentence_falls_into_its_parts() -> None:
    understood = read("Piano lessons for my 8 year old near Park Slope under $80 on Saturday morning")

    assert understood == Understood(
        text="piano lessons for my 8 year old near park slope under $80 on saturday morning",
        service_text="piano",
        services=understood.services,
        place_text="park slope",
        is_near=True,
        price=dollars(None, 80),
        age=AgeBounds(8, 8),
        when=When(weekdays=frozenset({Weekday.SATURDAY}), from_minute=360, to_minute=720),
        parts=understood.parts,
    )
    assert [(part.kind, part.text) for part in understood.parts if part.kind is not PartKind.FILLER] == [
        (PartKind.SERVICE, "Piano"),
        (PartKind.AGE, "for my 8 year old"),
        (PartKind.PLACE, "near Park Slope"),
        (PartKind.PRICE, "under $80"),
        (PartKind.WHEN, "on Saturday"),
        (PartKind.WHEN, "morning"),
    ]


HOURLY = PriceUnit.HOUR


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("piano under $80", dollars(None, 80)),
        ("piano less than 80 dollars", dollars(None, 80)),
        ("piano max 80", dollars(None, 80, currency=None)),
        ("piano no more than eighty bucks", dollars(None, 80)),
        ("piano $80 or less", dollars(None, 80)),
        ("piano $50-80", dollars(50, 80)),
        ("piano between 50 and 80", dollars(50, 80, currency=None)),
        ("piano from $40 to $60 per lesson", dollars(40, 60)),
        ("piano at least $40", dollars(40, None)),
        ("piano 80/hr", dollars(None, 80, HOURLY, None)),
        ("piano £30 an hour", dollars(None, 30, HOURLY, "GBP")),
        ("piano up to 45€ per hour", dollars(None, 45, HOURLY, "EUR")),
        ("hourly rate under 80", dollars(None, 80, HOURLY, None)),
        ("piano around $60", dollars(48, 72)),
        ("package for $1,000", dollars(None, 1000)),
        ("course under 1.5k usd", dollars(None, 1500)),
        ("piano over $20 under $80", dollars(20, 80)),
        ("piano a hundred and ten dollars tops", dollars(None, 110)),
        ("cheap piano lessons", None),
        ("piano under 40 minutes", None),
        ("class for 2 hours", None),
        ("10 piano lessons", None),
        ("within 5 miles", None),
    ],
)
def test_prices(text: str, price: PriceBounds | None) -> None:
    assert read(text).price == price


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("piano for my 8 year old", 8, 8),
        ("chess 8yo", 8, 8),
        ("an eight-year-old beginner", 8, 8),
        ("art ages 6-10", 6, 10),
        ("art for kids ages 6 to 10", 6, 10),
        ("swim for a 7 and a 9 year old", 7, 9),
        ("physics year 9", 13, 14),
        ("maths years 5-6", 9, 11),
        ("ks3 science", 11, 14),
        ("basketball 12u", 0, 12),
        ("ipad for my mom (65)", 65, 65),
        ("maths grade 5", 10, 11),
        ("children aged 4, 6 and 9", 4, 9),
        ("music for toddlers", 1, 3),
        ("drawing for kids", 3, 12),
        ("guitar for my teenager", 13, 19),
        ("ballet for adults", 18, None),
        ("yoga for seniors", 60, None),
        ("reading for a kindergartner", 5, 6),
        ("math for a 5th grader", 10, 11),
        ("math third grade", 8, 9),
        ("high school chemistry", 14, 18),
        ("music class 18 months old", 1, 1),
        ("singing, in my 40s", 40, 49),
        ("soccer for under 5s", 0, 4),
        ("pottery for over 60s", 60, None),
        ("kids and adults", 3, None),
        ("dance 10 and under", 0, 10),
    ],
)
def test_ages(text: str, low: int, high: int | None) -> None:
    age = read(text).age

    assert age is not None
    assert (age.min_years, age.max_years) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "grade 5 piano exam",
        "teacher with 8 years experience",
        "30 minutes",
        "violin for all ages",
        "children's book illustration",
    ],
)
def test_what_only_looks_like_an_age_is_none(text: str) -> None:
    assert read(text).age is None


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("guitar for absolute beginners", {Level.BEGINNER}),
        ("never played piano", {Level.BEGINNER}),
        ("guitar from scratch", {Level.BEGINNER}),
        ("french refresher", {Level.INTERMEDIATE}),
        ("intermediate or advanced chess", {Level.INTERMEDIATE, Level.ADVANCED}),
        ("beginner to advanced yoga", set(Level)),
        ("spanish b2", {Level.INTERMEDIATE}),
        ("expert teacher for piano", set()),
        ("yoga all levels", set()),
    ],
)
def test_levels(text: str, levels: set[Level]) -> None:
    assert read(text).levels == levels


def on(
    *days: Weekday, low: int | None = None, high: int | None = None, relative: RelativeDay | None = None
) -> When:
    return When(weekdays=frozenset(days), relative=relative, from_minute=low, to_minute=high)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("piano sat morning", on(Weekday.SATURDAY, low=360, high=720)),
        ("piano on weekday evenings", on(*WORKDAYS, low=1020, high=1320)),
        ("piano weekends", on(*WEEKEND)),
        ("piano mon-fri after 5pm", on(*WORKDAYS, low=1020)),
        ("piano Tues/Thurs", on(Weekday.TUESDAY, Weekday.THURSDAY)),
        ("piano before noon", on(high=720)),
        ("piano between 3 and 5", on(low=900, high=1020)),
        ("piano at 10", on(low=600, high=720)),
        ("piano 10-12am", on(low=600, high=720)),
        ("piano saturday 10-2", on(Weekday.SATURDAY, low=600, high=840)),
        ("piano 9am to 5pm", on(low=540, high=1020)),
        ("piano after school", on(low=900, high=1080)),
        ("piano at lunchtime", on(low=690, high=840)),
        ("piano tonight", on(low=1020, relative=RelativeDay.TODAY)),
        ("piano tomorrow afternoon", on(low=720, high=1020, relative=RelativeDay.TOMORROW)),
        ("piano this weekend", on(relative=RelativeDay.THIS_WEEKEND)),
        ("piano next tuesday", on(Weekday.TUESDAY, relative=RelativeDay.NEXT_WEEK)),
        ("piano this saturday", on(Weekday.SATURDAY, relative=RelativeDay.THIS_WEEK)),
        ("piano in the mornings", on(low=360, high=720)),
        ("piano mornings after 10", on(low=600, high=720)),
        ("piano mornings or evenings", on(low=360, high=1320)),
        ("piano at 7 in the morning", on(low=420, high=540)),
        ("piano saturday morning at 7", on(Weekday.SATURDAY, low=420, high=540)),
        ("piano saturday morning or sunday evening", on(*WEEKEND, low=360, high=1320)),
        ("piano saturday morning sunday evening", on(*WEEKEND, low=360, high=1320)),
        ("piano weekends except sunday", on(Weekday.SATURDAY)),
        ("piano quarter past five on friday", on(Weekday.FRIDAY, low=1035, high=1155)),
        ("piano 3.12.2026", When(on=date(2026, 12, 3))),
        ("piano one on one", When()),
        ("piano 24/7", When()),
        ("piano out in the sun", When()),
        ("piano dec 3", When(on=date(2026, 12, 3))),
        ("piano 3rd of december", When(on=date(2026, 12, 3))),
        ("piano 12/03", When(on=date(2026, 12, 3))),
        ("piano 2026-12-03", When(on=date(2026, 12, 3))),
        ("piano on the 5th", When(on=date(2026, 12, 5))),
        ("piano jan 10", When(on=date(2027, 1, 10))),
        ("piano any day", When()),
        ("3/4 violin", When()),
        ("SAT tutor", When()),
        ("the best piano teacher", When()),
    ],
)
def test_days_and_times(text: str, when: When) -> None:
    assert read(text).when == when


def at_weekends(low: int | None = None, high: int | None = None) -> When:
    return on(*WEEKEND, low=low, high=high)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (
            "piano saturday morning or sunday evening",
            [on(Weekday.SATURDAY, low=360, high=720), on(Weekday.SUNDAY, low=1020, high=1320)],
        ),
        ("piano sat am sun pm", [on(Weekday.SATURDAY, low=360, high=720), on(Weekday.SUNDAY, low=720)]),
        ("piano saturday or sunday morning", [at_weekends(360, 720)]),
        ("piano sunday afternoon or saturday afternoon", [at_weekends(720, 1020)]),
        ("piano weekday evenings or weekends", [on(*WORKDAYS, low=1020, high=1320), at_weekends()]),
        ("piano evenings and weekends", [on(low=1020, high=1320), at_weekends()]),
        ("piano mornings or evenings on weekends", [at_weekends(360, 720), at_weekends(1020, 1320)]),
        ("piano mornings, evenings or weekends", [on(low=360, high=720), on(low=1020, high=1320), at_weekends()]),
        (
            "piano today or tomorrow evening",
            [on(low=1020, high=1320, relative=day) for day in (RelativeDay.TODAY, RelativeDay.TOMORROW)],
        ),
        ("piano monday for kids and adults at 5", [on(Weekday.MONDAY, low=1020, high=1140)]),
        ("piano at 10 or 2", [on(low=600, high=720), on(low=840, high=960)]),
        ("piano dec 3 or 5", [When(on=date(2026, 12, 3)), When(on=date(2026, 12, 5))]),
        ("piano between dec 3 and dec 5", [When(on=date(2026, 12, 3), until=date(2026, 12, 5))]),
        ("piano", []),
    ],
)
def test_several_times_are_kept_apart(text: str, times: list[When]) -> None:
    assert list(read(text).asked_times) == times


def test_a_date_without_a_year_asks_for_nothing_where_today_is_not_known() -> None:
    assert understand("piano dec 3", lexicon=LEXICON).when == When()
    assert understand("piano 2026-12-03", lexicon=LEXICON).when == When(on=date(2026, 12, 3))


@pytest.mark.parametrize(
    ("text", "online"),
    [
        ("piano online", True),
        ("piano over zoom", True),
        ("virtual piano lessons", True),
        ("in-person piano", False),
        ("piano at my place", False),
        ("teacher who comes to my house", False),
        ("piano online or in person", None),
        ("online marketing course", None),
        ("virtual reality design", None),
        ("piano, not online", False),
        ("piano but not online", False),
        ("doesn't have to be online", None),
    ],
)
def test_online_and_in_person(text: str, online: bool | None) -> None:
    assert read(text).online is online


@pytest.mark.parametrize(
    ("text", "place", "is_near"),
    [
        ("piano in park slope", "park slope", False),
        ("piano lessons park slope", "park slope", False),
        ("brooklyn guitar teacher", "brooklyn", False),
        ("piano close to gramercy park for kids", "gramercy park", True),
        ("yoga in the village", "village", False),
        ("piano near parc slop under $50", "parc slop", True),
        ("near park slope piano lessons", "park slope", True),
        ("piano in astoria on sunday", "astoria", False),
        ("in soho, manhattan", "soho, manhattan", False),
        ("piano in soho or park slope", "soho or park slope", False),
        ("piano in soho, chinatown", "soho, chinatown", False),
        ("piano in chinatown or south brooklyn", "chinatown or south brooklyn", False),
        ("piano brooklyn / queens on monday", "brooklyn or queens", False),
        ("piano near astoria and in bay ridge", "astoria or bay ridge", True),
        ("chinese lessons in chinatown", "chinatown", False),
        ("jazz in the french quarter", "french quarter", False),
        ("art les", "les", False),
        ("tutor in 11215", "11215", False),
        ("piano near 5th avenue", "5th avenue", True),
        ("piano 20 minutes from park slope", "park slope", True),
        ("new york style pizza making", None, False),
        ("piano in the morning", None, False),
        ("singing in my 40s", None, False),
        ("lessons in french", None, False),
        ("tutor in reading", None, False),
        ("piano at home", None, False),
        ("piano near me", None, False),
        ("play by ear", None, False),
        ("piano by the hour", None, False),
    ],
)
def test_places(text: str, place: str | None, is_near: bool) -> None:
    understood = read(text)

    assert (understood.place_text, understood.is_near) == (place, is_near)


@pytest.mark.parametrize(
    ("text", "service_text", "first"),
    [
        ("I'm looking for someone to teach me piano please", "piano", "piano"),
        ("can anyone recommend a math tutor", "math", "math"),
        ("tutor", "tutor", "homework-help"),
        ("dog training", "dog training", "dog-training"),
        ("learn to swim", "learn to swim", "swimming"),
        ("voilin lesons", "voilin", "violin"),
        ("voilin teecher", "voilin", "violin"),
        ("voilin instrutor or tacher", "voilin", "violin"),
        ("pianolessons", "pianolessons", "piano"),
        ("C++ for kids", "c++", "c-programming"),
        ("piano, not jazz", "piano", "piano"),
        ("GUITAR LESSONS!!!", "guitar", "guitar"),
    ],
)
def test_words_for_the_lesson(text: str, service_text: str, first: str) -> None:
    understood = read(text)

    assert understood.service_text == service_text
    assert understood.services[0].category == first


def test_the_language_a_teacher_speaks_is_not_the_lesson() -> None:
    assert [guess.category for guess in read("piano teacher who speaks spanish").services] == ["piano"]
    assert [guess.category for guess in read("spanish speaking lessons").services] == ["spanish"]


def test_words_for_whom_belong_to_a_lesson_that_is_named_so() -> None:
    understood = read("coding for kids")

    assert [guess.category for guess in understood.services] == ["coding-for-kids"]
    assert understood.age == AgeBounds(3, 12)


def test_a_place_does_not_swallow_the_sign_of_the_price_after_it() -> None:
    understood = read("piano park slope $80")

    assert (understood.place_text, understood.price) == ("park slope", dollars(None, 80))


def test_several_lessons_share_the_weight() -> None:
    assert [(guess.category, guess.weight) for guess in read("math and science tutor").services] == [
        ("math", 0.5),
        ("science", 0.5),
    ]
    assert {guess.category: guess.weight for guess in read("keyboard").services} == {"keyboard": 0.5, "piano": 0.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("piano, not for kids", Understood(text="", service_text="piano", age=AgeBounds(18, None))),
        ("piano except sundays", Understood(text="", service_text="piano", when=on(*list(Weekday)[:6]))),
        ("piano not on saturday or sunday", Understood(text="", service_text="piano", when=on(*WORKDAYS))),
        ("piano not in brooklyn", Understood(text="", service_text="piano")),
    ],
)
def test_what_is_denied_is_never_asked_for(text: str, expected: Understood) -> None:
    understood = read(text)

    def asked(found: Understood) -> tuple[object, ...]:
        return found.service_text, found.place_text, found.age, found.levels, found.when, found.online

    assert asked(understood) == asked(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "🎹🎹",
        "\x00\x07",
        "?!...,;",
        "\U0001d561iano",
        "\u202epiano",
        "\uff30iano\u3000\uff04\uff18\uff10",
        "ﬁddle",
        "a" * 300,
        "8 " * 150,
    ],
)
def test_odd_input_is_understood_somehow(text: str) -> None:
    understood = read(text)

    assert all(text[part.start : part.end] == part.text for part in understood.parts)


@pytest.mark.parametrize(
    ("text", "place"),
    [("loop", "loop"), ("Loop under $50", "loop"), ("loop pedal", None), ("french quarter", "french quarter")],
)
def test_a_name_that_is_mostly_something_else_is_a_place_where_nothing_else_is_said(
    text: str, place: str | None
) -> None:
    understood = read(text)

    assert understood.place_text == place
    assert understood.names_lesson is (place is None)


@pytest.mark.parametrize(
    ("text", "denied", "service_text"),
    [
        ("no piano", {"piano"}, ""),
        ("anything but piano in brooklyn", {"piano"}, ""),
        ("everything except yoga", {"yoga"}, ""),
        ("no piano or violin please", {"piano", "violin", "fiddle"}, ""),
        ("I don't want yoga", {"yoga"}, ""),
        ("guitar, not bass", {"bass-guitar", "double-bass"}, "guitar"),
        ("keyboard, not piano", {"piano"}, "keyboard"),
        ("piano, not keyboard", {"keyboard"}, "piano"),
        ("I can't swim", set(), "swim"),
        ("nothing but piano", set(), "piano"),
        ("guitar, no pressure", set(), "guitar"),
    ],
)
def test_a_kind_that_is_denied_is_not_asked_for(text: str, denied: set[str], service_text: str) -> None:
    understood = read(text)

    assert (set(understood.denied), understood.service_text) == (denied, service_text)
    assert denied.isdisjoint(guess.category for guess in understood.services)
    assert any(part.kind is PartKind.DENIED for part in understood.parts) is bool(denied)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("piano but no beginners", {Level.INTERMEDIATE, Level.ADVANCED}),
        ("no beginners chess", {Level.INTERMEDIATE, Level.ADVANCED}),
        ("chess, not advanced", {Level.BEGINNER, Level.INTERMEDIATE}),
        ("chess not for beginners or intermediate", {Level.ADVANCED}),
    ],
)
def test_a_level_that_is_denied_leaves_the_others(text: str, levels: set[Level]) -> None:
    assert read(text).levels == levels


@pytest.mark.parametrize(
    ("text", "are_together"),
    [
        ("cello for my daughters, 7 and 10", True),
        ("cello for ages 7 and 10", True),
        ("cello for my 7 year old son and my 10 year old daughter", True),
        ("cello for ages 7 to 10", False),
        ("cello for kids between 7 and 10", False),
        ("cello for a 7 or 10 year old", False),
    ],
)
def test_ages_that_are_told_one_by_one_are_of_learners_who_are_all_meant(text: str, are_together: bool) -> None:
    assert read(text).age == AgeBounds(7, 10, are_together)


@pytest.mark.parametrize(
    ("text", "service_text"),
    [
        ("two piano lessons", "piano"),
        ("algebra 2", "algebra 2"),
        ("first aid", "first aid"),
        ("ideally piano for my gran", "piano"),
        ("clases de piano en brooklyn", "piano"),
        ("piano yesterday", "piano"),
    ],
)
def test_words_that_only_count_or_go_around_are_no_lesson(text: str, service_text: str) -> None:
    assert read(text).service_text == service_text
