"""What one worker knows of everybody's limits, and what the home is yet to be told of it. Nothing here waits."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import trio

from greenroom.schema.rate_limits import Decision, Policy, Standing, decide, settle
from greenroom.storage.limits.home import Claim
from greenroom.storage.limits.memory import LOOKED_AT


@dataclass(slots=True, eq=False)
class Waiter:
    """A request that waits for the home. ``is_granted`` is None until that has said, and stays None if it can't be asked."""

    told: trio.Event = field(default_factory=trio.Event)
    is_granted: bool | None = None

    def tell(self, is_granted: bool | None) -> None:
        self.is_granted = is_granted
        self.told.set()


@dataclass(slots=True, eq=False)
class Account:
    """What is known here of one subject under one policy.

    Attributes:
        paid_at_us: when its debt is paid off, what the home does not know yet included.
        unsent: units the home is still to be told of; negative for those given back.
        sent: units of the exchange under way.
        due_at: on Trio's clock: when the home is to be told, if there is something to tell.
    """

    policy: Policy
    subject: str
    paid_at_us: int = 0
    unsent: int = 0
    sent: int = 0
    due_at: float = 0.0
    waiting: deque[Waiter] = field(default_factory=deque)

    @property
    def key(self) -> tuple[str, str]:
        return self.policy.name, self.subject

    def debt_us(self, now_us: int) -> int:
        return max(0, self.paid_at_us - now_us)

    def has_none(self, now_us: int) -> bool:
        """Whether there is not one unit left, by what is known here."""
        return self.debt_us(now_us) + self.policy.interval_us > self.policy.capacity_us

    def decision(self, now_us: int, *, is_allowed: bool) -> Decision:
        return decide(self.policy, is_allowed=is_allowed, debt_us=self.debt_us(now_us))

    def spend(self, now_us: int, units: int) -> None:
        """Take units; negative to give some back."""
        self.paid_at_us = now_us + settle(self.policy, self.debt_us(now_us), spent=units).debt_us

    def is_over(self, now_us: int) -> bool:
        """Whether forgetting it changes nothing for anybody."""
        return self.paid_at_us <= now_us and not (self.unsent or self.sent or self.waiting)

    def release(self) -> None:
        """Tell those who wait that the home can't be asked."""
        while self.waiting:
            self.waiting.popleft().tell(None)


@dataclass(slots=True)
class Sent:
    """One account's part in an exchange."""

    account: Account
    spent: int
    waiters: list[Waiter]

    @property
    def claim(self) -> Claim:
        return Claim(self.account.policy, self.account.subject, spent=self.spent, wanted=len(self.waiters))

    def apply(self, standing: Standing, now_us: int) -> None:
        """Take over what the home says, and what was granted here since it was sent."""
        account = self.account
        account.sent = 0
        account.paid_at_us = now_us + standing.debt_us
        account.spend(now_us, account.unsent)
        for place, waiter in enumerate(self.waiters):
            waiter.tell(place < standing.granted)

    def undo(self) -> None:
        """The home did not answer: it is yet to be told, and those who waited for it go without."""
        self.account.unsent += self.spent
        self.account.sent = 0
        for waiter in self.waiters:
            waiter.tell(None)


class Ledger:
    """Accounts by policy and subject, at most ``subjects_max``; the one heard of longest ago makes room."""

    def __init__(self, *, subjects_max: int) -> None:
        self._subjects_max = subjects_max
        self._accounts: dict[tuple[str, str], Account] = {}
        # Those with something to tell, in the order they came, which is that of their time; and those of them that are to be
        # told at once.
        self._untold: dict[Account, None] = {}
        self._urgent: dict[Account, None] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    def __contains__(self, account: Account) -> bool:
        return self._accounts.get(account.key) is account

    def account(self, policy: Policy, subject: str, now_us: int) -> Account:
        """The account, opened if need be."""
        key = (policy.name, subject)
        account = self._accounts.pop(key, None)
        if account is None:
            account = Account(policy, subject)
            self._make_room(now_us)
        self._accounts[key] = account
        return account

    def note(self, account: Account, *, due_at: float, is_urgent: bool) -> bool:
        """Have the home told of an account, at ``due_at`` at the latest; return whether whoever tells it should look again."""
        is_first = is_newly_urgent = False
        if account not in self._untold:
            account.due_at = due_at
            self._untold[account] = None
            is_first = len(self._untold) == 1
        if is_urgent and account not in self._urgent:
            self._urgent[account] = None
            is_newly_urgent = True
        return is_first or is_newly_urgent

    @property
    def next_due_at(self) -> float:
        """When the home is to be told something, on Trio's clock: long ago if at once, infinite if there is nothing to tell."""
        if self._urgent:
            return -math.inf
        first = next(iter(self._untold), None)
        return math.inf if first is None else first.due_at

    def take_due(self, by: float, *, count: int) -> list[Sent]:
        """Take what is to be told by a moment, at most ``count`` accounts: what is urgent first."""
        taken: list[Sent] = []
        while len(taken) < count and self.next_due_at <= by:
            account = next(iter(self._urgent or self._untold))
            self._urgent.pop(account, None)
            self._untold.pop(account, None)
            sent = Sent(account, account.unsent, list(account.waiting))
            account.waiting.clear()
            account.sent, account.unsent = sent.spent, 0
            taken.append(sent)
        return taken

    def release_urgent(self) -> None:
        """Tell all who wait that the home can't be asked."""
        for account in self._urgent:
            account.release()

    def _make_room(self, now_us: int) -> None:
        for _ in range(LOOKED_AT):
            oldest = next(iter(self._accounts), None)
            if oldest is None:
                return
            if not self._accounts[oldest].is_over(now_us) and len(self._accounts) < self._subjects_max:
                return
            # Where there is no other room, one that owes: it is forgiven, as there may be only one of a name to tell.
            account = self._accounts.pop(oldest)
            self._untold.pop(account, None)
            self._urgent.pop(account, None)
            account.release()
