"""Faults of the in-memory twin: one hook, called before and after each operation, that may delay it or make it fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

import trio


class Phase(Enum):
    """``BEFORE``: nothing has happened yet. ``AFTER``: it has; what fails now had its effect all the same."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """A place where a fault may strike: an operation by port and method, e.g. ``conversations.page``.

    Writes add ``writes.begin`` and ``writes.commit``; a failure *after* ``writes.commit`` is the unknown outcome of a
    connection that died while committing.
    """

    operation: str
    phase: Phase


Faults = Callable[[FaultPoint], Awaitable[None]]
"""Awaited at every fault point. It may sleep, and may raise ``StorageUnavailable`` or ``PoolExhausted``."""


async def no_faults(point: FaultPoint) -> None:
    """Let the operation happen, after a checkpoint as real I/O would be one."""
    if point.phase is Phase.BEFORE:
        await trio.lowlevel.checkpoint()
