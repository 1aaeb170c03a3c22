"""An actor's bounded inbox: a deque, a policy for when it is full, and those who wait for room.

Nothing here waits or wakes; the cell does. A mailbox belongs to a cell, not to an incarnation, so mail outlives a
crash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from greenroom.supervisor.delivery import Delivery
from greenroom.supervisor.message_size import approximate_bytes
from greenroom.supervisor.messages import TellOutcome
from greenroom.supervisor.reply_slot import ReplySlot
from greenroom.supervisor.specs import MailboxSpec, OnRestart, Overflow

AnyDelivery = Delivery[Any]

_SWEEP_MIN = 64  # senders waiting for room; fewer are not worth looking through


class Mailbox:
    """Invariants: at most ``capacity`` messages and ``spec.bytes_max`` bytes; first in, first out.

    It starts out open. Closed means that the cell looks closer before it lets anything in.
    """

    __slots__ = (
        "_by_key",
        "_sweep_at",
        "bytes",
        "capacity",
        "is_open",
        "is_plain",
        "peak",
        "queue",
        "room",
        "spec",
        "waiting",
    )

    def __init__(self, spec: MailboxSpec) -> None:
        self.spec = spec
        self.capacity = spec.capacity
        self.queue: deque[AnyDelivery] = deque()
        self.bytes = 0  # stays 0 unless the spec bounds it
        self.peak = 0
        self._by_key: dict[object, AnyDelivery] | None = {} if spec.overflow.key else None
        # Senders that wait for room, each with the slot that tells them; an ask waits on its own reply slot.
        self.waiting: deque[tuple[AnyDelivery, ReplySlot]] | None = None
        self.is_plain = self._by_key is None and spec.bytes_max is None  # nothing to weigh or compare
        self.open()

    def __len__(self) -> int:
        return len(self.queue)

    def oldest_s(self, now: float) -> float:
        """How long the oldest message has waited; 0 if none does."""
        return now - self.queue[0].enqueued_at if self.queue else 0.0

    def open(self) -> None:
        """Let messages in without a closer look, as long as there is room."""
        self.is_open = True
        # Up to this depth a message may simply be appended, the common case; otherwise it takes :meth:`offer`.
        self.room = self.capacity if self.is_plain else 0

    def close(self) -> None:
        """Have the cell look closer at whatever comes; what is queued stays."""
        self.is_open = False
        self.room = 0

    def offer(self, delivery: AnyDelivery) -> tuple[TellOutcome, list[AnyDelivery]]:
        """Enqueue by the declared policy; says what became of it and which queued messages had to give way."""
        limit = self.spec.bytes_max
        delivery.size = self.weigh(delivery.message) if limit is not None else 0
        if limit is not None and delivery.size > limit:
            return TellOutcome.REJECTED, []
        if self._by_key is not None and self._replace(delivery):
            return TellOutcome.CONFLATED, []
        if self.has_room_for(delivery):
            self._append(delivery)
            return TellOutcome.ACCEPTED, []
        match self.spec.overflow:
            case Overflow.REJECT:
                return TellOutcome.REJECTED, []
            case Overflow.DROP_NEWEST:
                return TellOutcome.DROPPED, []
            case Overflow.BLOCK:
                if delivery.slot is None:
                    return TellOutcome.REJECTED, []
                self.wait_for_room(delivery, delivery.slot)
                return TellOutcome.ACCEPTED, []
            case _:  # drop_oldest, and conflate when there is nothing to replace
                displaced = []
                while not self.has_room_for(delivery):
                    displaced.append(self._pop())
                self._append(delivery)
                return TellOutcome.ACCEPTED, displaced

    def take(self) -> AnyDelivery:
        """Remove the oldest message; there must be one. Room goes to the longest waiting sender, not to a newcomer."""
        delivery = self.queue.popleft() if self.is_plain else self._pop()
        if self.waiting:
            self.admit_waiting()
        return delivery

    def has_room_for(self, delivery: AnyDelivery) -> bool:
        """Whether it fits beside what is queued; its ``size`` is known already where bytes are bounded."""
        limit = self.spec.bytes_max
        return len(self.queue) < self.capacity and (limit is None or self.bytes + delivery.size <= limit)

    def fits_now(self, delivery: AnyDelivery) -> bool | None:
        """Whether a told message would be taken in at once, for room or in the place of another; None: it never will,
        however long one waits."""
        limit = self.spec.bytes_max
        if limit is not None:
            delivery.size = self.weigh(delivery.message)
            if delivery.size > limit:
                return None
        if self.has_room_for(delivery):
            return True
        return self._by_key is not None and self._replaceable(delivery) is not None

    def wait_for_room(self, delivery: AnyDelivery, slot: ReplySlot) -> None:
        """Enqueue ``delivery`` when room comes, unless ``slot`` is over by then.

        Bounded by the waiting tasks: at most twice as many entries as they were, and a few.
        """
        if self.waiting is None:
            self.waiting, self._sweep_at = deque(), _SWEEP_MIN
        elif len(self.waiting) >= self._sweep_at:
            # Those who gave up leave their entry behind; where no room comes, nobody else would ever clear them away.
            self.waiting = deque(entry for entry in self.waiting if not entry[1].is_over)
            self._sweep_at = max(_SWEEP_MIN, 2 * len(self.waiting))
        self.waiting.append((delivery, slot))

    def put_back(self, deliveries: list[AnyDelivery]) -> None:
        """Return messages to the head, in their order, capacity or not: they were admitted once already."""
        self.queue.extendleft(reversed(deliveries))
        if self.spec.bytes_max is not None:
            self.bytes += sum(delivery.size for delivery in deliveries)

    def remove(self, delivery: AnyDelivery) -> bool:
        """Take one message out of the middle. False when it is not there."""
        if delivery not in self.queue:
            return False
        self.queue.remove(delivery)
        if self.spec.bytes_max is not None:
            self.bytes -= delivery.size
        return True

    def keep_for_restart(self, now: float) -> list[AnyDelivery]:
        """Apply the spec's ``on_restart``; returns what was removed: expired mail first of all, then by policy."""
        policy = self.spec.on_restart
        removed = []
        for _ in range(len(self.queue)):
            delivery = self._pop()
            asked = delivery.slot is not None
            is_dropped = policy is OnRestart.DROP or (policy is OnRestart.CALLS_ONLY and not asked)
            if is_dropped or has_expired(delivery, now):
                removed.append(delivery)
            else:
                self._append(delivery)
        if self.waiting:
            self.admit_waiting()
        return removed

    def clear(self) -> tuple[list[AnyDelivery], list[tuple[AnyDelivery, ReplySlot]]]:
        """Remove everything: queued messages, and senders still waiting with the slots they wait on."""
        queued, waiting = list(self.queue), list(self.waiting or ())
        self.queue.clear()
        self.bytes = 0
        self.waiting = None
        if self._by_key is not None:
            self._by_key.clear()
        return queued, waiting

    def _append(self, delivery: AnyDelivery) -> None:
        self.queue.append(delivery)
        self.peak = max(self.peak, len(self.queue))
        if self.spec.bytes_max is not None:
            self.bytes += delivery.size
        if self._by_key is not None and delivery.slot is None:
            key = self._key(delivery)
            if key is not None:
                self._by_key[key] = delivery

    def _pop(self) -> AnyDelivery:
        delivery = self.queue.popleft()
        if self.spec.bytes_max is not None:
            self.bytes -= delivery.size
        if self._by_key is not None and delivery.slot is None:
            key = self._key(delivery)
            if self._by_key.get(key) is delivery:
                del self._by_key[key]
        return delivery

    def _replaceable(self, delivery: AnyDelivery) -> AnyDelivery | None:
        """The queued message with this one's key, unless this one would be too heavy in its place."""
        key = self._key(delivery)
        queued = self._by_key.get(key) if self._by_key and key is not None and delivery.slot is None else None
        limit = self.spec.bytes_max
        if queued is not None and limit is not None and self.bytes - queued.size + delivery.size > limit:
            return None
        return queued

    def _replace(self, delivery: AnyDelivery) -> bool:
        queued = self._replaceable(delivery)
        if queued is None:
            return False
        if self.spec.bytes_max is not None:
            self.bytes += delivery.size - queued.size
            queued.size = delivery.size
        queued.message, queued.trace = delivery.message, delivery.trace
        return True

    def admit_waiting(self) -> None:
        """Give the room there is to those who wait for it, the longest waiting first."""
        waiting = self.waiting
        while waiting and (waiting[0][1].is_over or self.has_room_for(waiting[0][0])):
            delivery, slot = waiting.popleft()
            if slot.is_over:
                continue
            if self._by_key is None or not self._replace(delivery):
                self._append(delivery)
            if slot is not delivery.slot:
                slot.send(None)

    def _key(self, delivery: AnyDelivery) -> object:
        key = self.spec.overflow.key
        return key(delivery.message) if key is not None else None

    def weigh(self, message: object) -> int:
        """Bytes of a message by the spec's ``size_of``, which may raise: it is the author's."""
        size_of: Callable[[Any], int] = self.spec.size_of or approximate_bytes
        return size_of(message)


def has_expired(delivery: AnyDelivery, now: float) -> bool:
    """True when nobody waits for the answer any more, so that working on it would be in vain."""
    slot = delivery.slot
    return slot is not None and (slot.is_over or delivery.deadline <= now)
