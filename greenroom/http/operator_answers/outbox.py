"""What is to follow from what happened, and what became of it."""

from __future__ import annotations

import json
from typing import Self

from pydantic import JsonValue

from greenroom.schema.outbox import Job, JobState, OutboxFigures
from greenroom.schema.wire import Moment, Wire


class JobOut(Wire):
    """One handler's part in one event. ``type`` is the event's, ``aggregate_id`` the conversation it is about. A ``pending`` job runs
    until ``claimed_until``, and is otherwise waiting, or scheduled if ``due_at`` is still to come."""

    id: str
    event_id: str
    type: str
    handler: str
    aggregate_id: str
    state: JobState
    attempts: int
    planned_at: Moment
    due_at: Moment
    claimed_by: str | None
    claimed_until: Moment | None
    last_error: str | None
    created_at: Moment
    finished_at: Moment | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            id=job.id,
            event_id=job.event_id,
            type=job.type,
            handler=job.handler,
            aggregate_id=job.aggregate_id,
            state=job.state,
            attempts=job.attempts,
            planned_at=job.planned_at,
            due_at=job.due_at,
            claimed_by=job.claimed_by,
            claimed_until=job.claimed_until,
            last_error=job.last_error,
            created_at=job.created_at,
            finished_at=job.finished_at,
        )


class JobDetailOut(JobOut):
    """``payload`` is the event as it was written, with what users wrote of the lesson."""

    payload: dict[str, JsonValue]

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(**JobOut.of(job).model_dump(), payload=json.loads(job.payload))


class OutboxFiguresOut(Wire):
    """How much is to be done; each count is exact up to 10000, where it stops.

    Pending jobs are ``waiting`` (due), ``running`` (a worker has them) or ``scheduled`` (due later: reminders, and what is to be tried
    again). ``oldest_s``: how long ago the first that is pending was to be done.
    """

    waiting: int
    running: int
    scheduled: int
    dead: int
    oldest_s: float

    @classmethod
    def of(cls, figures: OutboxFigures) -> Self:
        return cls(
            waiting=figures.waiting,
            running=figures.running,
            scheduled=figures.scheduled,
            dead=figures.dead,
            oldest_s=figures.oldest.total_seconds(),
        )


class OutboxOut(Wire):
    """Newest first, running ones the longest due first; ``next_cursor`` is null on the last page."""

    items: list[JobOut]
    next_cursor: str | None
    figures: OutboxFiguresOut
