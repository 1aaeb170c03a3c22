"""What clicks tell about names of places."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from greenroom.schema.search.learning import Vote


class AliasEvidence(Protocol):
    """What clicks tell about names of places."""

    async def hold(self, worker: str, *, for_s: float) -> bool:
        """Take or keep the right to learn; return whether this worker has it. It keeps workers from doing the same work."""
        ...

    async def undecided(self) -> int:
        """How many learned aliases there are, proposed or active, that no operator decided on."""
        ...

    async def votes(self, *, since: datetime, users_min: int, names_max: int, limit: int) -> list[Vote]:
        """Clicks after searches whose place was uncertain, with where the clicked instructors teach, whole cities aside.

        Args:
            users_min: only of names that so many people clicked results of.
            names_max: the most clicked of these.
            limit: the newest of their clicks.
        """
        ...
