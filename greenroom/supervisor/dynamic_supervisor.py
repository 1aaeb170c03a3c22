"""A supervisor over any number of like children, each with a key, that come to life when they are written to.

It restarts one for one and never waits for a single child, so with a hundred thousand of them nothing here takes a
turn: what children report is decided on the spot, in their own task, and the supervisor's own task sleeps until it is
time to stop.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.cell import PASSIVATED, Cell
from greenroom.supervisor.child import Child, Owner, Status
from greenroom.supervisor.errors import ActorDied, Overloaded, StartFailed
from greenroom.supervisor.exits import SHUTDOWN, ExitReason
from greenroom.supervisor.park_slot import ParkSlot
from greenroom.supervisor.restart_intensity import RestartWindow
from greenroom.supervisor.specs import DynamicSpec, Restart
from greenroom.supervisor.strategy import is_restarted

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem

FULL_RETRY_AFTER_S = 1.0  # room comes when somebody falls idle, which nobody can predict


class DynamicSupervisor(Child):
    """One dynamic supervisor. Invariant: at most one cell, hence one incarnation, per key."""

    window: RestartWindow
    _nursery_below: trio.Nursery  # that the children run in; set with each incarnation

    __slots__ = ("_nursery_below", "_outcome", "_parking", "_wedged", "cells", "rng", "spec", "windows")

    def __init__(self, system: ActorSystem, owner: Owner, spec: DynamicSpec, path: str) -> None:
        super().__init__(system, owner, path, spec.name, "supervisor", Restart.PERMANENT, None)
        self.spec = spec
        self.cells: dict[str, Cell] = {}
        self.window = RestartWindow(spec.intensity, spec.period_s)
        self.windows = [RestartWindow(spec.intensity, spec.period_s) for _ in range(spec.partitions)]
        self.rng = system.stream(f"backoff {path}")
        self._parking = ParkSlot()
        self._wedged: dict[Cell, None] = {}
        self._outcome: ExitReason | None = None

    @property
    def terminate_s(self) -> float:
        return self.spec.terminate_s + 0.2

    @property
    def shutdown_s(self) -> float:
        """Children stop side by side, so they need no more than one of them does."""
        return self.spec.shutdown_s + self.terminate_s

    @property
    def start_timeout_s(self) -> float:
        return float("inf")  # there is nothing to wait for

    def resolve(self, name: str) -> Cell | None:
        """The cell of a key, activated if need be.

        Raises:
            Overloaded: it would be one child too many.
        """
        cell = self.cells.get(name)
        if cell is None and self.is_serving:
            path = f"{self.path}/{name}"
            if len(self.cells) >= self.spec.max_children:
                raise Overloaded(path, FULL_RETRY_AFTER_S, f"{self.path} holds {len(self.cells)} children")
            cell = self.cells[name] = Cell(self.system, self, self.spec, path, name, name)
            self.system.registry.add(cell)
            self.activate(cell)
        return cell

    def activate(self, cell: Cell) -> None:
        cell.meter.kind.activations += 1
        cell.begin(self._nursery_below)

    @property
    def is_serving(self) -> bool:
        return self.state is Status.RUNNING and self.stop_reason is None and self._outcome is None

    # Owner: what children report, decided at once.

    def child_started(self, child: Child) -> None:
        pass

    def child_ended(self, child: Child, reason: ExitReason) -> None:
        cell = self.cells[child.name]
        self._wedged.pop(cell, None)
        if not self.is_serving:
            self._forget(cell)
        elif cell.stop_reason is not None:
            if cell.comes_back:
                self._begin_again(cell)
            else:
                self._forget(cell)
        elif reason is PASSIVATED:
            self._passivated(cell)
        elif not (cell.is_up or cell.is_restart):
            # A first activation that fails is not repeated: those who wait are told, and whoever writes next tries
            # again. Restarts are for what has worked before.
            self._forget(cell)
        elif is_restarted(cell.restart, reason, failed_to_start=not cell.is_up) and self._tolerates(cell):
            self._restart_after_delay(cell)
        else:
            self._forget(cell)

    def child_wedged(self, child: Child) -> None:
        self._wedged[self.cells[child.name]] = None
        self._parking.wake()

    # Commands of an operator.

    async def stop_child(self, cell: Child, reason: ExitReason) -> None:
        """Stop a child. The next message for its key activates it again."""
        incarnation = cell.incarnation
        self._stop_one(self.cells[cell.name], reason, comes_back=False)
        while cell.incarnation == incarnation and not cell.is_over:
            await cell.wait_change()

    async def restart_child(self, cell: Child, reason: ExitReason) -> None:
        """Stop a child and start it again.

        Raises:
            StartFailed: it did not come back at once.
            ActorDied: it was stopped for good meanwhile.
        """
        incarnation = cell.incarnation
        self._stop_one(self.cells[cell.name], reason, comes_back=True)
        while (cell.incarnation == incarnation and not cell.is_over) or cell.state is Status.STARTING:
            await cell.wait_change()
        if cell.is_retired:
            raise ActorDied(cell.path, cell.last_reason or SHUTDOWN)
        if not cell.is_up:
            raise StartFailed(cell.path, cell.last_reason or SHUTDOWN)

    def _stop_one(self, cell: Cell, reason: ExitReason, *, comes_back: bool) -> None:
        cell.comes_back = comes_back
        if cell.is_alive:
            cell.stop(reason, drain=not comes_back, by=float("inf"))
        elif comes_back:
            self._begin_again(cell)
        else:
            self._forget(cell)

    # Decisions.

    def _passivated(self, cell: Cell) -> None:
        cell.meter.kind.passivations += 1
        self.system.lifecycle.passivated(cell)
        if cell.go_dormant():
            self._remove(cell)
        else:
            self.activate(cell)

    def _tolerates(self, cell: Cell) -> bool:
        """Count a restart. False when it is one too many for the key, its partition or the whole."""
        if cell.is_up and cell.ran_for_s() >= self.spec.period_s:
            cell.failures_in_a_row = 0
        cell.failures_in_a_row += 1
        if cell.failures_in_a_row > self.spec.failures_in_a_row_max:
            return False  # this key is hopeless for now; its neighbours need not suffer for it
        partition = self._partition_of(cell)
        now = self.system.now()
        if self.windows[partition].add(now):
            return True
        spec = self.spec
        why = f"more than {spec.intensity} restarts in {spec.period_s} s, last {cell.path} with {cell.last_reason}"
        self.system.counters.escalations += 1
        if len(self.windows) > 1 and self.window.add(now):
            self.system.lifecycle.gave_up(self, f"partition {partition}: {why}")
            self._stop_partition(partition)
        else:
            self._outcome = SHUTDOWN
            self.system.last_escalation = f"{self.path}: {why}"
            self.system.lifecycle.gave_up(self, why)
            self._parking.wake()
        return False

    def _partition_of(self, cell: Cell) -> int:
        return zlib.crc32(cell.name.encode()) % len(self.windows)

    def _stop_partition(self, partition: int) -> None:
        self.windows[partition].clear()
        for cell in list(self.cells.values()):
            if self._partition_of(cell) == partition:
                self._stop_one(cell, SHUTDOWN, comes_back=False)

    def _restart_after_delay(self, cell: Cell) -> None:
        delay_s = self.spec.backoff.delay_s(cell.failures_in_a_row, self.rng)
        if delay_s == 0:
            self._begin_again(cell)
        else:
            cell.back_off(delay_s)
            on_time = partial(self._on_backoff_over, cell, cell.incarnation)
            self.system.timers.call_at(cell.backoff_until, on_time)

    def _on_backoff_over(self, cell: Cell, incarnation: int) -> None:
        if cell.state is Status.BACKOFF and cell.incarnation == incarnation and self.is_serving:
            self._begin_again(cell)

    def _begin_again(self, cell: Cell) -> None:
        cell.begin(self._nursery_below, is_restart=True)

    def _forget(self, cell: Cell) -> None:
        if cell.state is not Status.STOPPED:
            cell.state = Status.STOPPED
            self.system.lifecycle.stopped(cell, cell.last_reason or SHUTDOWN)
        cell.bury()
        self._remove(cell)

    def _remove(self, cell: Cell) -> None:
        if self.cells.get(cell.name) is cell:
            del self.cells[cell.name]
            self.system.registry.remove(cell)
        if not self.is_serving:
            self._parking.wake()

    # Child: the supervisor's own life.

    async def live(self) -> ExitReason:
        async with trio.open_nursery() as self._nursery_below:
            try:
                self.mark_started()
                while self.is_serving:
                    await self._parking.park()
            finally:
                # Also when cancelled from above: a message that comes now must not activate anybody.
                self._outcome = self._outcome or SHUTDOWN
            reason = self.stop_reason or self._outcome
            by = self.stop_by if self.stop_reason is not None else float("inf")
            for cell in list(self.cells.values()):
                if cell.is_alive:
                    cell.stop(reason, drain=True, by=by)
                else:
                    self._forget(cell)
            while len(self.cells) > len(self._wedged):
                await self._parking.park()
            if self._wedged and self.stop_reason is not None:
                self.mark_wedged()  # the nursery below will not end: hold up nobody further
        return reason

    def told_to_stop(self, *, drain: bool) -> None:
        self._parking.wake()

    @property
    def has_loose_ends(self) -> bool:
        return False  # the nursery has seen to it

    async def wind_down(self, reason: ExitReason) -> None:
        pass

    def members(self) -> Collection[Child]:
        return self.cells.values()

    def settle(self, reason: ExitReason) -> None:
        for cell in list(self.cells.values()):
            self._forget(cell)
        self.window.clear()
        for window in self.windows:
            window.clear()
        self._wedged.clear()
        self._outcome = None

    def bury(self) -> None:
        pass

    def mark_wedged(self) -> None:
        if self.is_alive:
            for cell in self.cells.values():
                cell.mark_wedged()
        super().mark_wedged()
