"""What denied days leave of the time that is asked for: "this week, not tomorrow", "not between dec 20 and jan 3"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from greenroom.actors.search.understanding.time_windows import (
    HORIZON_DAYS,
    MINUTES_OF_DAY,
    WINDOWS_MAX,
    moment,
    resolve_times,
    span_of,
)
from greenroom.actors.search.understanding.weekdays import WEEK
from greenroom.schema.search.candidates import TimeWindow
from greenroom.schema.search.understood import RelativeDay, When

DAYS_DENIED_MAX: Final = 400
"""Days of a denied span that are looked at one by one, for their weekdays or hours: beyond any that can be asked for."""


def windows_left(
    times: Sequence[When], denied: Sequence[When], now: datetime, timezone: str
) -> tuple[TimeWindow, ...]:
    """Windows in UTC in which a lesson may lie, as of :func:`resolve_times`, without those that are denied.

    Where no time is asked for, as many days are looked at as else, those that are denied wholly not counted: "not until february" finds
    lessons in February.

    Args:
        now: aware.
        timezone: IANA name.

    Returns:
        Empty for any time. If nothing is left, one window without length, in which nothing fits.

    Raises:
        ZoneInfoNotFoundError: there is no such zone, or the machine has no zone data.
    """
    asked = resolve_times(times, now, timezone)
    if not denied:
        return asked
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    if any(when.relative is RelativeDay.NEXT_WEEK for when in times):
        denied = [when for when in denied if not _is_over_this_week(when, today)]
    gone = sorted((window for when in denied for window in _denied(when, today, zone)), key=_begin)
    left = asked or (_all_time(gone, now, today, zone),)
    for window in gone:
        left = tuple(part for each in left for part in _without(each, window))
    return left[:WINDOWS_MAX] or (TimeWindow(now.astimezone(UTC), now.astimezone(UTC)),)


def _begin(window: TimeWindow) -> datetime:
    return window.starts_at


def _is_over_this_week(when: When, today: date) -> bool:
    """Whether none of its days of this week is still to come. They are then taken for those of the next seven days, but not where next
    week is asked for: who says "next week, not on monday this week" tells the two apart."""
    is_of_week = when.relative is RelativeDay.THIS_WEEK and bool(when.weekdays)
    return is_of_week and when.weekdays.isdisjoint(WEEK[today.weekday() :])


def _denied(when: When, today: date, zone: ZoneInfo) -> Iterator[TimeWindow]:
    """What is denied from today on, a whole span as one window."""
    first, count = (when.on, 1) if when.on is not None and when.until is None else span_of(when, today)
    if when.on is not None and when.until is not None:
        count = (when.until - first).days + 1
    if count <= 0:
        return
    low = when.from_minute or 0
    high = MINUTES_OF_DAY if when.to_minute is None else when.to_minute
    if not when.weekdays and (low, high) == (0, MINUTES_OF_DAY):
        yield TimeWindow(moment(first, 0, zone), moment(first + timedelta(count), 0, zone))
        return
    for ahead in range(min(count, DAYS_DENIED_MAX)):
        day = first + timedelta(ahead)
        if not when.weekdays or WEEK[day.weekday()] in when.weekdays:
            yield TimeWindow(moment(day, low, zone), moment(day, high, zone))


def _all_time(gone: Sequence[TimeWindow], now: datetime, today: date, zone: ZoneInfo) -> TimeWindow:
    """The time that is looked at where none is asked for: longer by each day or span that is denied before its end.

    Args:
        gone: by their begins.
    """
    begin, end = now.astimezone(UTC), moment(today + timedelta(HORIZON_DAYS), 0, zone)
    reached = moment(today, 0, zone)
    for window in gone:
        if window.starts_at >= end:
            break
        is_of_days = window.ends_at - window.starts_at >= timedelta(hours=23)
        if is_of_days and window.ends_at > reached:
            end += window.ends_at - max(window.starts_at, reached)
        reached = max(reached, window.ends_at)
    return TimeWindow(begin, end)


def _without(window: TimeWindow, gone: TimeWindow) -> Iterator[TimeWindow]:
    """What is left of one before and after another; one without length stays, as there is nothing to take from it."""
    if gone.ends_at <= window.starts_at or window.ends_at <= gone.starts_at:
        yield window
        return
    if window.starts_at < gone.starts_at:
        yield TimeWindow(window.starts_at, gone.starts_at, window.timezone)
    if gone.ends_at < window.ends_at:
        yield TimeWindow(gone.ends_at, window.ends_at, window.timezone)
