"""The port to where limits are kept for all workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from greenroom.schema.rate_limits import Policy, Standing

CLAIMS_MAX: Final = 128
"""Claims settled in one exchange: a millisecond or two with either home, half of it this process's own."""

KEY_LENGTH_MAX: Final = 128


class HomeAway(Exception):
    """The home can't be reached, or did not answer in time; what was claimed may or may not have been counted."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one subject has spent and what it wants.

    Attributes:
        subject: an id, or an address; at most KEY_LENGTH_MAX characters, no NUL.
        spent: units taken already, more than there are if need be; negative to give some back.
        wanted: units to grant if there are as many, else as many as there are.
    """

    policy: Policy
    subject: str
    spent: int = 0
    wanted: int = 0

    @property
    def key(self) -> str:
        return f"{self.policy.name}:{self.subject}"


class LimitHome(Protocol):
    """Keeps debts, by the arithmetic of :func:`greenroom.schema.rate_limits.settle` and a clock of its own.

    A debt that is paid off is not kept. A loss of all debts only forgives them.
    """

    @property
    def name(self) -> str:
        """One word for logs and metrics."""
        ...

    async def settle(self, claims: Sequence[Claim]) -> list[Standing]:
        """Settle each claim by itself, in one exchange; return standings in the claims' order.

        Args:
            claims: at most CLAIMS_MAX, no two of one policy and subject.

        Raises:
            HomeAway: bounded inside.
        """
        ...

    async def forget(self) -> None:
        """Drop debts that are paid off, where they do not end by themselves; called every few minutes.

        Raises:
            HomeAway: bounded inside.
        """
        ...
