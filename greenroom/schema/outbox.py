"""The outbox: what is to follow from a change, written in the transaction that changes, done afterwards.

A job is one handler's part in one event. It is done at least once; its handler sees to it that doing it again changes nothing.

Source: Gray, "Notes on data base operating systems" (1978), on actions that can't be undone; "Transactional outbox", microservices.io.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from greenroom.schema.ids import EventId, JobId


class JobState(StrEnum):
    """``PENDING`` jobs are still to be done: they are waiting, running or scheduled (see :class:`OutboxFigures`). ``DEAD`` ones have
    failed too often; an operator may have them tried again."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class JobsShown(StrEnum):
    """Which jobs operators look at: those of a state, or the pending ones that a worker has in hand."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class JobHandler(StrEnum):
    """Who does a job."""

    SYSTEM_MESSAGE = "system_message"
    REMINDER = "reminder"
    MAIL_STUDENT = "mail_student"
    MAIL_INSTRUCTOR = "mail_instructor"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is to be written.

    Attributes:
        aggregate_id: what its event is about: jobs of the same aggregate and handler are done in the order of ``planned_at``,
            and those planned for the same moment in the order in which they were written.
        payload: the event, as JSON.
        planned_at: not before this.
    """

    id: JobId
    event_id: EventId
    type: str
    handler: str
    aggregate_id: str
    payload: str
    planned_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Attributes:
        place: among all jobs, in the order in which they were written.
        due_at: when it is tried next.
        attempts: how often it was claimed since it was written, or since an operator had it tried again.
        claimed_by, claimed_until: the worker that has it, and until when nobody else takes it.
        last_error: why it failed the last time; never an address or a text that users wrote.
    """

    place: int
    id: JobId
    event_id: EventId
    type: str
    handler: str
    aggregate_id: str
    payload: str
    planned_at: datetime
    due_at: datetime
    state: JobState
    attempts: int
    claimed_by: str | None
    claimed_until: datetime | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


COUNTED_MAX: Final = 10_000
"""Where counts of jobs stop: what is more is as worrying, and a count has to read each."""


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """How much is to be done; each count is exact up to COUNTED_MAX, where it stops. A pending job is one of the first three.

    Attributes:
        waiting: due, and in nobody's hands.
        running: claimed by a worker, whose lease lasts.
        scheduled: due later: reminders, and what failed and is to be tried again.
        dead: failed too often.
        oldest: how long ago the first that is pending was to be done; nothing if none was to be done by now.
    """

    waiting: int
    running: int
    scheduled: int
    dead: int
    oldest: timedelta
