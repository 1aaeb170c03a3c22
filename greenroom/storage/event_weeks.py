"""Events are kept by the week: which week a moment belongs to, and when a week begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_WEEK: Final = timedelta(weeks=1)
# A Monday.
_ORIGIN: Final = datetime(2001, 1, 1, tzinfo=UTC)

WEEKS_AHEAD: Final = 3
"""Partitions are made this many weeks ahead, so that upkeep may fail for that long without anybody noticing."""


def week_of(moment: datetime) -> int:
    """Number of the week that holds ``moment``: from Monday 00:00 UTC, inclusive, to the next, exclusive."""
    return (moment - _ORIGIN) // _WEEK


def week_starts(week: int) -> datetime:
    """First moment of a week; the week before it ends here."""
    return _ORIGIN + week * _WEEK


def weeks_to_prepare(now: datetime) -> range:
    """The weeks that must have a partition at ``now``: the current one and those ahead."""
    return range(week_of(now), week_of(now) + WEEKS_AHEAD + 1)
