"""What a behaviour is given to work with, for the length of one incarnation.

Everything an incarnation holds hangs here: background tasks, timers, monitors, deferred replies, stashed mail. When
it ends, all of it is released in one place, :meth:`Context.release`.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from greenroom.supervisor.admission import admit
from greenroom.supervisor.background import BackgroundTasks
from greenroom.supervisor.dead_letters import reason_of
from greenroom.supervisor.delivery import Delivery, Reply, TimerDelivery
from greenroom.supervisor.errors import ActorDied, AskError, BudgetExceeded, CallCycle, MailboxFull
from greenroom.supervisor.exits import NOPROC, NORMAL, ExitReason
from greenroom.supervisor.messages import Down, MonitorRef
from greenroom.supervisor.timers import Timer

if TYPE_CHECKING:
    from greenroom.supervisor.address import Address
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.reply_slot import ReplySlot
    from greenroom.supervisor.system import ActorSystem

_INFINITY = float("inf")


class Context:
    """An actor's own view of the kernel, for any of its tasks while its incarnation lives.

    Once that is over, what would need it to live raises RuntimeError.
    """

    # What most actors never use is made on first use: there may be a hundred thousand of these.
    __slots__ = (
        "_background",
        "_cell",
        "_deferred",
        "_last_stashed",
        "_rng",
        "_stashed",
        "_timers",
        "_watching",
        "activity",
    )

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.activity: str | None = None
        """What it is at with the message in hand, in a few words, for those who look inside."""

        self._rng: random.Random | None = None
        self._background: BackgroundTasks | None = None
        self._deferred: dict[ReplySlot, None] | None = None
        self._timers: dict[Timer, None] | None = None
        self._stashed: list[Delivery[Any]] | None = None
        # The message, and what was put aside of it.
        self._last_stashed: tuple[Delivery[Any], Delivery[Any]] | None = None
        self._watching: dict[MonitorRef, Cell | None] | None = None

    @property
    def path(self) -> str:
        """This actor's path, from the root."""
        return self._cell.path

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self._cell.name

    @property
    def kind(self) -> str:
        """What metrics and listings group it by."""
        return self._cell.kind

    @property
    def key(self) -> str | None:
        """The key under a dynamic supervisor, None elsewhere."""
        return self._cell.key

    @property
    def address(self) -> Address[Any]:
        """This actor's own address, to give away."""
        return self._cell.address

    @property
    def system(self) -> ActorSystem:
        """The system, to find others: ``ctx.system.address(path)``, ``ctx.system.virtual(kind, key)``."""
        return self._cell.system

    @property
    def incarnation(self) -> int:
        """1 for the first run of this actor, one more after every restart."""
        return self._cell.incarnation

    @property
    def rng(self) -> random.Random:
        """This actor's own stream, derived from the system's seed, the path and the incarnation."""
        if self._rng is None:
            self._rng = self.system.stream(f"{self.path}#{self.incarnation}")
        return self._rng

    @property
    def deadline(self) -> float:
        """When the asker of the message in hand stops waiting, on Trio's clock; infinite when nobody does."""
        current = self._cell.current
        return _INFINITY if current is None else current.deadline

    @property
    def trace_id(self) -> str:
        """Of the message in hand; empty outside a handler."""
        current = self._cell.current
        return "" if current is None else current.trace_id

    def now(self) -> float:
        """Trio's clock, in seconds."""
        return self._cell.system.now()

    # Answering later, or not oneself.

    def defer(self, delivery: Delivery[Any] | None = None) -> Reply:
        """Take over the answer of the message in hand, or of one delivery of a batch, to give it later.

        Raises:
            BudgetExceeded: more answers owed than ``holdings.deferred``.
        """
        delivery = self._in_hand(delivery)
        slot, delivery.slot = delivery.slot, None
        if slot is not None:
            if self._deferred is None:
                self._deferred = {}
            elif len(self._deferred) >= self._cell.spec.holdings.deferred:
                # Askers that gave up no longer count, however slow the actor is to notice.
                self._deferred = {owed: None for owed in self._deferred if not owed.is_over}
            delivery.slot = slot  # a refusal below still has somebody to answer
            self._check_holding("deferred", self._deferred)
            delivery.slot = None
            self._deferred[slot] = None
        return Reply(self, slot, delivery.deadline, delivery.trace_id)

    def forward(self, to: Address[Any], message: object, delivery: Delivery[Any] | None = None) -> None:
        """Let another actor answer: it gets ``message`` with this one's reply slot, deadline, call chain and trace.

        Never raises for the target's sake: if it is dead, full or waiting for this call, the asker is told.
        """
        delivery = self._in_hand(delivery)
        slot, delivery.slot = delivery.slot, None
        onward = Delivery(message, delivery.deadline, delivery.trace, delivery.chain, slot, self.now())
        if to.path in delivery.chain:
            onward.fail(CallCycle((*delivery.chain, to.path)))
            return
        if slot is not None:
            slot.started_at = slot.handler_scope = None
        try:
            cell = to.resolve()
        except AskError as error:
            self.system.dead_letters.add(to.path, message, reason_of(error), delivery.trace)
            onward.fail(error)
        else:
            admit(cell, onward)

    # Order of messages.

    def stash(self) -> None:
        """Put the message in hand aside, unanswered, until :meth:`unstash_all`.

        Raises:
            MailboxFull: as many are set aside as the mailbox has capacity.
        """
        delivery = self._in_hand(None)
        if self._stashed is None:
            self._stashed = []
        if len(self._stashed) >= self._cell.mailbox.capacity:
            raise MailboxFull(self.path, self._cell.mailbox.capacity)
        aside = Delivery(
            delivery.message,
            delivery.deadline,
            delivery.trace,
            delivery.chain,
            delivery.slot,
            delivery.enqueued_at,
        )
        if self._cell.mailbox.spec.bytes_max is not None:
            aside.size = delivery.size
        delivery.slot = None
        self._stashed.append(aside)
        self._last_stashed = (delivery, aside)

    def unstash_all(self) -> None:
        """Put what was stashed back at the head of the mailbox, in its order."""
        stashed, self._stashed = self._stashed, None
        if stashed:
            self._cell.mailbox.put_back(stashed)

    # Time and tasks.

    def tell_after(self, delay_s: float, message: object) -> Timer:
        """Tell oneself ``message`` in ``delay_s`` seconds. Ends with the incarnation; does not count as activity."""
        self._check_alive()
        cell = self._cell
        if self._timers is None:
            self._timers = {}
        elif len(self._timers) >= cell.spec.holdings.timers:
            self._timers = {timer: None for timer in self._timers if not timer.is_over}
        timers = self._timers
        self._check_holding("timers", timers)

        def fire() -> None:
            timers.pop(timer, None)
            admit(cell, TimerDelivery(message, _INFINITY, cell.system.new_trace(), (), None, cell.system.now()))

        timer = cell.system.timers.call_at(self.now() + delay_s, fire)
        timers[timer] = None
        return timer

    def start_task(self, fn: Callable[..., Awaitable[object]], *args: object, name: str | None = None) -> None:
        """Run ``fn(*args)`` beside the messages, in this incarnation's own nursery.

        Ends with the incarnation; if it crashes, so does the incarnation.
        """
        self._check_alive()
        if self._background is None:
            self._background = BackgroundTasks(self._cell)
        if self._background.count >= self._cell.spec.holdings.tasks:
            raise BudgetExceeded(self.path, "tasks", self._cell.spec.holdings.tasks)
        self._background.start(fn, args, name)

    # Watching others.

    def monitor(self, address: Address[Any]) -> MonitorRef:
        """Watch the target's present incarnation: one ``handle_down`` when it ends, at once if there is none.

        Does not activate a virtual actor.
        """
        self._check_alive()
        if self._watching is None:
            self._watching = {}
        self._check_holding("monitors", self._watching)
        target = self.system.registry.living_cell(address.path)
        ref = MonitorRef(self.system.new_monitor_id(), address.path, target.incarnation if target else 0)
        self._watching[ref] = target
        if target is None:
            self._cell.signal_down(Down(ref, address, NOPROC))
        else:
            target.add_watcher(ref, self._cell)
        return ref

    def demonitor(self, ref: MonitorRef) -> None:
        """Stop watching; a Down already on its way is taken back. Unknown and old refs are ignored."""
        if self._watching is not None and ref in self._watching:
            target = self._watching.pop(ref)
            if target is not None:
                target.remove_watcher(ref)
            self._cell.take_back_down(ref)

    # Ending.

    def stop(self, reason: ExitReason = NORMAL) -> None:
        """End this incarnation with ``reason`` once the message in hand is done. Whether it is restarted is up to
        its spec."""
        self._check_alive()
        self._cell.stop_self(reason)

    def passivate(self) -> None:
        """Ask to be stopped for idleness once the message in hand is done. Mail that comes meanwhile is kept and
        brings the actor straight back."""
        self._check_alive()
        self._cell.passivate()

    # For the kernel.

    @property
    def is_owing(self) -> bool:
        """True while somebody waits for a deferred answer: such an actor is not idle."""
        return self._deferred is not None and any(not slot.is_over for slot in self._deferred)

    @property
    def background(self) -> BackgroundTasks | None:
        """The tasks of :meth:`start_task`; None if there never was one."""
        return self._background

    @property
    def watching(self) -> list[str]:
        """Paths of what is monitored, once per monitor."""
        return [ref.path for ref in self._watching or ()]

    def settle_deferred(self, slot: ReplySlot) -> None:
        """An answer that was owed is given."""
        if self._deferred is not None:
            self._deferred.pop(slot, None)

    def count_late_reply(self) -> bool:
        """Count an answer that came too late; False, for whoever gave it."""
        self.system.counters.late_replies += 1
        return False

    def stashed_from(self, delivery: Delivery[Any] | None) -> Delivery[Any] | None:
        """What was put aside of this message, if it was the last to be stashed."""
        if delivery is None or self._last_stashed is None or self._last_stashed[0] is not delivery:
            return None
        return self._last_stashed[1]

    def forget_watch(self, ref: MonitorRef) -> bool:
        """The watch came true. False when it was demonitored."""
        if self._watching is None or ref not in self._watching:
            return False
        del self._watching[ref]
        return True

    def release(self, reason: ExitReason) -> None:
        """Give back all that this incarnation holds: owed answers fail, stashed mail returns to the mailbox."""
        for timer in self._timers or ():
            timer.cancel()
        for slot in self._deferred or ():
            slot.fail(ActorDied(self.path, reason))
        for ref, target in (self._watching or {}).items():
            if target is not None:
                target.remove_watcher(ref)
        self._timers = self._deferred = self._watching = self._background = None
        self.unstash_all()

    def _in_hand(self, delivery: Delivery[Any] | None) -> Delivery[Any]:
        if delivery is None:
            delivery = self._cell.current
            if delivery is None or self._cell.batch is not None:
                raise RuntimeError("no single message in hand: in a batch, name the delivery")
        return delivery

    def _check_alive(self) -> None:
        if self._cell.context is not self:
            raise RuntimeError(f"{self.path}: this incarnation is over")

    def _check_holding(self, name: str, held: dict[Any, Any]) -> None:
        limit = getattr(self._cell.spec.holdings, name)
        if len(held) >= limit:
            raise BudgetExceeded(self.path, name, limit)
