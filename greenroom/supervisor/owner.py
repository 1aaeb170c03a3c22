"""Who hears what becomes of a child. Called from the child's own task, so nothing here waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from greenroom.supervisor.exits import ExitReason

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.child import Child


class Owner(Protocol):
    """Whoever started a child and is told what becomes of it: a supervisor, or the system for the root."""

    def child_started(self, child: Child) -> None:
        """The incarnation is up: ``init`` returned, or all children of a supervisor started."""

    def child_ended(self, child: Child, reason: ExitReason) -> None:
        """The incarnation is over and has left nothing behind."""

    def child_wedged(self, child: Child) -> None:
        """The ladder is exhausted and the incarnation still lives."""


class ActorOwner(Owner, Protocol):
    """A supervisor of actors."""

    def activate(self, cell: Cell) -> None:
        """Mail came for a dormant actor: start it."""
