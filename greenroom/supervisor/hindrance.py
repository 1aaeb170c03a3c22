"""What keeps a child from doing its work: read from its state, asked of nobody.

A restart in the ordinary course hinders nobody for long, so it counts only once it has taken longer than
:data:`PATIENCE_S`. What does not end by itself, a stop, a suspension, a wedge, counts at once.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.status import Status

PATIENCE_S: Final = 2.0
"""A restart that takes longer is felt: it is as long as a client waits before it looks for another server."""

STUCK_S: Final = 10.0
"""A message that is handled for longer: whoever asks in this time has given up before it is their turn."""


class Hindrance(Enum):
    """Why a child does not work; the value completes "it is ..."."""

    STOPPED = "stopped"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    WEDGED = "wedged"
    RESTARTING = "restarting"
    BACKOFF = "waiting to be restarted"
    STUCK = "stuck at a message"

    @property
    def is_lasting(self) -> bool:
        """Whether it stays until somebody does something about it: there is no use in waiting."""
        return self in _LASTING


_LASTING: Final = frozenset({Hindrance.STOPPED, Hindrance.STOPPING, Hindrance.SUSPENDED, Hindrance.WEDGED})


def hindrance_of(child: Child) -> Hindrance | None:
    """What keeps ``child`` from working now; None for one that works, or sleeps until it is needed."""
    now = child.system.now()
    match child.state:
        case Status.STOPPED:
            return Hindrance.STOPPED
        case Status.WEDGED:
            return Hindrance.WEDGED
        case Status.STOPPING:
            return _stopping(child, now)
        case Status.BACKOFF:
            return Hindrance.BACKOFF if child.backoff_until - _ended_at(child, now) > PATIENCE_S else None
        case Status.RESTARTING | Status.STARTING:
            return Hindrance.RESTARTING if now - _ended_at(child, now) > PATIENCE_S else None
        case Status.RUNNING if isinstance(child, Cell):
            if child.is_suspended:
                return Hindrance.SUSPENDED
            is_stuck = child.current is not None and now - child.current_since > STUCK_S
            return Hindrance.STUCK if is_stuck else None
        case _:
            return None


def _stopping(child: Child, now: float) -> Hindrance | None:
    if child.stop_reason is None:
        return None  # falls asleep; what comes now brings it back
    if not child.comes_back:
        return Hindrance.STOPPING
    return Hindrance.RESTARTING if now - (child.stop_by - child.shutdown_s) > PATIENCE_S else None


def _ended_at(child: Child, now: float) -> float:
    """When its last incarnation ended; now, if it never had one."""
    return child.exits[-1].at if child.exits else now
