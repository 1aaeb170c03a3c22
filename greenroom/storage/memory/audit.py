"""The twin of the operators' audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from greenroom.schema.audit import AuditEntry, AuditId, AuditOutcome, AuditPageKey
from greenroom.schema.errors import Conflict
from greenroom.storage.memory.database import MemoryDatabase


class MemoryAudit:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def begin(self, entry: AuditEntry) -> None:
        async with self._database.operation("audit.begin"):
            kept = self._database.tables.audit
            if entry.id in kept:
                raise Conflict("The change contradicts operator_audit_pkey.")
            kept[entry.id] = replace(entry, outcome=AuditOutcome.BEGUN, detail=None, settled_at=None)

    async def settle(self, audit_id: AuditId, outcome: AuditOutcome, *, detail: str | None, now: datetime) -> bool:
        async with self._database.operation("audit.settle"):
            kept = self._database.tables.audit
            entry = kept.get(audit_id)
            if entry is None or entry.outcome is not AuditOutcome.BEGUN:
                return False
            if outcome is AuditOutcome.BEGUN:
                raise Conflict("The change contradicts operator_audit_settled.")
            kept[audit_id] = replace(entry, outcome=outcome, detail=detail, settled_at=now)
            return True

    async def page(self, *, before: AuditPageKey | None, limit: int) -> list[AuditEntry]:
        async with self._database.operation("audit.page"):
            newest = sorted(self._database.tables.audit.values(), key=lambda e: (e.at, e.id), reverse=True)
            if before is not None:
                newest = [entry for entry in newest if (entry.at, entry.id) < (before.at, before.id)]
            return newest[:limit]
