"""Calendar dates: "dec 3", "3rd of december", "12/03", "the 5th".

Numbers like 12/03 are month and day, with points (3.12.2026) day and month; the other way round where only that is a date. A date
without a year is the next such one from today.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, Untold
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.weekdays import DAY_NAME, WEEK, WEEKDAYS
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import NoticeKind, PartKind, When

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february febuary", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
MONTH: Final = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
DAY_NUMBER: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
YEAR: Final = r"(?:20\d\d)"
_ON: Final = r"(?:(?:on|for|by|the)_){0,4}"
_SPELT: Final = pattern(
    rf"{_ON} (?: (?P<m1>{MONTH})_(?:/_|the_)?(?P<d1>{DAY_NUMBER}) | (?<![:$€£/]\ )(?P<d2>{DAY_NUMBER})_(?:of_|/_)?(?P<m2>{MONTH}) | (?P<y3>{YEAR})_(?:/_)?(?P<m3>{MONTH})_(?:/_|-_)?(?P<d3>{DAY_NUMBER}) )"
    rf" (?P<span>_(?:-|to|through)_(?:{MONTH}_)?{DAY_NUMBER})? (?P<more>(?:_(?:the_)?{DAY_NUMBER})*_(?:or|and|&)_(?:the_)?{DAY_NUMBER}(?!_(?:am|pm|:|{MONTH})(?!\S)))? (?:_(?:of_|-_|/_)?(?P<year>{YEAR}))? (?!_(?:am|pm|:)(?!\S))"
)
_BETWEEN_DATES: Final = pattern(
    rf"between_ (?: {MONTH}_{DAY_NUMBER} | (?:the_)?{DAY_NUMBER}(?:_(?:of_)?{MONTH})? )"
    rf" _and_ (?: {MONTH}_{DAY_NUMBER} | (?:the_)?{DAY_NUMBER}_(?:of_)?{MONTH} )"
    rf" | between_{MONTH}_{DAY_NUMBER}_and_(?:the_)?{DAY_NUMBER}"
)
_WEEKDAY_AND_DAY: Final = pattern(
    rf"(?:on_)?(?P<weekday>{DAY_NAME})_(?:the_)?(?: (?P<day>\d{{1,2}})(?:st|nd|rd|th) | (?P<bare>1[3-9]|2\d|3[01]) )"
    r" (?!_(?:-|:|am|pm|to|/|of|street|st|ave|avenue|grade|graders?|o_?clock|year|dollars|usd)(?!\S))"
)
_DOTTED: Final = pattern(rf"{_ON} (?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}|\d\d)")
_ISO: Final = pattern(rf"{_ON} (?P<year>{YEAR})_(?:-|/)_(?P<month>\d\d?)_(?:-|/)_(?P<day>\d\d?)")
_SLASHED: Final = pattern(
    rf"{_ON} (?P<a>\d{{1,2}})_/_(?P<b>\d{{1,2}}) (?:_/_(?P<year>{YEAR}|\d\d))?"
    r" (?<!24_/_7)(?!_(?:hours?|time|size|sized|cello|violin|viola|guitar|scale|/|of|waltz|inch|mile|price)(?!\S))"
    rf" | {_ON} (?P<a2>\d{{1,2}})_-_(?P<b2>\d{{1,2}})_-_(?P<year2>{YEAR}|\d\d) | on_(?P<a3>\d{{1,2}})_-_(?P<b3>1[3-9]|2\d|3[01])"
)
_TOO_LATE: Final = pattern(
    rf"(?:on|by)_(?:the_)?(?: {MONTH}_(?:the_)?(?:3[2-9]|[4-9]\d)(?:st|nd|rd|th)? | (?:3[2-9]|[4-9]\d)(?:st|nd|rd|th)?_(?:of_)?{MONTH} )"
    rf" | {MONTH}_(?:the_)?(?:3[2-9]|[4-9]\d)(?:st|nd|rd|th) | (?:3[2-9]|[4-9]\d)(?:st|nd|rd|th)_(?:of_)?{MONTH}"
)
_SHORT_DOTTED: Final = pattern(
    r"(?:on_)?(?P<day>2[4-9]|3[01])\.(?P<month>0[1-9]|1[0-2])(?!_(?:\$|€|£|dollars?|bucks|usd|eur|euros?|gbp|pounds|quid|per|an|/)(?!\S))"
)
"""No hour of the clock, and no price either if no word before it says so."""
_NO_DATE: Final = (
    r"(?! _(?: street | st | ave | avenue | grade | graders? | time | floor | century | year | years | of | hour | hours | lessons? | position"
    r" | movement | edition | ward | district | and | - | : | / | am | pm | o_?clock | min | mins | minutes? | \$ | dollars | people | kids"
    r" | students? | months? | weeks? | days? | or ) (?!\S) )"
)
_ORDINAL: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)"
_LISTED: Final = pattern(
    rf"{_ON} (?P<days>{DAY_NUMBER}(?:_(?:the_)?{DAY_NUMBER})*_(?:or|and|&)_(?:the_)?{DAY_NUMBER})_(?:of_)?(?P<month>{MONTH})(?!_(?::|am|pm)(?!\S))"
)
_LISTED_DAYS: Final = pattern(
    rf"(?:on_)?(?:the_)(?P<days>{_ORDINAL}(?:_(?:the_)?{_ORDINAL})*_(?:or|and|&)_(?:(?:on_)?the_)?{_ORDINAL}) {_NO_DATE} (?!_{MONTH}(?!\S))"
)
"""Several days of which any will do: "24, 25 or 26 december", "the 3rd or the 5th"."""

_DAYS_TO: Final = pattern(
    rf"(?: (?:from_)?the_{_ORDINAL}_(?:-|to|until|till|through)_(?:the_)?{_ORDINAL} | between_the_{_ORDINAL}_and_(?:the_)?{_ORDINAL} ) {_NO_DATE} (?!_{MONTH}(?!\S))"
)
_DAY_OF_NAMED_MONTH: Final = pattern(rf"{_ON} (?P<day>{_ORDINAL})_of_(?P<which>this|next|the)_month")
_ON_DOTTED: Final = pattern(r"on_(?P<day>0?[1-9]|[12]\d|3[01])\.(?P<month>0?[1-9]|[12]\d|3[01])")
_PRICED: Final = word_set("$ € £ under below max maximum to than around about at over for - budget price pay")
_NO_TIME: Final = pattern(r"(?:at_|from_|by_)?(?: (?:2[5-9]|[3-9]\d)_:_\d\d | \d{1,2}_:_[6-9]\d )")
_YEAR_ALONE: Final = pattern(r"(?:(?:in|for|during)_)?(?:the_)?year_(?P<year>\d{4})")
_DAY_OF_MONTH: Final = pattern(
    rf"(?: (?:on_)?the_(?P<day>\d{{1,2}})(?:st|nd|rd|th) | (?<!\d\ )on_(?P<on>\d{{1,2}})(?:st|nd|rd|th)? | (?:on|for|by)_the_(?P<bare>\d{{1,2}})"
    rf" | (?P<before>\d{{1,2}})(?:st|nd|rd|th)(?=_(?:at|from|after|before|between)_\d) ) {_NO_DATE}"
)


def date_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a date. Without ``today`` those that lack a year ask for nothing."""
    for match, first, after in line.find(_SPELT):
        month = MONTHS[match["m1"] or match["m2"] or match["m3"]]
        day = int(re.sub(r"\D", "", match["d1"] or match["d2"] or match["d3"]))
        year = int(match["year"] or match["y3"] or 0) or None
        if match["span"]:
            yield _date_claim(first, after, None)
            continue
        yield _date_of_month(first, after, year, month, [day, *_numbers(match["more"])], today)
    for match, first, after in line.find(_LISTED):
        yield _date_of_month(first, after, None, MONTHS[match["month"]], _numbers(match["days"]), today)
    for match, first, after in line.find(_LISTED_DAYS):
        dates = [next_day_of_month(day, today) for day in _numbers(match["days"])]
        yield _date_claim(first, after, *sorted(on for on in dates if on is not None))
    for match, first, after in line.find(_DAYS_TO):
        yield _span_of_days(first, after, _numbers(match.group()), today)
    for match, first, after in line.find(_DAY_OF_NAMED_MONTH):
        if today is not None:
            year, month = divmod(today.year * 12 + today.month - 1 + (match["which"] == "next"), 12)
            yield _date_of_month(first, after, year, month + 1, _numbers(match["day"]), today)
    for match, first, after in line.find(_ON_DOTTED):
        day, month = int(match["day"]), int(match["month"])
        if month > 12:
            day, month = month, day
        if month <= 12:
            yield _date_of_month(first, after, None, month, [day], today)
    for match, first, after in line.find(_SHORT_DOTTED):
        if line.key(first - 1) not in _PRICED:
            yield _date_of_month(first, after, None, int(match["month"]), [int(match["day"])], today)
    for match, first, after in line.find(_YEAR_ALONE):
        is_over = today is not None and int(match["year"]) < today.year
        yield Claim(None, first, after, Untold(NoticeKind.PAST if is_over else NoticeKind.NOT_HEEDED), 11)
    for _, first, after in line.find(_BETWEEN_DATES):
        yield Claim(None, first, after, None, 12)
    for match, first, after in line.find(_ISO):
        yield _date_of_month(first, after, int(match["year"]), int(match["month"]), [int(match["day"])], today)
    for match, first, after in line.find(_SLASHED):
        yield from _slashed(match, first, after, today)
    for match, first, after in line.find(_DOTTED):
        year = int(match["year"]) + (2_000 if len(match["year"]) == 2 else 0)
        if on := real_day(year, int(match["month"]), int(match["day"])) or real_day(
            year, int(match["day"]), int(match["month"])
        ):
            yield _coming(first, after, [on], today)
        else:
            yield _no_such_date(first, after)
    for match, first, after in line.find(_WEEKDAY_AND_DAY):
        on = next_day_of_month(
            int(match["day"] or match["bare"]), today, weekday=WEEK.index(WEEKDAYS[match["weekday"]])
        )
        if on is not None:
            yield _date_claim(first, after, on)
    for match, first, after in line.find(_DAY_OF_MONTH):
        day = int(match["day"] or match["on"] or match["bare"] or match["before"])
        if 1 <= day <= 31:
            yield _date_claim(first, after, next_day_of_month(day, today))
        elif match["bare"] is None and match.group().split()[0] == "on":
            yield _no_such_date(first, after)
    for rule in (_TOO_LATE, _NO_TIME):
        for _, first, after in line.find(rule):
            yield _no_such_date(first, after)


def _slashed(match: re.Match[str], first: int, after: int, today: date | None) -> Iterator[Claim]:
    a, b = int(match["a"] or match["a2"] or match["a3"]), int(match["b"] or match["b2"] or match["b3"])
    year_text = match["year"] or match["year2"]
    year = (2_000 if len(year_text) == 2 else 0) + int(year_text) if year_text else None
    month, day = (a, b) if a <= 12 else (b, a)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        if year is not None or _says_date(match.group()):
            yield _no_such_date(first, after)
        return
    yield _date_of_month(first, after, year, month, [day], today)


def _numbers(text: str | None) -> list[int]:
    """Days of the month that a text names, in its order."""
    return [int(number) for number in re.findall(r"\d+", text or "")]


def _span_of_days(first: int, after: int, days: list[int], today: date | None) -> Claim:
    """From a day of the month to another, of the next month in which the last of them is still to come."""
    end = next_day_of_month(days[1], today)
    begin = None if end is None else real_day(end.year, end.month, days[0])
    if begin is None or end is None or today is None or end <= begin:
        return _date_claim(first, after, None)
    begin = max(begin, today)
    return Claim(PartKind.WHEN, first, after, When(on=begin, until=end if end > begin else None), 13)


def _says_date(text: str) -> bool:
    """Whether a word before numbers says that they are a date."""
    return text.split()[0] in ("on", "by")


def _date_of_month(
    first: int, after: int, year: int | None, month: int, days: list[int], today: date | None
) -> Claim:
    """Days of a month, any of which will do; what no calendar has asks for nothing, which is told."""
    # 2024: what is a day in a leap year is one that comes.
    if not any(real_day(year or 2024, month, day) for day in days):
        return _no_such_date(first, after)
    return _coming(first, after, [next_date(year, month, day, today) for day in days], today)


def _coming(first: int, after: int, dates: list[date | None], today: date | None) -> Claim:
    """Those of the dates that are not over; if all are, it is told as of "yesterday"."""
    coming = [on for on in dates if on is None or today is None or on >= today]
    if not coming:
        return Claim(None, first, after, Untold(NoticeKind.PAST), 11)
    return _date_claim(first, after, *coming)


def _no_such_date(first: int, after: int) -> Claim:
    return Claim(None, first, after, Untold(NoticeKind.NO_SUCH_DATE), 11)


def _date_claim(first: int, after: int, *dates: date | None) -> Claim:
    """A date, or some of which any will do; None for what is one but can't be told."""
    whens = tuple(When(on=on) for on in dates if on is not None)
    meaning = whens if len(whens) > 1 else whens[0] if whens else None
    return Claim(PartKind.WHEN if whens else None, first, after, meaning, 11)


def next_date(year: int | None, month: int, day: int, today: date | None) -> date | None:
    """That day; of the year in which it comes next if none is given. None if there is no such day, or no telling which."""
    if year is not None:
        return real_day(year, month, day)
    if today is None:
        return None
    # A leap day may be up to eight years off.
    candidates = (real_day(today.year + years, month, day) for years in range(9))
    return next((on for on in candidates if on is not None and on >= today), None)


def next_day_of_month(day: int, today: date | None, *, weekday: int | None = None) -> date | None:
    """The next such day; the next that is that weekday too, if there is one within a year."""
    if today is None:
        return None
    months = (divmod(today.year * 12 + today.month - 1 + ahead, 12) for ahead in range(13))
    days = [on for year, month in months if (on := real_day(year, month + 1, day)) is not None and on >= today]
    return next((on for on in days if weekday is None or on.weekday() == weekday), None)


def real_day(year: int, month: int, day: int) -> date | None:
    """That day; None if no calendar has it."""
    try:
        return date(year, month, day)
    except ValueError:
        return None
