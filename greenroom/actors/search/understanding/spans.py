"""Spans of days: "in december", "end of the month", "in the next two weeks", "between dec 3 and dec 5", "starting monday".

A month's beginning, middle and end are ten days each, the last of them up to its end. "A few days" are four. A span without an end
("starting in january") is as long as searches look ahead, as who teaches does so by the week.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from greenroom.actors.search.understanding.calendar_dates import (
    DAY_NUMBER,
    MONTH,
    MONTHS,
    YEAR,
    next_date,
    next_day_of_month,
    real_day,
)
from greenroom.actors.search.understanding.claims import Claim, Untold
from greenroom.actors.search.understanding.feasts import FEAST, feast_on
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.weekdays import DAY_NAME, WEEK, WEEKDAYS
from greenroom.schema.search.understood import NoticeKind, PartKind, When

AHEAD_DAYS: Final = 28
"""Of "starting in march": as many as a search looks ahead that names no day."""

Days = tuple[date, date]
"""First and last."""

_NOT_BEFORE: Final = r"(?:not_(?:before | until | till | earlier_than) | no_(?:earlier | sooner)_than)"
_NTH: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)(?!_(?:of|grade|floor|street|st|ave|avenue)(?!\S))"
_NOW_UNTIL: Final = r"(?:between_(?:now|today)_and | (?:from_)?(?:now|today)_(?:until|till|to|through))"
_NOT_AFTER: Final = r"(?:not_(?:after | later_than) | no_later_than)"
_PART: Final = r"(?:(?:at_|by_|towards_)?(?:the_)?(?P<part>early | beginning_of | start_of | mid | middle_of | late | end_of)_(?:in_)?(?:the_)?)"
_MONTH_SPAN: Final = pattern(
    rf"(?:(?:in|during|for|over|sometime)_){{0,2}} (?: {_PART} (?P<m1>{MONTH} | this_month | next_month | month)"
    rf" | (?<=in\ )(?P<m2>{MONTH}) | (?P<m3>this_month | next_month) ) (?:_(?P<year>{YEAR}))? (?!_\d)"
)
_IN_MONTH: Final = pattern(
    rf"(?P<lead>in | during | for | this | next | all(?:_of)? | through | throughout | whole(?:_of)? | any_?time_in | sometime_in | starting(?:_in)? | beginning(?:_in)? | from | until | till | by | before | after | {_NOT_BEFORE} | {_NOT_AFTER})_(?P<month>{MONTH}) (?:_(?P<year>{YEAR}))? (?!_\d)"
)
_UNTIL_END: Final = pattern(
    rf"(?:until | till | by | before | through | {_NOW_UNTIL})_(?:the_)?end_of_(?:the_|this_)?(?P<what>{MONTH} | month | next_month | year | week | next_week)"
)
_MONTH_ALONE: Final = pattern(
    rf"(?: (?P<month>january | february | july | september | october | november | december) | (?P<m2>{MONTH})_(?P<year>{YEAR}) ) (?!_(?:\d|rain(?!\S)))"
)
"""Of the others some are names and verbs: "june", "may", "march"."""

_COUNTED: Final = pattern(
    r"(?: (?:some_?time_)?(?:in|within|over|during)_(?:the_)?(?:next|coming) | within | (?:the_)?next )_"
    r"(?P<n>\d{1,2} | an? | few | couple(?:_of)?)_(?P<unit>days? | weeks? | months? | fortnight)"
    r" | (?:in_|over_|within_)?(?:the_)?(?:next|coming)_(?:few|couple_of)_(?P<few>days | weeks)"
    r" | (?:some_?time_)?(?:in|within|over|during)_the_(?:next|coming)_(?P<one>week | month)"
)


def a_date(tag: str) -> str:
    """The pattern of a calendar date, its groups named with a tag so that two may stand in one pattern."""
    return (
        rf"(?: (?P<m{tag}>{MONTH})_(?:the_)?(?P<d{tag}>{DAY_NUMBER}) | (?:the_)?(?P<e{tag}>{DAY_NUMBER})_(?:of_)?(?P<n{tag}>{MONTH})"
        rf" | (?P<s{tag}>(?:0?[1-9]|1[0-2])_/_(?:0?[1-9]|[12]\d|3[01])) (?!_(?:/|size|sized|cello|violin|viola|guitar|time)(?!\S)) | (?P<f{tag}>{FEAST}) )"
        rf"(?:_(?P<y{tag}>{YEAR}))?"
    )


_FROM_TO: Final = pattern(
    rf"(?:(?P<lead>from|between)_)? {a_date('1')} _(?P<join>-|to|and|through|until|till)_ (?: {a_date('2')} | (?:the_)?(?P<last>{DAY_NUMBER}) )"
    r" (?!_(?:am|pm|:|o_?clock)(?!\S))"
)
_DAYS_OF_MONTH: Final = pattern(
    rf"(?:(?P<lead>from|between)_)?(?:the_)?(?P<first>{DAY_NUMBER})_(?P<join>-|to|and|through|until|till)_ {a_date('2')}"
)
_STARTING: Final = pattern(
    rf"(?:starting | beginning | as_of | commencing | (?P<not>{_NOT_BEFORE}))_(?:from_|on_|at_)?(?: {a_date('1')} | (?P<day>(?:next_|this_)?{DAY_NAME}) | (?P<week>next_week) | (?P<month>next_month) | the_(?P<nth>{_NTH}) )"
    rf" | (?:starting | beginning | as_of | {_NOT_BEFORE} | (?P<behind>after) | from(?=_\w+_(?:on | onwards?)(?!\S)))_(?:from_)?(?P<near>today | tomorrow)(?:_(?:on | onwards?))?"
    rf" | (?P<since>from | after)_(?:(?P<weeks>(?:this | next)_week) | (?P<months>(?:this | next)_month)) (?:_(?:on|onwards?))? (?!_(?:-|to|until|till|through)(?!\S))"
    rf" | (?:after | from)_ (?: {a_date('2')} ) (?:_(?:on|onwards?))? (?!_(?:-|to|until|till|through)(?!\S))"
)
_UNTIL: Final = pattern(
    rf"(?P<lead>until | till | by | before | up_to | {_NOW_UNTIL} | {_NOT_AFTER})_(?: {a_date('1')} | (?:this_|next_)?(?P<day>{DAY_NAME}) | (?<=until\ )(?P<near>tomorrow) | (?<=before\ )(?P<next>tomorrow) | the_(?P<nth>{_NTH}) ) (?!_(?:morning|afternoon|evening|at|\d+)(?!\S))"
)


def span_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a span of days. Without ``today``, which all are told from, they ask for nothing."""
    rules: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Days | None], int], ...] = (
        (_MONTH_SPAN, _month_part, 12),
        (_IN_MONTH, _month, 11),
        (_COUNTED, _counted, 13),
        (_FROM_TO, _from_to, 13),
        (_DAYS_OF_MONTH, _days_of_month, 13),
        (_STARTING, _starting, 13),
        (_UNTIL, _until, 12),
        (_UNTIL_END, _until_end, 13),
        (_MONTH_ALONE, _month_alone, 9),
    )
    for rule, days_of, strength in rules:
        for match, first, after in line.find(rule):
            yield span_claim(first, after, strength, None if today is None else days_of(match, today), today)


def span_claim(first: int, after: int, strength: int, days: Days | None, today: date | None) -> Claim:
    """A span, from today on; one that is over is told, and of one that can't be told nothing is asked."""
    if today is None or days is None:
        return Claim(None, first, after, None, 8)
    begin, end = max(days[0], today), days[1]
    if end < begin:
        return Claim(None, first, after, Untold(NoticeKind.PAST), strength)
    return Claim(PartKind.WHEN, first, after, When(on=begin, until=None if end == begin else end), strength)


def month_of(text: str | None, year: str | None, today: date) -> tuple[int, int]:
    """Year and month of a name, or of "this month" and the like."""
    if text is None or text not in MONTHS:
        ahead = 1 if text == "next month" else 0
        years, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        return years, month + 1
    month = MONTHS[text]
    return (int(year) if year else today.year + (month < today.month)), month


def last_day(year: int, month: int) -> date:
    """Of a month."""
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(1)


def _month_part(match: re.Match[str], today: date) -> Days:
    year, month = month_of(match["m1"] or match["m2"] or match["m3"], match["year"], today)
    last = last_day(year, month)
    match (match["part"] or "").split()[:1]:
        case ["early" | "beginning" | "start"]:
            return date(year, month, 1), date(year, month, 10)
        case ["mid" | "middle"]:
            return date(year, month, 11), date(year, month, 20)
        case ["late" | "end"]:
            return date(year, month, 21), last
        case _:
            return date(year, month, 1), last


def _month(match: re.Match[str], today: date) -> Days:
    year, month = month_of(match["month"], match["year"], today)
    begin = date(year, month, 1)
    match match["lead"].split():
        case ["until" | "till" | "by" | "before"]:
            return today, begin - timedelta(1)
        case ["not" | "no", "after" | "later", *_]:
            return today, last_day(year, month)
        case ["after"]:
            begin = last_day(year, month) + timedelta(1)
            return begin, begin + timedelta(AHEAD_DAYS - 1)
        case ["starting" | "beginning" | "from" | "not" | "no", *_]:
            return begin, max(begin, today) + timedelta(AHEAD_DAYS - 1)
        case _:
            return begin, last_day(year, month)


def _counted(match: re.Match[str], today: date) -> Days | None:
    if match["one"]:
        return today, today + timedelta(7 if match["one"] == "week" else 30)
    if match["few"]:
        return today, today + timedelta(3 if match["few"] == "days" else 20)
    told = match["n"].split()[0]
    count = {"a": 1, "an": 1, "few": 3, "couple": 2}.get(told) or int(told)
    weeks = {"w": 7, "f": 14, "m": 30}.get(match["unit"][0], 1)
    return today, today + timedelta(count * weeks)


def date_of(match: re.Match[str], tag: str, today: date) -> date | None:
    """The date of :func:`a_date`, the next such one from today on where no year is told; None for none."""
    if match[f"f{tag}"]:
        return feast_on(match[f"f{tag}"], today)
    if match[f"s{tag}"]:
        number, day_of = (int(text) for text in match[f"s{tag}"].split(" / "))
        return next_date(None, number, day_of, today)
    month, day = match[f"m{tag}"] or match[f"n{tag}"], match[f"d{tag}"] or match[f"e{tag}"]
    if month is None or day is None:
        return None
    year = match[f"y{tag}"]
    return next_date(int(year) if year else None, MONTHS[month], _number(day), today)


def _from_to(match: re.Match[str], today: date) -> Days | None:
    begin = date_of(match, "1", today)
    if begin is None or (match["join"] == "and" and match["lead"] != "between"):
        return None
    if match["s1"] and not match["lead"] and max(int(text) for text in match["s1"].split(" / ")) <= 8:
        # "1/2 - 3/4" is a size of a violin, or of a piece of music.
        return None
    if match["last"]:
        end = real_day(begin.year, begin.month, _number(match["last"]))
    else:
        end = date_of(match, "2", begin)
    return None if end is None or end < begin else (begin, end)


def _days_of_month(match: re.Match[str], today: date) -> Days | None:
    end = date_of(match, "2", today)
    if match["join"] == "and" and match["lead"] != "between":
        return None
    begin = None if end is None else real_day(end.year, end.month, _number(match["first"]))
    return None if begin is None or end is None or end < begin else (begin, end)


def _since(match: re.Match[str], today: date) -> date | None:
    """Of "from next month", "after this week": the first day of it, or behind it."""
    is_after = match["since"] == "after"
    if weeks := match["weeks"]:
        return today + timedelta(7 * (weeks.startswith("next") + is_after) - today.weekday())
    months = match["month"] or match["months"]
    year, month = divmod(today.year * 12 + today.month - 1 + months.startswith("next") + is_after, 12)
    return date(year, month + 1, 1)


def _starting(match: re.Match[str], today: date) -> Days | None:
    if match["since"] or match["month"]:
        begin = _since(match, today)
    elif match["nth"]:
        begin = next_day_of_month(_number(match["nth"]), today)
    elif match["near"]:
        begin = today + timedelta((match["near"] == "tomorrow") + (match["behind"] is not None))
    elif match["week"]:
        begin = today + timedelta(7 - today.weekday())
    elif match["day"]:
        begin = _weekday(match["day"], today)
    elif any(match[f"{name}2"] for name in "mnsf"):
        begin = date_of(match, "2", today)
        if begin is not None and match.group().startswith("after"):
            begin += timedelta(1)
    else:
        begin = date_of(match, "1", today)
    return None if begin is None else (begin, begin + timedelta(AHEAD_DAYS - 1))


def _until(match: re.Match[str], today: date) -> Days | None:
    if match["near"] or match["next"]:
        return today, today + timedelta(match["near"] is not None)
    if match["nth"]:
        end = next_day_of_month(_number(match["nth"]), today)
    else:
        end = _weekday(match["day"], today) if match["day"] else date_of(match, "1", today)
    if end is None:
        return None
    return today, end - timedelta(1) if match["lead"] == "before" else end


def _until_end(match: re.Match[str], today: date) -> Days:
    what = match["what"]
    if what.endswith("week"):
        return today, today + timedelta((13 if what.startswith("next") else 6) - today.weekday())
    if what == "year":
        return today, date(today.year, 12, 31)
    return today, last_day(*month_of(what, None, today))


def _month_alone(match: re.Match[str], today: date) -> Days:
    year, month = month_of(match["month"] or match["m2"], match["year"], today)
    return date(year, month, 1), last_day(year, month)


def _weekday(name: str, today: date) -> date:
    """The next such day; of "next" the one of the next calendar week."""
    *which, day = name.split()
    at = WEEK.index(WEEKDAYS[day])
    if which == ["next"]:
        return today + timedelta(7 - today.weekday() + at)
    return today + timedelta((at - today.weekday()) % 7)


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))
