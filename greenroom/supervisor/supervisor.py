"""A supervisor over a fixed list of children: starts them in order, restarts those that fail by its strategy, gives up
when that happens too often, and stops them in reverse.

Rules:

1. Signals (a child ended, a delay is over, an operator asks for something) are handled one at a time. While a child
   is started or stopped the others' signals wait, as in OTP.
2. A signal about an incarnation that has been replaced, or that ended because it was told to, is ignored.
3. Being told to stop interrupts the waiting for a child to start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.base_supervisor import LEVEL_S, BaseSupervisor
from greenroom.supervisor.cell import PASSIVATED, Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.dynamic_supervisor import DynamicSupervisor
from greenroom.supervisor.errors import ActorDied, ChildExists, StartFailed
from greenroom.supervisor.exits import SHUTDOWN, ExitReason
from greenroom.supervisor.owner import Owner
from greenroom.supervisor.signal_lane import SignalLane
from greenroom.supervisor.specs import (
    AnySpec,
    AutoShutdown,
    ChildSpec,
    DynamicSpec,
    Restart,
    Strategy,
    SupervisorSpec,
)
from greenroom.supervisor.status import Status
from greenroom.supervisor.strategy import is_restarted, sharing_fate

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem

RESTARTED_WITH_SIBLING = ExitReason.shutdown("restarted with its sibling")


class Supervisor(BaseSupervisor):
    """One static supervisor; see the module for its rules."""

    __slots__ = ("_lane", "children", "spec")

    def __init__(self, system: ActorSystem, owner: Owner, spec: SupervisorSpec, path: str) -> None:
        super().__init__(system, owner, path, spec, kind=spec.kind, restart=spec.restart)
        self.spec = spec
        self.children: dict[str, Child] = {}  # in start order
        self._lane = SignalLane(self._parking)

    @property
    def terminate_s(self) -> float:
        """Everything below is cancelled at once, so the slowest child decides, and each level adds a little."""
        return max((child.terminate_s for child in self.children.values()), default=0.0) + LEVEL_S

    @property
    def shutdown_s(self) -> float:
        return self.spec.shutdown_s

    @property
    def start_timeout_s(self) -> float:
        return self.spec.start_timeout_s

    # Owner: what children report. Called from their tasks, so it only leaves a signal.

    def child_started(self, child: Child) -> None:
        self._parking.wake()

    def child_ended(self, child: Child, reason: ExitReason) -> None:
        if isinstance(child, Cell) and reason is PASSIVATED and child.stop_reason is None and self.is_serving:
            self._passivated(child)
        else:
            self._lane.put(partial(self._on_exit, child, child.incarnation))

    def child_wedged(self, child: Child) -> None:
        self._wedged[child] = None
        self._parking.wake()

    def activate(self, cell: Cell) -> None:
        if self.is_serving:
            cell.begin(self._nursery_below)

    # Commands, run in the loop on behalf of an operator.

    async def start_child(self, spec: AnySpec) -> Child:
        """Add a child at the end and start it.

        Raises:
            ChildExists: the name is taken.
            StartFailed: it did not start, and was not added.
            ActorDied: this supervisor ended first.
        """
        if spec.name in self.children:
            raise ChildExists(f"{self.path}/{spec.name}")
        self.system.registry.learn_kinds(spec, f"{self.path}/{spec.name}")
        return await self._command(partial(self._start_new, spec))

    async def stop_child(self, child: Child, reason: ExitReason) -> None:
        """As for every supervisor; the child stays listed as stopped (a temporary one is forgotten)."""
        await self._command(partial(self._stop_for_good, child, reason))

    async def restart_child(self, child: Child, reason: ExitReason) -> None:
        """As for every supervisor; one that did not come back is from here on a failed child like any other."""
        await self._command(partial(self._restart_one, child, reason))

    async def _command(self, fn: Callable[[], Awaitable[Child]]) -> Child:
        if not self.is_serving:
            raise ActorDied(self.path, self.stop_reason or self.last_reason or SHUTDOWN)
        return await self._lane.command(fn, self.system.timers)

    async def _start_new(self, spec: AnySpec) -> Child:
        if spec.name in self.children:
            raise ChildExists(f"{self.path}/{spec.name}")
        child = self._add(spec)
        if await self._start([child]) is not None:
            self._forget(child)
            raise StartFailed(child.path, child.last_reason or SHUTDOWN)
        return child

    async def _stop_for_good(self, child: Child, reason: ExitReason) -> Child:
        await self._stop([child], reason, comes_back=_nobody)
        # Siblings that were only waiting for this one to come back start without it.
        waiting = [other for other in self.children.values() if other.comes_back and not other.is_alive]
        await self._start(waiting)
        return child

    async def _restart_one(self, child: Child, reason: ExitReason) -> Child:
        await self._stop([child], reason, comes_back=_everybody)
        child.failures_in_a_row = 0
        if self.children.get(child.name) is child and await self._start([child]) is not None:
            raise StartFailed(child.path, child.last_reason or SHUTDOWN)
        return child

    # The loop.

    async def live(self) -> ExitReason:
        async with trio.open_nursery() as self._nursery_below:
            try:
                return await self._supervise()
            finally:
                # Also when cancelled from above: a message that comes now must not wake anybody.
                self._outcome = self._outcome or SHUTDOWN
        raise AssertionError("unreachable")  # mypy cannot know that this nursery swallows nothing

    async def _supervise(self) -> ExitReason:
        for spec in self.spec.children:
            self._add(spec)
        failed = await self._start(list(self.children.values()))
        if failed is None and self.stop_reason is None:
            self.mark_started()
            while self.is_serving:
                signal = self._lane.take()
                if signal is not None:
                    await signal()
                else:
                    await self._parking.park()
        await self._stop(list(self.children.values()), self.stop_reason or SHUTDOWN, comes_back=_nobody)
        if self._wedged and self.stop_reason is not None:
            # The nursery below will not end, so neither will this: say so now, and hold up nobody further.
            self.mark_wedged()
        if failed is not None:
            reason = failed.last_reason or SHUTDOWN
            raise (
                reason.exception if isinstance(reason.exception, StartFailed) else StartFailed(failed.path, reason)
            )
        return self.stop_reason or self._outcome or SHUTDOWN

    async def _on_exit(self, child: Child, incarnation: int) -> None:
        if self.children.get(child.name) is not child or child.incarnation != incarnation:
            return
        if child in self._wedged:
            del self._wedged[child]
            if child.stop_reason is not None:
                if child.comes_back:
                    await self._start([child])
                else:
                    self._let_go(child)
                return
            # Nobody told it to stop: it was late in ending by its own fault, and what follows is as for any other end.
        if child.stop_reason is not None or child.state is not Status.RESTARTING:
            return
        reason = child.last_reason or SHUTDOWN
        failed_to_start = child.is_restart and not child.is_up
        if not is_restarted(child.restart, reason, failed_to_start=failed_to_start):
            self._let_go(child)
            self._consider_auto_shutdown(child)
        elif self._tolerates(child):
            fellows = [other for other in self._sharing_fate_of(child) if other is not child]
            await self._stop(fellows, RESTARTED_WITH_SIBLING, comes_back=_all_but_temporary)
            await self._restart_after_delay(child)

    async def _restart_after_delay(self, child: Child) -> None:
        if not self.is_serving:
            return
        delay_s = self.spec.backoff.delay_s(child.failures_in_a_row, self.rng)
        if delay_s == 0:
            await self._start(self._sharing_fate_of(child))
            return
        child.back_off(delay_s)
        on_time = partial(self._on_backoff_over, child, child.incarnation)
        self.system.timers.call_at(child.backoff_until, partial(self._lane.put, on_time))

    async def _on_backoff_over(self, child: Child, incarnation: int) -> None:
        if child.state is Status.BACKOFF and child.incarnation == incarnation:
            await self._start(self._sharing_fate_of(child))

    def _tolerates(self, child: Child) -> bool:
        """Count a restart. False, and the loop ends, when it is one too many."""
        spec = self.spec
        is_hopeless = not self._count_failure(child)
        if not self.window.add(self.system.now()):
            why = f"more than {spec.intensity} restarts in {spec.period_s} s, last {child.path}"
        elif is_hopeless:
            why = f"{child.path} failed {child.failures_in_a_row} times in a row"
        else:
            return True
        # A supervisor's own reason is always the same; what it gave up over is in the escalation before this one.
        gave_up = not isinstance(child, Cell) and child.last_reason == SHUTDOWN
        self._give_up(f"{why} with {self.system.last_escalation if gave_up else child.last_reason}")
        return False

    def _consider_auto_shutdown(self, child: Child) -> None:
        mode = self.spec.auto_shutdown
        if mode is AutoShutdown.NEVER or not child.is_significant:
            return
        others = any(
            other.is_significant and other.state is not Status.STOPPED for other in self.children.values()
        )
        if mode is AutoShutdown.ANY_SIGNIFICANT or not others:
            self._outcome = SHUTDOWN

    # Starting and stopping, in order and one at a time.

    async def _start(self, children: Sequence[Child]) -> Child | None:
        """Start these left to right, each once the one before is up. Ends early at the first that fails, which is
        returned, and when this supervisor is told to stop."""
        for child in children:
            if child.is_alive or child.state is Status.DORMANT:
                continue
            child.begin(self._nursery_below, is_restart=child.incarnation > 0)
            while child.state is Status.STARTING and self.stop_reason is None:
                await self._parking.park()
            if self.stop_reason is not None:
                return None
            if not child.is_up:
                return child
        return None

    async def _stop(
        self, children: Sequence[Child], reason: ExitReason, *, comes_back: Callable[[Child], bool]
    ) -> None:
        """Stop these right to left, each once the one after is down or given up as wedged."""
        for child in reversed(children):
            child.comes_back = comes_back(child)
            if child.state is Status.BACKOFF:
                child.state = Status.RESTARTING
            by = self.stop_by if self.stop_reason is not None else float("inf")
            child.stop(reason, drain=not child.comes_back, by=by)
            while not child.is_over:
                await self._parking.park()
            if not child.comes_back and not child.is_alive:
                self._let_go(child)

    def _sharing_fate_of(self, child: Child) -> list[Child]:
        return list(sharing_fate(self.spec.strategy, list(self.children.values()), child))

    def _add(self, spec: AnySpec) -> Child:
        path = f"{self.path}/{spec.name}"
        child: Child
        match spec:
            case ChildSpec():
                child = Cell(self.system, self, spec, path, spec.name, None)
            case SupervisorSpec():
                child = Supervisor(self.system, self, spec, path)
            case DynamicSpec():
                child = DynamicSupervisor(self.system, self, spec, path)
        child.is_essential = spec.essential
        child.is_significant = not isinstance(spec, DynamicSpec) and spec.significant
        self.children[spec.name] = child
        self.system.registry.add(child)
        return child

    def _let_go(self, child: Child) -> None:
        """It will not be started again by itself. A temporary child is forgotten, others stay listed."""
        if child.state is not Status.STOPPED:
            child.state = Status.STOPPED
            child.bury()
            self.system.lifecycle.stopped(child, child.last_reason or SHUTDOWN)
        if child.restart is Restart.TEMPORARY:
            self._forget(child)

    def _forget(self, child: Child) -> None:
        child.state = Status.STOPPED
        child.bury()
        self.children.pop(child.name, None)
        self.system.registry.remove(child)

    def _passivated(self, cell: Cell) -> None:
        if cell.go_dormant():
            self.system.lifecycle.passivated(cell)
        else:
            self.activate(cell)

    # What every supervisor has.

    @property
    def strategy(self) -> Strategy:
        return self.spec.strategy

    def members(self) -> Collection[Child]:
        return self.children.values()

    def settle(self, reason: ExitReason) -> None:
        for child in list(self.children.values()):
            self._forget(child)
        super().settle(reason)
        self._lane.clear(lambda: ActorDied(self.path, reason))


def _nobody(_child: Child) -> bool:
    return False


def _everybody(_child: Child) -> bool:
    return True


def _all_but_temporary(child: Child) -> bool:
    return child.restart is not Restart.TEMPORARY
