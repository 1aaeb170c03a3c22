"""The times that a sentence names, each put together of its pieces: a day here, an hour there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from greenroom.actors.search.understanding.clock import DAY, NOON
from greenroom.schema.search.understood import RelativeDay, Weekday, When

TIMES_MAX: Final = 6
"""Times of one sentence that are kept apart; nobody names more who looks for a lesson."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One saying of when. ``is_alternative``: an "or" or "and" stands between it and the one before; ``is_and``: an
    "and"; ``is_listed``: a comma."""

    when: When
    is_alternative: bool
    is_and: bool
    is_listed: bool
    half_is_guessed: bool


def spoken_times(pieces: Sequence[Piece]) -> tuple[When, ...]:
    """Each time that a sentence names, any of which will do; one for a sentence that names one, none for one that names none.

    1. "Saturday morning or sunday evening" are two. A day without a time of its own is any time of it ("evenings and weekends"), but a
       single day shares that of the day after it ("today or tomorrow evening").
    2. A time without a day is one of the day beside it that has a time too ("saturday morning or afternoon"), else of any day.
    3. Times that differ in nothing but weekdays are one.

    More than TIMES_MAX are told as one that holds them all.
    """
    groups = [_Group(merged_when(group), bool(group[0].is_alternative)) for group in _groups(pieces)]
    times: dict[tuple[object, ...], When] = {}
    for at, group in enumerate(groups):
        when = group.when
        before = groups[at - 1].when if at else When()
        after = groups[at + 1].when if at + 1 < len(groups) else When()
        if not has_day(when):
            lender = next((near for near in (before, after) if has_day(near) and has_time(near)), When())
            when = replace(
                when, weekdays=lender.weekdays, relative=lender.relative, on=lender.on, until=lender.until
            )
        elif not has_time(when) and _is_single_day(when) and has_day(after) and groups[at + 1].is_alternative:
            when = replace(when, from_minute=after.from_minute, to_minute=after.to_minute)
        key = (bool(when.weekdays), when.relative, when.on, when.until, when.from_minute, when.to_minute)
        known = times.get(key, when)
        times[key] = replace(known, weekdays=known.weekdays | when.weekdays)
    told = tuple(times.values())
    return told if len(told) <= TIMES_MAX else (holding(told),)


def holding(times: Sequence[When]) -> When:
    """One that holds them all: from the earliest begin to the latest end, on all their days if these can be said in one."""
    if not times:
        return When()
    relatives, dates = {when.relative for when in times}, {(when.on, when.until) for when in times}
    is_sayable = len(relatives) == len(dates) == 1 and all(when.weekdays for when in times)
    same_day = times[0] if len(relatives) == len(dates) == 1 else When()
    weekdays = (
        frozenset[Weekday]().union(*(when.weekdays for when in times)) if is_sayable else frozenset[Weekday]()
    )
    low = min(when.from_minute or 0 for when in times)
    high = max(DAY if when.to_minute is None else when.to_minute for when in times)
    return When(
        weekdays=weekdays,
        relative=same_day.relative,
        on=same_day.on,
        until=same_day.until,
        from_minute=low or None,
        to_minute=None if high == DAY else high,
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """A time as it was named on its own. ``is_alternative``: an "or" or "and" stands before it."""

    when: When
    is_alternative: bool


def _groups(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of each time.

    A time ends where a second day or date begins, or an "or" stands before what it has already, or that it can't have beside it.
    """
    groups: list[list[Piece]] = []
    for at, piece in enumerate(pieces):
        if groups and not _begins_anew(groups[-1], piece, pieces[at + 1 :]):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _begins_anew(group: Sequence[Piece], piece: Piece, rest: Sequence[Piece]) -> bool:
    is_of_day = any(has_day(one.when) for one in group)
    is_of_time = any(has_time(one.when) for one in group)
    if (piece.is_and or not piece.is_alternative) and _common_days(merged_when(group), piece.when) is not None:
        # "After thanksgiving but before christmas".
        return False
    if piece.is_and and not is_of_time and not has_day(piece.when) and _is_single_day(merged_when(group)):
        # "On dec 3 and at 5pm", but "weekends and evenings".
        return False
    if piece.is_alternative or _is_amid_alternatives(group, piece, rest):
        return True
    if has_day(piece.when):
        has_other = any(
            (one.when.on and piece.when.on) or (one.when.relative and piece.when.relative) for one in group
        )
        # "Sat am, sun pm"; but "mornings saturday", and "next week tuesday".
        return is_of_day and (is_of_time or has_other)
    # "5pm monday 6pm tuesday": a time after a day that has one, before another day.
    return is_of_day and is_of_time and not has_time(group[-1].when) and bool(rest) and has_day(rest[0].when)


def _common_days(one: When, other: When) -> tuple[date, date] | None:
    """The days that two spans have in common; None where one is no span, or they have none."""
    if one.on is None or one.until is None or other.on is None or other.until is None:
        return None
    first, last = max(one.on, other.on), min(one.until, other.until)
    return None if last < first else (first, last)


def _is_amid_alternatives(group: Sequence[Piece], piece: Piece, rest: Sequence[Piece]) -> bool:
    """Whether it is in a list that ends in an "or": the second of "mornings, lunchtime or evenings"."""
    is_time_again = has_time(group[-1].when) and not has_day(piece.when)
    return piece.is_listed and is_time_again and bool(rest) and rest[0].is_alternative


def has_day(when: When) -> bool:
    """Whether it says which days."""
    return bool(when.weekdays) or when.relative is not None or when.on is not None


def has_time(when: When) -> bool:
    """Whether it says which hours."""
    return when.from_minute is not None or when.to_minute is not None


def is_date(when: When) -> bool:
    """Whether it is a single calendar date."""
    return when.on is not None and when.until is None


def _is_single_day(when: When) -> bool:
    if when.weekdays:
        return len(when.weekdays) == 1
    return is_date(when) or when.relative in (RelativeDay.TODAY, RelativeDay.TOMORROW)


def merged_when(pieces: Sequence[Piece]) -> When:
    """What was said about one time, in one.

    Days add up, and times of day narrow each other ("morning ... after 10"). A time whose half of the day was guessed moves to the half that
    the others speak of ("morning ... at 7"); of times that can't both be, the shorter stands. The first day counted from today, or the
    first date, is kept; of two spans of days those that are in both.
    """
    result = When()
    span: _Span | None = None
    for piece in pieces:
        when = piece.when
        if (common := _common_days(result, when)) is not None:
            first, last = common
            result, when = (
                replace(result, on=first, until=last if last > first else None),
                replace(when, on=None, until=None),
            )
        result = replace(
            result,
            weekdays=result.weekdays | when.weekdays,
            relative=result.relative or (when.relative if result.on is None else None),
            on=result.on or (when.on if result.relative is None else None),
            until=result.until if result.on or result.relative else when.until,
        )
        if not has_time(when):
            continue
        said = _Span(
            when.from_minute or 0, DAY if when.to_minute is None else when.to_minute, piece.half_is_guessed
        )
        span = said if span is None else _both(span, said)
    if span is None:
        return result
    return replace(result, from_minute=span.low or None, to_minute=None if span.high == DAY else span.high)


@dataclass(frozen=True, slots=True)
class _Span:
    low: int
    high: int
    is_guess: bool

    def other_half(self) -> _Span:
        """Twelve hours off; what is open to one side stays so."""
        if self.low == 0 or self.high == DAY:
            return _Span(
                (self.low + NOON) % DAY if self.low else 0,
                (self.high + NOON) % DAY if self.high < DAY else DAY,
                is_guess=False,
            )
        shift = NOON if self.high <= NOON else -NOON
        return _Span(self.low + shift, self.high + shift, is_guess=False)


def _both(one: _Span, other: _Span) -> _Span:
    """What both allow; if nothing, the shorter of them."""
    readings = [(one, other)]
    if other.is_guess:
        readings.append((one, other.other_half()))
    if one.is_guess:
        readings.append((one.other_half(), other))
    for first, second in readings:
        low, high = max(first.low, second.low), min(first.high, second.high)
        if low < high:
            return _Span(low, high, first.is_guess and second.is_guess)
    nearest = min(readings, key=lambda pair: max(pair[0].low, pair[1].low) - min(pair[0].high, pair[1].high))
    return min(nearest, key=lambda span: span.high - span.low)
