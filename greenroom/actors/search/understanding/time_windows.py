"""From "saturday morning" to moments: the windows of the next four weeks that a symbolic time stands for in a city's zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from greenroom.actors.search.understanding.weekdays import WEEK
from greenroom.schema.search.candidates import TimeWindow
from greenroom.schema.search.understood import RelativeDay, When

HORIZON_DAYS: Final = 28
"""Days that are looked at, today included; a calendar date counts however far off it is."""

SPAN_DAYS_MAX: Final = 60
"""Days that are looked at of a span that was told, from its first that is still to come."""

WINDOWS_MAX: Final = 60
"""Two windows for each day of the horizon. Of more ("mornings, lunchtime or evenings") the last days are not looked at."""

MINUTES_OF_DAY: Final = 1_440


def resolve_times(times: Sequence[When], now: datetime, timezone: str) -> tuple[TimeWindow, ...]:
    """As :func:`resolve_when` for several times of which any will do; empty for none, which is any time."""
    if any(when.is_any for when in times):
        return ()
    windows = sorted({window for when in times for window in resolve_when(when, now, timezone)}, key=_begin)
    merged: list[TimeWindow] = []
    for window in windows:
        if merged and merged[-1].ends_at >= window.starts_at:
            window = TimeWindow(merged[-1].starts_at, max(merged.pop().ends_at, window.ends_at))
        merged.append(window)
    # One that is past has a window without length, which says nothing beside others.
    return tuple(window for window in merged if window.ends_at > window.starts_at)[:WINDOWS_MAX] or tuple(merged)


def _begin(window: TimeWindow) -> tuple[datetime, datetime]:
    return window.starts_at, window.ends_at


def resolve_when(when: When, now: datetime, timezone: str) -> tuple[TimeWindow, ...]:
    """Windows in UTC in which a lesson may lie: in order, merged where they touch, none of them before ``now``.

    Today is what it is in ``timezone``, and hours are those of its clocks, also on days on which these are changed. "This week"
    ends on Sunday; with weekdays that are all over it means the next seven days. "This weekend" is still that on its Sunday. A date goes
    before weekdays, and a day counted from today that isn't one of the weekdays named goes before them too.

    Args:
        now: aware.
        timezone: IANA name.

    Returns:
        Empty for any time. If nothing of what was asked for is still to come, one window without length, in which nothing
        fits: to leave it out would ask for any time.

    Raises:
        ZoneInfoNotFoundError: there is no such zone, or the machine has no zone data.
    """
    if when.is_any:
        return ()
    zone = ZoneInfo(timezone)
    merged: list[TimeWindow] = []
    for day in _days(when, now.astimezone(zone).date()):
        starts_at = max(moment(day, when.from_minute or 0, zone), now.astimezone(UTC))
        ends_at = moment(day, MINUTES_OF_DAY if when.to_minute is None else when.to_minute, zone)
        if ends_at <= starts_at:
            continue
        if merged and merged[-1].ends_at >= starts_at:
            merged[-1] = TimeWindow(merged[-1].starts_at, ends_at)
        else:
            merged.append(TimeWindow(starts_at, ends_at))
    now_utc = now.astimezone(UTC)
    return tuple(merged[:WINDOWS_MAX]) or (TimeWindow(now_utc, now_utc),)


def moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A time on the wall in UTC; 1440 is the end of the day. One that the clocks skip is that much later, one that they show twice is the first."""
    if minute == MINUTES_OF_DAY:
        day, minute = day + timedelta(days=1), 0
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)


def _days(when: When, today: date) -> Iterator[date]:
    if when.on is not None and when.until is None:
        yield when.on
        return
    first, count = span_of(when, today)
    days = [first + timedelta(days=ahead) for ahead in range(count)]
    named = [day for day in days if not when.weekdays or WEEK[day.weekday()] in when.weekdays]
    yield from named or days


def span_of(when: When, today: date) -> tuple[date, int]:
    """The first day that comes into question and how many."""
    if when.on is not None and when.until is not None:
        first = max(when.on, today)
        return first, min((when.until - first).days + 1, SPAN_DAYS_MAX)
    monday = today - timedelta(days=today.weekday())
    match when.relative:
        case None:
            return today, HORIZON_DAYS
        case RelativeDay.TODAY:
            return today, 1
        case RelativeDay.TOMORROW:
            return today + timedelta(days=1), 1
        case RelativeDay.THIS_WEEK:
            left = WEEK[today.weekday() :]
            is_over = when.weekdays and when.weekdays.isdisjoint(left)
            return today, 7 if is_over else len(left)
        case RelativeDay.NEXT_WEEK:
            return monday + timedelta(days=7), 7
        case RelativeDay.THIS_WEEKEND:
            return monday + timedelta(days=5), 2
        case RelativeDay.NEXT_WEEKEND:
            return monday + timedelta(days=12), 2
        case _:
            assert_never(when.relative)
