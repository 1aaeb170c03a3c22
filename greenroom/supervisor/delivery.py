"""A message on its way: what it says, by when, on whose behalf, and where the answer goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from greenroom.supervisor.reply_slot import ReplySlot

if TYPE_CHECKING:
    from greenroom.supervisor.context import Context

M_co = TypeVar("M_co", covariant=True)

# A trace id stays an integer until somebody looks at it: formatting one per message would cost more than the
# message. Ids given from outside are strings.
TraceId = int | str


class Delivery(Generic[M_co]):
    """One message in, or out of, a mailbox.

    A cancel scope does not cross from task to task, so what a scope would have said travels here: the absolute
    ``deadline`` (infinite for what was told), the chain of actors waiting for the answer, and the trace id.
    """

    __slots__ = ("chain", "deadline", "enqueued_at", "message", "size", "slot", "trace")

    is_timer = False
    size: int  # set and read only by a mailbox that is bounded in bytes

    def __init__(
        self,
        message: M_co,
        deadline: float,
        trace: TraceId,
        chain: tuple[str, ...],
        slot: ReplySlot | None,
        enqueued_at: float,
    ) -> None:
        self.message = message
        self.deadline = deadline
        self.trace = trace
        self.chain = chain  # paths of those who wait, the first asker first
        self.slot = slot  # None for what was told, and once the answer is given or handed over
        self.enqueued_at = enqueued_at

    @property
    def trace_id(self) -> str:
        return format_trace(self.trace)

    def reply(self, value: object) -> bool:
        """Answer. False when nobody waits (any more)."""
        slot, self.slot = self.slot, None
        return slot is not None and slot.send(value)

    def fail(self, error: BaseException) -> bool:
        """Answer with an exception, which the asker sees as itself. False when nobody waits (any more)."""
        slot, self.slot = self.slot, None
        return slot is not None and slot.fail(error)


class TimerDelivery(Delivery[M_co]):
    """A timer's message. It is not activity: an actor that only talks to itself can still be passivated."""

    __slots__ = ()

    is_timer = True


class Reply:
    """An answer owed: what ``ctx.defer()`` gives. Use it once, at any later time, from any task of the actor.

    If the incarnation ends first, the asker gets ``ActorDied``.
    """

    __slots__ = ("_context", "_slot", "deadline", "trace_id")

    def __init__(self, context: Context, slot: ReplySlot | None, deadline: float, trace_id: str) -> None:
        self._context = context
        self._slot = slot
        self.deadline = deadline  # when the asker stops waiting; infinite when nobody asked
        self.trace_id = trace_id

    @property
    def is_awaited(self) -> bool:
        """False once nobody waits any more: answered, expired or abandoned."""
        return self._slot is not None and not self._slot.is_over

    def send(self, value: object) -> bool:
        """Answer. False when it came too late, which is counted and otherwise harmless."""
        slot = self._take()
        return slot is not None and (slot.send(value) or self._context.count_late_reply())

    def fail(self, error: BaseException) -> bool:
        """Answer with an exception, which the asker sees as itself. False when it came too late."""
        slot = self._take()
        return slot is not None and (slot.fail(error) or self._context.count_late_reply())

    def _take(self) -> ReplySlot | None:
        slot, self._slot = self._slot, None
        if slot is not None:
            self._context.settle_deferred(slot)
        return slot


def format_trace(trace: TraceId) -> str:
    """As operators and logs see it: 16 hexadecimal digits, or what was given from outside."""
    return trace if isinstance(trace, str) else f"{trace:016x}"
