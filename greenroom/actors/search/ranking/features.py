"""What speaks for a candidate, each from 0 to 1, higher being better. All of it is pure.

What is unknown is taken for what it mostly is rather than for the worst: nobody should be last for not having been asked yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from greenroom.schema.search.candidates import Candidate
from greenroom.schema.search.understood import PriceBounds, PriceUnit
from greenroom.storage.retrieval.rules import quality

HALF_DISTANCE_KM: Final = 3.0
"""Worth half as much as next door: about half an hour's walk, or a quarter of an hour by bus."""

RATING_WORST: Final = 3.0
"""Ratings of lessons lie between this and 5; whoever has less than that is no better than the worst."""

HALF_RESPONSE: Final = timedelta(hours=1)
UNKNOWN_RESPONSE: Final = timedelta(hours=4)

HALF_AGE: Final = timedelta(days=180)
"""After so long without a change, half of what is said in a text may be no longer true."""

HALF_WAIT: Final = timedelta(days=3)

CHEAP_SHARE: Final = 0.5
"""Of the highest price asked for: below, nobody minds."""


def nearness(candidate: Candidate) -> float | None:
    """None where there is no distance: online, or no place was asked for."""
    distance = candidate.distance_km
    return None if distance is None else 1 / (1 + distance / HALF_DISTANCE_KM)


def price_fit(candidate: Candidate, price: PriceBounds | None) -> float | None:
    """1 for half of the highest price, 0.5 for all of it; None if none was named: cheap is not better, then."""
    if price is None or not price.max_cents:
        return None
    cents = float(candidate.price_cents)
    if price.unit is PriceUnit.HOUR:
        cents = cents * 60 / candidate.duration_minutes
    share = cents / price.max_cents
    return _bounded(1 - 0.5 * (share - CHEAP_SHARE) / (1 - CHEAP_SHARE))


def standing(candidate: Candidate) -> float:
    """The mean rating, drawn to the middle where there are few."""
    mean = quality(candidate.rating, candidate.rating_count)
    return _bounded((mean - RATING_WORST) / (5 - RATING_WORST))


def promptness(candidate: Candidate) -> float:
    minutes = candidate.response_minutes
    response = UNKNOWN_RESPONSE if minutes is None else timedelta(minutes=minutes)
    return 1 / (1 + response / HALF_RESPONSE)


def freshness(candidate: Candidate, now: datetime) -> float:
    age = max(now - candidate.updated_at, timedelta())
    return float(0.5 ** (age / HALF_AGE))


def soonness(candidate: Candidate, now: datetime) -> float:
    """0 for an instructor without any free time in sight."""
    if candidate.next_free_at is None:
        return 0.0
    wait = max(candidate.next_free_at - now, timedelta())
    return 1 / (1 + wait / HALF_WAIT)


def _bounded(value: float) -> float:
    return min(1.0, max(0.0, value))
