"""The workers of this machine."""

from __future__ import annotations

from pydantic import Field

from greenroom.http.operator_answers.actors import ActorNodeOut
from greenroom.schema.wire import Moment, Wire


class WorkerOut(Wire):
    """One of the processes that serve. Of one that does not answer now nothing else is known than its name."""

    name: str
    is_asked: bool = Field(description="Whether it is the one that took this request.")
    answers: bool
    pid: int | None
    started_at: Moment | None
    root: ActorNodeOut | None


class WorkersOut(Wire):
    workers: list[WorkerOut]
