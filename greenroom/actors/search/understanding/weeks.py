"""Weeks, and parts of them, that are told by where they lie: "first week of december", "the week of the 18th", "early next week".

The first week of a month are its first seven days, and so on; the last its last seven. Early in a week is until Wednesday, its middle
Tuesday to Thursday, its end from Thursday on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from greenroom.actors.search.understanding.calendar_dates import DAY_NUMBER, MONTH, next_day_of_month
from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.spans import Days, a_date, date_of, last_day, month_of, span_claim
from greenroom.actors.search.understanding.weekdays import WEEK
from greenroom.schema.search.understood import PartKind, RelativeDay, When

_OF_MONTH: Final = pattern(
    rf"(?:(?:in|on|during|for)_)?(?:the_)?(?P<nth>[1-5](?:st|nd|rd|th) | first | second | third | fourth | last)_(?P<count>2_)?(?P<what>weeks? | week_?end | half)_(?:of|in)_(?:the_)?"
    rf"(?P<month>{MONTH} | this_month | next_month | month)"
)
_OF_DATE: Final = pattern(
    rf"(?:(?:in|on|during|for)_)?(?:the_)?(?P<what>week_?end | week)_(?P<side>of|beginning|starting|before|after|following)_(?: {a_date('1')} | the_(?P<day>{DAY_NUMBER}) )"
)
_AFTER_NEXT: Final = pattern(
    r"(?:in_|during_|on_)?(?:the_)?(?P<what>week_?end | week)_after_next(?:_week(?:_?end)?)?"
)
_REST: Final = pattern(r"(?:for_|during_)?(?:the_)?(?:rest | remainder)_of_(?:the_|this_)?(?P<what>week | month)")
_PART: Final = pattern(
    r"(?: (?:at_|by_|towards_)?(?:the_)?(?P<part>early(?:_in)? | start_of | beginning_of | mid | middle_of | late(?:_in)? | end_of)_(?:the_)?(?P<which>(?:this | next)_)?week"
    r" | (?P<mid>mid_?week) )(?:_(?P<behind>this | next)_week)?(?!_(?:end|ends|day|days|night|nights)(?!\S))"
)
_NTH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4}


def week_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a week; without ``today`` those of a month ask for nothing."""
    if "week" not in line.text and "half" not in line.text and "rest" not in line.text:
        return
    for rule, days_of in (
        (_OF_MONTH, _of_month),
        (_OF_DATE, _of_date),
        (_AFTER_NEXT, _after_next),
        (_REST, _rest),
    ):
        for match, first, after in line.find(rule):
            yield span_claim(first, after, 14, None if today is None else days_of(match, today), today)
    for match, first, after in line.find(_PART):
        said = (match["which"] or match["behind"] or "").strip()
        relative = {"next": RelativeDay.NEXT_WEEK, "this": RelativeDay.THIS_WEEK}.get(said)
        part = (match["part"] or "mid").split()[0]
        if not said and part == "end":
            # "At the end of the week" is that of this one.
            relative = RelativeDay.THIS_WEEK
        days = {"mid": WEEK[1:4], "middle": WEEK[1:4], "late": WEEK[3:], "end": WEEK[3:]}.get(part, WEEK[:3])
        yield Claim(PartKind.WHEN, first, after, When(frozenset(days), relative), 12)


def _of_month(match: re.Match[str], today: date) -> Days | None:
    year, month = month_of(match["month"], None, today)
    begin, end = date(year, month, 1), last_day(year, month)
    nth = match["nth"]
    at = _NTH.get(nth) or (0 if nth == "last" else int(nth[0]))
    weeks = 2 if match["count"] else 1
    match match["what"]:
        case "half":
            return (
                (begin, begin + timedelta(14))
                if at == 1
                else (begin + timedelta(15), end)
                if at in (0, 2)
                else None
            )
        case "week" | "weeks":
            if at == 0:
                return end - timedelta(7 * weeks - 1), end
            first = begin + timedelta(7 * (at - 1))
            return (first, min(first + timedelta(7 * weeks - 1), end)) if first <= end else None
        case _:
            saturdays = [begin + timedelta((5 - begin.weekday()) % 7 + 7 * week) for week in range(5)]
            saturdays = [day for day in saturdays if day <= end]
            if at > len(saturdays):
                return None
            return saturdays[at - 1], saturdays[at - 1] + timedelta(1)


def _of_date(match: re.Match[str], today: date) -> Days | None:
    day = date_of(match, "1", today)
    if match["day"]:
        day = next_day_of_month(int(re.sub(r"\D", "", match["day"])), today)
    if day is None:
        return None
    is_weekend, side = match["what"] != "week", match["side"]
    monday = day - timedelta(day.weekday())
    if side == "before":
        saturday = day - timedelta((day.weekday() - 5) % 7 or 7)
        return (saturday, saturday + timedelta(1)) if is_weekend else (day - timedelta(7), day - timedelta(1))
    if side in ("after", "following"):
        saturday = day + timedelta((5 - day.weekday()) % 7 or 7)
        return (saturday, saturday + timedelta(1)) if is_weekend else (day + timedelta(1), day + timedelta(7))
    return (monday + timedelta(5), monday + timedelta(6)) if is_weekend else (monday, monday + timedelta(6))


def _after_next(match: re.Match[str], today: date) -> Days:
    monday = today + timedelta(14 - today.weekday())
    return (
        (monday, monday + timedelta(6))
        if match["what"] == "week"
        else (monday + timedelta(5), monday + timedelta(6))
    )


def _rest(match: re.Match[str], today: date) -> Days:
    if match["what"] == "week":
        return today, today + timedelta(6 - today.weekday())
    return today, last_day(today.year, today.month)
