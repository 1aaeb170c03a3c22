"""The one place where wall time is read; everything else is handed a :class:`WallClock`.

Deadlines and timers never use wall time: they use Trio's monotonic clock, which a clock step cannot move.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import trio

WallClock = Callable[[], datetime]
"""Returns the current time, aware, in UTC."""


def system_wall_clock() -> datetime:
    """Read the machine's wall clock."""
    return datetime.now(UTC)  # noqa: TID251 - the clock module itself


def trio_wall_clock(epoch: datetime) -> WallClock:
    """Return a wall clock that starts at ``epoch`` when Trio's clock reads 0 and follows it from there.

    Under a virtual clock this makes wall time part of the simulation.
    """
    origin = epoch.timestamp()
    return lambda: datetime.fromtimestamp(origin + trio.current_time(), UTC)


def rfc3339(moment: datetime) -> str:
    """Render an aware moment as RFC 3339 in UTC with milliseconds, e.g. ``2026-03-01T09:30:00.250Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
