"""What every supervisor is, whether its children are a fixed list or come and go with their keys.

Its children run in a nursery of its own, and its task waits in that nursery's body: should the task fail, the children
go with it, as linked processes do; what fails in a child never gets here except as a signal.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.child import Child
from greenroom.supervisor.exits import SHUTDOWN, ExitReason
from greenroom.supervisor.owner import Owner
from greenroom.supervisor.park_slot import ParkSlot
from greenroom.supervisor.restart_intensity import RestartWindow
from greenroom.supervisor.specs import DynamicSpec, Restart, Strategy, SupervisorSpec
from greenroom.supervisor.status import Status

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.system import ActorSystem

LEVEL_S = 0.2  # what a level of supervisors adds to the time that cancelling takes


class BaseSupervisor(Child):
    """A supervisor as its own supervisor, its children and an operator deal with it."""

    _nursery_below: trio.Nursery  # that the children run in; set with each incarnation

    __slots__ = ("_nursery_below", "_outcome", "_parking", "_tolerance", "_wedged", "rng", "window")

    def __init__(
        self,
        system: ActorSystem,
        owner: Owner,
        path: str,
        spec: SupervisorSpec | DynamicSpec,
        *,
        kind: str,
        restart: Restart,
    ) -> None:
        super().__init__(system, owner, path, spec.name, kind, restart, None)
        self.window = RestartWindow(spec.intensity, spec.period_s)
        self.rng = system.stream(f"backoff {path}")
        self._tolerance = spec
        self._parking = ParkSlot()
        self._wedged: dict[Child, None] = {}
        self._outcome: ExitReason | None = None  # end with this

    # Those below.

    @abstractmethod
    def members(self) -> Collection[Child]:
        """The children, in start order."""

    @property
    @abstractmethod
    def strategy(self) -> Strategy:
        """Which of them share a restart."""

    @abstractmethod
    async def stop_child(self, child: Child, reason: ExitReason) -> None:
        """Stop a child for good, for an operator.

        Raises:
            ActorDied: this supervisor ended first, and the child with it.
        """

    @abstractmethod
    async def restart_child(self, child: Child, reason: ExitReason) -> None:
        """Stop a child, if it runs, and start it, for an operator; not counted against the intensity.

        Raises:
            StartFailed: it did not come back at once.
            ActorDied: it was stopped for good meanwhile, or this supervisor ended.
        """

    def resolve(self, name: str) -> Cell | None:
        """The actor of a key, activated if need be; None where children have no keys, or none can be activated now.

        Raises:
            Overloaded: it would be one child too many.
        """
        return None

    # Whether to go on.

    @property
    def is_serving(self) -> bool:
        """True while children may be started: it is up, was not told to stop and has not given up."""
        return self.state is Status.RUNNING and self.stop_reason is None and self._outcome is None

    def _count_failure(self, child: Child) -> bool:
        """Count a failure in a row, unless the child was up for long enough before it. False if it is one too many."""
        if child.is_up and child.ran_for_s() >= self._tolerance.period_s:
            child.failures_in_a_row = 0
        child.failures_in_a_row += 1
        return child.failures_in_a_row <= self._tolerance.failures_in_a_row_max

    def _give_up(self, why: str) -> None:
        """Escalate: end with ``shutdown``, and let the supervisor above apply its own rules to that."""
        self._outcome = SHUTDOWN
        self.system.last_escalation = f"{self.path}: {why}"
        self.system.counters.escalations += 1
        self.system.lifecycle.gave_up(self, why)
        self._parking.wake()

    # Child: how it ends.

    def told_to_stop(self, *, drain: bool) -> None:
        self._parking.wake()

    @property
    def has_loose_ends(self) -> bool:
        return False  # the nursery has seen to it

    async def wind_down(self, reason: ExitReason) -> None:
        pass

    def settle(self, reason: ExitReason) -> None:
        """Children do not outlive an incarnation of their supervisor: the next one makes them anew."""
        self.window.clear()
        self._wedged.clear()
        self._outcome = None

    def bury(self) -> None:
        pass

    def mark_wedged(self) -> None:
        """What keeps a supervisor from ending is below it: name that too."""
        if self.is_alive:
            for child in self.members():
                child.mark_wedged()
        super().mark_wedged()
