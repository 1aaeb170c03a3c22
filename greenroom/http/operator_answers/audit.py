"""What operators did."""

from __future__ import annotations

from typing import Self

from greenroom.schema.audit import AuditEntry, AuditOutcome, OperatorAction, OperatorKind
from greenroom.schema.wire import Moment, Wire


class AuditEntryOut(Wire):
    """What an operator did. ``outcome`` is ``begun`` while it is under way, or if its end could not be written.

    ``operator_name`` is what a user calls themself now; null for a key.
    """

    id: str
    at: Moment
    operator_kind: OperatorKind
    operator_id: str
    operator_name: str | None
    action: OperatorAction
    path: str
    reason: str | None
    request_id: str
    outcome: AuditOutcome
    detail: str | None
    settled_at: Moment | None

    @classmethod
    def of(cls, entry: AuditEntry, operator_name: str | None) -> Self:
        return cls(
            id=entry.id,
            at=entry.at,
            operator_kind=entry.operator.kind,
            operator_id=entry.operator.id,
            operator_name=operator_name,
            action=entry.action,
            path=entry.path,
            reason=entry.reason,
            request_id=entry.request_id,
            outcome=entry.outcome,
            detail=entry.detail,
            settled_at=entry.settled_at,
        )


class AuditOut(Wire):
    """Newest first; ``next_cursor`` is null on the last page."""

    items: list[AuditEntryOut]
    next_cursor: str | None
