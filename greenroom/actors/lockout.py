"""Locking an account that somebody guesses passwords for, longer each time.

1. Every try counts as a failure before its password is looked at, and a success takes all failures back. So of any number of
   tries at once no more are looked at than of as many one after the other.
2. From the ladder's first failure on, a try also has to pass a gate that lets one through and is then shut for as long as
   that failure locks: 30 seconds, doubled with each further one, an hour at most. Whoever finds it shut is told for how long.
3. A failure is forgotten after two hours, one after the other, a success or not.
4. All of it goes by a name that may be nobody's, so that an account that does not exist is locked like one that does.

At its steepest that is 11 guesses in the first hour and one in each hour after it: 34 in the first day.

Source: OWASP Authentication Cheat Sheet, "Account Lockout" (an exponential lockout); NIST SP 800-63B-4, 3.2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from greenroom.schema.errors import AccountLocked
from greenroom.schema.rate_limits import Policy
from greenroom.storage.ports import RateLimits

FAILURES: Final = Policy("login-failures", 12, 24 * 3600)
"""A dozen is a day's worth of forgetting; what the ladder does with more of them is the same."""

_GATE: Final = "login-gate"
_ANY_GATE: Final = Policy(_GATE, 1, 24 * 3600)
"""To look whether it is shut, whatever for, or to open it."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """How long the n-th failure in a row locks: not at all before ``first``, then ``base_s``, doubled each time.

    Attributes:
        first: 0 to lock nobody.
    """

    first: int
    base_s: int = 30
    longest_s: int = 3600

    def lock_s(self, failure: int) -> int:
        if not 0 < self.first <= failure:
            return 0
        return min(self.longest_s, self.base_s << min(failure - self.first, 20))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted: the how-manieth failure in a row it makes, 0 if nobody counts, and whether the gate shut
    behind it.
    """

    failure: int
    is_gated: bool


class Lockout:
    """See the module.

    Args:
        counts_anyway: also where nobody is locked, for whoever asks something else of those who failed.
    """

    def __init__(self, limits: RateLimits, ladder: Ladder, *, counts_anyway: bool = False) -> None:
        self._limits = limits
        self._ladder = ladder
        self._is_counting = counts_anyway or ladder.first > 0

    async def check(self, account: str) -> None:
        """
        Raises:
            AccountLocked
        """
        if self._ladder.first:
            gate = await self._limits.settle(_ANY_GATE, account)
            if gate.debt_us > 0:
                raise AccountLocked(gate.debt_us / 1_000_000)

    async def begin(self, account: str) -> Attempt:
        """Count a try as failed.

        Raises:
            AccountLocked: another try came first; this one is not counted.
        """
        if not self._is_counting:
            return Attempt(failure=0, is_gated=False)
        standing = await self._limits.settle(FAILURES, account, spent=1)
        failure = -(-standing.debt_us // FAILURES.interval_us)
        lock_s = self._ladder.lock_s(failure)
        if lock_s:
            gate = await self._limits.settle(Policy(_GATE, 1, lock_s), account, wanted=1)
            if not gate.granted:
                await self._limits.settle(FAILURES, account, spent=-1)
                raise AccountLocked(gate.debt_us / 1_000_000)
        return Attempt(failure, is_gated=lock_s > 0)

    async def undo(self, account: str, attempt: Attempt) -> None:
        """It was counted, and its password was never looked at."""
        if attempt.failure:
            await self._limits.settle(FAILURES, account, spent=-1)
        if attempt.is_gated:
            await self._open(account)

    async def forgive(self, account: str) -> None:
        """Somebody knew the password."""
        if self._is_counting:
            await self._limits.settle(FAILURES, account, spent=-2 * FAILURES.limit)
        if self._ladder.first:
            await self._open(account)

    async def _open(self, account: str) -> None:
        await self._limits.settle(_ANY_GATE, account, spent=-2)
