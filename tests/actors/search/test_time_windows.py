from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenroom.actors.search.understanding import resolve_times, resolve_when
from greenroom.schema.search.candidates import TimeWindow
from greenroom.schema.search.understood import RelativeDay, Weekday, When

NEW_YORK = "America/New_York"
NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
"""Monday, half past ten in New York."""


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_any_time_is_no_window() -> None:
    assert resolve_when(When(), NOW, NEW_YORK) == ()


@pytest.mark.parametrize(
    ("when", "windows"),
    [
        (When(relative=RelativeDay.TODAY), [(NOW, utc(11, 24, 5))]),
        (When(relative=RelativeDay.TODAY, from_minute=1020), [(utc(11, 23, 22), utc(11, 24, 5))]),
        (
            When(relative=RelativeDay.TOMORROW, from_minute=360, to_minute=720),
            [(utc(11, 24, 11), utc(11, 24, 17))],
        ),
        (When(relative=RelativeDay.THIS_WEEKEND), [(utc(11, 28, 5), utc(11, 30, 5))]),
        (When(relative=RelativeDay.NEXT_WEEKEND), [(utc(12, 5, 5), utc(12, 7, 5))]),
        (When(relative=RelativeDay.THIS_WEEK), [(NOW, utc(11, 30, 5))]),
        (When(relative=RelativeDay.NEXT_WEEK), [(utc(11, 30, 5), utc(12, 7, 5))]),
        (
            When(relative=RelativeDay.NEXT_WEEK, weekdays=frozenset({Weekday.TUESDAY})),
            [(utc(12, 1, 5), utc(12, 2, 5))],
        ),
        (When(on=date(2026, 12, 3), from_minute=600, to_minute=720), [(utc(12, 3, 15), utc(12, 3, 17))]),
        (
            When(on=date(2027, 2, 1), to_minute=60),
            [(datetime(2027, 2, 1, 5, tzinfo=UTC), datetime(2027, 2, 1, 6, tzinfo=UTC))],
        ),
    ],
)
def test_days_counted_from_today(when: When, windows: list[tuple[datetime, datetime]]) -> None:
    assert resolve_when(when, NOW, NEW_YORK) == tuple(TimeWindow(*window) for window in windows)


def test_a_weekday_recurs_for_four_weeks() -> None:
    windows = resolve_when(
        When(weekdays=frozenset({Weekday.SATURDAY}), from_minute=360, to_minute=720), NOW, NEW_YORK
    )

    assert [window.starts_at for window in windows] == [
        utc(11, 28, 11),
        utc(12, 5, 11),
        utc(12, 12, 11),
        utc(12, 19, 11),
    ]


def test_this_saturday_is_the_next_one_also_on_a_sunday() -> None:
    sunday = utc(11, 29, 17)

    (window,) = resolve_when(
        When(weekdays=frozenset({Weekday.SATURDAY}), relative=RelativeDay.THIS_WEEK), sunday, NEW_YORK
    )

    assert window == TimeWindow(utc(12, 5, 5), utc(12, 6, 5))


def test_this_week_without_a_day_ends_with_the_week_whatever_days_are_left() -> None:
    friday = utc(11, 27, 17)
    all_but_saturday = frozenset(Weekday) - {Weekday.SATURDAY}

    windows = resolve_when(When(weekdays=all_but_saturday, relative=RelativeDay.THIS_WEEK), friday, NEW_YORK)

    assert windows == (TimeWindow(friday, utc(11, 28, 5)), TimeWindow(utc(11, 29, 5), utc(11, 30, 5)))


def test_today_is_the_one_of_the_city() -> None:
    """It is Tuesday in Tokyo already."""
    (window,) = resolve_when(When(relative=RelativeDay.TODAY), NOW, "Asia/Tokyo")

    assert window.ends_at == utc(11, 24, 15)


def test_ten_in_the_morning_stays_that_when_the_clocks_change() -> None:
    before = datetime(2026, 10, 31, 12, tzinfo=UTC)

    windows = resolve_when(When(from_minute=600, to_minute=660), before, NEW_YORK)

    assert [window.starts_at.hour for window in windows[:3]] == [14, 15, 15]


def test_what_is_past_leaves_a_window_in_which_nothing_fits() -> None:
    assert resolve_when(When(relative=RelativeDay.TODAY, to_minute=540), NOW, NEW_YORK) == (TimeWindow(NOW, NOW),)
    assert resolve_when(When(on=date(2026, 1, 1)), NOW, NEW_YORK) == (TimeWindow(NOW, NOW),)


def test_every_day_at_any_hour_is_one_window() -> None:
    assert len(resolve_when(When(weekdays=frozenset(Weekday)), NOW, NEW_YORK)) == 1


def test_of_several_times_any_will_do_but_none_between_them() -> None:
    saturday = When(weekdays=frozenset({Weekday.SATURDAY}), from_minute=540, to_minute=720)
    sunday = When(weekdays=frozenset({Weekday.SUNDAY}), from_minute=1_020, to_minute=1_200)
    over = When(relative=RelativeDay.TODAY, to_minute=540)

    windows = resolve_times((sunday, over, saturday), NOW, NEW_YORK)

    assert windows[:2] == (
        TimeWindow(utc(11, 28, 14), utc(11, 28, 17)),
        TimeWindow(utc(11, 29, 22), utc(11, 30, 1)),
    )
    assert resolve_times((over,), NOW, NEW_YORK) == (TimeWindow(NOW, NOW),)
    assert resolve_times((), NOW, NEW_YORK) == ()


WHENS = st.builds(
    When,
    weekdays=st.frozensets(st.sampled_from(Weekday)),
    relative=st.none() | st.sampled_from(RelativeDay),
    from_minute=st.none() | st.integers(0, 700),
    to_minute=st.none() | st.integers(701, 1_440),
)


@given(
    WHENS,
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([NEW_YORK, "Europe/London", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
)
@settings(max_examples=200, deadline=None)
def test_windows_are_in_order_apart_and_to_come(when: When, now: datetime, timezone: str) -> None:
    windows = resolve_when(when, now, timezone)

    assert len(windows) <= 60
    assert all(window.starts_at >= now for window in windows)
    assert all(one.ends_at < other.starts_at for one, other in pairwise(windows))
    assert all(window.ends_at <= now + timedelta(days=30) for window in windows)
    assert bool(windows) is not when.is_any
