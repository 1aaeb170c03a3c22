"""A running actor system: what is asked of it, and what its parts share."""

from __future__ import annotations

import contextvars
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import trio

from greenroom.supervisor import inspection
from greenroom.supervisor.address import Address
from greenroom.supervisor.base_supervisor import BaseSupervisor
from greenroom.supervisor.calls import caller
from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.counters import Counters
from greenroom.supervisor.dead_letters import DeadLetters
from greenroom.supervisor.delivery import TraceId
from greenroom.supervisor.errors import CallCycle, Draining, NotAnActor, NotASupervisor, RootExited, StartFailed
from greenroom.supervisor.exits import SHUTDOWN, ExitReason
from greenroom.supervisor.hindrance import Hindrance, hindrance_of
from greenroom.supervisor.inspection import EVERY_ACTOR, ActorDetail, ActorQuery, Node, Page, SystemStatistics
from greenroom.supervisor.lifecycle import Lifecycle, Subscription
from greenroom.supervisor.meter import KindMeter
from greenroom.supervisor.registry import Registry
from greenroom.supervisor.specs import ChildSpec, DynamicSpec, SupervisorSpec
from greenroom.supervisor.supervisor import Supervisor
from greenroom.supervisor.timers import Timers

STOPPED_BY_OPERATOR = ExitReason.shutdown("stopped by an operator")
RESTARTED_BY_OPERATOR = ExitReason.shutdown("restarted by an operator")


@dataclass(frozen=True, slots=True)
class ShutdownReport:
    """How a shutdown went. ``wedged`` are still alive: Trio cannot end a task that shields itself for ever."""

    took_s: float
    wedged: tuple[str, ...]


class ActorSystem:
    """One tree of supervisors and what they share. Made by
    :func:`~greenroom.supervisor.opening.open_system`; used from its Trio thread only."""

    def __init__(
        self, name: str, root: SupervisorSpec, seed: int, wall: Callable[[], datetime] | None, vary_turns: bool
    ) -> None:
        self.name = name
        self._seed = seed
        self.now = trio.lowlevel.current_clock().current_time
        self._opened_at = (wall(), self.now()) if wall is not None else None
        # Tasks are started in this context, so that no actor keeps the variables of the request that woke it.
        self.context = contextvars.copy_context()
        self.timers = Timers()
        self.counters = Counters()
        self.dead_letters = DeadLetters(self.now)
        self.lifecycle = Lifecycle(self)
        self.kinds: dict[str, KindMeter] = {}
        self.registry = Registry(self)
        self.turn_rng = self.stream("turns") if vary_turns else None
        self.is_draining = False
        self.last_escalation = ""
        self._drain_by = 0.0
        # Counts up from a random start, so that two systems do not give the same ids; small enough to add to fast.
        self.new_trace: Callable[[], TraceId] = count(self.stream("traces").getrandbits(60)).__next__
        self._monitors = 0
        self._nursery: trio.Nursery | None = None
        self._failure: RootExited | None = None
        self._root = Supervisor(self, self, root, f"/{root.name}")
        self._root.is_essential = root.essential
        self.registry.learn_kinds(root, self._root.path)
        self.registry.add(self._root)

    # Addresses.

    def address(self, path: str) -> Address[Any]:
        """The address of a path, whether or not anything lives there yet."""
        return Address(self, path)

    def virtual(self, kind: str, key: str) -> Address[Any]:
        """The address of a key under the dynamic supervisor of ``kind``. The first message activates it.

        Raises:
            NoSuchActor: no dynamic supervisor has this kind.
            ValueError: the key is empty or has a slash in it.
        """
        return Address(self, self.registry.virtual_path(kind, key))

    # Control.

    async def start_child(self, parent_path: str, spec: ChildSpec | SupervisorSpec | DynamicSpec) -> Address[Any]:
        """Add a child to a static supervisor and start it.

        Raises:
            NoSuchActor, NotASupervisor: nothing, or no static supervisor, at this path.
            CallCycle: the caller is below that supervisor.
            ChildExists: the name is taken.
            StartFailed: it did not start; nothing was added.
            ActorDied: the supervisor ended first.
            ValueError: a kind in it lives elsewhere already.
        """
        parent = self.registry.child(parent_path)
        if not isinstance(parent, Supervisor):
            raise NotASupervisor(parent_path)
        self._not_for_oneself(parent_path)
        await parent.start_child(spec)
        return self.address(f"{parent_path}/{spec.name}")

    async def stop_child(self, path: str, *, reason: ExitReason = STOPPED_BY_OPERATOR) -> None:
        """Stop an actor or a supervisor for good: it drains its mail within its ``shutdown_s`` first.

        A static child stays listed and :meth:`restart` brings it back. A virtual one is activated by the next message.

        Raises:
            NoSuchActor, NotAnActor: nothing at this path, or the root.
            CallCycle: the caller is what would be stopped, or below it.
            ActorDied: its supervisor ended first, and it with it.
        """
        await self._supervised(path).stop_child(self.registry.child(path), reason)

    async def restart(self, path: str, *, reason: ExitReason = RESTARTED_BY_OPERATOR) -> None:
        """Stop what is at this path after its current message, if it runs, and start it again. Mail is kept.

        Not counted against the supervisor's intensity.

        Raises:
            NoSuchActor, NotAnActor: nothing at this path, or the root.
            CallCycle: the caller is what would be stopped, or below it.
            StartFailed: it did not come back at once; its supervisor goes on trying.
            ActorDied: its supervisor ended first, or it was stopped for good meanwhile.
        """
        await self._supervised(path).restart_child(self.registry.child(path), reason)

    async def suspend(self, path: str) -> None:
        """Have an actor handle no mail until resumed. The message in hand is finished; mail queues up.

        Raises:
            NoSuchActor, NotAnActor: nothing, or a supervisor, at this path.
        """
        self._actor(path).suspend()

    async def resume(self, path: str) -> None:
        """Undo :meth:`suspend`; harmless if it was not suspended.

        Raises:
            NoSuchActor, NotAnActor: as for :meth:`suspend`.
        """
        self._actor(path).resume()

    async def passivate(self, path: str) -> None:
        """Have an actor stop for idleness after the message in hand. The next message brings it back.

        Raises:
            NoSuchActor, NotAnActor: as for :meth:`suspend`.
        """
        self._actor(path).passivate()

    def trace(self, path: str, *, for_s: float = 30.0) -> None:
        """Publish the header of every message this actor handles, for ``for_s`` seconds; 0 ends it.

        Raises:
            NoSuchActor, NotAnActor: as for :meth:`suspend`.
        """
        self._actor(path).traced_until = self.now() + for_s

    # Inspection.

    def tree(self, depth: int | None = None, children_max: int = 50) -> Node:
        """The tree from the root, ``depth`` levels below it (None for all), the first ``children_max`` children of
        each supervisor in full and the others summed up."""
        return inspection.node_of(self._root, depth=depth, children_max=children_max)

    def inspect(self, path: str) -> ActorDetail:
        """Everything about one actor or supervisor.

        Raises:
            NoSuchActor: nothing at this path. A virtual actor that is not active is nothing.
        """
        return inspection.detail_of(self.registry.child(path))

    async def rank(self, query: ActorQuery = EVERY_ACTOR) -> Page:
        """The actors that stand out by ``query.sort``, highest first, a page at a time. Looks at a chunk of actors at a
        time, so that nobody waits for the whole of it.

        Raises:
            ValueError: not a cursor of this listing.
        """
        ranking = inspection.Ranking(query, self.now())
        await inspection.scan(self, ranking.look_at)
        return ranking.page()

    async def longest_calls(self, *, limit: int = 50) -> tuple[Node, ...]:
        """At most ``limit`` actors that are handling a message, the one that does so for longest first, with who waits
        for it. Looks at a chunk of actors at a time; those that were done before the scan ended are left out."""
        calls = inspection.CallsInFlight(self.now(), limit=limit)
        await inspection.scan(self, calls.look_at)
        return calls.nodes()

    def stack(self, path: str) -> tuple[str, ...]:
        """The awaits in which the task at this path stands now, outermost first, at most 20; none if nothing runs.

        Raises:
            NoSuchActor: nothing at this path.
        """
        return inspection.stack_of(self.registry.child(path))

    def hindrance(self, path: str) -> Hindrance | None:
        """What keeps whoever is at this path from working, or from coming to life there; None if nothing does."""
        child = self.registry.find(path)
        while child is None and "/" in path:
            path = path.rpartition("/")[0]
            child = self.registry.find(path)
        return None if child is None else hindrance_of(child)

    def hindered(self) -> tuple[tuple[str, Hindrance], ...]:
        """The essential children that can't work now, by path, in start order. Looks at no child of a dynamic supervisor."""
        return tuple(inspection.hindered_below(self._root))

    def known_kinds(self) -> tuple[str, ...]:
        """Kinds of actors there are, or can come to life, in alphabetical order."""
        return tuple(sorted({*self.kinds, *self.registry.kinds()}))

    def statistics(self) -> SystemStatistics:
        """Totals by kind and message type, and of the system. Never by actor."""
        return inspection.statistics(self)

    def subscribe(self) -> AbstractAsyncContextManager[Subscription]:
        """Follow lifecycle events: ``async with system.subscribe() as events: async for event in events``.

        Bounded: a reader that is too slow gets a ``lagged`` event with the number it missed.
        """
        return self.lifecycle.subscribe()

    # Shutdown.

    async def shutdown(self, timeout: float) -> ShutdownReport:
        """Stop everything in reverse start order, at most ``timeout`` seconds (and what ``terminate`` is granted).

        From now on what comes from outside the system is refused; actors still reach each other while they drain.
        Calling it again waits for the same end.
        """
        started = self.now()
        if not self.is_draining:
            self.is_draining = True
            self._drain_by = started + timeout
            self._root.stop(SHUTDOWN, drain=True, by=self._drain_by)
        while not self._root.is_over:
            await self._root.wait_change()
        wedged = tuple(cell.path for cell in self.registry.cells() if cell.is_stuck)
        return ShutdownReport(self.now() - started, wedged)

    def turns_away(self, path: str) -> Draining | None:
        """What a caller from outside is told while the system drains; None for everybody else."""
        sender = caller.get()
        if not self.is_draining or (sender is not None and sender.is_inside):
            return None
        return Draining(path, max(0.0, self._drain_by - self.now()))

    # Owner of the root supervisor.

    def child_started(self, child: Child) -> None:
        pass

    def child_ended(self, child: Child, reason: ExitReason) -> None:
        """The root is gone. Unless that was asked for, whatever runs beside it ends too."""
        if child.is_up and not self.is_draining and self._nursery is not None:
            self._failure = RootExited(child.path, reason, self.last_escalation)
            self._nursery.cancel_scope.cancel(f"the root supervisor exited: {reason}")

    def child_wedged(self, child: Child) -> None:
        pass

    # Ports, for the kernel's own modules.

    def stream(self, name: str) -> random.Random:
        """A named stream of randomness, derived from the system's seed: a new draw in one does not shift another."""
        return random.Random(f"{self._seed}/{name}")  # noqa: S311 - replayable by intent, never for secrets

    def new_monitor_id(self) -> int:
        """The next number of a monitor, from 1."""
        self._monitors += 1
        return self._monitors

    def kind_meter(self, kind: str) -> KindMeter:
        """The totals of a kind, begun if need be."""
        meter = self.kinds.get(kind)
        if meter is None:
            meter = self.kinds[kind] = KindMeter()
        return meter

    def wall_time(self, moment: float) -> datetime | None:
        """A moment of Trio's clock as wall time; None if the system was opened without a wall clock."""
        if self._opened_at is None:
            return None
        wall, opened = self._opened_at
        return wall + timedelta(seconds=moment - opened)

    async def run(self, nursery: trio.Nursery) -> None:
        """Start the tree in ``nursery``; returns when every static child is up.

        Raises:
            StartFailed: a child was not; those started before it have been stopped.
        """
        self._nursery = nursery
        nursery.start_soon(self.timers.run, name=f"{self.name} timers")
        self._root.begin(nursery)
        while not self._root.is_up and self._root.is_alive:
            await self._root.wait_change()
        if not self._root.is_up:
            reason = self._root.last_reason or SHUTDOWN
            if isinstance(reason.exception, StartFailed):
                raise reason.exception
            raise StartFailed(self._root.path, reason)

    def close(self) -> None:
        """To be called when nothing runs any more.

        Raises:
            RootExited: the root supervisor had ended unasked.
        """
        if self._failure is not None:
            raise self._failure

    def _actor(self, path: str) -> Cell:
        child = self.registry.child(path)
        if not isinstance(child, Cell):
            raise NotAnActor(path)
        return child

    def _supervised(self, path: str) -> BaseSupervisor:
        """The supervisor above this path."""
        child = self.registry.child(path)
        self._not_for_oneself(path)
        owner = child.owner
        if not isinstance(owner, BaseSupervisor):
            raise NotAnActor(path)
        return owner

    def _not_for_oneself(self, path: str) -> None:
        """Refuse what would wait for its own caller to end.

        Raises:
            CallCycle: the caller is the actor at this path, or below it.
        """
        sender = caller.get()
        for waiting in sender.chain if sender is not None else ():
            if waiting == path or waiting.startswith(f"{path}/"):
                raise CallCycle((waiting, path))
