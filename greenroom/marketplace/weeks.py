"""When invented instructors are free."""

from __future__ import annotations

from random import Random
from typing import Final

from greenroom.schema.catalogue import WeeklySlot, joined

WORKDAYS: Final = (1, 2, 3, 4, 5)
WEEKEND: Final = (6, 7)

Pattern = tuple[tuple[int, ...], int, int, float]
"""Days, the hours between which the slot lies, and the chance that a day has it."""

_WEEKS: Final[tuple[tuple[int, tuple[Pattern, ...]], ...]] = (
    (30, ((WORKDAYS, 16, 21, 0.7), ((6,), 9, 14, 0.5))),  # evenings, some Saturdays
    (22, ((WORKDAYS, 14, 19, 0.8), ((6,), 9, 13, 0.6))),  # after school
    (16, ((WORKDAYS, 9, 17, 0.75),)),  # office hours
    (14, ((WEEKEND, 9, 18, 0.9), (WORKDAYS, 18, 21, 0.3))),  # weekends, besides another job
    (10, ((WORKDAYS, 9, 21, 0.8), (WEEKEND, 10, 17, 0.6))),  # full time
    (8, ((WORKDAYS, 6, 9, 0.6), (WORKDAYS, 18, 21, 0.5), ((6,), 7, 12, 0.5))),  # before and after work
)


def invented_week(random: Random) -> tuple[WeeklySlot, ...]:
    """Free times of one instructor, on the quarter hour, at least one hour each; never empty."""
    [patterns] = random.choices([week for _, week in _WEEKS], [weight for weight, _ in _WEEKS])
    slots: list[WeeklySlot] = []
    while not slots:
        for days, from_hour, to_hour, chance in patterns:
            begins, ends = from_hour * 60 + 15 * random.randint(0, 4), to_hour * 60 - 15 * random.randint(0, 4)
            for weekday in days:
                if random.random() < chance:
                    later = 30 * random.choice((0, 0, 0, 1, 2)) if ends - begins >= 180 else 0
                    slots.append(WeeklySlot(weekday, begins + later, ends))
    return joined(slots)
