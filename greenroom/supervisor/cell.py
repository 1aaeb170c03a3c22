"""An actor as its supervisor holds it: the mailbox, the control flags and the monitors that outlive a crash.

How a message gets in is told in :mod:`greenroom.supervisor.admission`, what an incarnation does with it in
:mod:`greenroom.supervisor.message_loop`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import trio
from trio.lowlevel import Abort

from greenroom.supervisor.actor import Actor, BatchActor
from greenroom.supervisor.address import Address
from greenroom.supervisor.calls import caller
from greenroom.supervisor.child import Child
from greenroom.supervisor.context import Context
from greenroom.supervisor.crashes import reason_of
from greenroom.supervisor.delivery import Delivery
from greenroom.supervisor.errors import ActorDied, BrokenInvariant
from greenroom.supervisor.exits import ExitReason
from greenroom.supervisor.mailbox import Mailbox
from greenroom.supervisor.message_loop import serve, serve_batches
from greenroom.supervisor.messages import Down, MonitorRef
from greenroom.supervisor.meter import Meter
from greenroom.supervisor.park_slot import wake
from greenroom.supervisor.specs import ActorSpec, ChildSpec
from greenroom.supervisor.status import Status
from greenroom.supervisor.undelivered import bury_mail, sort_mail_for_restart
from greenroom.supervisor.watches import Watches

if TYPE_CHECKING:
    from greenroom.supervisor.owner import ActorOwner
    from greenroom.supervisor.system import ActorSystem

AnyDelivery = Delivery[Any]

PASSIVATED = ExitReason.shutdown("passivated")


class Cell(Child):
    """One actor. Addresses lead here, whatever incarnation is alive or none.

    The system lane, which is served before ordinary mail, is a handful of flags and a list of Downs: everything an
    operator or a supervisor can ask of an actor is idempotent, so it needs no queue. Its length is bounded by the
    number of monitors.
    """

    __slots__ = (
        "_address",
        "_watchers",
        "actor",
        "attention",
        "batch",
        "context",
        "current",
        "current_since",
        "downs",
        "has_terminated",
        "is_draining",
        "is_parked",
        "is_suspended",
        "leave_reason",
        "mailbox",
        "meter",
        "refusal",
        "spec",
        "traced_until",
        "watches",
    )

    owner: ActorOwner

    def __init__(
        self, system: ActorSystem, owner: ActorOwner, spec: ActorSpec, path: str, name: str, key: str | None
    ) -> None:
        super().__init__(system, owner, path, name, spec.kind, spec.restart, key)
        self.spec = spec
        self.mailbox: Mailbox = Mailbox(spec.mailbox)
        self.meter: Meter = Meter(system.kind_meter(spec.kind), system.now())
        self.is_parked = False  # its task sleeps until there is something to do
        self.is_suspended = False
        self.traced_until = 0.0
        self._address: Address[Any] | None = None
        self._watchers: dict[MonitorRef, Cell] | None = None
        # Of the incarnation:
        self.actor: Actor[Any] | None = None
        self.context: Context | None = None
        self.current: AnyDelivery | None = None  # the message in hand; for a batch, its sum
        self.current_since = 0.0
        self.batch: list[AnyDelivery] | None = None
        self.attention = False  # something other than mail is to be looked at before the next message
        self.downs: list[Down] | None = None
        self.leave_reason: ExitReason | None = None  # end with this at the next message boundary
        self.is_draining = False  # end once the mailbox is empty
        self.has_terminated = False
        self.refusal: Exception | None = None  # what init() refused with
        self.watches: Watches | None = None

    @property
    def address(self) -> Address[Any]:
        """Made when it is first asked for; the same from then on."""
        if self._address is None:
            self._address = Address(self.system, self.path, self)
        return self._address

    @property
    def status(self) -> Status:
        if self.state is Status.RUNNING:
            if self.current is not None:
                return Status.HANDLING
            if self.is_suspended:
                return Status.SUSPENDED
        return super().status

    @property
    def is_busy(self) -> bool:
        """True while stopping it for idleness would be wrong: it works, has mail, owes an answer, or is suspended."""
        is_owing = self.context is not None and self.context.is_owing
        return self.current is not None or len(self.mailbox) > 0 or is_owing or self.is_suspended

    @property
    def terminate_s(self) -> float:
        return self.spec.terminate_s

    @property
    def shutdown_s(self) -> float:
        return self.spec.shutdown_s

    @property
    def start_timeout_s(self) -> float:
        return self.spec.init_timeout_s

    # Caller: what is sent from this actor's own task.

    @property
    def chain(self) -> tuple[str, ...]:
        current = self.current
        return (self.path,) if current is None else (*current.chain, self.path)

    @property
    def trace(self) -> None:
        return None

    @property
    def is_inside(self) -> bool:
        return True

    # Control: the system lane.

    def told_to_stop(self, *, drain: bool) -> None:
        if drain:
            self.mailbox.close()
            self.is_draining = True
            if self.leave_reason is PASSIVATED:
                # What came meanwhile would have brought it back: it is drained like the rest.
                self.leave_reason = None
        else:
            self.leave_reason = self.stop_reason
        self.look_up()

    def stop_self(self, reason: ExitReason) -> None:
        """End with this reason at the next message boundary; the first reason given counts."""
        self.leave_reason = self.leave_reason or reason
        self.look_up()

    def passivate(self) -> None:
        """Stop for idleness at the next message boundary, unless it is stopping already."""
        if self.state is Status.RUNNING and self.leave_reason is None:
            self.state = Status.STOPPING  # but open: what comes now is kept and brings it back
            self.leave_reason = PASSIVATED
            self.look_up()

    def suspend(self) -> None:
        """Handle no mail until resumed; it queues up to the mailbox's capacity."""
        self.is_suspended = True
        self.attention = True

    def resume(self) -> None:
        """Undo :meth:`suspend`; harmless if it was not suspended."""
        self.is_suspended = False
        self.look_up()

    def trace_message(self) -> None:
        """Publish the header of the message just handled."""
        self.meter.count_turn()
        self.system.lifecycle.message(self, self.meter.recent()[-1])

    def wake(self) -> None:
        """Have the loop go on, if it sleeps. Its own version of a park slot: one frame and one object fewer."""
        if self.is_parked and self.task is not None:
            self.is_parked = False
            wake(self.task)

    def unpark(self, _raise_cancel: Callable[[], Any]) -> Abort:
        """Note that cancellation woke the loop, and not :meth:`wake`."""
        self.is_parked = False
        return Abort.SUCCEEDED

    def look_up(self) -> None:
        """Have the loop look at the system lane before its next message."""
        self.attention = True
        self.wake()

    def crash(self, incarnation: int, failure: BaseException) -> None:
        """A task of that incarnation crashed; so does the incarnation."""
        if incarnation == self.incarnation and self.is_alive:
            self.kill(reason_of(failure))

    # Monitors.

    def add_watcher(self, ref: MonitorRef, watcher: Cell) -> None:
        """Have ``watcher`` told when the present incarnation ends."""
        if self._watchers is None:
            self._watchers = {}
        self._watchers[ref] = watcher

    def remove_watcher(self, ref: MonitorRef) -> None:
        """Undo :meth:`add_watcher`; nothing if it came true already."""
        if self._watchers is not None:
            self._watchers.pop(ref, None)

    @property
    def watched_by(self) -> list[str]:
        """Paths of those who are told when it ends, once per monitor."""
        return [watcher.path for watcher in (self._watchers or {}).values()]

    def signal_down(self, down: Down) -> None:
        """Tell it, ahead of its mail, that what it watched has ended."""
        if self.downs is None:
            self.downs = []
        self.downs.append(down)
        self.look_up()

    def take_back_down(self, ref: MonitorRef) -> None:
        """Drop a Down it has not looked at yet, if there is one."""
        self.downs = [down for down in self.downs or () if down.ref != ref]

    # The incarnation.

    def begin(self, nursery: trio.Nursery, *, is_restart: bool = False) -> None:
        if is_restart:
            sort_mail_for_restart(self)
        self.mailbox.open()
        self.refusal = None
        super().begin(nursery, is_restart=is_restart)

    async def start(self) -> ExitReason | None:
        caller.set(self)
        spec = self.spec
        actor = spec.start() if isinstance(spec, ChildSpec) else spec.start(cast("str", self.key))
        self.context = actor.ctx = Context(self)
        self.actor = actor
        try:
            await actor.init()
        except actor.refusals as refusal:
            # There is nothing to run here, a key without a record for instance: an answer, not a crash.
            self.refusal = refusal
            return ExitReason.shutdown(refusal)
        self.mark_started()
        if spec.passivate_after_s is not None or spec.message_budget_s is not None:
            self.watches = Watches(self)
            self.watches.start()
        return None

    def live(self) -> Awaitable[ExitReason]:
        # Not a coroutine of its own: one less on the way of every wake-up, and in the memory of every idle actor.
        actor = self.actor
        if actor is None:
            raise BrokenInvariant(f"{self.path} lives before it started")
        return serve_batches(self, actor) if isinstance(actor, BatchActor) else serve(self, actor)

    def back_off(self, delay_s: float) -> None:
        super().back_off(delay_s)
        self.mailbox.close()  # an ask that cannot be answered in time is better refused now

    def go_dormant(self) -> bool:
        """Rest until the next message. False when there is one already: mail that came during passivation."""
        if self.mailbox.queue:
            return False
        self.state = Status.DORMANT
        self.mailbox.close()
        return True

    @property
    def has_loose_ends(self) -> bool:
        background = self.context.background if self.context is not None else None
        return (background is not None and not background.is_over) or (
            self.is_up and not self.has_terminated and _does_terminate(self.actor)
        )

    async def wind_down(self, reason: ExitReason) -> None:
        """On an orderly stop ``terminate`` comes first and may count on its background tasks; after a crash or a
        kill they are gone before it looks at the state they shared."""
        context = self.context
        if context is None:
            return
        background = context.background
        if background is not None and not reason.is_clean:
            background.cancel()
            await background.wait_over()
        if self.is_up and not self.has_terminated and self.actor is not None:
            self.has_terminated = True
            await self.actor.terminate(reason)
        background = context.background
        if background is not None:
            background.cancel()
            await background.wait_over()

    def settle(self, reason: ExitReason) -> None:
        self.meter.end_turn()
        in_hand = self.batch or ([self.current] if self.current is not None else [])
        now = self.system.now()
        for delivery in in_hand:
            delivery.fail(ActorDied(self.path, reason))
        self.meter.note_batch(in_hand, self.current_since, now, True)
        if self.context is not None:
            aside = self.context.stashed_from(self.current)
            self.context.release(reason)
            if aside is not None and self.mailbox.remove(aside):
                aside.fail(ActorDied(self.path, reason))  # what crashes its handler is not redelivered
        if self.watches is not None:
            self.watches.stop()
        self.watches = None
        self.actor = self.context = self.current = self.batch = self.downs = self.leave_reason = None
        self.attention = self.is_draining = self.has_terminated = False
        self._notify_watchers(reason)

    def bury(self) -> None:
        bury_mail(self)

    def _notify_watchers(self, reason: ExitReason) -> None:
        watchers, self._watchers = self._watchers, None
        for ref, watcher in (watchers or {}).items():
            watcher.signal_down(Down(ref, self.address, reason))


def _does_terminate(actor: Actor[Any] | None) -> bool:
    """False for the many that leave ``terminate`` as it is: they need no shield to do nothing in."""
    return actor is not None and type(actor).terminate is not Actor.terminate
