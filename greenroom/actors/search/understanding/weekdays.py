"""Weekdays by name, ranges and lists of them: "mon-fri", "tues/thurs", "weekends". "This saturday" is the first one from today on,
"next tuesday" the one of the next calendar week (weeks begin on Monday)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.filler import FILLER, SOFT_FILLER
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.schema.search.understood import PartKind, RelativeDay, Weekday, When

WEEK: Final = tuple(Weekday)
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
WEEKDAYS: Final = {name: day for day, names in _NAMES.items() for name in names.split()}
DAY_NAME: Final = "(?:" + "|".join(sorted(WEEKDAYS, key=len, reverse=True)) + ")"
_LEAD: Final = r"(?:(?:every_(?:2nd|3rd)|on|for|only|every|each|any|most|either|both|the|free|available|some_?time|some|upcoming|coming|by|other)_){0,4}"
_SCHOOL_TEST: Final = (
    r"(?! _(?: prep | test | tests | exam | exams | tutor | tutors | tutoring | math | reading | writing | score | scores | practice"
    r" | preparation | coach | verbal | subject | salutations? | dance | tutorial | courses? | classes? | and_act | or_act | act | /_act | &_act ) (?!\S) )"
)
_DAYS: Final = pattern(
    rf"{_LEAD} (?P<which>(?:this|next)_(?:coming_)?)? (?P<days>{DAY_NAME} (?: _(?:(?:-|to|thru|through|till|until|and|or|/|&|,|and_/_or|or_on|and_on)_)?{DAY_NAME}){{0,8}} )"
    rf" (?P<week>_(?:of_)?(?:this|next)_week)? {_SCHOOL_TEST}"
)
_LETTERS: Final = pattern(
    r"(?:on_)?(?: (?P<mwf>mwf | m_/_w_/_f | m_w_f) | (?P<tth>t_/_th | tth | tuth | t_th) | (?P<mw>m_/_w) | (?P<mf>m_(?:-_|to_)?f) | (?P<mth>m_(?:-_|to_)?th(?:u)?) )"
)
_GROUPS: Final = (
    (
        pattern(rf"{_LEAD} (?:week_?days? | work_?days? | school_days? | during_the_week)"),
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
_WEEK_NIGHTS: Final = pattern(rf"{_LEAD} (?:week_?nights? | school_nights? | work_?nights?)")
"""Their hours are those of an evening: who learns at night is not thinking of midnight."""


def weekday_claims(line: Line) -> Iterator[Claim]:
    """Every reading of weekdays."""
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
        letters = {"mwf": (0, 2, 4), "tth": (1, 3), "mw": (0, 2), "mf": (0, 1, 2, 3, 4), "mth": (0, 1, 2, 3)}
        chosen = letters[match.lastgroup or "mw"]
        yield Claim(PartKind.WHEN, first, after, When(weekdays=frozenset(WEEK[day] for day in chosen)), 10)
    for _, first, after in line.find(_WEEK_NIGHTS):
        yield Claim(PartKind.WHEN, first, after, When(weekdays=_WORKDAYS, from_minute=1_020, to_minute=1_320), 10)
    for rule, group in _GROUPS:
        for _, first, after in line.find(rule):
            yield Claim(PartKind.WHEN, first, after, When(weekdays=group) if group else None, 10)


def _listed(tokens: list[str]) -> Iterator[Weekday]:
    """Days of a list in which "-", "to" and the like stand for all between."""
    previous: Weekday | None = None
    is_range = False
    for token in tokens:
        if token not in WEEKDAYS:
            is_range = token in ("-", "to", "thru", "through", "till", "until")
            continue
        day = WEEKDAYS[token]
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
