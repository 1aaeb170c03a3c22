"""The two decisions of a supervisor, as plain functions: is this child started again, and who shares its fate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from greenroom.supervisor.exits import ExitReason
from greenroom.supervisor.specs import Restart, Strategy

T = TypeVar("T")


def is_restarted(restart: Restart, reason: ExitReason, *, failed_to_start: bool = False) -> bool:
    """Whether a child that ended by itself is started again.

    A child that failed to come back from a restart is tried again whatever its reason says, as in OTP: it is the
    restart that has not succeeded yet.
    """
    match restart:
        case Restart.PERMANENT:
            return True
        case Restart.TRANSIENT:
            return failed_to_start or not reason.is_clean
        case Restart.TEMPORARY:
            return False


def sharing_fate(strategy: Strategy, children: Sequence[T], failed: T) -> Sequence[T]:
    """The children that are stopped (in reverse) and started again (in this order) together with ``failed``.

    ``children`` is in start order and holds ``failed``; the result does too.
    """
    match strategy:
        case Strategy.ONE_FOR_ONE:
            return [failed]
        case Strategy.ONE_FOR_ALL:
            return children
        case Strategy.REST_FOR_ONE:
            return children[children.index(failed) :]
