"""Limits of a single process: exact, and without a wait."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from greenroom.schema.rate_limits import Decision, Policy, Standing, decide
from greenroom.storage.limits.memory import MemoryHome, monotonic_us
from greenroom.storage.ports import LimitStatistics


class LocalLimits:
    """Args:
    now_us: the clock, in microseconds.
    """

    def __init__(self, *, now_us: Callable[[], int] = monotonic_us) -> None:
        self._home = MemoryHome(now_us=now_us)

    async def take(self, policy: Policy, subject: str) -> Decision:
        standing = self._home.settle_one(policy, subject, wanted=1)
        return decide(policy, is_allowed=standing.granted == 1, debt_us=standing.debt_us)

    def give_back(self, policy: Policy, subject: str, units: int = 1) -> None:
        self._home.settle_one(policy, subject, spent=-units)

    async def settle(self, policy: Policy, subject: str, *, spent: int = 0, wanted: int = 0) -> Standing:
        return self._home.settle_one(policy, subject, spent=spent, wanted=wanted)

    def blind(self, name: str) -> str:
        return sha256(name.encode()).hexdigest()[:32]  # it never leaves this process

    def statistics(self) -> LimitStatistics:
        return LimitStatistics(home=self._home.name, is_up=True, subjects=len(self._home))
