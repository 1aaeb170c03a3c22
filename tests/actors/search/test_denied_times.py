"""Days and dates that are denied: what is left of the time that is asked for, and that nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greenroom.actors.search.understanding import load_lexicon, resolve_times, understand, windows_left
from greenroom.schema.search.candidates import TimeWindow
from greenroom.schema.search.understood import NoticeKind, PartKind, RelativeDay, Understood, Weekday, When

LEXICON = load_lexicon()
NEW_YORK = "America/New_York"
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
"""Tuesday, half past ten in New York."""

TODAY = NOW.date()
TOMORROW = When(relative=RelativeDay.TOMORROW)
NEXT_WEEK = When(relative=RelativeDay.NEXT_WEEK)
MONDAY, TUESDAY, WEDNESDAY, _, FRIDAY, SATURDAY, SUNDAY = (frozenset({day}) for day in Weekday)
WEEK = frozenset(Weekday)


def read(text: str) -> Understood:
    return understand(text, lexicon=LEXICON, today=TODAY)


def on(month: int, day: int, *until: int, year: int = 2026) -> When:
    return When(on=date(year, month, day), until=date(year, *until) if until else None)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("piano not tomorrow", [TOMORROW]),
        ("piano except tomorrow", [TOMORROW]),
        ("piano any day but tomorrow", [TOMORROW]),
        ("piano, I can't make it tomorrow", [TOMORROW]),
        ("piano not today or tomorrow", [When(relative=RelativeDay.TODAY), TOMORROW]),
        ("piano not on december 25", [on(12, 25)]),
        ("piano not 12/25", [on(12, 25)]),
        ("piano not monday 30 november", [on(11, 30)]),
        ("piano not dec 24 or 25", [on(12, 24), on(12, 25)]),
        ("piano not dec 24-26", [on(12, 24, 12, 26)]),
        ("piano not from dec 24 to 26", [on(12, 24, 12, 26)]),
        ("piano no lessons in december", [on(12, 1, 12, 31)]),
        ("piano not next week", [NEXT_WEEK]),
        ("piano not this weekend", [When(relative=RelativeDay.THIS_WEEKEND)]),
        ("piano not the week of dec 7", [on(12, 7, 12, 13)]),
        ("piano not next tuesday", [When(TUESDAY, RelativeDay.NEXT_WEEK)]),
        ("piano not next week on tuesday", [When(TUESDAY, RelativeDay.NEXT_WEEK)]),
        ("piano no mondays in december", [When(MONDAY, on=date(2026, 12, 1), until=date(2026, 12, 31))]),
    ],
)
def test_a_denied_day_bounds_the_search_and_is_a_piece_that_can_be_taken_out(
    text: str, denied: list[When]
) -> None:
    understood = read(text)

    assert list(understood.denied_times) == denied
    assert (understood.asked_times, understood.notices, understood.service_text) == ((), (), "piano")
    assert any(part.kind is PartKind.WHEN for part in understood.parts)
    assert understood.asks_for_anything


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("piano not tomorrow morning", When(relative=RelativeDay.TOMORROW, to_minute=720)),
        ("piano not in the morning tomorrow", When(relative=RelativeDay.TOMORROW, to_minute=720)),
        ("piano any time except tomorrow evening", When(relative=RelativeDay.TOMORROW, from_minute=1_020)),
        ("piano not tonight", When(relative=RelativeDay.TODAY, from_minute=1_020)),
        ("piano not on dec 25 after 5", When(on=date(2026, 12, 25), from_minute=1_020)),
    ],
)
def test_of_hours_of_a_day_that_are_denied_only_these_are(text: str, denied: When) -> None:
    assert read(text).denied_times == (denied,)


@pytest.mark.parametrize(
    ("text", "asked", "denied"),
    [
        ("piano this week but not tomorrow", When(relative=RelativeDay.THIS_WEEK), TOMORROW),
        ("piano saturdays except dec 5", When(SATURDAY), on(12, 5)),
        ("piano tuesdays but not next tuesday", When(TUESDAY), When(TUESDAY, RelativeDay.NEXT_WEEK)),
        ("piano after 5 but not on the 3rd", When(from_minute=1_020), on(12, 3)),
        ("piano tomorrow or saturday but not tomorrow", When(SATURDAY), TOMORROW),
        ("piano tomorrow but not friday", TOMORROW, When(FRIDAY)),
    ],
)
def test_a_denied_day_is_taken_out_of_the_time_that_is_asked_for(text: str, asked: When, denied: When) -> None:
    understood = read(text)

    assert (understood.asked_times, understood.denied_times) == ((asked,), (denied,))
    assert understood.notices == ()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("piano any day but friday", When(WEEK - FRIDAY)),
        ("piano weekends except sunday", When(SATURDAY)),
        ("piano not after 6pm", When(to_minute=1_080)),
        ("piano no evenings", When(to_minute=1_020)),
        ("piano not before 10", When(from_minute=600)),
        ("piano this week but not thursday", When(WEEK - {Weekday.THURSDAY}, RelativeDay.THIS_WEEK)),
        ("piano dec 3, not in the evening", When(on=date(2026, 12, 3), to_minute=1_020)),
        ("piano tomorrow but not in the morning", When(relative=RelativeDay.TOMORROW, from_minute=720)),
    ],
)
def test_a_denied_habit_is_what_is_left_of_the_time(text: str, asked: When) -> None:
    understood = read(text)

    assert (understood.asked_times, understood.denied_times, understood.notices) == ((asked,), (), ())


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("piano not before december 20", date(2026, 12, 20), date(2027, 1, 16)),
        ("piano no earlier than january 5", date(2027, 1, 5), date(2027, 2, 1)),
        ("piano not until january", date(2027, 1, 1), date(2027, 1, 28)),
        ("piano not until friday", date(2026, 11, 27), date(2026, 12, 24)),
        ("piano not before next week", date(2026, 11, 30), date(2026, 12, 27)),
        ("piano after december", date(2027, 1, 1), date(2027, 1, 28)),
        ("piano not after dec 20", TODAY, date(2026, 12, 20)),
        ("piano no later than friday", TODAY, date(2026, 11, 27)),
        ("piano not after january", TODAY, date(2027, 1, 31)),
    ],
)
def test_what_must_not_be_before_or_after_a_day_is_from_or_until_it(text: str, first: date, last: date) -> None:
    assert read(text).asked_times == (When(on=first, until=last),)


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("piano, I'm away next week", NEXT_WEEK),
        ("piano, we are on holiday dec 20 to 28", on(12, 20, 12, 28)),
        ("piano unavailable dec 3", on(12, 3)),
        ("piano no time tomorrow", TOMORROW),
        ("piano tomorrow doesn't work for me", TOMORROW),
        ("piano, tomorrow is no good", TOMORROW),
        ("weekend piano, this sunday doesn't work", When(SUNDAY, RelativeDay.THIS_WEEK)),
    ],
)
def test_a_time_of_which_is_said_that_it_is_none_is_denied(text: str, denied: When) -> None:
    understood = read(text)

    assert understood.denied_times == (denied,)
    assert (understood.service_text, understood.notices) == ("piano", ())


@pytest.mark.parametrize(
    "text", ["piano, I'm busy on fridays", "piano, don't have time on friday", "fridays are out, piano"]
)
def test_a_weekday_of_which_is_said_that_it_is_none_is_left_out(text: str) -> None:
    assert read(text).asked_times == (When(WEEK - FRIDAY),)


@pytest.mark.parametrize(
    "text",
    [
        "yoga for busy people on friday",
        "piano, free time on friday",
        "out of town piano teacher friday",
        "piano fridays work for me",
    ],
)
def test_such_words_of_somebody_else_deny_nothing(text: str) -> None:
    assert read(text).asked_times == (When(FRIDAY),)


def test_days_of_a_list_are_denied_whole() -> None:
    understood = read("piano not today, tomorrow or friday")

    assert understood.denied_times == (When(relative=RelativeDay.TODAY), TOMORROW)
    assert understood.asked_times == (When(WEEK - FRIDAY),)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("piano not tomorrow morning", ["not tomorrow morning"]),
        ("piano, not on monday mornings", ["not on monday mornings"]),
        ("piano not today, tomorrow or friday, after 5", ["not today, tomorrow or friday", "after 5"]),
        ("piano evenings not tomorrow", ["evenings", "not tomorrow"]),
        ("piano tomorrow doesn't work for me", ["tomorrow doesn't work for me"]),
    ],
)
def test_what_is_denied_together_is_one_piece(text: str, pieces: list[str]) -> None:
    assert [part.text for part in read(text).parts if part.kind is PartKind.WHEN] == pieces


def test_a_day_behind_a_comma_that_no_or_follows_is_asked_for() -> None:
    understood = read("piano not today, tomorrow")

    assert (understood.asked_times, understood.denied_times) == ((TOMORROW,), (When(relative=RelativeDay.TODAY),))


@pytest.mark.parametrize("text", ["piano not too late tomorrow", "piano not too early tomorrow"])
def test_how_a_day_should_be_denies_no_day(text: str) -> None:
    assert (read(text).asked_times, read(text).denied_times) == ((TOMORROW,), ())


@pytest.mark.parametrize("text", ["piano doesn't have to be tomorrow", "piano not only tomorrow"])
def test_a_day_that_it_need_not_be_is_neither_asked_for_nor_denied(text: str) -> None:
    assert (read(text).asked_times, read(text).denied_times, read(text).notices) == ((), (), ())


def test_what_would_leave_nothing_of_the_day_that_is_asked_for_is_told() -> None:
    understood = read("piano tomorrow but not tomorrow")

    assert (understood.asked_times, understood.denied_times) == ((TOMORROW,), ())
    assert [notice.kind for notice in understood.notices] == [NoticeKind.NOT_HEEDED]


def utc(month: int, day: int, hour: int = 5, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "denied", "left"),
    [
        ((), (TOMORROW,), [(NOW, utc(11, 25)), (utc(11, 26), utc(12, 23))]),
        ((), (on(12, 1, 12, 31),), [(NOW, utc(12, 1)), (utc(1, 1, year=2027), utc(1, 22, year=2027))]),
        ((), (on(11, 20, 11, 22),), [(NOW, utc(12, 22))]),
        ((TOMORROW,), (When(relative=RelativeDay.TOMORROW, to_minute=720),), [(utc(11, 25, 17), utc(11, 26))]),
        ((When(relative=RelativeDay.THIS_WEEKEND),), (on(11, 28),), [(utc(11, 29), utc(11, 30))]),
        ((TOMORROW,), (When(FRIDAY),), [(utc(11, 25), utc(11, 26))]),
        ((TOMORROW,), (When(WEDNESDAY),), [(NOW, NOW)]),
        ((NEXT_WEEK,), (NEXT_WEEK,), [(NOW, NOW)]),
        ((NEXT_WEEK,), (When(MONDAY, RelativeDay.THIS_WEEK),), [(utc(11, 30), utc(12, 7))]),
        ((NEXT_WEEK,), (When(WEDNESDAY, RelativeDay.THIS_WEEK),), [(utc(11, 30), utc(12, 7))]),
        ((When(MONDAY, RelativeDay.NEXT_WEEK),), (When(MONDAY, RelativeDay.THIS_WEEK),), [(utc(11, 30), utc(12, 1))]),
        ((on(11, 30),), (When(MONDAY, RelativeDay.THIS_WEEK),), [(NOW, NOW)]),
        ((), (When(on=date(2026, 11, 1), until=date(2027, 1, 31)),), [(utc(2, 1, year=2027), utc(3, 1, year=2027))]),
    ],
)  # fmt: skip
def test_what_is_left_of_a_time(
    asked: tuple[When, ...], denied: tuple[When, ...], left: list[tuple[datetime, datetime]]
) -> None:
    windows = windows_left(asked, denied, NOW, NEW_YORK)

    assert [(window.starts_at, window.ends_at) for window in windows] == left


def test_nothing_denied_leaves_the_time_as_it_is() -> None:
    assert windows_left((), (), NOW, NEW_YORK) == ()
    assert windows_left((TOMORROW,), (), NOW, NEW_YORK) == resolve_times((TOMORROW,), NOW, NEW_YORK)


_DAYS = st.dates(date(2026, 10, 1), date(2027, 3, 1))
_HOURS = {"from_minute": st.none() | st.integers(0, 700), "to_minute": st.none() | st.integers(701, 1_440)}
_WEEKDAYS = st.frozensets(st.sampled_from(Weekday), max_size=4)
DENIED = (
    st.builds(When, relative=st.sampled_from(RelativeDay), weekdays=_WEEKDAYS, **_HOURS)
    | st.builds(When, on=_DAYS, **_HOURS)
    | st.builds(
        lambda first, days, weekdays: When(weekdays, on=first, until=first + timedelta(days)),
        _DAYS,
        st.integers(1, 90),
        _WEEKDAYS,
    )
)
ASKED = DENIED | st.builds(When, weekdays=_WEEKDAYS, **_HOURS)


def _is_denied(when: When, moment: datetime, now: datetime) -> bool:
    """Written anew: whether a moment on the wall is of a denied time."""
    day, today = moment.date(), now.date()
    monday = today - timedelta(today.weekday())
    spans = {
        RelativeDay.TODAY: (today, today),
        RelativeDay.TOMORROW: (today + timedelta(1), today + timedelta(1)),
        RelativeDay.THIS_WEEK: (today, monday + timedelta(6)),
        RelativeDay.NEXT_WEEK: (monday + timedelta(7), monday + timedelta(13)),
        RelativeDay.THIS_WEEKEND: (monday + timedelta(5), monday + timedelta(6)),
        RelativeDay.NEXT_WEEKEND: (monday + timedelta(12), monday + timedelta(13)),
    }
    first, last = spans[when.relative] if when.relative else (when.on, when.until or when.on)
    assert first is not None
    assert last is not None
    is_of_hours = (when.from_minute or 0) <= moment.hour * 60 + moment.minute < (when.to_minute or 1_440)
    is_of_days = not when.weekdays or list(Weekday)[day.weekday()] in when.weekdays
    return first <= day <= last and is_of_days and is_of_hours


@given(
    st.lists(ASKED, max_size=3),
    st.lists(DENIED, min_size=1, max_size=3),
    st.datetimes(datetime(2026, 10, 1), datetime(2027, 1, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([NEW_YORK, "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
    st.data(),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_moment_that_is_left_is_of_a_denied_time(
    asked: list[When], denied: list[When], now: datetime, timezone: str, data: st.DataObject
) -> None:
    now, zone = now.replace(second=0, microsecond=0), ZoneInfo(timezone)

    left = windows_left(asked, denied, now, timezone)

    lasting = [window for window in left if window.ends_at > window.starts_at]
    assert left
    assert len(left) <= 60
    assert lasting or left == (TimeWindow(now, now),)
    assert all(window.starts_at >= now for window in left)
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(left))
    for window in data.draw(
        st.just(lasting) if len(lasting) < 4 else st.permutations(lasting).map(lambda w: w[:4])
    ):
        minutes = int((window.ends_at - window.starts_at) / timedelta(minutes=1))
        moment = window.starts_at + timedelta(minutes=data.draw(st.integers(0, max(0, minutes - 1))))
        wall = moment.astimezone(zone)
        # An hour that the clocks show twice, or not at all, is told by its first.
        if wall.replace(fold=0).utcoffset() == wall.utcoffset() == (wall + timedelta(hours=2)).utcoffset():
            assert not any(_is_denied(when, wall, now.astimezone(zone)) for when in denied)
