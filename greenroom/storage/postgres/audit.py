"""The operators' audit in Postgres."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from greenroom.schema.audit import (
    AuditEntry,
    AuditId,
    AuditOutcome,
    AuditPageKey,
    OperatorKind,
    OperatorName,
    operator_action,
)
from greenroom.storage.postgres.pool import Pool

BEGIN: Final = """
-- begin_audit: an action that is about to be taken.
INSERT INTO operator_audit (id, at, operator_kind, operator_id, action, path, reason, request_id, outcome)
VALUES (%(id)s, %(at)s, %(operator_kind)s, %(operator_id)s, %(action)s, %(path)s, %(reason)s, %(request_id)s, 'begun')
"""

SETTLE: Final = """
-- settle_audit: how an action ended, once.
UPDATE operator_audit SET outcome = %(outcome)s, detail = %(detail)s, settled_at = %(at)s
 WHERE id = %(id)s AND outcome = 'begun'
"""

PAGE: Final = """
-- audit_page: newest first; walks operator_audit_newest.
SELECT id, at, operator_kind, operator_id, action, path, reason, request_id, outcome, detail, settled_at
  FROM operator_audit ORDER BY at DESC, id DESC LIMIT %(limit)s
"""

PAGE_BEFORE: Final = """
-- audit_page_before: the same, below a key.
SELECT id, at, operator_kind, operator_id, action, path, reason, request_id, outcome, detail, settled_at
  FROM operator_audit WHERE (at, id) < (%(at)s, %(id)s) ORDER BY at DESC, id DESC LIMIT %(limit)s
"""


class PostgresAudit:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, entry: AuditEntry) -> None:
        params = {
            "id": entry.id,
            "at": entry.at,
            "operator_kind": entry.operator.kind.value,
            "operator_id": entry.operator.id,
            "action": entry.action.value,
            "path": entry.path,
            "reason": entry.reason,
            "request_id": entry.request_id,
        }
        await self._pool.run(BEGIN, params)

    async def settle(self, audit_id: AuditId, outcome: AuditOutcome, *, detail: str | None, now: datetime) -> bool:
        params = {"id": audit_id, "outcome": outcome.value, "detail": detail, "at": now}
        return await self._pool.run(SETTLE, params) > 0

    async def page(self, *, before: AuditPageKey | None, limit: int) -> list[AuditEntry]:
        if before is None:
            return await self._pool.fetch(PAGE, {"limit": limit}, _entry)
        return await self._pool.fetch(PAGE_BEFORE, {"at": before.at, "id": before.id, "limit": limit}, _entry)


def _entry(
    audit_id: AuditId,
    at: datetime,
    operator_kind: str,
    operator_id: str,
    action: str,
    path: str,
    reason: str | None,
    request_id: str,
    outcome: str,
    detail: str | None,
    settled_at: datetime | None,
) -> AuditEntry:
    return AuditEntry(
        id=audit_id,
        at=at,
        operator=OperatorName(OperatorKind(operator_kind), operator_id),
        action=operator_action(action),
        path=path,
        reason=reason,
        request_id=request_id,
        outcome=AuditOutcome(outcome),
        detail=detail,
        settled_at=settled_at,
    )
