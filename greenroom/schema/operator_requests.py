"""What operators send, to look inside the server and to act on it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from greenroom.schema.fields import PAGE_LIMIT_MAX, Limit, OperatorReason, PageCursor, digits
from greenroom.schema.outbox import JobsShown
from greenroom.schema.request_models import Body, Query


class ActorRank(StrEnum):
    """What operators may rank actors by, highest first."""

    DEPTH = "depth"
    OLDEST = "oldest"
    BUSY = "busy"
    RESTARTS = "restarts"
    IDLE = "idle"
    BYTES = "bytes"
    HANDLED = "handled"
    FAILED = "failed"


class ActorState(StrEnum):
    """What operators may filter actors by."""

    STARTING = "starting"
    RUNNING = "running"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    RESTARTING = "restarting"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    PASSIVATED = "passivated"
    WEDGED = "wedged"


class ReadActors(Query):
    """``depth`` counts levels below the root; further children of a supervisor than ``children_max`` are summed up."""

    depth: Annotated[int, Field(ge=0, le=20), BeforeValidator(digits)] = 4
    children_max: Limit = 50


class RankActors(Query):
    """``key_prefix`` is what the key of an actor that is started on demand begins with."""

    sort: ActorRank = ActorRank.DEPTH
    limit: Limit = 50
    kind: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    state: ActorState | None = None
    key_prefix: Annotated[str, Field(max_length=64)] = ""
    cursor: Annotated[str | None, StringConstraints(min_length=1, max_length=600)] = None


class ReadCalls(Query):
    limit: Limit = 50


class ActOnActor(Body):
    """``reason`` is kept with the record of the action."""

    reason: OperatorReason | None = None


class ProbeSteps(Body):
    """Measure every step of every task for so many seconds; it slows the server down meanwhile."""

    for_s: Annotated[float, Field(gt=0, le=60)] = 10.0


class ReadDeadLetters(Query):
    limit: Limit = PAGE_LIMIT_MAX
    reason: Annotated[str | None, StringConstraints(pattern=r"^[a-z_]{1,32}$")] = None


class ReadAudit(Query):
    limit: Limit = 50
    cursor: PageCursor | None = None


class ReadOutbox(Query):
    """``running`` jobs are also pending ones; there are few, so they come without a cursor."""

    state: JobsShown | None = None
    limit: Limit = 50
    cursor: PageCursor | None = None
