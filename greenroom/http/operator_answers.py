"""Shapes that operators see: the actor tree, one actor, dead letters, and the events of the operators' stream.

They are read from the kernel's own records by attribute, so that the two can't be mixed up field by field.
"""

from __future__ import annotations

import json
from typing import Self

from pydantic import ConfigDict, Field, JsonValue

from greenroom.schema.wire import Moment, Wire
from greenroom.supervisor import ActorDetail, ActorSystem, DeadLetter, LifecycleEvent, Node


class _FromRecord(Wire):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class MailboxOut(_FromRecord):
    depth: int
    capacity: int
    policy: str
    peak: int
    oldest_ms: float


class CurrentOut(_FromRecord):
    """The message in hand; ``count`` is more than 1 for a batch, ``callers`` wait for its answer."""

    message: str
    for_ms: float
    count: int
    deadline_left_ms: float | None
    callers: list[str]
    trace_id: str


class LatencyOut(_FromRecord):
    """Upper bounds, at most twice the true value; null before any message."""

    p50: float | None
    p95: float | None
    p99: float | None


class CollapsedOut(_FromRecord):
    """Children left out: how many, and the worst among them."""

    count: int
    mailbox_depth_max: int
    restarts: int
    failed: int


class ActorOut(_FromRecord):
    """One actor, or supervisor (then without mailbox and latency)."""

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
    current: CurrentOut | None
    latency_ms: LatencyOut | None
    strategy: str | None
    intensity_used: int
    intensity_allowed: int


class ActorNodeOut(ActorOut):
    """An actor with those below it."""

    children: list[ActorNodeOut]
    children_total: int
    collapsed: CollapsedOut | None

    @classmethod
    def of(cls, node: Node) -> Self:
        return cls.model_validate(node)


class ActorsOut(Wire):
    actors: list[ActorOut]


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
    """``lagged``: so many events were dropped because this reader was too slow."""

    missed: int


class TreeDeltaOut(Wire):
    """``tree``: the actors that changed since the last one (at first, all), and the paths that are gone."""

    changed: list[ActorOut]
    removed: list[str] = Field(default_factory=list)


class BeatOut(Wire):
    """``heartbeat``"""

    actors: int
