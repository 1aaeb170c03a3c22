"""Limits of several workers: decided here and now, confirmed by a home that all of them share.

1. Who has nothing left by what is known here is refused here: the home can only know of more that was spent.
2. Otherwise a worker may run ahead of the home by an *advance*, a sixteenth of the limit over all workers of a machine. Up to
   that, a request waits for nobody: what it took is told to the home some seconds later, or when half of the advance is used
   up, together with what others took, and the answer brings what other workers let through.
3. With the advance used up, or for a limit too small to have one, a request waits for the home: 50 ms at most, and in company,
   as what waits goes in one exchange.
4. So a burst gets at most a sixteenth of the limit too much on each machine, and nobody is refused too early. What was too
   much is counted and has to be waited for, so in the long run the limit is exact. A limit below sixteen times the
   number of workers is exact always.
5. A home that is away, or slow, refuses nobody: each worker keeps the limits for itself, with all it knows, and says so. What
   was spent meanwhile is told when the home is back.

Source: the idea of deciding by a local count and settling it in batches is that of Envoy's global rate limiting with
quotas ("Rate Limit Quota Service") and of Doorman (https://github.com/youtube/doorman); the advance is what bounds it.
"""

from __future__ import annotations

import hmac
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import structlog
import trio

from greenroom.schema.rate_limits import Decision, Policy, Standing
from greenroom.storage.limits.home import CLAIMS_MAX, Claim, HomeAway, LimitHome
from greenroom.storage.limits.ledger import Account, Ledger, Waiter
from greenroom.storage.limits.memory import SUBJECTS_MAX, MemoryHome, monotonic_us
from greenroom.storage.ports import LimitStatistics

ADVANCE_SHARE: Final = 16
"""What may be unconfirmed is this part of a limit. Half as much waits twice as often; twice as much is a limit that shows."""

WAIT_S: Final = 0.05
"""Longest wait of a request for the home, which answers within a millisecond when it is well."""

SETTLE_S: Final = 3.0
"""Until the home is told of what nobody waits for. The bound is the advance's and holds for any time: a longer one costs
fewer exchanges, and forgives more when a worker is killed.
"""

LEAVE_TIMEOUT_S: Final = 0.25
"""To tell the rest at the end."""

EXCHANGE_TIMEOUT_S: Final = 0.25
RETRY_S: Final = 0.5
"""Before the home is tried again. Nobody waits for it until then."""

FORGET_EVERY_S: Final = 300.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Step:
    """A claim by itself; ``standing`` stays None if the home can't be asked."""

    claim: Claim
    told: trio.Event = field(default_factory=trio.Event)
    standing: Standing | None = None

    def tell(self, standing: Standing | None) -> None:
        self.standing = standing
        self.told.set()


class SharedLimits:
    """See the module. Made by :func:`open_shared_limits`."""

    def __init__(
        self,
        home: LimitHome,
        *,
        workers: int,
        key: bytes = b"",
        now_us: Callable[[], int] = monotonic_us,
        subjects_max: int = SUBJECTS_MAX,
    ) -> None:
        self._home = home
        self._key = key
        # What was settled step by step, as far as it was asked here: to go by while the home is away.
        self._own = MemoryHome(now_us=now_us)
        self._steps: deque[_Step] = deque()
        self._workers = workers
        self._now_us = now_us
        self._ledger = Ledger(subjects_max=subjects_max)
        self._woken = trio.Event()
        self._is_leaving = False
        self._has_left = trio.Event()
        self._is_up = True
        self._unconfirmed = 0
        self._exchanges = 0
        self._waits = 0

    async def take(self, policy: Policy, subject: str) -> Decision:
        now_us = self._now_us()
        account = self._ledger.account(policy, subject, now_us)
        if account.has_none(now_us):
            return account.decision(now_us, is_allowed=False)
        if not self._is_up:
            self._unconfirmed += 1
            return self._take_here(account, now_us)
        if account.unsent + account.sent < self.advance(policy):
            return self._take_here(account, now_us)
        return await self._ask(account)

    def give_back(self, policy: Policy, subject: str, units: int = 1) -> None:
        now_us = self._now_us()
        account = self._ledger.account(policy, subject, now_us)
        account.spend(now_us, -units)
        account.unsent -= units
        self._note(account, is_urgent=True)

    async def settle(self, policy: Policy, subject: str, *, spent: int = 0, wanted: int = 0) -> Standing:
        own = self._own.settle_one(policy, subject, spent=spent, wanted=wanted)
        if self._is_up:
            step = _Step(Claim(policy, subject, spent=spent, wanted=wanted))
            self._steps.append(step)
            self._woken.set()
            with trio.move_on_after(EXCHANGE_TIMEOUT_S):
                try:
                    await step.told.wait()
                finally:
                    if step in self._steps:
                        self._steps.remove(step)
            if step.standing is not None:
                return step.standing
        self._unconfirmed += 1
        return own

    def blind(self, name: str) -> str:
        return hmac.digest(self._key, name.encode(), "sha256").hex()[:32]

    def advance(self, policy: Policy) -> int:
        """Units that this worker may grant to a subject before the home knows."""
        return policy.limit // (ADVANCE_SHARE * self._workers)

    def statistics(self) -> LimitStatistics:
        return LimitStatistics(
            home=self._home.name,
            is_up=self._is_up,
            subjects=len(self._ledger),
            unconfirmed=self._unconfirmed,
            exchanges=self._exchanges,
            waits=self._waits,
        )

    async def run(self) -> None:
        """Settle with the home until cancelled."""
        while True:
            await self._wait_for_work()
            steps = self._next_steps()
            exchange = self._ledger.take_due(self._tell_by(), count=CLAIMS_MAX - len(steps))
            try:
                with trio.fail_after(EXCHANGE_TIMEOUT_S):
                    claims = [*(step.claim for step in steps), *(sent.claim for sent in exchange)]
                    standings = await self._home.settle(claims)
            except (HomeAway, trio.TooSlowError) as exc:
                self._lower(str(exc) or "no answer in time")
                for sent in exchange:
                    sent.undo()
                    if sent.account in self._ledger:
                        # Even with nothing to tell: this is how it is found out that the home is back.
                        self._note(sent.account, is_urgent=True)
                self._ledger.release_urgent()  # whoever else waits would wait in vain
                for step in (*steps, *self._steps):
                    step.tell(None)
                await trio.sleep(RETRY_S)
            else:
                self._raise()
                for step, standing in zip(steps, standings, strict=False):
                    step.tell(standing)
                for sent, standing in zip(exchange, standings[len(steps) :], strict=True):
                    sent.apply(standing, self._now_us())

    async def leave(self) -> None:
        """Tell the home the rest; bounded, and nothing if it is away."""
        self._is_leaving = True
        self._woken.set()
        with trio.move_on_after(LEAVE_TIMEOUT_S if self._is_up else 0):
            await self._has_left.wait()

    async def keep_tidy(self) -> None:
        """Have the home forget what is over, every now and then, until cancelled."""
        while True:
            await trio.sleep(FORGET_EVERY_S)
            with suppress(HomeAway):
                await self._home.forget()

    def _take_here(self, account: Account, now_us: int) -> Decision:
        account.spend(now_us, 1)
        account.unsent += 1
        self._note(account, is_urgent=2 * account.unsent >= self.advance(account.policy))
        return account.decision(now_us, is_allowed=True)

    async def _ask(self, account: Account) -> Decision:
        self._waits += 1
        waiter = Waiter()
        account.waiting.append(waiter)
        self._note(account, is_urgent=True)
        is_queued = True
        with trio.move_on_after(WAIT_S) as scope:
            try:
                await waiter.told.wait()
            finally:
                is_queued = waiter in account.waiting
                if is_queued:
                    account.waiting.remove(waiter)
        now_us = self._now_us()
        if waiter.is_granted is not None:
            return account.decision(now_us, is_allowed=waiter.is_granted)
        self._unconfirmed += 1
        is_late = scope.cancelled_caught
        if is_late:
            self._lower("no answer in time")
        if account.has_none(now_us):
            return account.decision(now_us, is_allowed=False)
        if is_late and not is_queued:
            # It is being settled: the home counts it, and its answer replaces what is known here.
            account.spend(now_us, 1)
            return account.decision(now_us, is_allowed=True)
        return self._take_here(account, now_us)

    def _note(self, account: Account, *, is_urgent: bool) -> None:
        if self._ledger.note(account, due_at=trio.current_time() + SETTLE_S, is_urgent=is_urgent):
            self._woken.set()

    async def _wait_for_work(self) -> None:
        while not (self._steps or self._ledger.next_due_at <= self._tell_by()):
            if self._is_leaving:
                self._has_left.set()
            self._woken = trio.Event()
            with trio.move_on_at(self._ledger.next_due_at):
                await self._woken.wait()

    def _tell_by(self) -> float:
        """Until when what is due is told now: on leaving, whatever there is."""
        return sys.float_info.max if self._is_leaving else trio.current_time()

    def _next_steps(self) -> list[_Step]:
        """Take what is to be settled by itself: one of each subject, as they come after each other."""
        steps: dict[str, _Step] = {}
        for step in list(self._steps):
            if len(steps) < CLAIMS_MAX // 2 and step.claim.key not in steps:
                steps[step.claim.key] = step
                self._steps.remove(step)
        return list(steps.values())

    def _lower(self, reason: str) -> None:
        if self._is_up:
            self._is_up = False
            _log.warning("limits_home_away", home=self._home.name, reason=reason)

    def _raise(self) -> None:
        self._exchanges += 1
        if not self._is_up:
            self._is_up = True
            _log.info("limits_home_back", home=self._home.name)


@asynccontextmanager
async def open_shared_limits(home: LimitHome, *, workers: int, key: bytes = b"") -> AsyncIterator[SharedLimits]:
    """Keep limits with a home for the length of the block; one that can't be reached is tried again and again.

    Args:
        workers: how many share the advance, this one included.
        key: a secret of all workers, to hide names with.
    """
    limits = SharedLimits(home, workers=workers, key=key)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(limits.run)
        nursery.start_soon(limits.keep_tidy)
        yield limits
        await limits.leave()
        nursery.cancel_scope.cancel()
