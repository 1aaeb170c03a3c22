"""When an instructor is free: weekly times minus what is booked, at which a whole lesson fits.

A lesson lies within one slot of one day: what is free until midnight and on from it is two times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.search.candidates import TimeWindow

HORIZON: Final = timedelta(days=14)
"""How far ahead one looks for somebody's next free time where no time was asked for."""

WINDOWS_MAX: Final = 64
DAYS_MAX: Final = 62
"""Of one search: windows of each time zone, and days of one window that are looked at. "Any weekday morning" of two months is below both."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    Attributes:
        timezone: IANA name; ``weekly`` is told in it.
        booked: begins and ends, in order and without overlap; at least those that touch what is asked for.
    """

    timezone: str
    weekly: tuple[WeeklySlot, ...]
    booked: tuple[tuple[datetime, datetime], ...] = ()


def asked_windows(windows: Sequence[TimeWindow], now: datetime) -> tuple[TimeWindow, ...]:
    """What is left of the windows from now on; those that are over fall out."""
    seen: Counter[str | None] = Counter()
    asked = []
    for window in windows:
        seen[window.timezone] += 1
        if seen[window.timezone] <= WINDOWS_MAX and window.ends_at > now:
            ends_at = min(window.ends_at, window.starts_at + timedelta(days=DAYS_MAX))
            asked.append(TimeWindow(max(window.starts_at, now), ends_at, window.timezone))
    return tuple(asked)


def first_free(schedule: Schedule, windows: Iterable[TimeWindow], lesson: timedelta) -> datetime | None:
    """The earliest moment from which a whole lesson fits into one of the windows; None if there is none."""
    earliest: datetime | None = None
    for window in sorted(windows, key=lambda window: window.starts_at):
        # A search of "any morning" has dozens of windows, of which mostly the first is the answer.
        if earliest is not None and window.starts_at >= earliest:
            break
        if window.timezone not in (None, schedule.timezone):
            continue
        begin = _first_within(schedule, window, lesson)
        if begin is not None and (earliest is None or begin < earliest):
            earliest = begin
    return earliest


def _first_within(schedule: Schedule, window: TimeWindow, lesson: timedelta) -> datetime | None:
    for starts_at, ends_at in _weekly_times(schedule, window):
        begin = max(starts_at, window.starts_at)
        end = min(ends_at, window.ends_at)
        for booked_from, booked_to in schedule.booked:
            if booked_from - begin >= lesson or booked_from >= end:
                break
            begin = max(begin, booked_to)
        if end - begin >= lesson:
            return begin
    return None


def _weekly_times(schedule: Schedule, window: TimeWindow) -> Iterator[tuple[datetime, datetime]]:
    """The weekly times of the days that the window touches, earliest first, in UTC."""
    zone = zone_of(schedule.timezone)
    day, last = window.starts_at.astimezone(zone).date(), window.ends_at.astimezone(zone).date()
    while day <= last:
        weekday = day.isoweekday()
        for slot in schedule.weekly:
            if slot.weekday == weekday:
                yield _moment(day, slot.from_minute, zone), _moment(day, slot.to_minute, zone)
        day += timedelta(days=1)


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A local time of day; one that a change of clocks leaves out is as far after midnight as it says."""
    local = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    return local.astimezone(UTC)


def zone_of(name: str) -> ZoneInfo:
    """The zone of this name, UTC if this machine knows none such."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
