"""One actor or supervisor as an operator sees it: the record, and how it is read off a child.

A tree is bounded by depth and by rows: children beyond those are summed up, not listed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from greenroom.supervisor.base_supervisor import BaseSupervisor
from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.hindrance import hindrance_of
from greenroom.supervisor.inspection.collapsed import Collapsed, collapse
from greenroom.supervisor.meter import percentile_s
from greenroom.supervisor.status import Status


@dataclass(frozen=True, slots=True)
class MailboxNode:
    """An inbox, in messages but for ``bytes``."""

    depth: int
    capacity: int
    policy: str
    peak: int
    bytes: int  # 0 unless the mailbox is bounded in bytes
    oldest_ms: float  # how long the oldest message has waited


@dataclass(frozen=True, slots=True)
class CurrentMessage:
    """What an actor is at now."""

    message: str  # its type; of a batch, the type of the first
    count: int  # 1, or the size of the batch
    for_ms: float
    deadline_left_ms: float | None
    callers: tuple[str, ...]  # who waits for the answer, the first asker first
    trace_id: str
    activity: str | None  # what the behaviour says it is at


@dataclass(frozen=True, slots=True)
class Latency:
    """Time in the handler, in milliseconds; upper bounds, at most twice the true value. None before any message."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class Node:
    """One actor or supervisor. The second group is for actors, the last for supervisors."""

    path: str
    name: str
    kind: str
    key: str | None
    state: str
    incarnation: int
    restarts: int
    started_at: datetime | None  # None without a wall clock, and before the first start
    backoff_left_ms: float
    is_essential: bool
    hindrance: str | None  # what keeps it from working

    idle_ms: float = 0.0  # since the last message it handled, those of its own timers included
    handled: int = 0
    failed: int = 0
    expired: int = 0
    refused: int = 0
    busy_share: float = 0.0  # of about the last ten seconds, 0 to 1
    mailbox: MailboxNode | None = None
    current: CurrentMessage | None = None
    latency_ms: Latency | None = None

    strategy: str | None = None
    intensity_used: int = 0
    intensity_allowed: int = 0
    children: tuple[Node, ...] = ()
    children_total: int = 0
    collapsed: Collapsed | None = None


def node_of(child: Child, *, depth: int | None = 0, children_max: int = 50) -> Node:
    """The node of one child with ``depth`` levels below it; None for all of them."""
    now = child.system.now()
    hindrance = hindrance_of(child)
    node = Node(
        path=child.path,
        name=child.name,
        kind=child.kind,
        key=child.key,
        state=child.status.value,
        incarnation=child.incarnation,
        restarts=child.restarts,
        started_at=child.system.wall_time(child.started_at) if child.incarnation else None,
        backoff_left_ms=max(0.0, 1000 * (child.backoff_until - now)) if child.state is Status.BACKOFF else 0.0,
        is_essential=child.is_essential,
        hindrance=None if hindrance is None else hindrance.value,
    )
    match child:
        case Cell():
            return _of_actor(node, child, now)
        case BaseSupervisor():
            return _of_supervisor(node, child, now, depth, children_max)
        case _:
            return node


def _of_actor(node: Node, cell: Cell, now: float) -> Node:
    meter = cell.meter
    meter.count_turn()
    buckets = meter.buckets()
    return replace(
        node,
        idle_ms=1000 * max(0.0, now - meter.last_handled) if cell.current is None else 0.0,
        handled=meter.handled,
        failed=meter.failed,
        expired=meter.expired,
        refused=meter.refused,
        busy_share=meter.busy_share(now),
        mailbox=MailboxNode(
            depth=len(cell.mailbox),
            capacity=cell.mailbox.capacity,
            policy=cell.mailbox.spec.overflow.name,
            peak=cell.mailbox.peak,
            bytes=cell.mailbox.bytes,
            oldest_ms=1000 * cell.mailbox.oldest_s(now),
        ),
        current=_current(cell, now),
        latency_ms=Latency(*(_percentile_ms(buckets, share) for share in (0.5, 0.95, 0.99))),
    )


def _of_supervisor(
    node: Node, supervisor: BaseSupervisor, now: float, depth: int | None, children_max: int
) -> Node:
    members = supervisor.members()
    below = iter(members)
    shown: tuple[Node, ...] = ()
    if depth is None or depth > 0:
        less = None if depth is None else depth - 1
        first = islice(below, children_max)
        shown = tuple(node_of(each, depth=less, children_max=children_max) for each in first)
    return replace(
        node,
        strategy=supervisor.strategy.value,
        intensity_used=supervisor.window.used(now),
        intensity_allowed=supervisor.window.intensity,
        children=shown,
        children_total=len(members),
        collapsed=collapse(below, len(members) - len(shown)),
    )


def _current(cell: Cell, now: float) -> CurrentMessage | None:
    current = cell.current
    if current is None:
        return None
    first, count = (current, 1) if cell.batch is None else (cell.batch[0], len(cell.batch))
    return CurrentMessage(
        message=type(first.message).__name__,
        count=count,
        for_ms=1000 * (now - cell.current_since),
        deadline_left_ms=None if current.deadline == float("inf") else 1000 * (current.deadline - now),
        callers=current.chain,
        trace_id=current.trace_id,
        activity=cell.context.activity if cell.context is not None else None,
    )


def _percentile_ms(buckets: list[int] | None, share: float) -> float | None:
    seconds = percentile_s(buckets, share)
    return None if seconds is None else 1000 * seconds
