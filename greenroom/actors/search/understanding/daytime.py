"""Times of day: clock times with or without "am" and "pm", ranges of them, and what "morning" or "after school" mean.

Minutes after midnight, the end excluded:

    early morning 6-9, morning 6-12, late morning 10-12, lunchtime 11:30-14, midday 11-14, early afternoon 12-15, afternoon 12-17,
    late afternoon 15-18, after school 15-18, after work 17-22, early evening 17-20, evening 17-22, late evening 20-24, night 18-24,
    before school 6-9, before work 6-9, daytime 9-17, business hours 9-17

An hour without "am" or "pm" is one at which lessons are given: 1 to 7 in the afternoon, 8 to 11 in the morning, 12 at noon; 0 and 13
to 23 are of 24 hours. "At 10" leaves two hours for the lesson. In a range the second time tells about the first: "3-5pm", "10-2".
"10-12am" is taken for the morning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from greenroom.actors.search.understanding.claims import Claim
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import PartKind, When

DAY: Final = 1_440
NOON: Final = 720
LESSON_AT_MOST: Final = 120
"""Minutes that "at 10" leaves for the lesson."""

_HALF: Final = r"(?: a_?m | p_?m | am | pm | in_the_(?:morning|afternoon|evening) | at_night )"


def _clock(tag: str) -> str:
    return (
        rf"(?: (?P<h{tag}>\d{{1,2}}) (?: _:_ (?P<m{tag}>\d\d) | _(?P<s{tag}>[0-5]\d)(?=_[ap]m) )? (?P<oclock{tag}>_o_?clock)? (?: _(?P<half{tag}>{_HALF}) )?"
        rf" | (?P<d{tag}>\d{{1,2}}\.[0-5]\d)_(?P<dhalf{tag}>am|pm)"
        rf" | (?P<packed{tag}>\d{{3,4}})_(?P<phalf{tag}>am|pm)"
        rf" | (?P<past{tag}>half|quarter|\d{{1,2}})_(?:minutes_)?(?P<side{tag}>past|to|after|before)_(?P<ph{tag}>\d{{1,2}})(?:_(?P<pahalf{tag}>{_HALF}))?"
        rf" | (?P<word{tag}>noon|midday|midnight|12_noon) )"
    )


_COUNTED: Final = (
    r"(?! _(?: years? | yrs? | yo | months? | weeks? | days? | hours? | hrs? | h | min | mins | minutes? | miles? | km | blocks?"
    r" | people | students? | kids? | children | lessons? | class(?:es)? | sessions? | dollars? | bucks? | usd | euros? | eur | gbp"
    r" | pounds? | \$ | € | £ | / | k | s | or | \. | st | ave | avenue | street | grade | of | times? | am_or ) (?!\S) )"
)
_RANGE: Final = pattern(
    rf"(?: (?P<lead>from | between | at | anytime_between | @ | around)_ )? {_clock('1')} _(?P<join>-|to|and|until|till|til|through|thru)_ {_clock('2')} {_COUNTED}"
)
_AFTER: Final = pattern(
    r"(?: (?:any_?time_)?after | past | later_than | no_earlier_than | not_before | not_earlier_than | from | starting(?:_(?:at|from))? | since"
    rf" | beginning_at | (?P<weak>over) )_ {_clock('')} (?P<on>_on(?:wards?)? | _and_(?:later|after|beyond) | _or_later)? {_COUNTED}"
)
_BEFORE: Final = pattern(
    r"(?: (?:any_?time_)?before | until | till | til | no_later_than | not_after | not_later_than | earlier_than | ending_(?:by|at|before)"
    rf" | done_by | (?P<weak>by | up_to | to | under) )_ {_clock('')} {_COUNTED}"
)
_AFTER_SUFFIX: Final = pattern(
    rf"{_clock('')} _(?: onwards? | or_later | and_later | or_after | and_after | and_on | \+ )"
)
_BEFORE_SUFFIX: Final = pattern(
    rf"{_clock('')} _(?: or_earlier | or_before | and_earlier | at_the_latest | latest )"
)
_AT: Final = pattern(
    rf"(?: (?P<at>at | @ | starting_at)_ | (?:around | about | for | by | approximately)_ )? {_clock('')} {_COUNTED}"
)

_PARTS: Final[tuple[tuple[re.Pattern[str], int, int], ...]] = tuple(
    (pattern(rf"(?:(?:in|during|on|at|over|for)_)?(?:the_|my_|every_|any_|weekly_){{0,4}}(?:{words})(?:_(?:time|times|hours|slots?|only))?"), low, high)
    for words, low, high in (
        (r"(?:early|first_thing_in_the)_mornings? | before_school(?:_starts)? | before_work | at_dawn | breakfast", 360, 540),
        (r"late_mornings? | mid_?mornings?", 600, 720),
        (r"mornings? | before_lunch | in_the_am | ams", 360, 720),
        (r"lunch | lunch_?times? | lunch_?(?:breaks?|hours?)", 690, 840),
        (r"mid_?days?", 660, 840),
        (r"early_afternoons?", 720, 900),
        (r"late_afternoons? | after_?school | after_?schools? | after_kindergarten", 900, 1080),
        (r"afternoons? | after_lunch | afternoon", 720, 1020),
        (r"early_evenings?", 1020, 1200),
        (r"late_evenings? | late_(?:at_)?nights? | late_night", 1200, 1440),
        (r"evenings? | after_?work | after_hours | after_dinner | evening", 1020, 1320),
        (r"night_?times? | nights?", 1080, 1440),
        (r"day_?times? | business_hours | office_hours | during_the_day | school_hours | work_hours", 540, 1020),
    )
)  # fmt: skip
_NO_PART: Final = frozenset({"breakfast"})


def daytime_claims(line: Line) -> Iterator[Claim]:
    """Every reading of a time of day."""
    for rule, low, high in _PARTS:
        for match, first, after in line.find(rule):
            if match.group().split()[-1] in _NO_PART or (
                match.group() == "lunch" and line.key(first - 1) != "over"
            ):
                continue
            yield _claim(first, after, low, high)
    if any(char.isdigit() for char in line.text) or "noon" in line.text or "midnight" in line.text:
        yield from _clock_claims(line)


def _claim(first: int, after: int, low: int | None, high: int | None, strength: int = 10) -> Claim:
    return Claim(PartKind.WHEN, first, after, When(from_minute=low, to_minute=high), strength)


def _clock_claims(line: Line) -> Iterator[Claim]:
    for match, first, after in line.find(_RANGE):
        spoken = _Clock(match, "1"), _Clock(match, "2")
        if not all(clock.is_possible for clock in spoken) or not _is_time_range(line, match, first, *spoken):
            continue
        low, high = _span(*spoken)
        if low is not None:
            yield _claim(first, after, low, high, 12)
    for rule, is_from in ((_AFTER, True), (_BEFORE, False), (_AFTER_SUFFIX, True), (_BEFORE_SUFFIX, False)):
        for match, first, after in line.find(rule):
            clock = _Clock(match, "")
            is_weak = match.groupdict().get("weak") or match.group().split()[0] in ("from", "starting")
            if not clock.is_possible or (not clock.is_marked and (is_weak and not match.groupdict().get("on"))):
                continue
            if rule in (_AFTER_SUFFIX, _BEFORE_SUFFIX) and not clock.is_marked:
                continue
            minute = clock.minute(latest=not is_from)
            yield _claim(first, after, minute if is_from else None, None if is_from else minute, 12)
    for match, first, after in line.find(_AT):
        clock = _Clock(match, "")
        if clock.is_possible and (clock.is_marked or match["at"]):
            minute = clock.minute() % DAY
            yield _claim(first, after, minute, min(minute + LESSON_AT_MOST, DAY), 10 if clock.is_marked else 9)


class _Clock:
    """A time as it was spoken: what hour, and whether anything told the half of the day."""

    def __init__(self, match: re.Match[str], tag: str) -> None:
        self.hour, self.past, self.half, self.is_marked = 0, 0, None, True
        half: str | None = None
        if word := match[f"word{tag}"]:
            self.hour, half = (12, "pm") if word != "midnight" else (12, "am")
        elif match[f"d{tag}"]:
            hours, minutes = match[f"d{tag}"].split(".")
            self.hour, self.past, half = int(hours), int(minutes), match[f"dhalf{tag}"]
        elif match[f"packed{tag}"]:
            self.hour, self.past = divmod(int(match[f"packed{tag}"]), 100)
            half = match[f"phalf{tag}"]
        elif match[f"past{tag}"]:
            spoken = match[f"past{tag}"]
            minutes = {"half": 30, "quarter": 15}.get(spoken) or int(spoken)
            sign = 1 if match[f"side{tag}"] in ("past", "after") else -1
            self.hour, self.past, half = int(match[f"ph{tag}"]), sign * minutes, match[f"pahalf{tag}"]
            self.is_marked = half is not None or spoken in ("half", "quarter") or match[f"side{tag}"] == "past"
        else:
            self.hour, self.past = int(match[f"h{tag}"]), int(match[f"m{tag}"] or match[f"s{tag}"] or 0)
            half = match[f"half{tag}"]
            self.is_marked = bool(half or match[f"m{tag}"] or match[f"oclock{tag}"])
        if half:
            self.half = "am" if half.replace(" ", "") == "am" or half.endswith("morning") else "pm"
            if half == "at night" and self.hour == 12:
                self.half = "am"
        if self.hour > 12 or self.hour == 0:
            self.half = "24"

    @property
    def is_possible(self) -> bool:
        return self.hour < 24 and -60 < self.past < 60

    def minute(self, half: str | None = None, *, latest: bool = False) -> int:
        """Minutes after midnight. ``latest``: midnight ends a day rather than begins it."""
        match self.half or half:
            case "24":
                hour = self.hour
            case "am":
                hour = self.hour % 12
            case "pm":
                hour = self.hour % 12 + 12
            case _:
                hour = self.hour + 12 if self.hour <= 7 else self.hour
        minute = hour * 60 + self.past
        return DAY if latest and minute == 0 else minute % DAY


def _is_time_range(line: Line, match: re.Match[str], first: int, low: _Clock, high: _Clock) -> bool:
    """Two bare numbers are times after a day or a part of it, or both on the clock's face after "from" or "between"."""
    if low.is_marked or high.is_marked:
        return match["join"] != "and" or match["lead"] == "between" or match["lead"] == "anytime between"
    if match["lead"] in ("from", "between", "anytime between"):
        return low.hour <= 12 and high.hour <= 12
    if match["join"] == "and":
        return False
    return match["lead"] in ("at", "@") or line.key(first - 1) in _DAY_WORDS


_DAY_WORDS: Final = word_set(
    "mon monday mondays tue tues tuesday tuesdays wed weds wednesday wednesdays thu thur thurs thursday thursdays fri friday fridays "
    "sat saturday saturdays sun sunday sundays weekday weekdays weekend weekends today tomorrow tonight morning mornings afternoon "
    "afternoons evening evenings day"
)


def _span(low: _Clock, high: _Clock) -> tuple[int | None, int]:
    """From one time to another, the unmarked one told by the other; None for what runs backwards."""
    if high.half == "am" and high.hour == 12 and low.half is None and low.hour < 12:
        return low.minute("am"), NOON
    if high.half in ("am", "pm") and low.half is None:
        end = high.minute(latest=True)
        begin = low.minute(high.half)
        if begin >= end:
            begin = low.minute("am" if high.half == "pm" else "pm")
    else:
        begin = low.minute()
        end = high.minute(latest=True)
        if high.half is None:
            end = next((value for value in (high.minute("am"), high.minute("pm"), DAY) if value > begin), DAY)
    if end <= begin:
        return (begin, DAY) if begin >= NOON else (None, 0)
    return begin, end
