"""The record of what operators do: written before the deed, settled after it.

Whoever can't be recorded can't act, and an action whose end could not be written stays ``begun``. No database connection
is held in between.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from greenroom.schema.audit import AuditEntry, AuditId, AuditOutcome, OperatorAction, OperatorName
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import DomainError, Unavailable
from greenroom.schema.ids import Ids
from greenroom.storage.ports import Audit

SETTLE_TIMEOUT_S: Final = 2.0
"""For writing the outcome, whatever became of whoever asked."""

_log = logging.getLogger(__name__)


class AuditTrail:
    def __init__(self, audit: Audit, *, ids: Ids, wall: WallClock) -> None:
        self._audit = audit
        self._ids = ids
        self._wall = wall

    @asynccontextmanager
    async def recorded(
        self, operator: OperatorName, action: OperatorAction, path: str, *, reason: str | None, request_id: str
    ) -> AsyncIterator[None]:
        """Record the action that the block takes.

        A block that ends is ``done``. One that raises a DomainError was ``refused``, with the error as the reason, but for
        Unavailable: that, and leaving it any other way, is ``unfinished``.

        Raises:
            Unavailable: it could not be recorded, so the block was not entered.
        """
        entry = AuditEntry(
            id=AuditId(self._ids.ulid()),
            at=self._wall(),
            operator=operator,
            action=action,
            path=path,
            reason=reason,
            request_id=request_id,
        )
        await self._audit.begin(entry)
        outcome, detail = AuditOutcome.UNFINISHED, None
        try:
            yield
            outcome = AuditOutcome.DONE
        except Unavailable:
            raise
        except DomainError as refusal:
            outcome, detail = AuditOutcome.REFUSED, str(refusal)
            raise
        finally:
            await self._settle(entry, outcome, detail)

    async def _settle(self, entry: AuditEntry, outcome: AuditOutcome, detail: str | None) -> None:
        # Whatever looks like a fault in the lines that follow may be of somebody's own making.
        _log.warning(
            "operator %s %s: %s %s: %s%s",
            entry.operator.kind.value,
            entry.operator.id,
            entry.action.value,
            entry.path,
            outcome.value,
            "" if detail is None else f" ({detail})",
        )
        # Shielded, because an operator who left still acted; bounded, because the database may have gone meanwhile.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + SETTLE_TIMEOUT_S) as scope:
            try:
                await self._audit.settle(entry.id, outcome, detail=detail, now=self._wall())
            except Unavailable as error:
                _log.error("audit entry %s stays begun, its outcome was %s: %s", entry.id, outcome, error)
        if scope.cancelled_caught:
            _log.error("audit entry %s stays begun, its outcome was %s: no answer in time", entry.id, outcome)
