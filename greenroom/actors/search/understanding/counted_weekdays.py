"""Single days that are counted out: "the second saturday of december", "a week from tuesday", "saturday after next", "monday week"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from greenroom.actors.search.understanding.calendar_dates import MONTH, MONTHS, YEAR
from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.weekdays import DAY_NAME, WEEK, WEEKDAYS
from greenroom.schema.search.understood import PartKind, When

_NTH: Final = pattern(
    rf"(?:on_)?(?:the_)?(?P<nth>[1-5](?:st|nd|rd|th) | last)(?:_(?:and|or|&)_(?:the_)?(?P<other>[1-5](?:st|nd|rd|th) | last))?_(?P<day>{DAY_NAME})_(?:of|in)_(?:the_)?"
    rf"(?P<month>{MONTH} | this_month | next_month | month)(?:_(?P<year>{YEAR}))?"
)
_FROM_DAY: Final = pattern(
    rf"(?:on_)?(?: (?P<weeks>a | \d)_weeks?_(?:from | after)_(?:this_|next_)?(?P<d1>{DAY_NAME})"
    rf" | (?:the_)?(?P<d2>{DAY_NAME})_after_next | (?P<count>\d)_(?P<d4>{DAY_NAME})_from_(?:now|today) | (?P<d3>{DAY_NAME})_week(?:_on)? )"
)


def counted_weekday_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a weekday that is counted out; without ``today`` they ask for nothing."""
    for match, first, after in line.find(_NTH):
        nths = [match["nth"]] if match["other"] is None else [match["nth"], match["other"]]
        days = [] if today is None else [day for nth in nths if (day := _nth(match, nth, today)) is not None]
        if len(days) > 1:
            yield Claim(PartKind.WHEN, first, after, tuple(When(on=day) for day in sorted(days)), 13)
        else:
            yield _claim(first, after, days[0] if days else None)
    for match, first, after in line.find(_FROM_DAY):
        yield _claim(first, after, None if today is None else _weeks_on(match, today))


def _claim(first: int, after: int, on: date | None) -> Claim:
    return Claim(None if on is None else PartKind.WHEN, first, after, None if on is None else When(on=on), 13)


def _nth(match: re.Match[str], nth: str, today: date) -> date | None:
    """That weekday of the month, in the year in which it comes next; None where the month has no fifth."""
    weekday = WEEK.index(WEEKDAYS[match["day"]])
    name = match["month"]
    if name in MONTHS:
        years = [int(match["year"])] if match["year"] else [today.year, today.year + 1]
        months = [(year, MONTHS[name]) for year in years]
    else:
        ahead = 1 if name == "next month" else 0
        year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        months = [(year, month + 1)]
    found = [day for year, month in months if (day := _of_month(year, month, weekday, nth)) is not None]
    return next((day for day in found if day >= today), None)


def _of_month(year: int, month: int, weekday: int, nth: str) -> date | None:
    first = date(year, month, 1)
    days = [
        day
        for week in range(5)
        if (day := first + timedelta((weekday - first.weekday()) % 7 + 7 * week)).month == month
    ]
    if nth == "last":
        return days[-1]
    at = int(nth[0]) - 1
    return days[at] if at < len(days) else None


def _weeks_on(match: re.Match[str], today: date) -> date:
    day = WEEKDAYS[match["d1"] or match["d2"] or match["d3"] or match["d4"]]
    if match["count"]:
        # The second sunday from now is the one after the next.
        return today + timedelta(((WEEK.index(day) - today.weekday()) % 7 or 7) + 7 * (int(match["count"]) - 1))
    weeks = int(match["weeks"].replace("a", "1")) if match["weeks"] else 1
    # "A week from monday", said on a monday, is of the next one: of today one says "a week from today".
    ahead = (WEEK.index(day) - today.weekday()) % 7 or 7
    return today + timedelta(ahead + 7 * weeks)
