"""The port to what counts how much is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from greenroom.schema.rate_limits import Decision, Policy, Standing


@dataclass(frozen=True, slots=True)
class LimitStatistics:
    """Limits of this worker; the last three count since the start.

    Attributes:
        home: where all workers' limits are kept: ``memory`` where there is one worker alone.
        is_up: whether that can be reached; if not, each worker keeps the limits for itself.
        subjects: whose standing is known here.
        unconfirmed: decisions made alone, as the home was away or too slow.
        exchanges: with the home.
        waits: decisions that waited for one.
    """

    home: str
    is_up: bool
    subjects: int
    unconfirmed: int = 0
    exchanges: int = 0
    waits: int = 0


class RateLimits(Protocol):
    """Counts what is asked, under any number of policies, for all workers together."""

    async def take(self, policy: Policy, subject: str) -> Decision:
        """Take one unit, if there is one. Never raises and never waits longer than a bound of some milliseconds.

        Args:
            subject: whose units they are: an id, or an address.
        """
        ...

    def give_back(self, policy: Policy, subject: str, units: int = 1) -> None:
        """Return units that were taken for something that did not happen; more than were taken forgive all."""
        ...

    async def settle(self, policy: Policy, subject: str, *, spent: int = 0, wanted: int = 0) -> Standing:
        """Charge and grant in one step that no other worker can come between; see
        :func:`greenroom.schema.rate_limits.settle`.

        It waits for the home where there is one, a quarter of a second at most. Without it, this worker goes by what it
        was asked itself. Not to be mixed with :meth:`take` under one policy.
        """
        ...

    def blind(self, name: str) -> str:
        """A subject for a name that should not be readable where limits are kept, the same for all workers."""
        ...

    def statistics(self) -> LimitStatistics:
        """How the limits are kept, as this worker knows it now."""
        ...
