"""Weeks, feasts, lists and spans of days as people say them: which days they come to, seen from Tuesday, 24 November 2026."""

from __future__ import annotations

from datetime import date

import pytest

from greenroom.actors.search.understanding import load_lexicon, understand
from greenroom.schema.search.understood import RelativeDay, Understood, Weekday, When

LEXICON = load_lexicon()
TODAY = date(2026, 11, 24)
WEEK = tuple(Weekday)


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, today=TODAY)


def span(first: str, last: str | None = None) -> When:
    return When(on=date.fromisoformat(first), until=None if last is None else date.fromisoformat(last))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("the first week of december", span("2026-12-01", "2026-12-07")),
        ("the 2nd week of december", span("2026-12-08", "2026-12-14")),
        ("first two weeks of december", span("2026-12-01", "2026-12-14")),
        ("last week of november", span("2026-11-24", "2026-11-30")),
        ("last weekend of november", span("2026-11-28", "2026-11-29")),
        ("first half of january", span("2027-01-01", "2027-01-15")),
        ("second half of december", span("2026-12-16", "2026-12-31")),
        ("the week of the 18th", span("2026-12-14", "2026-12-20")),
        ("weekend of the 5th", span("2026-12-05", "2026-12-06")),
        ("the week before christmas", span("2026-12-18", "2026-12-24")),
        ("weekend after christmas", span("2026-12-26", "2026-12-27")),
        ("week after new years", span("2027-01-02", "2027-01-08")),
        ("the week after next", span("2026-12-07", "2026-12-13")),
        ("the weekend after next", span("2026-12-12", "2026-12-13")),
        ("rest of the week", span("2026-11-24", "2026-11-29")),
        ("early next week", When(frozenset(WEEK[:3]), RelativeDay.NEXT_WEEK)),
        ("late next week", When(frozenset(WEEK[3:]), RelativeDay.NEXT_WEEK)),
        ("midweek", When(frozenset(WEEK[1:4]))),
    ],
)
def test_a_week_is_told_by_where_it_lies(text: str, days: When) -> None:
    understood = read(f"piano {text}")

    assert (understood.asked_times, understood.service_text, understood.notices) == ((days,), "piano", ())


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("christmas eve", span("2026-12-24")),
        ("new year's eve", span("2026-12-31")),
        ("on thanksgiving", span("2026-11-26")),
        ("black friday", span("2026-11-27")),
        ("over christmas", span("2026-12-24", "2026-12-26")),
        ("over new year", span("2026-12-31", "2027-01-01")),
        ("before christmas", span("2026-11-24", "2026-12-24")),
        ("after christmas", span("2026-12-26", "2027-01-22")),
        ("between now and christmas", span("2026-11-24", "2026-12-25")),
        ("after thanksgiving but before christmas", span("2026-11-27", "2026-12-24")),
    ],
)
def test_a_feast_is_a_day_of_the_calendar(text: str, days: When) -> None:
    assert read(f"piano {text}").asked_times == (days,)


@pytest.mark.parametrize("lesson", ["christmas songs", "halloween makeup", "november rain"])
def test_a_feast_that_a_lesson_is_about_asks_for_no_day(lesson: str) -> None:
    assert (read(lesson).asked_times, read(lesson).service_text) == ((), lesson)


@pytest.mark.parametrize(
    "denied",
    ["not over christmas", "not the first week of december", "except christmas eve", "not on thanksgiving"],
)
def test_weeks_and_feasts_can_be_denied(denied: str) -> None:
    understood = read(f"piano {denied}")

    assert len(understood.denied_times) == 1
    assert (understood.asked_times, understood.notices) == ((), ())


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("dec 24, 25 or 26", ["2026-12-24", "2026-12-25", "2026-12-26"]),
        ("3rd and 4th of december", ["2026-12-03", "2026-12-04"]),
        ("on the 3rd or the 5th", ["2026-12-03", "2026-12-05"]),
        ("the 3rd, 4th or 5th", ["2026-12-03", "2026-12-04", "2026-12-05"]),
        ("first and third saturday of december", ["2026-12-05", "2026-12-19"]),
        ("the 5th of next month", ["2026-12-05"]),
        ("on 5.12", ["2026-12-05"]),
        ("2 sundays from now", ["2026-12-06"]),
        ("10 days from now", ["2026-12-04"]),
        ("two days from tomorrow", ["2026-11-27"]),
    ],
)
def test_of_several_dates_any_will_do(text: str, dates: list[str]) -> None:
    assert read(f"piano {text}").asked_times == tuple(span(day) for day in dates)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("from the 24th to the 26th", span("2026-11-24", "2026-11-26")),
        ("12/3-12/10", span("2026-12-03", "2026-12-10")),
        ("from 12/3 to 12/10", span("2026-12-03", "2026-12-10")),
        ("all december", span("2026-12-01", "2026-12-31")),
        ("january 2027", span("2027-01-01", "2027-01-31")),
        ("until the end of the year", span("2026-11-24", "2026-12-31")),
        ("starting next month", span("2026-12-01", "2026-12-28")),
        ("starting tomorrow", span("2026-11-25", "2026-12-22")),
        ("not until tomorrow", span("2026-11-25", "2026-12-22")),
        ("not until the 5th", span("2026-12-05", "2027-01-01")),
        ("before the 20th", span("2026-11-24", "2026-12-19")),
        ("not after the 20th", span("2026-11-24", "2026-12-20")),
        ("after next week", span("2026-12-07", "2027-01-03")),
        ("in the next month", span("2026-11-24", "2026-12-24")),
        ("in a few days", span("2026-11-26", "2026-11-30")),
        ("not before dec 5 and not after dec 20", span("2026-12-05", "2026-12-20")),
    ],
)
def test_a_span_of_days_has_a_first_and_a_last(text: str, days: When) -> None:
    assert read(f"piano {text}").asked_times == (days,)


@pytest.mark.parametrize(
    "text",
    ["1/2 - 3/4 violin", "violin 3/4 size", "the 1st and 2nd grade", "cooking for two this saturday at noon"],
)
def test_what_looks_like_dates_or_hours_and_is_a_size_a_grade_or_a_number_is_none(text: str) -> None:
    assert all(when.on is None and when.from_minute in (None, 720) for when in read(text).asked_times)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("noonish", 720, 840),
        ("16h30", 990, 1_110),
        ("17h", 1_020, 1_140),
        ("at 1800 hours", 1_080, 1_200),
        ("at half eight", 510, 630),
        ("three oh five pm", 905, 1_025),
        ("8am to 12 noon", 480, 720),
        ("first thing", 360, 540),
        ("end of day", 900, 1_020),
    ],
)
def test_an_hour_is_said_in_many_ways(text: str, low: int, high: int) -> None:
    assert read(f"piano {text}").asked_times == (When(from_minute=low, to_minute=high),)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("early tuesday evening", When(frozenset({Weekday.TUESDAY}), from_minute=1_020, to_minute=1_200)),
        ("late tomorrow afternoon", When(relative=RelativeDay.TOMORROW, from_minute=900, to_minute=1_020)),
        ("tomorrow eve", When(relative=RelativeDay.TOMORROW, from_minute=1_020, to_minute=1_320)),
        ("early tonight", When(relative=RelativeDay.TODAY, from_minute=1_020, to_minute=1_200)),
        ("7 this morning", When(relative=RelativeDay.TODAY, from_minute=420, to_minute=540)),
        ("sunday afternoon from 2", When(frozenset({Weekday.SUNDAY}), from_minute=840, to_minute=1_020)),
        ("every second saturday", When(frozenset({Weekday.SATURDAY}))),
        ("m-f after 5", When(frozenset(WEEK[:5]), from_minute=1_020)),
    ],
)
def test_a_day_and_its_hours_are_put_together(text: str, when: When) -> None:
    understood = read(f"piano {text}")

    assert (understood.asked_times, understood.service_text) == ((when,), "piano")
