"""The twin of the shared homes: debts in a table of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import trio

from greenroom.schema.rate_limits import Policy, Standing, settle
from greenroom.storage.limits.home import Claim

SUBJECTS_MAX: Final = 100_000
"""At some 200 bytes each this is twenty megabytes."""

LOOKED_AT: Final = 2
"""Oldest entries looked at with each new one: more go than come, so what is over does not pile up."""


def monotonic_us() -> int:
    return int(trio.current_time() * 1_000_000)


class MemoryHome:
    """See the module. Beyond SUBJECTS_MAX the one that was heard of longest ago is forgiven its debt.

    Args:
        now_us: the clock, in microseconds.
    """

    name = "memory"

    def __init__(self, *, now_us: Callable[[], int] = monotonic_us, subjects_max: int = SUBJECTS_MAX) -> None:
        self._now_us = now_us
        self._subjects_max = subjects_max
        # When each debt will be paid off; in order of the last change.
        self._paid_at_us: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._paid_at_us)

    def settle_one(self, policy: Policy, subject: str, *, spent: int = 0, wanted: int = 0) -> Standing:
        """Settle without waiting, which is all that a single process needs."""
        now_us = self._now_us()
        key = (policy.name, subject)
        standing = settle(policy, self._paid_at_us.pop(key, now_us) - now_us, spent=spent, wanted=wanted)
        if standing.debt_us > 0:
            self._make_room(now_us)
            self._paid_at_us[key] = now_us + standing.debt_us
        return standing

    async def settle(self, claims: Sequence[Claim]) -> list[Standing]:
        await trio.lowlevel.checkpoint()
        return [self.settle_one(c.policy, c.subject, spent=c.spent, wanted=c.wanted) for c in claims]

    async def forget(self) -> None:
        await trio.lowlevel.checkpoint()

    def _make_room(self, now_us: int) -> None:
        table = self._paid_at_us
        for _ in range(LOOKED_AT):
            oldest = next(iter(table), None)
            if oldest is None or (table[oldest] > now_us and len(table) < self._subjects_max):
                return
            del table[oldest]
