"""Two limits in time of one actor: how long it may be idle, and how long over one message.

Each is a timer that looks again when it fires, rather than one that is set anew with every message: what costs
something is the limit being reached, not each message that stays below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.supervisor.exits import ExitReason
from greenroom.supervisor.status import Status
from greenroom.supervisor.timers import Timer

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell


class Watches:
    """The watches of one incarnation; made only where its spec declares a limit."""

    __slots__ = ("_budget", "_cell", "_idle")

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._idle: Timer | None = None
        self._budget: Timer | None = None

    def start(self) -> None:
        """Watch for idleness from now on, if the spec limits it."""
        limit_s = self._cell.spec.passivate_after_s
        if limit_s is not None:
            self._look_at_idleness_at(self._cell.system.now() + limit_s)

    def stop(self) -> None:
        """Watch nothing any more."""
        for timer in (self._idle, self._budget):
            if timer is not None:
                timer.cancel()

    def message_taken(self, at: float, budget_s: float) -> None:
        """See to it that a message taken up now is looked at when its budget is used up."""
        if self._budget is None:
            self._budget = self._cell.system.timers.call_at(at + budget_s, self._check_budget)

    def _check_budget(self) -> None:
        self._budget = None
        cell = self._cell
        budget_s = cell.spec.message_budget_s
        if budget_s is None or cell.current is None:
            return
        if cell.current_since + budget_s <= cell.system.now():
            cell.kill(ExitReason.budget("message"))
        else:
            self.message_taken(cell.current_since, budget_s)

    def _check_idleness(self) -> None:
        cell = self._cell
        limit_s = cell.spec.passivate_after_s
        if limit_s is None or cell.state is not Status.RUNNING:
            return
        now = cell.system.now()
        idle_since = now if cell.is_busy else max(cell.meter.last_active, cell.started_at)
        if idle_since + limit_s <= now:
            cell.passivate()
        else:
            self._look_at_idleness_at(idle_since + limit_s)

    def _look_at_idleness_at(self, at: float) -> None:
        self._idle = self._cell.system.timers.call_at(at, self._check_idleness)
