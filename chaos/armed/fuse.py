"""Counts how often a worker passes the point at which it is to end, and ends it there."""

from __future__ import annotations

import os
import signal
import time

from chaos.armed.points import Blast, Charge, Journal, Plan, Point, charge
from chaos.sockets import held_by


class Fuse:
    """One worker's.

    Args:
        nth: how many workers were started before this one.
        port: of the server, whose connections are written down at the end.
    """

    def __init__(self, plan: Plan, journal: Journal, *, nth: int, port: int) -> None:
        self._plan = plan
        self._journal = journal
        self._nth = nth
        self._port = port
        self._charge: Charge | None = None
        self._passed = 0

    def is_due(self, point: Point) -> bool:
        """Note that the worker passes a point; whether it is to end there, this time."""
        seed = self._plan.seed()
        if seed is None:
            return False
        if self._charge is None:
            self._charge = charge(seed, self._nth)
        if point is not self._charge.point:
            return False
        self._passed += 1
        return self._passed == self._charge.passes

    def blow(self, point: Point) -> None:
        """Write down who is cut off, and end this process by SIGKILL: no other code of it runs in between, and none after."""
        at = time.perf_counter()
        cut = tuple(sorted(held_by(os.getpid(), self._port)))
        self._journal.write(Blast(os.getpid(), point, self._passed, at, cut))
        os.kill(os.getpid(), signal.SIGKILL)
        # The signal is delivered before kill(2) returns to a process of a single thread; this one may have others.
        signal.pause()
