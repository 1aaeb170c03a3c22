"""What denied times leave of those that are asked for.

Weekdays and hours of any day are habits: they are left out of the times themselves, "not on sundays" is Monday to Saturday. What is
counted from today, dates, spans of them and hours of these are kept as they are, since which days are left depends on today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, ExceptTimes
from greenroom.actors.search.understanding.clock import DAY
from greenroom.actors.search.understanding.spoken_times import TIMES_MAX, has_day, has_time, is_date
from greenroom.actors.search.understanding.weekdays import WEEK
from greenroom.schema.search.understood import RelativeDay, Weekday, When

MORNING: Final = 360
NIGHT: Final = 1_320
"""Minutes after midnight between which lessons are given."""

_SINGLE: Final = frozenset({RelativeDay.TODAY, RelativeDay.TOMORROW})


@dataclass(frozen=True, slots=True)
class TimesLeft:
    """
    Attributes:
        times: any of which will do.
        denied: days and dates, or hours of them, that are taken out of these.
        unheeded: what denies times without which none would be left.
    """

    times: tuple[When, ...]
    denied: tuple[When, ...]
    unheeded: list[Claim]


def times_left(times: Sequence[When], claims: Iterable[Claim]) -> TimesLeft:
    """Each of the times but for what is denied; of no time, which is any, what is left of any day.

    What would leave nothing of them excludes nothing. Where more than TIMES_MAX are left, the longest are kept: one that holds them all
    would let in again what is excluded.
    """
    asked = tuple(times) or (When(),)
    denied: list[When] = []
    unheeded: list[Claim] = []
    for claim, excluded in _exceptions(claims):
        for gone in excluded:
            left = tuple(dict.fromkeys(part for when in asked for part in _parts_without(when, gone)))
            if not left:
                unheeded += [] if claim in unheeded else [claim]
                continue
            asked = left
            if is_dated(gone) or (gone.weekdays and any(when.relative in _SINGLE for when in asked)):
                denied.append(_with_whole_ends(gone))
    longest = sorted(asked, key=_minutes_a_week, reverse=True)[:TIMES_MAX]
    kept = tuple(when for when in asked if when in longest)
    return TimesLeft(kept, tuple(dict.fromkeys(denied)), unheeded)


def is_dated(when: When) -> bool:
    """Whether it is of certain days, and no habit."""
    return when.relative is not None or when.on is not None


def _exceptions(claims: Iterable[Claim]) -> list[tuple[Claim, tuple[When, ...]]]:
    """Times that are denied, each with the words that say so; the hours after a day are of that day, and the other way round: "not on
    monday mornings", "not in the morning on weekends"."""
    excluded: list[tuple[Claim, tuple[When, ...]]] = []
    for claim in claims:
        if not isinstance(claim.meaning, ExceptTimes):
            continue
        times = claim.meaning.times
        if claim.meaning.goes_on and excluded and len(times) == 1:
            before, said = excluded[-1]
            if before.after == claim.first and all(_are_of_one(one, times[0]) for one in said):
                excluded[-1] = replace(before, after=claim.after), tuple(_of_one(one, times[0]) for one in said)
                continue
        excluded.append((claim, times))
    return excluded


def _are_of_one(one: When, other: When) -> bool:
    """Whether one says the day and the other its hours, or one the weekday of the other's week."""
    if has_time(one) and has_time(other):
        return False
    return not (has_day(one) and has_day(other)) or is_dated(one) is not is_dated(other)


def _of_one(one: When, other: When) -> When:
    # "Monday 30 november" is that day, and whoever is wrong about its weekday means the date.
    weekdays = frozenset[Weekday]() if is_date(one) or is_date(other) else one.weekdays | other.weekdays
    return When(
        weekdays=weekdays,
        relative=one.relative or other.relative,
        on=one.on or other.on,
        until=one.until or other.until,
        from_minute=one.from_minute if has_time(one) else other.from_minute,
        to_minute=one.to_minute if has_time(one) else other.to_minute,
    )


def _minutes_a_week(when: When) -> int:
    low, high = _hours(when)
    return (high - low) * (len(when.weekdays) or len(WEEK))


def _hours(when: When) -> tuple[int, int]:
    return when.from_minute or 0, DAY if when.to_minute is None else when.to_minute


def _whole_end(gone: When) -> tuple[int, int]:
    """From and to which minute: who wants no mornings wants no night before them either, nor after evenings."""
    low, high = _hours(gone)
    return 0 if low <= MORNING else low, DAY if high >= NIGHT else high


def _with_whole_ends(gone: When) -> When:
    low, high = _whole_end(gone)
    return replace(gone, from_minute=low or None, to_minute=None if high == DAY else high)


def _parts_without(when: When, gone: When) -> Iterator[When]:
    """What is left of a time, in at most three parts."""
    if is_dated(gone):
        if not _covers(_with_whole_ends(gone), when):
            yield when
        return
    if gone.weekdays and (is_date(when) or when.relative in _SINGLE):
        # A date is more than the habit it is an exception to; which weekday tomorrow is, today tells.
        yield when
        return
    days = when.weekdays or frozenset(WEEK)
    if gone.weekdays and (others := days - gone.weekdays):
        yield replace(when, weekdays=others)
    same = days & gone.weekdays if gone.weekdays else when.weekdays
    if not has_time(gone) or (gone.weekdays and not same):
        return
    low, high = _hours(when)
    gone_low, gone_high = _whole_end(gone)
    for first, after in ((low, min(high, gone_low)), (max(low, gone_high), high)):
        if first < after:
            hours = first or None, None if after == DAY else after
            yield replace(when, weekdays=same, from_minute=hours[0], to_minute=hours[1])


def _covers(gone: When, when: When) -> bool:
    """Whether nothing is left of a time, whatever day it is."""
    low, high = _hours(when)
    gone_low, gone_high = _hours(gone)
    if not gone_low <= low < high <= gone_high:
        return False
    if gone.weekdays and not (when.weekdays and when.weekdays <= gone.weekdays):
        return False
    if gone.on is not None and when.on is not None:
        return gone.on <= when.on and (when.until or when.on) <= (gone.until or gone.on)
    return gone.relative is not None and gone.relative is when.relative
