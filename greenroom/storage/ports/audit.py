"""What operators did."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from greenroom.schema.audit import AuditEntry, AuditId, AuditOutcome, AuditPageKey


class Audit(Protocol):
    """What operators did: written before the deed, settled once after it, never deleted here."""

    async def begin(self, entry: AuditEntry) -> None:
        """Store an action that is about to be taken, with the outcome ``BEGUN`` whatever the entry says.

        Raises:
            Conflict: the id is taken; nothing was stored.
        """
        ...

    async def settle(self, audit_id: AuditId, outcome: AuditOutcome, *, detail: str | None, now: datetime) -> bool:
        """Write how it ended; False if it is unknown or was settled before.

        Raises:
            Conflict: ``BEGUN`` is no end.
        """
        ...

    async def page(self, *, before: AuditPageKey | None, limit: int) -> list[AuditEntry]:
        """One page, newest first, ties by id descending; ``before`` is exclusive."""
        ...
