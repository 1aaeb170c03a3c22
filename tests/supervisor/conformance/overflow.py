"""What a bounded mailbox does with each message, as a pure model: a list, a policy and those who wait.

Rules:

1. Room is a free place and, where bytes are bounded, enough free bytes. With room, a message is queued at the end.
2. A message heavier than the whole mailbox is refused by any policy.
3. Without room, by policy: ``reject`` refuses; ``drop_newest`` drops the message; ``drop_oldest`` drops from the
   front until there is room; ``block`` refuses a tell and lets an ask wait. A send waits under any policy.
4. ``conflate``: a message that is not asked takes the place of a queued one with the same key that was not asked
   either, if the bytes allow. Else room decides, and without room it is queued as by ``drop_oldest``.
5. When a message is taken, those who wait are let in, first come, first served, as far as there is room; by
   ``conflate``, into the place of a queued one with their key if there is one.
6. An ask whose asker has lost patience is dropped when its turn comes, and at a restart.
7. A restart keeps the queue, or drops it, or drops what was not asked. Then those who wait are let in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Policy(Enum):
    REJECT = "reject"
    DROP_NEWEST = "drop_newest"
    DROP_OLDEST = "drop_oldest"
    CONFLATE = "conflate"
    BLOCK = "block"


class RestartPolicy(Enum):
    KEEP = "keep"
    DROP = "drop"
    CALLS_ONLY = "calls_only"


class Way(Enum):
    TELL = "tell"
    SEND = "send"
    ASK = "ask"


class Fate(Enum):
    """What became of a message in the end. All but the first three are dead letters of that name."""

    HANDLED = "handled"
    CONFLATED = "conflated"  # another message took its place
    NO_ROOM = "no room"  # its asker lost patience waiting for room, and knows
    REJECTED = "rejected"
    DROPPED = "dropped"
    DISPLACED = "displaced"
    EXPIRED = "expired"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    way: Way
    key: str
    weight: int
    patience_s: float = 3600.0  # of an asker


@dataclass(slots=True)
class MailboxModel:
    policy: Policy
    capacity: int
    bytes_max: int | None
    queue: list[Item] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)
    items: dict[int, Item] = field(default_factory=dict)
    fates: dict[int, Fate] = field(default_factory=dict)
    handled: list[int] = field(default_factory=list)

    def put(self, item: Item) -> None:
        self.items[item.id] = item
        if self.bytes_max is not None and item.weight > self.bytes_max:
            self.fates[item.id] = Fate.REJECTED
        elif self.policy is Policy.CONFLATE and item.way is not Way.ASK and self._conflates(item):
            pass
        elif self._has_room(item):
            self.queue.append(item)
        elif item.way is Way.SEND or (self.policy is Policy.BLOCK and item.way is Way.ASK):
            self.waiting.append(item)
        elif self.policy in (Policy.REJECT, Policy.BLOCK):
            self.fates[item.id] = Fate.REJECTED
        elif self.policy is Policy.DROP_NEWEST:
            self.fates[item.id] = Fate.DROPPED
        else:
            while not self._has_room(item):
                self.fates[self.queue.pop(0).id] = Fate.DISPLACED
            self.queue.append(item)

    def take(self, *, impatient_after_s: float = 0.0) -> bool:
        """Handle the oldest message, or drop it if nobody waits for it any more; False if there is none."""
        if not self.queue:
            return False
        taken = self.queue.pop(0)
        if self._is_expired(taken, impatient_after_s):
            self.fates[taken.id] = Fate.EXPIRED
        else:
            self.fates[taken.id] = Fate.HANDLED
            self.handled.append(taken.id)
        self._let_in(impatient_after_s)
        return True

    def restart(self, policy: RestartPolicy, *, impatient_after_s: float) -> None:
        kept = []
        for item in self.queue:
            if self._is_expired(item, impatient_after_s):
                self.fates[item.id] = Fate.EXPIRED
            elif policy is RestartPolicy.DROP or (policy is RestartPolicy.CALLS_ONLY and item.way is not Way.ASK):
                self.fates[item.id] = Fate.RESTART
            else:
                kept.append(item)
        self.queue = kept
        self._let_in(impatient_after_s)

    @property
    def bytes(self) -> int:
        return sum(item.weight for item in self.queue)

    def _let_in(self, impatient_after_s: float) -> None:
        while self.waiting:
            first = self.waiting[0]
            if self._is_expired(first, impatient_after_s):
                self.fates[first.id] = Fate.NO_ROOM
            elif self._has_room(first):
                if not (self.policy is Policy.CONFLATE and first.way is Way.SEND and self._conflates(first)):
                    self.queue.append(first)
            else:
                return
            self.waiting.pop(0)

    def _is_expired(self, item: Item, impatient_after_s: float) -> bool:
        return item.way is Way.ASK and item.patience_s <= impatient_after_s

    def _conflates(self, item: Item) -> bool:
        # The latest with the key: an older one may be left over from when the bytes did not allow replacing it.
        same = [at for at, queued in enumerate(self.queue) if queued.key == item.key and queued.way is not Way.ASK]
        if not same:
            return False
        at = same[-1]
        if self.bytes_max is not None and self.bytes - self.queue[at].weight + item.weight > self.bytes_max:
            return False
        self.fates[self.queue[at].id] = Fate.CONFLATED
        self.queue[at] = item
        return True

    def _has_room(self, item: Item) -> bool:
        fits = self.bytes_max is None or self.bytes + item.weight <= self.bytes_max
        return len(self.queue) < self.capacity and fits
