"""Times of day: clock times with or without "am" and "pm", ranges of them, and what "morning" or "after school" mean.

Minutes after midnight, the end excluded:

    early morning 6-9, morning 6-12, late morning 10-12, lunchtime 11:30-14, midday 11-14, early afternoon 12-15, afternoon 12-17,
    late afternoon 15-17, after school 15-18, after work 17-22, early evening 17-20, evening 17-22, late evening 19-22, night 18-24,
    late at night 21-24, first thing 6-9, end of the day 15-17, last thing 19-22,
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
from greenroom.actors.search.understanding.clock import DAY, NOON, Clock, clock
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import PartKind, When

LESSON_AT_MOST: Final = 120
"""Minutes that "at 10" leaves for the lesson."""

_COUNTED: Final = (
    r"(?! _(?: years? | yrs? | yo | months? | weeks? | days? | hours? | hrs? | h | min | mins | minutes? | miles? | km | blocks?"
    r" | people | students? | kids? | children | lessons? | class(?:es)? | sessions? | dollars? | bucks? | usd | euros? | eur | gbp"
    r" | pounds? | \$ | € | £ | / | k | s | \. | st | ave | avenue | street | grade | times? | am_or ) (?!\S) )"
)
_RANGE: Final = pattern(
    rf"(?: (?P<lead>from | between | at | anytime_between | @ | around)_ )? {clock('1')} _(?P<join>-|to|and|or|until|till|til|through|thru)_ {clock('2')} {_COUNTED}"
)
_AFTER: Final = pattern(
    r"(?: (?:any_?time_)?after | past | later_than | no_earlier_than | not_before | not_earlier_than | from | starting(?:_(?:at|from))? | since"
    rf" | beginning_at | (?P<weak>over) )_ {clock('')} (?P<on>_onwards? | _on(?!_) | _and_(?:later|after|beyond) | _or_later)? {_COUNTED}"
)
_BEFORE: Final = pattern(
    r"(?: (?:any_?time_)?before | until | till | til | no_later_than | not_after | not_later_than | earlier_than | ending_(?:by|at|before)"
    rf" | done_by | (?P<weak>by | up_to | to | under) )_ {clock('')} {_COUNTED}"
)
_AFTER_SUFFIX: Final = pattern(
    rf"(?:(?P<at>at)_)? {clock('')} _(?: onwards? | or_later | and_later | or_after | and_after | and_on | \+ )"
)
_BEFORE_SUFFIX: Final = pattern(
    rf"{clock('')} _(?: or_earlier | or_before | and_earlier | at_the_latest | latest )"
)
_AT: Final = pattern(
    rf"(?: (?P<at>at | @ | starting_at)_ | (?:around | about | for | by | approximately)_ )? {clock('')} (?P<ish>_ish)? {_COUNTED}"
)

_PARTS: Final[tuple[tuple[re.Pattern[str], int, int], ...]] = tuple(
    (pattern(rf"(?:(?:in|during|on|at|over|for|by|towards)_)?(?:the_|my_|every_|any_|weekly_){{0,4}}(?:{words})(?:_(?:time|times|hours|slots?|only))?(?!_(?:photography|sky|markets?|glory|primrose|gown|ideas)(?!\S))"), low, high)
    for words, low, high in (
        (r"(?:early|early_in_the|1st_thing_in_the|first_thing_in_the)_mornings? | (?:1st|first)_thing(?!_(?:about|to)(?!\S)) | before_school(?:_starts)? | before_work | at_dawn | breakfast", 360, 540),
        (r"late_(?:in_the_)?mornings? | mid_?mornings?", 600, 720),
        (r"mornings? | before_lunch | in_the_am | ams", 360, 720),
        (r"lunch_?times? | lunch_?(?:breaks?|hours?) | lunch", 690, 840),
        (r"mid_?days?", 660, 840),
        (r"early_(?:in_the_)?afternoons?", 720, 900),
        (r"after_?schools? | after_kindergarten", 900, 1080),
        (r"late_(?:in_the_)?afternoons? | end_of_(?:the_)?(?:work_?)?day", 900, 1020),
        (r"afternoons? | after_lunch | afternoon", 720, 1020),
        (r"early_(?:in_the_)?(?:evenings?|nights?)", 1020, 1200),
        (r"late_(?:in_the_)?evenings? | last_thing(?:_(?:at_night|in_the_evening))?", 1140, 1320),
        (r"late_(?:at_)?nights?", 1260, 1440),
        (r"evenings? | after_?work | after_hours | after_dinner | evening", 1020, 1320),
        (r"night_?times? | (?<!date_)(?:nights? | nites?)", 1080, 1440),
        (r"day_?times? | business_hours | office_hours | during_the_day | school_hours | work_hours", 540, 1020),
    )
)  # fmt: skip
_SPLIT: Final = pattern(
    r"(?P<side>early | late)(?=_(?:(?:this | next | on | every)_)?(?P<day>\w+)_(?P<part>morning | afternoon | evening)s?(?!\S))"
)
_SPLIT_HOURS: Final = {
    ("early", "morning"): (360, 540), ("early", "afternoon"): (720, 900), ("early", "evening"): (1020, 1200),
    ("late", "morning"): (600, 720), ("late", "afternoon"): (900, 1020), ("late", "evening"): (1140, 1320),
}  # fmt: skip
"""Of "early tuesday evening", where the day stands amid its hours."""

_HALF_DAY: Final = pattern(r"am | pm | eve")
"""After a day without an hour: "saturday am", "tomorrow eve"."""
_HALVES: Final = {"am": (360, NOON), "pm": (NOON, None), "eve": (1020, 1320)}
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
    for match, first, after in line.find(_SPLIT):
        if match["day"] in DAY_WORDS:
            yield _claim(first, after, *_SPLIT_HOURS[match["side"], match["part"]])
    for match, first, after in line.find(_HALF_DAY):
        if line.key(first - 1) in DAY_WORDS:
            yield _claim(first, after, *_HALVES[match.group()])
    if any(char.isdigit() for char in line.text) or "noon" in line.text or "midnight" in line.text:
        yield from _clock_claims(line)


def _claim(
    first: int, after: int, low: int | None, high: int | None, strength: int = 10, *, is_guess: bool = False
) -> Claim:
    return Claim(
        PartKind.WHEN, first, after, When(from_minute=low, to_minute=high), strength, half_is_guessed=is_guess
    )


def _either(first: int, after: int, one: int, other: int) -> Claim:
    """Two times to choose from: "at 10 or 2"."""
    times = tuple(
        When(from_minute=begin, to_minute=min(begin + LESSON_AT_MOST, DAY))
        for begin in (one, other)
        if begin < DAY
    )
    return Claim(PartKind.WHEN, first, after, times, 12)


def _clock_claims(line: Line) -> Iterator[Claim]:
    for match, first, after in line.find(_RANGE):
        spoken = Clock(match, "1"), Clock(match, "2")
        if not all(clock.is_possible for clock in spoken) or not _is_time_range(
            line, match, first, after, *spoken
        ):
            continue
        low, high = _span(*spoken)
        if low is not None:
            if match["join"] == "or":
                yield _either(first, after, low, high)
                continue
            yield _claim(first, after, low, high, 12, is_guess=spoken[0].half is None and spoken[1].half is None)
    for rule, is_from in ((_AFTER, True), (_BEFORE, False), (_AFTER_SUFFIX, True), (_BEFORE_SUFFIX, False)):
        for match, first, after in line.find(rule):
            spoken_time = Clock(match, "")
            is_weak = match.groupdict().get("weak") or match.group().split()[0] in ("from", "starting")
            needs_mark = (is_weak and not match.groupdict().get("on")) or (
                rule in (_AFTER_SUFFIX, _BEFORE_SUFFIX) and not match.groupdict().get("at")
            )
            if not spoken_time.is_possible or (
                needs_mark and not spoken_time.is_marked and not _is_from_beside_a_day(line, match, first, after)
            ):
                continue
            minute = spoken_time.minute(latest=not is_from)
            yield _claim(
                first,
                after,
                minute if is_from else None,
                None if is_from else minute,
                12,
                is_guess=spoken_time.half is None,
            )
    for match, first, after in line.find(_AT):
        at = Clock(match, "")
        is_spoken = match["s"] is not None and not any(
            line.atoms[index].words[0].text[0].isdigit() for index in range(first, after)
        )
        if at.is_possible and (
            at.is_marked
            or is_spoken
            or match["at"]
            or match["ish"]
            or (at.hour <= 12 and _is_beside_a_day(line, first, after))
        ):
            minute = at.minute()
            end = min(minute + LESSON_AT_MOST, DAY)
            yield _claim(first, after, minute, end, 12 if at.is_marked else 9, is_guess=at.half is None)


def _is_time_range(line: Line, match: re.Match[str], first: int, after: int, low: Clock, high: Clock) -> bool:
    """Two bare numbers are times after a day or a part of it, or both on the clock's face after "from" or "between"."""
    if low.is_marked or high.is_marked:
        return match["join"] not in ("and", "or") or match["lead"] in ("between", "anytime between", "at")
    if match["lead"] in ("from", "between", "anytime between"):
        return low.hour <= 12 and high.hour <= 12
    if match["join"] in ("and", "or"):
        return match["join"] == "or" and match["lead"] in ("at", "@")
    follower = (
        line.key(after + 1)
        if line.key(after) in ("next", "this", "on", "every", "in", "each")
        else line.key(after)
    )
    return (
        match["lead"] in ("at", "@")
        or line.key(first - 1) in DAY_WORDS
        or follower in DAY_WORDS
        or (line.key(after) == "on" and follower in MONTHS)
    )


_GOES_ON: Final = word_set("on in near at for with next this please or and by around under")
MONTHS: Final = word_set(
    "jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october nov november dec december"
)
DAY_WORDS: Final = word_set(
    "mon monday mondays tue tues tuesday tuesdays wed weds wednesday wednesdays thu thur thurs thursday thursdays fri friday fridays "
    "sat saturday saturdays sun sunday sundays weekday weekdays weekend weekends today tomorrow tonight morning mornings afternoon "
    "afternoons evening evenings day"
)


def _is_beside_a_day(line: Line, first: int, after: int) -> bool:
    """Whether a bare number is a time because of the day before or after it: "tonight around 7", "10 tomorrow"."""
    before, behind = line.key(first - 1), line.key(after)
    if behind in ("today", "tonight", "tomorrow") or (
        behind == "this" and line.key(after + 1) in DAY_WORDS and line.key(first) != "for"
    ):
        return True
    return before in DAY_WORDS - {"day"} and (after == len(line.atoms) or behind in _GOES_ON)


def _is_from_beside_a_day(line: Line, match: re.Match[str], first: int, after: int) -> bool:
    """Whether "from 2" is a time because of the day before it: "sundays from 2"."""
    is_hour = match.group().split()[0] in ("from", "starting") and int(match["h"] or 13) <= 12
    return is_hour and _is_beside_a_day(line, first, after)


def _span(low: Clock, high: Clock) -> tuple[int | None, int]:
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
