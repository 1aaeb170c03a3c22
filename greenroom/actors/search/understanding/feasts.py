"""Feasts that are days of the calendar: "christmas eve", "over new year", "thanksgiving". School holidays are no days: every school has its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import PartKind, When

_DAYS: Final = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "boxing day": (12, 26),
    "new years eve": (12, 31),
    "new years": (1, 1),
    "new year": (1, 1),
    "halloween": (10, 31),
    "valentines": (2, 14),
}
FEAST: Final = (
    r"(?: (?:christmas | xmas)(?:_(?:eve | day))? | boxing_day | new_years_(?:eve | day) | new_years?(?!_old)"
    r" | halloween | valentines(?:_day)? | thanksgiving(?:_day)? | black_friday )"
    r" (?!_(?:holidays? | break | vacation | carols? | songs? | music | cookies | baking | crafts? | makeup | party | concert | play | show)(?!\S))"
)
_ON: Final = pattern(rf"(?:(?P<on>on | for | this | next)_(?:the_)?)?(?P<feast>{FEAST})")
_AROUND: Final = pattern(
    r"(?:over | around | during | at)_(?:the_)?(?:(?P<christmas>christmas | xmas) | (?P<new>new_years?))(?P<both>_and_new_years?)?"
    r" (?!_(?:holidays? | break | vacation | eve | day | carols? | songs? | music | party | concert)(?!\S))"
)
_TELLING: Final = word_set("eve day")
_LEADING: Final = word_set("not no except excluding excepting but or and nor")


def feast_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a feast; one that may be what the lesson is about is none without a word before it: "christmas songs"."""
    if today is None:
        return
    for match, first, after in line.find(_ON):
        is_day = not _TELLING.isdisjoint(match["feast"].split()) and match["feast"] != "boxing day"
        if match["on"] or is_day or line.key(first - 1) in _LEADING or match["feast"] == "black friday":
            yield Claim(PartKind.WHEN, first, after, When(on=feast_on(match["feast"], today)), 12)
    for match, first, after in line.find(_AROUND):
        begin = feast_on("new years eve" if match["new"] else "christmas eve", today)
        days = 9 if match["both"] else 2 if match["christmas"] else 1
        if today <= begin.replace(year=begin.year - 1) + timedelta(days):
            # It is the middle of it.
            begin = begin.replace(year=begin.year - 1)
        end = begin + timedelta(days)
        begin = max(begin, today)
        yield Claim(PartKind.WHEN, first, after, When(on=begin, until=end if end > begin else None), 13)


def feast_on(name: str, today: date) -> date:
    """The next such day from today on."""
    for year in (today.year, today.year + 1):
        day = _of_year(name.removesuffix(" day") if name != "boxing day" else name, year)
        if day >= today:
            return day
    raise AssertionError("a feast that is over in a year is still to come in the next")


def _of_year(name: str, year: int) -> date:
    if name in ("thanksgiving", "black friday"):
        # The fourth Thursday of November (5 U.S.C. 6103), and the day after it.
        first = date(year, 11, 1)
        return first + timedelta((3 - first.weekday()) % 7 + 21 + (name == "black friday"))
    month, day = _DAYS[name.replace("xmas", "christmas")]
    return date(year, month, day)
