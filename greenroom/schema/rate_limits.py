"""How much one may ask in a time: policies, and where somebody stands under one.

The arithmetic is the generic cell rate algorithm in its form as a leaky bucket: a *debt* that each unit raises by one
interval and that time pays off. Who asks too much stands at the full capacity and gets one more unit per interval. All of
it is whole microseconds, so that Python, Lua and SQL come to the same result.

Source: ITU-T Recommendation I.371 (03/2004), Annex A, "continuous-state leaky bucket algorithm".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

LIMIT_MAX: Final = 10_000_000
"""Units per window: more than a worker serves in a minute, so that every limit can be set out of the way."""

DEBT_CAPACITIES_MAX: Final = 2
"""A debt never exceeds this many capacities: whatever was spent unseen, or was written into a shared store by somebody
else, shuts a subject out for about one window.
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """``limit`` units at once, and again as many over every ``window_s``.

    In any stretch of t seconds, at most ``limit * (1 + t / window_s)`` units are allowed.

    Attributes:
        name: tells it from others, in problems, headers, metrics and keys: lower-case letters and hyphens.
        limit: 1 to LIMIT_MAX.
        window_s: whole seconds, at least 1.
        interval_us: what a unit costs.
        capacity_us: the debt of ``limit`` units; the window, but for rounding.
    """

    name: str
    limit: int
    window_s: int
    interval_us: int = field(init=False)
    capacity_us: int = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LIMIT_MAX or self.window_s < 1:
            raise ValueError(f"{self.name}: a limit of {self.limit} in {self.window_s} s can't be kept")
        interval_us = max(1, round(self.window_s * 1_000_000 / self.limit))
        object.__setattr__(self, "interval_us", interval_us)
        object.__setattr__(self, "capacity_us", self.limit * interval_us)


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a claim, and where its subject stands after it.

    Attributes:
        granted: units, of those that were wanted.
        debt_us: 0 with everything left.
    """

    granted: int
    debt_us: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one may, and what is left.

    Attributes:
        remaining: units that could be had at once.
        retry_after_s: until there is one; 0 while any remains.
    """

    policy: Policy
    is_allowed: bool
    remaining: int
    retry_after_s: float


def settle(policy: Policy, debt_us: int, *, spent: int = 0, wanted: int = 0) -> Standing:
    """Add what was spent already, and grant as much as there is of what is wanted.

    Args:
        debt_us: what is left by now of an earlier debt.
        spent: units, more than there are if need be; a negative number gives some back.
    """
    interval_us = policy.interval_us
    highest_us = DEBT_CAPACITIES_MAX * policy.capacity_us
    debt_us = min(max(0, debt_us) + spent * interval_us, highest_us)
    debt_us = max(0, debt_us)
    granted = min(wanted, max(0, policy.capacity_us - debt_us) // interval_us)
    return Standing(granted, debt_us + granted * interval_us)


def decide(policy: Policy, *, is_allowed: bool, debt_us: int) -> Decision:
    """Say what a standing means to whoever asked."""
    room_us = policy.capacity_us - debt_us
    remaining = max(0, room_us) // policy.interval_us
    retry_after_s = 0.0 if remaining else (policy.interval_us - room_us) / 1_000_000
    return Decision(policy, is_allowed, remaining, retry_after_s)
