"""What callers hold: the three ways to send to an actor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import trio

from greenroom.supervisor.admission import admit, admit_when_room
from greenroom.supervisor.calls import caller
from greenroom.supervisor.dead_letters import outcome_of, reason_of
from greenroom.supervisor.delivery import Delivery
from greenroom.supervisor.errors import AskError, AskTimeout, CallCycle, MailboxFull
from greenroom.supervisor.messages import Request, TellOutcome
from greenroom.supervisor.reply_slot import ReplySlot

if TYPE_CHECKING:
    from greenroom.supervisor.cell import Cell
    from greenroom.supervisor.system import ActorSystem

M_contra = TypeVar("M_contra", contravariant=True)
R = TypeVar("R")
_INFINITY = float("inf")


class Address(Generic[M_contra]):
    """Where an actor is reached, alive or not: a path, compared and hashed as such.

    An address may be made before its actor exists and outlives every incarnation of it. Under a dynamic supervisor
    it is virtual: the first message activates the actor.
    """

    __slots__ = ("_cell", "_system", "path")

    def __init__(self, system: ActorSystem, path: str, cell: Cell | None = None) -> None:
        self.path = path
        self._system = system
        self._cell = cell

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<Address {self.path}>"

    def tell(self, message: M_contra) -> TellOutcome:
        """Send without waiting, from sync or async code of the system's thread. Never raises, never blocks."""
        system = self._system
        sender = caller.get()
        if sender is None:
            trace = system.new_trace()
        else:
            current = sender.current
            trace = (sender.trace or system.new_trace()) if current is None else current.trace
        cell = self._cell
        if cell is None or cell.is_retired:
            try:
                cell = self.resolve()
            except AskError as error:
                system.dead_letters.add(self.path, message, reason_of(error), trace)
                return outcome_of(error)
        return admit(cell, Delivery(message, _INFINITY, trace, (), None, system.now()))

    async def send(self, message: M_contra, *, timeout: float) -> None:
        """Enqueue, waiting for room at most ``timeout`` seconds: backpressure for one who can wait.

        Returning means the message is in the mailbox, not that it was handled.

        Raises:
            MailboxFull: no room in time; the message was not enqueued.
            ActorDied, NoSuchActor, ActorRestarting, Overloaded: as for :meth:`ask`.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        system = self._system
        cell = self.resolve()
        now = system.now()
        sender = caller.get()
        current = sender.current if sender is not None else None
        trace = current.trace if current is not None else (sender and sender.trace) or system.new_trace()
        deadline = now + timeout if current is None else min(now + timeout, current.deadline)
        room = admit_when_room(cell, Delivery(message, _INFINITY, trace, (), None, now))
        if room is None:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        await room.wait(system.timers, deadline)
        if room.expired:
            raise MailboxFull(self.path, cell.mailbox.capacity)
        room.result()

    async def ask(self, request: Request[R], *, timeout: float) -> R:
        """Send a request and wait for its reply, at most ``timeout`` seconds for everything together.

        Inside a handler the deadline is never later than that of the message being handled. A cancel scope of the
        caller's own that is tighter applies as it always does in Trio.

        Raises:
            AskTimeout: no reply in time. The handler may still finish its work.
            ActorDied: the target's incarnation ended first, or the target is stopped.
            Overloaded: refused for want of room; nothing was done.
            CallCycle: the target waits, directly or not, for the caller.
            NoSuchActor: nothing lives at this path, nor can be activated for it.
            ActorRestarting: the target will not be back before the deadline.
            Exception: whatever the target failed the request with: a Refusal, or what its Reply was failed with.
        """
        system = self._system
        now = system.now()
        scope_deadline = trio.current_effective_deadline()
        deadline = min(now + timeout, scope_deadline)
        sender = caller.get()
        chain: tuple[str, ...] = ()
        if sender is None:
            trace = system.new_trace()
        else:
            chain = sender.chain
            if self.path in chain:
                raise CallCycle((*chain, self.path))
            current = sender.current
            if current is None:
                trace = sender.trace or system.new_trace()
            else:
                trace = current.trace
                deadline = min(deadline, current.deadline)
        cell = self.resolve()
        slot = ReplySlot()
        admit(cell, Delivery(request, deadline, trace, chain, slot, now))
        # Where the caller's own scope is the tighter one, Trio already keeps the time.
        await slot.wait(system.timers, deadline if deadline < scope_deadline else _INFINITY)
        if slot.expired:
            raise self._timeout(request, slot, now)
        return slot.result()  # type: ignore[no-any-return]

    def resolve(self) -> Cell:
        """The cell behind this path, activated if it is virtual.

        Raises:
            NoSuchActor, ActorDied, ActorRestarting, Overloaded: see :meth:`ask`.
        """
        cell = self._cell
        if cell is None or cell.is_retired:
            cell = self._cell = self._system.registry.resolve(self.path)
        return cell

    def _timeout(self, request: object, slot: ReplySlot, asked_at: float) -> AskTimeout:
        target = slot.target
        now = self._system.now()
        started = slot.started_at
        return AskTimeout(
            self.path if target is None else target.path,
            type(request).__name__,
            queue_s=(now if started is None else started) - asked_at,
            handler_s=None if started is None else now - started,
            target_state="unknown" if target is None else target.status.value,
        )
