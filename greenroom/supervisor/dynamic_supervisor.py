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

from greenroom.supervisor.base_supervisor import LEVEL_S, BaseSupervisor
from greenroom.supervisor.cell import PASSIVATED, Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.errors import ActorDied, Overloaded, StartFailed
from greenroom.supervisor.exits import SHUTDOWN, ExitReason
from greenroom.supervisor.owner import Owner
from greenroom.supervisor.restart_intensity import RestartWindow
from greenroom.supervisor.specs import DynamicSpec, Restart, Strategy
from greenroom.supervisor.status import Status
from greenroom.supervisor.strategy import is_restarted

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem

FULL_RETRY_AFTER_S = 1.0  # room comes when somebody falls idle, which nobody can predict


class DynamicSupervisor(BaseSupervisor):
    """One dynamic supervisor. Invariant: at most one cell, hence one incarnation, per key."""

    __slots__ = ("cells", "spec", "windows")

    def __init__(self, system: ActorSystem, owner: Owner, spec: DynamicSpec, path: str) -> None:
        super().__init__(system, owner, path, spec, kind="supervisor", restart=Restart.PERMANENT)
        self.spec = spec
        self.cells: dict[str, Cell] = {}
        # By partition; of a single one it is the supervisor's own, so that an operator sees what is used of it.
        self.windows = [self.window]
        if spec.partitions > 1:
            self.windows = [RestartWindow(spec.intensity, spec.period_s) for _ in range(spec.partitions)]

    @property
    def terminate_s(self) -> float:
        return self.spec.terminate_s + LEVEL_S

    @property
    def shutdown_s(self) -> float:
        """Children stop side by side, so they need no more than one of them does."""
        return self.spec.shutdown_s + self.terminate_s

    @property
    def start_timeout_s(self) -> float:
        return float("inf")  # there is nothing to wait for

    def resolve(self, name: str) -> Cell | None:
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
        """As for every supervisor; the next message for its key activates it again."""
        incarnation = cell.incarnation
        self._stop_one(self.cells[cell.name], reason, comes_back=False)
        while cell.incarnation == incarnation and not cell.is_over:
            await cell.wait_change()

    async def restart_child(self, cell: Child, reason: ExitReason) -> None:
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
        if not self._count_failure(cell):
            return False  # this key is hopeless for now; its neighbours need not suffer for it
        partition = self._partition_of(cell)
        now = self.system.now()
        if self.windows[partition].add(now):
            return True
        spec = self.spec
        why = f"more than {spec.intensity} restarts in {spec.period_s} s, last {cell.path} with {cell.last_reason}"
        if len(self.windows) > 1 and self.window.add(now):
            self.system.counters.escalations += 1
            self.system.lifecycle.gave_up(self, f"partition {partition}: {why}")
            self._stop_partition(partition)
        else:
            self._give_up(why)
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

    @property
    def strategy(self) -> Strategy:
        return Strategy.ONE_FOR_ONE

    def members(self) -> Collection[Child]:
        return self.cells.values()

    def settle(self, reason: ExitReason) -> None:
        for cell in list(self.cells.values()):
            self._forget(cell)
        for window in self.windows:
            window.clear()
        super().settle(reason)
