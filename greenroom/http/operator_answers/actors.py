"""The actor tree, its rankings, and everything about one actor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Self

from pydantic import JsonValue

from greenroom.http.operator_answers.from_record import FromRecord
from greenroom.schema.wire import Moment, Wire
from greenroom.supervisor import ActorDetail, ActorSystem, Node, Page


class MailboxOut(FromRecord):
    depth: int
    capacity: int
    policy: str
    peak: int
    bytes: int
    oldest_ms: float


class CurrentOut(FromRecord):
    """The message in hand; ``count`` is more than 1 for a batch, ``callers`` wait for its answer,
    ``activity`` is what the actor says it is at with it."""

    message: str
    for_ms: float
    count: int
    deadline_left_ms: float | None
    callers: list[str]
    trace_id: str
    activity: str | None


class LatencyOut(FromRecord):
    """Upper bounds, at most twice the true value; null before any message."""

    p50: float | None
    p95: float | None
    p99: float | None


class CollapsedKindOut(FromRecord):
    """Those of one kind among the children left out: how many, and the worst of them."""

    kind: str
    count: int
    mailbox_depth_max: int
    oldest_ms_max: float
    restarts_max: int
    failed_max: int


class CollapsedOut(FromRecord):
    """Children left out: how many, and the worst among the first ``looked_at`` of them."""

    count: int
    looked_at: int
    mailbox_depth_max: int
    restarts: int
    failed: int
    kinds: list[CollapsedKindOut]


class ActorOut(FromRecord):
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


class MessageTotalsOut(FromRecord):
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
