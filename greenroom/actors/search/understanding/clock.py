"""One time on the clock as people write and say it: "5pm", "17:30", "6.30 pm", "half past three", "seven twenty", "16h30", "1800 hours", "noon"."""

from __future__ import annotations

import re
from typing import Final

DAY: Final = 1_440
NOON: Final = 720

_HALF: Final = r"(?: a_?m | p_?m | am | pm | p | in_the_(?:morning|afternoon|evening|night) | at_night )"
_MINUTE: Final = r"[0-5]\d"


def clock(tag: str) -> str:
    """The pattern of a time, its groups named with a tag so that two may stand in one pattern."""
    return (
        rf"(?: (?P<word{tag}>noon(?:ish)?|midday|midnight|12_noon|12_midnight)"
        # "16h30", "1800 hours".
        rf" | (?P<h24{tag}>(?:[01]\d|2[0-3])_h_{_MINUTE} | (?:1[3-9]|2[0-3])_h | (?:[01]\d|2[0-3]){_MINUTE}_(?:hours|hrs|h) | (?:[01]\d|2[0-3])_:_{_MINUTE}_h)"
        rf" | (?P<past{tag}>half|quarter|\d{{1,2}})_(?:minutes_)?(?P<side{tag}>past|to|after|before)_(?P<hp{tag}>\d{{1,2}})"
        rf"   (?:_o_?clock)? (?:_(?P<np{tag}>{_HALF}))?"
        # "Half eight": half past it, as the British say.
        rf" | half_(?P<british{tag}>[1-9]|1[0-2])(?!_(?:hours?|price|days?|year|terms?)(?!\S))"
        rf" | (?P<dotted{tag}>\d{{1,2}}\.{_MINUTE}) (?:_(?P<nd{tag}>{_HALF}))?"
        rf" | (?P<packed{tag}>\d{{1,2}}{_MINUTE})_(?P<nk{tag}>am|pm) | (?P<zero{tag}>0\d{_MINUTE})"
        rf" | (?P<h{tag}>\d{{1,2}}) (?: _:_ (?P<m{tag}>\d\d)(?:_:_\d\d)? | _(?P<s{tag}>{_MINUTE})(?!_:) | _(?:oh|o)_(?P<o{tag}>[1-9]) )? (?P<oclock{tag}>_o_?clock)? (?: _(?P<n{tag}>{_HALF}) )? )"
    )


class Clock:
    """A time as it was spoken.

    Attributes:
        hour, past: the hour as it was said, and the minutes past it; below 0 for "quarter to".
        half: ``am``, ``pm``, ``24`` for an hour of 24, or None where nothing tells.
        is_marked: something tells that it is a time at all.
    """

    def __init__(self, match: re.Match[str], tag: str) -> None:
        self.half: str | None = None
        self.is_marked = True
        said = {name: match[f"{name}{tag}"] for name in ("np", "nd", "nk", "n")}
        half = next((text for text in said.values() if text), None)
        if word := match[f"word{tag}"]:
            self.hour, self.past, half = 12, 0, "am" if word.endswith("midnight") else "pm"
        elif h24 := match[f"h24{tag}"]:
            digits = re.sub(r"\D", "", h24)
            self.hour, self.past = int(digits[:2]), int(digits[2:] or 0)
        elif british := match[f"british{tag}"]:
            self.hour, self.past = int(british), 30
            self.is_marked = False
        elif dotted := match[f"dotted{tag}"]:
            self.hour, self.past = (int(number) for number in dotted.split("."))
            self.is_marked = half is not None
        elif packed := match[f"packed{tag}"] or match[f"zero{tag}"]:
            self.hour, self.past = divmod(int(packed), 100)
        elif spoken := match[f"past{tag}"]:
            minutes = {"half": 30, "quarter": 15}.get(spoken) or int(spoken)
            side = match[f"side{tag}"]
            self.hour, self.past = int(match[f"hp{tag}"]), minutes if side in ("past", "after") else -minutes
            self.is_marked = half is not None or spoken in ("half", "quarter") or side == "past"
        else:
            self.hour, self.past = (
                int(match[f"h{tag}"]),
                int(match[f"m{tag}"] or match[f"s{tag}"] or match[f"o{tag}"] or 0),
            )
            self.is_marked = bool(half or match[f"m{tag}"] or match[f"oclock{tag}"] or match[f"o{tag}"])
        if half:
            is_morning = (
                (half[0] == "a" and half != "at night")
                or half.endswith("morning")
                or (half.endswith("night") and self.hour == 12)
            )
            self.half = "am" if is_morning else "pm"
        if self.hour > 12 or self.hour == 0 or match[f"zero{tag}"] or match[f"h24{tag}"]:
            self.half = "24"

    @property
    def is_possible(self) -> bool:
        return self.hour < 24 and -60 < self.past < 60

    def minute(self, half: str | None = None, *, latest: bool = False) -> int:
        """Minutes after midnight; ``half`` is for a time that doesn't tell its own. ``latest``: midnight ends a day rather than begins it.

        Without any, an hour is one at which lessons are given: 1 to 7 in the afternoon, 8 to 11 in the morning, 12 at noon.
        """
        match self.half or half:
            case "24":
                hour = self.hour
            case "am":
                hour = self.hour % 12
            case "pm":
                hour = self.hour % 12 + 12
            case _:
                hour = self.hour + 12 if self.hour <= 7 else self.hour
        minute = (hour * 60 + self.past) % DAY
        return DAY if latest and minute == 0 else minute
