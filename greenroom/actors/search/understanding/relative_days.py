"""Days counted from today: "tonight", "tomorrow morning", "this weekend", "in two weeks"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import PartKind, RelativeDay, When

_RELATIVE: Final = tuple(
    (pattern(rf"(?:(?:for|on|by|starting)_)?(?:{words})"), when)
    for words, when in (
        (r"today | to_day | same_day", When(relative=RelativeDay.TODAY)),
        (r"tonight | to_night | tonite | 2_nite | 2_night | this_evening_or_tonight", When(relative=RelativeDay.TODAY, from_minute=1020, to_minute=1440)),
        (r"early_tonight", When(relative=RelativeDay.TODAY, from_minute=1020, to_minute=1200)),
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
    r" | in_(?P<days>\d{1,2})_days(?:_time)? | (?P<ahead>\d{1,2})_days?_from_(?:today|now|(?P<morrow>tomorrow)) | (?P<morrows>\d{1,2})_days?_after_tomorrow"
    r" | in_(?P<inweeks>\d)_weeks(?:_time)? | (?P<weeks>\d)_weeks_from_(?:today|now) | (?P<fortnight>in_a_fortnight | a_fortnight_from_(?:today|now) | a_fortnight_today) )"
)
_IN_SOME: Final = pattern(r"in_(?:a_)?(?:few | couple_of)_(?P<unit>days | weeks)(?:_time)?")
"""Two days and more, two weeks and more: nobody means just that day."""

_DAYS_AHEAD: Final = {"after": 2, "week": 7, "fortnight": 14}


def relative_claims(line: Line, *, today: date | None) -> Iterator[Claim]:
    """Every reading of a day counted from today. Without ``today`` what is beyond tomorrow, and no week, asks for nothing."""
    for rule, when in _RELATIVE:
        for _, first, after in line.find(rule):
            yield Claim(PartKind.WHEN, first, after, when, 11)
    for match, first, after in line.find(_IN_SOME):
        if today is not None:
            begin, end = (2, 6) if match["unit"] == "days" else (14, 27)
            when = When(on=today + timedelta(begin), until=today + timedelta(end))
            yield Claim(PartKind.WHEN, first, after, when, 12)
    for match, first, after in line.find(_IN_DAYS):
        days = (
            _DAYS_AHEAD.get(match.lastgroup or "", 0)
            or int(match["days"] or match["ahead"] or match["morrows"] or 0)
            or 7 * int(match["weeks"] or match["inweeks"] or 0)
        )
        if match["morrow"] or match["morrows"]:
            days += 1
        on = None if today is None else today + timedelta(days)
        yield Claim(None if on is None else PartKind.WHEN, first, after, None if on is None else When(on=on), 11)
