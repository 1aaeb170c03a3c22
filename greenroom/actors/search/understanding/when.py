"""Days: weekdays and ranges of them, days counted from today, calendar dates; and the sum of all that says when.

"This saturday" is the first one from today on, "next tuesday" the one of the next calendar week (weeks begin on Monday).
Numbers like 12/03 are month and day, with points (3.12.2026) day and month; the other way round where only that is a date. A date without a year is the next such one from today.
What no :class:`When` can say (a month, a span of dates, how often) is taken out of the sentence and asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.clock import DAY, NOON
from greenroom.actors.search.understanding.daytime import daytime_claims
from greenroom.actors.search.understanding.filler import FILLER, SOFT_FILLER
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import PartKind, RelativeDay, Weekday, When

WEEK: Final = tuple(Weekday)
TIMES_MAX: Final = 6
"""Times of one sentence that are kept apart; nobody names more who looks for a lesson."""

_WORKDAYS: Final = frozenset(WEEK[:5])
_WEEKEND: Final = frozenset(WEEK[5:])

_NAMES: Final = {
    Weekday.MONDAY: "mon mons monday mondays munday",
    Weekday.TUESDAY: "tue tues tuesday tuesdays tuseday teusday",
    Weekday.WEDNESDAY: "wed weds wednesday wednesdays wensday wendesday wednsday",
    Weekday.THURSDAY: "thu thur thurs thursday thursdays thrusday thurday",
    Weekday.FRIDAY: "fri fris friday fridays firday",
    Weekday.SATURDAY: "sat sats saturday saturdays saterday satuday",
    Weekday.SUNDAY: "sun suns sunday sundays",
}
_WEEKDAYS: Final = {name: day for day, names in _NAMES.items() for name in names.split()}
_DAY: Final = "(?:" + "|".join(sorted(_WEEKDAYS, key=len, reverse=True)) + ")"
_LEAD: Final = (
    r"(?:(?:on|for|only|every|each|any|most|either|both|the|free|available|some|upcoming|coming|by|other)_){0,4}"
)
_SCHOOL_TEST: Final = (
    r"(?! _(?: prep | test | tests | exam | exams | tutor | tutors | tutoring | math | reading | writing | score | scores | practice"
    r" | preparation | coach | verbal | subject | salutations? | dance | tutorial | courses? | classes? | and_act | or_act | act | /_act | &_act ) (?!\S) )"
)
_DAYS: Final = pattern(
    rf"{_LEAD} (?P<which>(?:this|next)_(?:coming_)?)? (?P<days>{_DAY} (?: _(?:(?:-|to|thru|through|till|until|and|or|/|&|,|and_/_or|or_on|and_on)_)?{_DAY}){{0,8}} )"
    rf" (?P<week>_(?:of_)?(?:this|next)_week)? {_SCHOOL_TEST}"
)
_LETTERS: Final = pattern(
    r"(?:on_)?(?: (?P<mwf>mwf | m_/_w_/_f | m_w_f) | (?P<tth>t_/_th | tth | tuth | t_th) | (?P<mw>m_/_w) )"
)
_GROUPS: Final = (
    (
        pattern(
            rf"{_LEAD} (?:week_?days? | work_?days? | school_days? | school_nights? | during_the_week | week_?nights?)"
        ),
        _WORKDAYS,
    ),
    (pattern(rf"{_LEAD} (?:(?:at|over|during)_)?(?:the_)?(?:week_?ends? | week_?end_days?)"), _WEEKEND),
    (
        pattern(
            r"(?:on_)?(?:any|every|all)_?days? | daily | (?:7_days_a_week) | any_?_?time | any_day_of_the_week | flexible_(?:schedule|times?|hours)"
        ),
        None,
    ),
)
_RELATIVE: Final = tuple(
    (pattern(rf"(?:(?:for|on|by|starting)_)?(?:{words})"), when)
    for words, when in (
        (r"today | to_day | same_day", When(relative=RelativeDay.TODAY)),
        (r"tonight | to_night | tonite | 2_nite | 2_night | this_evening_or_tonight", When(relative=RelativeDay.TODAY, from_minute=1020, to_minute=1440)),
        (r"late_tonight", When(relative=RelativeDay.TODAY, from_minute=1200, to_minute=1440)),
        (r"this_morning", When(relative=RelativeDay.TODAY, from_minute=360, to_minute=720)),
        (r"this_afternoon", When(relative=RelativeDay.TODAY, from_minute=720, to_minute=1020)),
        (r"this_(?:evening|night)", When(relative=RelativeDay.TODAY, from_minute=1020, to_minute=1320)),
        (r"tomorrow | 2_morrow | tomorow | tommorow | tommorrow | tmrw | tmr | tomorrows", When(relative=RelativeDay.TOMORROW)),
        (r"(?:some_?time_|any_?time_|later_)?this_week | (?:some_?time_)?in_the_next_7_days", When(relative=RelativeDay.THIS_WEEK)),
        (r"(?:some_?time_|any_?time_)?(?:next|(?:the_)?(?:upcoming|coming|following))_week", When(relative=RelativeDay.NEXT_WEEK)),
        (r"(?:this|the_coming|this_coming)_week_?end", When(relative=RelativeDay.THIS_WEEKEND)),
        (r"next_morning", When(relative=RelativeDay.TOMORROW, from_minute=360, to_minute=720)),
        (r"next_afternoon", When(relative=RelativeDay.TOMORROW, from_minute=720, to_minute=1020)),
        (r"next_(?:evening|night)", When(relative=RelativeDay.TOMORROW, from_minute=1020, to_minute=1320)),
        (r"next_week_?end", When(relative=RelativeDay.NEXT_WEEKEND)),
    )
)  # fmt: skip
_IN_DAYS: Final = pattern(
    r"(?: (?P<after>(?:the_)?day_after_tomorrow) | (?P<week>in_(?:a|1)_week | (?:a|1)_week_from_(?:today|now) | today_week)"
    r" | in_(?P<days>\d{1,2})_days | (?P<weeks>\d)_weeks_from_(?:today|now) )"
)
_DAYS_AHEAD: Final = {"after": 2, "week": 7}

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february febuary", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH: Final = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + ")"
_DAY_NUMBER: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:20\d\d)"
_ON: Final = r"(?:(?:on|for|by|the)_){0,4}"
_SPELT: Final = pattern(
    rf"{_ON} (?: (?P<m1>{_MONTH})_(?:/_|the_)?(?P<d1>{_DAY_NUMBER}) | (?<![:$€£/]\ )(?P<d2>{_DAY_NUMBER})_(?:of_|/_)?(?P<m2>{_MONTH}) | (?P<y3>{_YEAR})_(?:/_)?(?P<m3>{_MONTH})_(?:/_|-_)?(?P<d3>{_DAY_NUMBER}) )"
    rf" (?P<span>_(?:-|to|through)_(?:{_MONTH}_)?{_DAY_NUMBER})? (?:_(?:or|and)_(?P<d4>{_DAY_NUMBER})(?!_(?:am|pm|:|{_MONTH})(?!\S)))? (?:_(?:of_|-_|/_)?(?P<year>{_YEAR}))? (?!_(?:am|pm|:)(?!\S))"
)
_BETWEEN_DATES: Final = pattern(
    rf"between_ (?: {_MONTH}_{_DAY_NUMBER} | (?:the_)?{_DAY_NUMBER}(?:_(?:of_)?{_MONTH})? )"
    rf" _and_ (?: {_MONTH}_{_DAY_NUMBER} | (?:the_)?{_DAY_NUMBER}_(?:of_)?{_MONTH} )"
    rf" | between_{_MONTH}_{_DAY_NUMBER}_and_(?:the_)?{_DAY_NUMBER}"
)
_WEEKDAY_AND_DAY: Final = pattern(
    rf"(?:on_)?(?P<weekday>{_DAY})_(?:the_)?(?: (?P<day>\d{{1,2}})(?:st|nd|rd|th) | (?P<bare>1[3-9]|2\d|3[01]) )"
    r" (?!_(?:-|:|am|pm|to|/|of|street|st|ave|avenue|grade|graders?|o_?clock|year|dollars|usd)(?!\S))"
)
_DOTTED: Final = pattern(rf"{_ON} (?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}|\d\d)")
_ISO: Final = pattern(rf"{_ON} (?P<year>{_YEAR})_(?:-|/)_(?P<month>\d\d?)_(?:-|/)_(?P<day>\d\d?)")
_SLASHED: Final = pattern(
    rf"{_ON} (?P<a>\d{{1,2}})_/_(?P<b>\d{{1,2}}) (?:_/_(?P<year>{_YEAR}|\d\d))?"
    r" (?<!24_/_7)(?!_(?:hours?|time|size|sized|cello|violin|viola|guitar|scale|/|of|waltz|inch|mile|price)(?!\S))"
    rf" | {_ON} (?P<a2>\d{{1,2}})_-_(?P<b2>\d{{1,2}})_-_(?P<year2>{_YEAR}|\d\d) | on_(?P<a3>\d{{1,2}})_-_(?P<b3>1[3-9]|2\d|3[01])"
)
_NO_DATE: Final = (
    r"(?! _(?: street | st | ave | avenue | grade | graders? | time | floor | century | year | years | of | hour | hours | lessons? | position"
    r" | movement | edition | ward | district | and | - | : | / | am | pm | o_?clock | min | mins | minutes? | \$ | dollars | people | kids"
    r" | students? | months? | weeks? | days? | or ) (?!\S) )"
)
_DAY_OF_MONTH: Final = pattern(
    rf"(?: (?:on_)?the_(?P<day>\d{{1,2}})(?:st|nd|rd|th) | (?<!\d\ )on_(?P<on>\d{{1,2}})(?:st|nd|rd|th)? | (?:on|for|by)_the_(?P<bare>\d{{1,2}})"
    rf" | (?P<before>\d{{1,2}})(?:st|nd|rd|th)(?=_(?:at|from|after|before|between)_\d) ) {_NO_DATE}"
)

_ASKS_NOTHING: Final = (
    pattern(rf"(?:(?:in|during|by|starting|since|until|this|next|for)_)(?:early_|mid_|late_)?{_MONTH}(?:_{_YEAR})?"),
    pattern(r"(?:in_|over_|during_|for_|this_|next_){1,2}(?:the_)?(?:summer|winter|fall|autumn|spring|month|year|semester|holidays?|christmas|winter_break|spring_break)(?:_break)?"),
    pattern(r"(?:about_|around_|at_least_)?(?:once|twice|thrice|\d+_(?:x|times?)|\d+x|several_times|a_few_times)_(?:a|an|per|each|every|/)_(?:week|month|day|fortnight)"),
    pattern(r"(?:every_other_week|bi_?weekly|fortnightly|weekly|once_weekly|twice_weekly|monthly|every_week|each_week|per_week|a_week|on_a_regular_basis|regularly)"),
    pattern(
        r"(?:for_|in_|within_|under_|over_|about_|less_than_|more_than_|up_to_|at_least_|of_){0,4}(?: (?:\d+(?:\.\d+)? (?:_?(?:-|to|or|and)_\d+)? | an | a | half_an? | 1_/_2 | half | a_few | several | couple_of)"
        r" _?(?:min|mins|minutes?|hours?|hrs?|hr|weeks?|months?|days?|years?|h|m) ) (?:_(?:long|sessions?|lessons?|and_a_half|class|classes|slots?|each|of_experience|experience|of)){0,3}(?!_(?:(?:walk|drive|away)_)?(?:from|of)(?!\S))"
    ),
    pattern(r"for_2(?=_(?:in|on|at|near|this|next|under|please|with|-)(?!\S)) | as_an?_couple"),
    pattern(r"4(?=_(?:my|me|kids|beginners|an?)(?!\S)) | 2(?=_(?:teach|learn|help|show|play|do)(?!\S))"),
    pattern(r"(?:at_least_|over_|more_than_)?\d+_?\+?_?(?:years?|yrs?)(?:_(?:of|teaching|professional)){0,3}_experience"),
    pattern(r"1_(?:on|to|:|-|2)_1 | 1_on_2 | half_hour | (?:any|what)_time | asap | as_soon_as_possible | right_(?:now|away) | immediately | same_time"
        r" | yesterday | last_(?:week|weekend|month|year|night)"),
    pattern(r"(?:within_|in_)?\d+(?:\.\d+)?_(?:miles?|mi|km|kms|blocks?|kilomet(?:er|re)s?|mins?_walk|minutes?_walk)(?!_(?:of|from)(?!\S))"),
    pattern(r"(?:group_of_|class_of_|for_|up_to_|max_|maximum_){0,4}\d+_(?:people|persons?|students?|kids(?!_age)|children(?!_age)|adults|players?|of_us|others?)(?!_(?:age|ages|aged|between|under|over)(?!\S))"),
)  # fmt: skip


def when_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a day or a time. Without ``today`` dates that lack a year, and days counted beyond tomorrow, ask for nothing."""
    yield from daytime_claims(line)
    yield from _weekday_claims(line)
    for rule, when in _RELATIVE:
        for _, first, after in line.find(rule):
            yield Claim(PartKind.WHEN, first, after, when, 11)
    if any(char.isdigit() for char in line.text) or "after" in line.text or "week" in line.text:
        yield from _dates(line, today)
    for rule in _ASKS_NOTHING:
        for _, first, after in line.find(rule):
            yield Claim(None, first, after, None, 8)


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
        if not _has_day(when):
            lender = next((near for near in (before, after) if _has_day(near) and _has_time(near)), When())
            when = replace(when, weekdays=lender.weekdays, relative=lender.relative, on=lender.on)
        elif not _has_time(when) and _is_single_day(when) and _has_day(after) and groups[at + 1].is_alternative:
            when = replace(when, from_minute=after.from_minute, to_minute=after.to_minute)
        key = (bool(when.weekdays), when.relative, when.on, when.from_minute, when.to_minute)
        known = times.get(key, when)
        times[key] = replace(known, weekdays=known.weekdays | when.weekdays)
    told = tuple(times.values())
    return told if len(told) <= TIMES_MAX else (holding(told),)


def holding(times: Sequence[When]) -> When:
    """One that holds them all: from the earliest begin to the latest end, on all their days if these can be said in one."""
    if not times:
        return When()
    relatives, dates = {when.relative for when in times}, {when.on for when in times}
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
    has_day = any(_has_day(one.when) for one in group)
    has_time = any(_has_time(one.when) for one in group)
    if piece.is_and and not has_time and not _has_day(piece.when) and _is_single_day(merged_when(group)):
        # "On dec 3 and at 5pm", but "weekends and evenings".
        return False
    if piece.is_alternative or _is_amid_alternatives(group, piece, rest):
        return True
    if _has_day(piece.when):
        has_other = any(
            (one.when.on and piece.when.on) or (one.when.relative and piece.when.relative) for one in group
        )
        # "Sat am, sun pm"; but "mornings saturday", and "next week tuesday".
        return has_day and (has_time or has_other)
    # "5pm monday 6pm tuesday": a time after a day that has one, before another day.
    return has_day and has_time and not _has_time(group[-1].when) and bool(rest) and _has_day(rest[0].when)


def _is_amid_alternatives(group: Sequence[Piece], piece: Piece, rest: Sequence[Piece]) -> bool:
    """Whether it is in a list that ends in an "or": the second of "mornings, lunchtime or evenings"."""
    is_time_again = _has_time(group[-1].when) and not _has_day(piece.when)
    return piece.is_listed and is_time_again and bool(rest) and rest[0].is_alternative


def _has_day(when: When) -> bool:
    return bool(when.weekdays) or when.relative is not None or when.on is not None


def _has_time(when: When) -> bool:
    return when.from_minute is not None or when.to_minute is not None


def _is_single_day(when: When) -> bool:
    if when.weekdays:
        return len(when.weekdays) == 1
    return when.on is not None or when.relative in (RelativeDay.TODAY, RelativeDay.TOMORROW)


def merged_when(pieces: Sequence[Piece]) -> When:
    """What was said about one time, in one.

    Days add up, and times of day narrow each other ("morning ... after 10"). A time whose half of the day was guessed moves to the half that
    the others speak of ("morning ... at 7"); of times that can't both be, the shorter stands. The first day counted from today, or the
    first date, is kept.
    """
    result = When()
    span: _Span | None = None
    for piece in pieces:
        when = piece.when
        result = replace(
            result,
            weekdays=result.weekdays | when.weekdays,
            relative=result.relative or (when.relative if result.on is None else None),
            on=result.on or (when.on if result.relative is None else None),
        )
        if not _has_time(when):
            continue
        said = _Span(
            when.from_minute or 0, DAY if when.to_minute is None else when.to_minute, piece.half_is_guessed
        )
        span = said if span is None else _both(span, said)
    if span is None:
        return result
    return replace(result, from_minute=span.low or None, to_minute=None if span.high == DAY else span.high)


def without_days(when: When, excluded: frozenset[Weekday]) -> When:
    """The same but for some weekdays: of all, if none were named. Excluding every one of them says nothing."""
    left = (when.weekdays or frozenset(WEEK)) - excluded
    return replace(when, weekdays=left) if excluded and left else when


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


def _weekday_claims(line: Line) -> Iterator[Claim]:
    for match, first, after in line.find(_DAYS):
        days = frozenset(_listed(match["days"].split()))
        if match["days"] == "sat" and _is_the_test(line, first, after):
            continue
        if match["days"] in ("sun", "sat") and "the" in match.group().split():
            continue
        which = (match["which"] or match["week"] or "").split()
        relative = RelativeDay.NEXT_WEEK if "next" in which else RelativeDay.THIS_WEEK if "this" in which else None
        yield Claim(PartKind.WHEN, first, after, When(weekdays=days, relative=relative), 11)
    for match, first, after in line.find(_LETTERS):
        chosen = (0, 2, 4) if match["mwf"] else (1, 3) if match["tth"] else (0, 2)
        yield Claim(PartKind.WHEN, first, after, When(weekdays=frozenset(WEEK[day] for day in chosen)), 10)
    for rule, group in _GROUPS:
        for _, first, after in line.find(rule):
            yield Claim(PartKind.WHEN, first, after, When(weekdays=group) if group else None, 10)


def _listed(tokens: list[str]) -> Iterator[Weekday]:
    """Days of a list in which "-", "to" and the like stand for all between."""
    previous: Weekday | None = None
    is_range = False
    for token in tokens:
        if token not in _WEEKDAYS:
            is_range = token in ("-", "to", "thru", "through", "till", "until")
            continue
        day = _WEEKDAYS[token]
        if is_range and previous is not None:
            begin, length = WEEK.index(previous), (WEEK.index(day) - WEEK.index(previous)) % 7
            yield from (WEEK[(begin + step) % 7] for step in range(length + 1))
        yield day
        previous, is_range = day, False


def _is_the_test(line: Line, first: int, after: int) -> bool:
    """Whether "sat" is the college admission test: alone, or in capitals in a sentence that isn't."""
    if all(first <= at < after or atom.key in FILLER | SOFT_FILLER for at, atom in enumerate(line.atoms)):
        return True
    typed = line.atoms[after - 1].words[0]
    is_shouted = line.typed[typed.start : typed.end] == "SAT" and not line.typed.isupper()
    return is_shouted and line.key(after) not in (
        "morning",
        "mornings",
        "afternoon",
        "afternoons",
        "evening",
        "evenings",
        "at",
        "after",
        "before",
    )


def _dates(line: Line, today: date | None) -> Iterator[Claim]:
    for match, first, after in line.find(_SPELT):
        month = _MONTHS[match["m1"] or match["m2"] or match["m3"]]
        day = int(re.sub(r"\D", "", match["d1"] or match["d2"] or match["d3"]))
        year = int(match["year"] or match["y3"] or 0) or None
        if match["span"]:
            yield _date_claim(first, after, None)
            continue
        numbers = [day] if match["d4"] is None else [day, int(re.sub(r"\D", "", match["d4"]))]
        dates = [_date(year, month, number, today) for number in numbers]
        yield _date_claim(first, after, *dates)
    for _, first, after in line.find(_BETWEEN_DATES):
        yield Claim(None, first, after, None, 12)
    for match, first, after in line.find(_ISO):
        if on := _date(int(match["year"]), int(match["month"]), int(match["day"]), today):
            yield _date_claim(first, after, on)
    for match, first, after in line.find(_SLASHED):
        yield from _slashed(match, first, after, today)
    for match, first, after in line.find(_DOTTED):
        year = int(match["year"]) + (2_000 if len(match["year"]) == 2 else 0)
        if on := _day(year, int(match["month"]), int(match["day"])) or _day(
            year, int(match["day"]), int(match["month"])
        ):
            yield _date_claim(first, after, on)
    for match, first, after in line.find(_WEEKDAY_AND_DAY):
        on = _next_day_of_month(
            int(match["day"] or match["bare"]), today, weekday=WEEK.index(_WEEKDAYS[match["weekday"]])
        )
        if on is not None:
            yield _date_claim(first, after, on)
    for match, first, after in line.find(_DAY_OF_MONTH):
        day = int(match["day"] or match["on"] or match["bare"] or match["before"])
        if 1 <= day <= 31:
            yield _date_claim(first, after, _next_day_of_month(day, today))
    for match, first, after in line.find(_IN_DAYS):
        days = _DAYS_AHEAD.get(match.lastgroup or "", 0) or int(match["days"] or 0) or 7 * int(match["weeks"] or 0)
        yield _date_claim(first, after, today + timedelta(days) if today else None)


def _slashed(match: re.Match[str], first: int, after: int, today: date | None) -> Iterator[Claim]:
    a, b = int(match["a"] or match["a2"] or match["a3"]), int(match["b"] or match["b2"] or match["b3"])
    year_text = match["year"] or match["year2"]
    year = (2_000 if len(year_text) == 2 else 0) + int(year_text) if year_text else None
    month, day = (a, b) if a <= 12 else (b, a)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return
    yield _date_claim(first, after, _date(year, month, day, today))


def _date_claim(first: int, after: int, *dates: date | None) -> Claim:
    """A date, or some of which any will do; None for what is one but can't be told."""
    whens = tuple(When(on=on) for on in dates if on is not None)
    meaning = whens if len(whens) > 1 else whens[0] if whens else None
    return Claim(PartKind.WHEN if whens else None, first, after, meaning, 11)


def _date(year: int | None, month: int, day: int, today: date | None) -> date | None:
    """That day; of the year in which it comes next if none is given. None if there is no such day, or no telling which."""
    if year is not None:
        return _day(year, month, day)
    if today is None:
        return None
    # A leap day may be up to eight years off.
    candidates = (_day(today.year + years, month, day) for years in range(9))
    return next((on for on in candidates if on is not None and on >= today), None)


def _next_day_of_month(day: int, today: date | None, *, weekday: int | None = None) -> date | None:
    """The next such day; the next that is that weekday too, if there is one within a year."""
    if today is None:
        return None
    months = (divmod(today.year * 12 + today.month - 1 + ahead, 12) for ahead in range(13))
    days = [on for year, month in months if (on := _day(year, month + 1, day)) is not None and on >= today]
    return next((on for on in days if weekday is None or on.weekday() == weekday), None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
