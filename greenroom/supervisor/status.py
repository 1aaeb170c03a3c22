"""Where a child is in its life."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """The states. HANDLING and SUSPENDED are only ever shown, never set: see ``Child.status``."""

    STARTING = "starting"
    RUNNING = "running"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    RESTARTING = "restarting"  # ended; its supervisor has not started it again yet
    BACKOFF = "backoff"  # ended; waits out its delay
    STOPPING = "stopping"
    STOPPED = "stopped"
    DORMANT = "passivated"  # stopped for idleness; the next message starts it again
    WEDGED = "wedged"  # told to stop and cancelled, and still alive


ALIVE = frozenset({Status.STARTING, Status.RUNNING, Status.STOPPING, Status.WEDGED})
