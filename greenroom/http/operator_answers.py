"""Shapes that operators see: the actor tree, one actor, dead letters, and the events of the operators' stream.

They are read from the kernel's own records by attribute, so that the two can't be mixed up field by field.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from pydantic import ConfigDict, Field, JsonValue

from greenroom.actors.loop_watch import LoopReport
from greenroom.actors.stall_watchdog import StallWatchdog
from greenroom.schema.audit import AuditEntry, AuditOutcome, OperatorAction, OperatorKind
from greenroom.schema.clock import WallClock
from greenroom.schema.outbox import Job, JobState, OutboxFigures
from greenroom.schema.wire import Moment, Wire
from greenroom.supervisor import ActorDetail, ActorSystem, DeadLetter, LifecycleEvent, Node, Page


class _FromRecord(Wire):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class MailboxOut(_FromRecord):
    depth: int
    capacity: int
    policy: str
    peak: int
    bytes: int
    oldest_ms: float


class CurrentOut(_FromRecord):
    """The message in hand; ``count`` is more than 1 for a batch, ``callers`` wait for its answer,
    ``activity`` is what the actor says it is at with it."""

    message: str
    for_ms: float
    count: int
    deadline_left_ms: float | None
    callers: list[str]
    trace_id: str
    activity: str | None


class LatencyOut(_FromRecord):
    """Upper bounds, at most twice the true value; null before any message."""

    p50: float | None
    p95: float | None
    p99: float | None


class CollapsedKindOut(_FromRecord):
    """Those of one kind among the children left out: how many, and the worst of them."""

    kind: str
    count: int
    mailbox_depth_max: int
    oldest_ms_max: float
    restarts_max: int
    failed_max: int


class CollapsedOut(_FromRecord):
    """Children left out: how many, and the worst among the first ``looked_at`` of them."""

    count: int
    looked_at: int
    mailbox_depth_max: int
    restarts: int
    failed: int
    kinds: list[CollapsedKindOut]


class ActorOut(_FromRecord):
    """One actor, or supervisor (then without mailbox and latency).

    ``hindrance`` is what keeps it from working, in words, null while nothing does; while an essential one is hindered,
    the worker is not ready.
    """

    path: str
    kind: str
    key: str | None
    state: str
    incarnation: int
    mailbox: MailboxOut | None
    handled: int
    failed: int
    expired: int
    refused: int
    restarts: int
    started_at: Moment | None
    idle_ms: float
    busy_share: float
    backoff_left_ms: float
    is_essential: bool
    hindrance: str | None
    current: CurrentOut | None
    latency_ms: LatencyOut | None
    strategy: str | None
    intensity_used: int
    intensity_allowed: int
    children_total: int
    collapsed: CollapsedOut | None


class ActorNodeOut(ActorOut):
    """An actor with those below it."""

    children: list[ActorNodeOut]

    @classmethod
    def of(cls, node: Node) -> Self:
        return cls.model_validate(node)


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


class ActorsOut(Wire):
    """``next_cursor`` is null on the last page. Values change between pages: an actor may be seen twice, or not."""

    actors: list[ActorOut]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page) -> Self:
        return cls(actors=[ActorOut.model_validate(node) for node in page.actors], next_cursor=page.cursor)


class CallsOut(Wire):
    """Actors that handle a message now, the one that does so for longest first; ``current.callers`` wait for it."""

    calls: list[ActorOut]

    @classmethod
    def of(cls, nodes: Sequence[Node]) -> Self:
        return cls(calls=[ActorOut.model_validate(node) for node in nodes])


class StackOut(Wire):
    """The awaits in which the actor's task stands now, outermost first; none if nothing runs."""

    path: str
    frames: list[str]


class ExitOut(Wire):
    """A past end: why, and where, innermost frame last."""

    at: Moment | None
    incarnation: int
    reason: str
    traceback: list[str]


class HandledOut(Wire):
    """A handled message, without its body."""

    at: Moment | None
    message: str
    queue_ms: float
    handler_ms: float
    failed: bool
    trace_id: str


class MessageTotalsOut(_FromRecord):
    """All actors of the same kind together."""

    message: str
    count: int
    failures: int
    expired: int
    queue_s: float
    handler_s: float


class ActorDetailOut(Wire):
    """``view`` is what the actor's own code shows of its state; ``stack`` where its task stands now."""

    node: ActorNodeOut
    exits: list[ExitOut]
    messages: list[HandledOut]
    watching: list[str]
    watched_by: list[str]
    view: dict[str, JsonValue]
    stack: list[str]
    is_traced: bool
    statistics: list[MessageTotalsOut]

    @classmethod
    def of(cls, detail: ActorDetail, system: ActorSystem) -> Self:
        return cls(
            node=ActorNodeOut.of(detail.node),
            exits=[
                ExitOut(
                    at=system.wall_time(exit_.at),
                    incarnation=exit_.incarnation,
                    reason=exit_.reason,
                    traceback=[str(frame) for frame in exit_.frames],
                )
                for exit_ in detail.exits
            ],
            messages=[
                HandledOut(
                    at=system.wall_time(header.at),
                    message=header.message_type,
                    queue_ms=header.queue_s * 1000,
                    handler_ms=header.handler_s * 1000,
                    failed=header.failed,
                    trace_id=header.trace_id,
                )
                for header in detail.messages
            ],
            watching=list(detail.watching),
            watched_by=list(detail.watched_by),
            view=json.loads(json.dumps(dict(detail.view), default=str)),
            stack=list(detail.stack),
            is_traced=detail.is_traced,
            statistics=[MessageTotalsOut.model_validate(totals) for totals in detail.statistics],
        )


class DeadLetterOut(Wire):
    at: Moment | None
    path: str
    message: str
    reason: str
    trace_id: str

    @classmethod
    def of(cls, letter: DeadLetter, system: ActorSystem) -> Self:
        return cls(
            at=system.wall_time(letter.at),
            path=letter.path,
            message=letter.message_type,
            reason=letter.reason.value,
            trace_id=letter.trace_id,
        )


class DeadLettersOut(Wire):
    """``items`` are the newest, newest first; ``counts`` are since the start, by reason."""

    total: int
    counts: dict[str, int]
    items: list[DeadLetterOut]


class LifecycleOut(Wire):
    """``actor.started``, ``.restarted``, ``.stopped``, ``.failed``, ``.passivated`` and the like."""

    at: Moment | None
    path: str
    kind: str
    key: str | None
    incarnation: int
    reason: str | None

    @classmethod
    def of(cls, event: LifecycleEvent, system: ActorSystem) -> Self:
        return cls(
            at=system.wall_time(event.at),
            path=event.path,
            kind=event.kind,
            key=event.key,
            incarnation=event.incarnation,
            reason=None if event.reason is None else str(event.reason),
        )


class LaggedOut(Wire):
    """``lagged``: so many events were left out, because more happened than is told, or this reader was too slow."""

    missed: int


class TreeDeltaOut(Wire):
    """``tree``: the actors that changed since the last one (at first, all), and the paths that are gone."""

    changed: list[ActorOut]
    removed: list[str] = Field(default_factory=list)


class BeatOut(Wire):
    """``heartbeat``"""

    actors: int


class PulseOut(Wire):
    """``pulse``, once a second: the loop's last whole second, and totals since the start."""

    lag_ms_p99: float
    longest_turn_ms: float
    busy_share: float
    turns: int
    tasks: int
    actors: int
    streams: int
    restarts: int
    dead_letters: int
    wedged: int


class PercentilesOut(_FromRecord):
    p50: float
    p95: float
    p99: float
    max: float


class GcPausesOut(_FromRecord):
    count: int
    total_ms: float
    longest_ms: float


class LoopSecondOut(_FromRecord):
    ago_s: float
    lag_ms_p99: float
    longest_turn_ms: float
    busy_share: float
    turns: int


class LongStepOut(_FromRecord):
    """``owner`` is a task's name: for actors, their path."""

    owner: str
    ms: float
    ago_s: float


class StepReportOut(_FromRecord):
    """What the step hooks see while they are attached, and saw last. A batch is the tasks that ran in one turn."""

    is_attached: bool
    left_s: float
    steps: int
    batch_mean: float
    batch_max: int
    longest: list[LongStepOut]


class StallOut(Wire):
    """The loop was blocked: for how long when it was noticed, by which task, and where that was."""

    at: Moment
    for_ms: float
    owner: str
    stack: list[str]


class LoopOut(_FromRecord):
    """The event loop in the last minute.

    ``lag_ms`` is how long what happens at a random moment waits for the loop; a turn is what the loop does between two
    looks at sockets and timers. ``steps`` is null until it was asked for; ``stall_threshold_ms`` is null when nothing
    watches for stalls.
    """

    window_s: float
    lag_ms: PercentilesOut
    turns: int
    busy_share: float
    longest_turn_ms: float
    tasks_living: int
    tasks_runnable: int
    next_deadline_ms: float | None
    gc: GcPausesOut
    steps: StepReportOut | None
    seconds: list[LoopSecondOut]
    stall_threshold_ms: float | None = None
    stalls: list[StallOut] = Field(default_factory=list)

    @classmethod
    def of(cls, report: LoopReport, watchdog: StallWatchdog | None, *, wall: WallClock, now: float) -> Self:
        """
        Args:
            now: on the clock of the stalls.
        """
        loop = cls.model_validate(report)
        if watchdog is None:
            return loop
        stalls = [
            StallOut(
                at=wall() - timedelta(seconds=now - stall.at),
                for_ms=stall.for_ms,
                owner=stall.owner,
                stack=list(stall.stack),
            )
            for stall in reversed(watchdog.stalls)
        ]
        return loop.model_copy(update={"stall_threshold_ms": watchdog.threshold_s * 1000, "stalls": stalls})


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
