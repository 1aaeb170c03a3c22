"""What supervisors know of a child, be it an actor or another supervisor: its identity, its state and its history.

A child outlives its incarnations. An incarnation is one run, in a task and a cancel scope of its own
(:mod:`greenroom.supervisor.runner`); restarting replaces the incarnation and leaves the child as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.crashes import Frame, trimmed_frames
from greenroom.supervisor.errors import BrokenInvariant
from greenroom.supervisor.exits import INIT_TIMEOUT, KILLED, SHUTDOWN_TIMEOUT, ExitReason
from greenroom.supervisor.runner import run
from greenroom.supervisor.status import ALIVE, Status
from greenroom.supervisor.timers import Timer

if TYPE_CHECKING:
    from greenroom.supervisor.owner import Owner
    from greenroom.supervisor.specs import Restart
    from greenroom.supervisor.system import ActorSystem

EXITS_MAX = 20  # remembered per child

# A cancelled incarnation and the timer that checks on it may come due at the same instant; this lets the former win.
_SETTLE_S = 0.1


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """One past exit, without the exception itself: keeping that would keep its whole stack alive."""

    at: float  # Trio's clock
    incarnation: int
    reason: str
    frames: tuple[Frame, ...]


class Child(ABC):
    """One child. Subclasses say what its incarnations do: :meth:`start`, :meth:`live`, :meth:`wind_down`, :meth:`settle`."""

    # Set with each incarnation.
    scope: trio.CancelScope
    _nursery: trio.Nursery

    __slots__ = (
        "_ladder",
        "_nursery",
        "_waiters",
        "backoff_until",
        "comes_back",
        "exits",
        "failures_in_a_row",
        "incarnation",
        "is_essential",
        "is_restart",
        "is_retired",
        "is_significant",
        "is_up",
        "key",
        "kill_reason",
        "kind",
        "last_reason",
        "name",
        "owner",
        "path",
        "restart",
        "restarts",
        "scope",
        "started_at",
        "state",
        "stop_by",
        "stop_reason",
        "system",
        "task",
    )

    def __init__(
        self, system: ActorSystem, owner: Owner, path: str, name: str, kind: str, restart: Restart, key: str | None
    ) -> None:
        self.system = system
        self.owner = owner
        self.path = path
        self.name = name
        self.kind = kind
        self.key = key
        self.restart = restart
        self.state = Status.RESTARTING  # its turn has not come yet; mail waits
        self.incarnation = 0
        self.is_up = False  # the present or last incarnation got through its start
        self.is_restart = False  # it replaces one that ended
        self.is_significant = False
        self.is_essential = False
        self.is_retired = False  # gone for good: whoever holds it must look the path up again
        self.restarts = 0
        self.failures_in_a_row = 0
        self.started_at = 0.0  # when the present or last incarnation was up
        self.backoff_until = 0.0
        self.task: trio.lowlevel.Task | None = None
        self.kill_reason: ExitReason | None = None  # why the scope was cancelled
        self.stop_reason: ExitReason | None = None  # set once it was told to stop
        self.stop_by = 0.0
        self.comes_back = False  # stopped only to be started again
        self.last_reason: ExitReason | None = None
        self.exits: tuple[ExitRecord, ...] = ()
        self._ladder: Timer | None = None
        self._waiters: list[trio.Event] | None = None

    # What a kind of child does.

    async def start(self) -> ExitReason | None:
        """Begin an incarnation; a reason if that is all there is to it."""
        return None

    @abstractmethod
    def live(self) -> Awaitable[ExitReason]:
        """Run an incarnation that began to its end. This or :meth:`start` calls :meth:`mark_started` when it is up."""

    @abstractmethod
    async def wind_down(self, reason: ExitReason) -> None:
        """The end of an incarnation as far as it awaits; runs inside the runner's shield."""

    @property
    @abstractmethod
    def has_loose_ends(self) -> bool:
        """True when there is something to wind down."""

    @abstractmethod
    def settle(self, reason: ExitReason) -> None:
        """The end of an incarnation as far as it does not await: release all that it held."""

    @abstractmethod
    def bury(self) -> None:
        """It will not run again, or not soon: what still waits for it is told so."""

    @abstractmethod
    def told_to_stop(self, *, drain: bool) -> None:
        """React to ``stop_reason`` being set."""

    @property
    @abstractmethod
    def terminate_s(self) -> float:
        """How long winding down may take once its scope is cancelled."""

    @property
    @abstractmethod
    def shutdown_s(self) -> float:
        """How long an orderly stop may take before its scope is cancelled."""

    @property
    @abstractmethod
    def start_timeout_s(self) -> float:
        """How long a start may take."""

    @property
    def status(self) -> Status:
        """The state as shown to operators."""
        match self.state:
            case Status.DORMANT:
                return Status.STOPPED
            case Status.RESTARTING if self.incarnation == 0:
                return Status.STARTING
            case state:
                return state

    @property
    def is_alive(self) -> bool:
        """True while an incarnation runs, starting and stopping included."""
        return self.state in ALIVE

    @property
    def is_over(self) -> bool:
        """True when waiting for it to end makes no sense (any more)."""
        return not self.is_alive or self.is_stuck

    @property
    def is_stuck(self) -> bool:
        """True while it is wedged: told to stop and cancelled, and still alive."""
        return self.state is Status.WEDGED

    # Life of an incarnation, in order.

    def begin(self, nursery: trio.Nursery, *, is_restart: bool = False) -> None:
        """Start a new incarnation as a task of ``nursery``."""
        if self.is_alive:
            raise BrokenInvariant(f"{self.path} would have two incarnations")
        self.state = Status.STARTING
        self.incarnation += 1
        self.is_up = False
        self.is_restart = is_restart
        if is_restart:
            self.restarts += 1
            self.system.counters.restarts += 1
        self.kill_reason = self.stop_reason = None
        self.comes_back = False
        self.scope = trio.CancelScope()
        self._nursery = nursery
        if self.start_timeout_s < float("inf"):
            self._ladder = self.system.timers.call_at(
                self.system.now() + self.start_timeout_s, self._start_overdue
            )
        self.spawn(run, self.path, self)

    def spawn(self, fn: Callable[..., Awaitable[object]], name: str, *args: object) -> None:
        """Start a task beside this child's incarnation, in the supervisor's nursery and the system's own context:
        a task must not inherit the context variables of whichever request happened to wake its actor."""
        nursery = self._nursery
        self.system.context.run(lambda: nursery.start_soon(fn, *args, name=name))

    def mark_started(self) -> None:
        """The incarnation is up."""
        if self.stop_reason is None:
            self._stop_ladder()
        self.is_up = True
        self.started_at = self.system.now()
        if self.state is Status.STARTING:
            self.state = Status.RUNNING
        self.system.lifecycle.started(self)
        self._notify_waiters()
        self.owner.child_started(self)

    def stop(self, reason: ExitReason, *, drain: bool, by: float) -> None:
        """Begin the ladder: tell it to stop; cancel it when its time (``shutdown_s``, never past ``by``) is up;
        report it wedged when even that does not end it. ``child_ended`` or ``child_wedged`` follows."""
        if not self.is_alive or (self.stop_reason is not None and not self.is_stuck):
            return
        now = self.system.now()
        self.stop_reason = reason
        self.stop_by = max(now, min(now + self.shutdown_s, by))
        if not self.is_stuck:  # else the ladder is behind it, and only what becomes of it later is left to say
            self._stop_ladder()
            self.state = Status.STOPPING
            if self.shutdown_s == 0:
                self.kill(KILLED)
            else:
                self._ladder = self.system.timers.call_at(self.stop_by, self._stop_overdue)
        self.told_to_stop(drain=drain)

    def kill(self, reason: ExitReason) -> None:
        """Cancel the incarnation; ``terminate`` still runs. The first reason given is the one that counts."""
        if not self.is_alive or self.kill_reason is not None:
            return
        self._stop_ladder()
        self.kill_reason = reason
        self.scope.cancel(str(reason))
        limit = self.system.now() + self.terminate_s + _SETTLE_S
        self._ladder = self.system.timers.call_at(limit, self.mark_wedged)

    def expect_end_by(self, moment: float) -> None:
        """It is winding down; if it was not told to, nothing else watches that it ends."""
        if self._ladder is None:
            self._ladder = self.system.timers.call_at(moment + _SETTLE_S, self.mark_wedged)

    def mark_wedged(self) -> None:
        """Nothing more can be done: Trio has no way to end a task that shields itself. Report it and go on."""
        if self.is_alive and not self.is_stuck:
            self.state = Status.WEDGED
            self.system.counters.wedged += 1
            self.system.lifecycle.wedged(self)
            self._notify_waiters()
            self.owner.child_wedged(self)

    def ended(self, reason: ExitReason) -> None:
        """The incarnation is over (called by the runner, last of all)."""
        self._stop_ladder()
        self.task = None
        self.last_reason = reason
        self.state = Status.RESTARTING
        self._record_exit(reason)
        if not reason.is_clean:
            self.system.lifecycle.failed(self, reason)
        self._notify_waiters()
        self.owner.child_ended(self, reason)

    def back_off(self, delay_s: float) -> None:
        """It ended and is not to be started before ``delay_s`` seconds are over."""
        self.state = Status.BACKOFF
        self.backoff_until = self.system.now() + delay_s

    async def wait_change(self) -> None:
        """Wait until the present incarnation is up, or over, or given up as wedged; whatever happens next."""
        event = trio.Event()
        self._waiters = [*(self._waiters or ()), event]
        await event.wait()

    def ran_for_s(self) -> float:
        """How long the last incarnation was up."""
        return max(0.0, self.system.now() - self.started_at)

    def _notify_waiters(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            waiter.set()

    def _start_overdue(self) -> None:
        self.kill(INIT_TIMEOUT)

    def _stop_overdue(self) -> None:
        self.kill(SHUTDOWN_TIMEOUT)

    def _stop_ladder(self) -> None:
        if self._ladder is not None:
            self._ladder.cancel()
            self._ladder = None

    def _record_exit(self, reason: ExitReason) -> None:
        exception = reason.exception
        frames = trimmed_frames(exception.__traceback__) if exception is not None else ()
        record = ExitRecord(self.system.now(), self.incarnation, str(reason), frames)
        self.exits = (*self.exits[1 - EXITS_MAX :], record)
