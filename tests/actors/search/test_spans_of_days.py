"""Spans of days, days that are counted out, and dates that there are not or that are over."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from greenroom.actors.search.understanding import load_lexicon, resolve_when, understand
from greenroom.schema.search.understood import NoticeKind, Understood, Weekday, When

LEXICON = load_lexicon()
TODAY = date(2026, 11, 23)
"""A Monday."""


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, today=TODAY)


def december(first: int, last: int, *weekdays: Weekday, **hours: int) -> When:
    return When(frozenset(weekdays), on=date(2026, 12, first), until=date(2026, 12, last), **hours)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("piano in december", december(1, 31)),
        ("piano next month", december(1, 31)),
        ("piano early december", december(1, 10)),
        ("piano in mid december", december(11, 20)),
        ("piano at the end of december, evenings", december(21, 31, from_minute=1_020, to_minute=1_320)),
        ("piano tuesdays in december", december(1, 31, Weekday.TUESDAY)),
        ("piano end of the month", When(on=TODAY, until=date(2026, 11, 30))),
        ("piano in the next two weeks", When(on=TODAY, until=date(2026, 12, 7))),
        ("piano in the next few days", When(on=TODAY, until=date(2026, 11, 26))),
        ("piano between dec 3 and dec 5", december(3, 5)),
        ("piano from december 3rd to the 10th", december(3, 10)),
        ("piano 3-10 december", december(3, 10)),
        ("piano until friday", When(on=TODAY, until=date(2026, 11, 27))),
        ("piano before december 5", When(on=TODAY, until=date(2026, 12, 4))),
        ("piano starting december 5", When(on=date(2026, 12, 5), until=date(2027, 1, 1))),
        ("piano starting in january", When(on=date(2027, 1, 1), until=date(2027, 1, 28))),
        ("piano starting next week", When(on=date(2026, 11, 30), until=date(2026, 12, 27))),
        ("piano the week after next", december(7, 13)),
        ("piano the weekend of december 5", december(5, 6)),
        ("piano the second saturday of december", When(on=date(2026, 12, 12))),
        ("piano the last sunday in november", When(on=date(2026, 11, 29))),
        ("piano first monday of next month", When(on=date(2026, 12, 7))),
        ("piano a week from saturday", When(on=date(2026, 12, 5))),
        ("piano saturday after next", When(on=date(2026, 12, 5))),
        ("piano thursday week", When(on=date(2026, 12, 3))),
        ("piano in two weeks", When(on=date(2026, 12, 7))),
        ("piano in a fortnight", When(on=date(2026, 12, 7))),
    ],
)
def test_days_that_are_spanned_or_counted_out(text: str, when: When) -> None:
    understood = read(text)

    assert (understood.when, understood.service_text) == (when, "piano")
    assert understood.notices == ()


@pytest.mark.parametrize("text", ["march music", "may I learn piano", "piano for 2 weeks", "piano in 45 minutes"])
def test_what_only_looks_like_a_span_is_none(text: str) -> None:
    assert read(text).when == When()


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("piano february 30", NoticeKind.NO_SUCH_DATE, "february 30"),
        ("piano 30/02", NoticeKind.NO_SUCH_DATE, "30/02"),
        ("piano on 31 april", NoticeKind.NO_SUCH_DATE, "on 31 april"),
        ("piano 29 february 2027", NoticeKind.NO_SUCH_DATE, "29 february 2027"),
        ("piano on the 32nd", NoticeKind.NO_SUCH_DATE, "on the 32nd"),
        ("piano december 45th", NoticeKind.NO_SUCH_DATE, "december 45th"),
        ("piano 31.11.2026", NoticeKind.NO_SUCH_DATE, "31.11.2026"),
        ("piano 31.11", NoticeKind.NO_SUCH_DATE, "31.11"),
        ("piano on 31.09", NoticeKind.NO_SUCH_DATE, "on 31.09"),
        ("piano at 25:00", NoticeKind.NO_SUCH_DATE, "at 25:00"),
        ("piano 9:75", NoticeKind.NO_SUCH_DATE, "9:75"),
        ("piano in year 3000", NoticeKind.NOT_HEEDED, "in year 3000"),
        ("piano in the year 1999", NoticeKind.PAST, "in the year 1999"),
        ("200 year old piano", NoticeKind.NOT_HEEDED, "200 year old"),
        ("piano 3 march 2020", NoticeKind.PAST, "3 march 2020"),
        ("piano 03.03.2020", NoticeKind.PAST, "03.03.2020"),
        ("piano half term", NoticeKind.NOT_HEEDED, "half term"),
        ("piano in the summer holidays", NoticeKind.NOT_HEEDED, "in the summer holidays"),
        ("piano this autumn", NoticeKind.NOT_HEEDED, "this autumn"),
        ("piano yesterday", NoticeKind.PAST, "yesterday"),
        ("piano yesterday evening", NoticeKind.PAST, "yesterday evening"),
        ("piano last monday", NoticeKind.PAST, "last monday"),
        ("piano 2 days ago", NoticeKind.PAST, "2 days ago"),
    ],
)
def test_days_that_there_are_not_or_that_are_over_ask_for_nothing_and_are_told(
    text: str, kind: NoticeKind, told: str
) -> None:
    understood = read(text)

    assert [(notice.kind, notice.text) for notice in understood.notices] == [(kind, told)]
    assert (understood.when, understood.service_text) == (When(), "piano")


@pytest.mark.parametrize(
    "text", ["piano 29 february", "I played piano until last year", "piano, none since last week"]
)
def test_what_is_only_told_of_is_not_taken_for_a_wish(text: str) -> None:
    assert read(text).notices == ()


def test_a_span_is_looked_at_day_by_day_and_of_named_weekdays_only() -> None:
    now = datetime(2026, 12, 10, 12, tzinfo=UTC)
    tuesdays = december(1, 31, Weekday.TUESDAY, from_minute=600, to_minute=720)

    days = [window.starts_at.day for window in resolve_when(tuesdays, now, "UTC")]

    assert days == [15, 22, 29]


def test_without_today_a_span_asks_for_nothing() -> None:
    assert understand("piano in december", lexicon=LEXICON).when == When()
