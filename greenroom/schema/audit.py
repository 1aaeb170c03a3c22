"""What operators did to a running server, as records: who, to what, why, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

AuditId = NewType("AuditId", str)


class OperatorKind(StrEnum):
    """How an operator proved to be one: signed in as a user, or with a key."""

    USER = "user"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class OperatorName:
    """Whom an action is put down to: a user's id, or the fingerprint of a key. Never the key, never an address."""

    kind: OperatorKind
    id: str


class ActorAction(StrEnum):
    """What an operator may do to an actor."""

    RESTART = "restart"
    STOP = "stop"
    SUSPEND = "suspend"
    RESUME = "resume"
    PASSIVATE = "passivate"


class JobAction(StrEnum):
    """What an operator may do to a job of the outbox."""

    RETRY = "retry"


class LoopAction(StrEnum):
    """What an operator may do to the event loop."""

    PROBE_STEPS = "probe_steps"


class SearchAction(StrEnum):
    """What an operator may do to the search."""

    CONFIGURE = "configure_search"
    APPROVE_ALIAS = "approve_alias"
    REVOKE_ALIAS = "revoke_alias"


OperatorAction = ActorAction | JobAction | LoopAction | SearchAction


def operator_action(text: str) -> OperatorAction:
    """Read an action by its name; raises ValueError for what is none."""
    for kind in (JobAction, LoopAction, SearchAction):
        if text in set(kind):
            return kind(text)
    return ActorAction(text)


class AuditOutcome(StrEnum):
    """How an action ended.

    ``BEGUN`` that stays says that the server ended, or lost its database, before it could write more: the action may
    have happened.
    """

    BEGUN = "begun"
    DONE = "done"
    REFUSED = "refused"
    UNFINISHED = "unfinished"
    """It took longer than was waited for, or the operator left; it goes on by itself."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. ``detail`` says why it was refused; ``settled_at`` is None while the outcome is ``BEGUN``."""

    id: AuditId
    at: datetime
    operator: OperatorName
    action: OperatorAction
    path: str
    reason: str | None
    request_id: str
    outcome: AuditOutcome = AuditOutcome.BEGUN
    detail: str | None = None
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPageKey:
    """Where a page of the audit ended. Newest first, ties by id descending."""

    at: datetime
    id: AuditId
