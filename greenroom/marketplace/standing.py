"""How invented instructors are rated and how quickly they answer."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

NEW_SHARE: Final = 0.16
"""Of those nobody rated yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    rating: float
    rating_count: int
    response_minutes: int | None


def invented_standing(random: Random) -> Standing:
    """Many have few ratings and few have hundreds; most are good, and the mean of few ratings strays furthest."""
    quickness = round(random.lognormvariate(3.7, 1.3))
    response_minutes = max(2, min(quickness, 4_320))
    if random.random() < NEW_SHARE:
        return Standing(0.0, 0, response_minutes if random.random() < 0.4 else None)
    count = max(1, min(round(random.lognormvariate(2.2, 1.25)), 900))
    true_mean = 5 - random.gammavariate(1.6, 0.22)
    mean = random.gauss(true_mean, 0.6 / count**0.5)
    return Standing(round(max(1.0, min(mean, 5.0)), 2), count, response_minutes)
