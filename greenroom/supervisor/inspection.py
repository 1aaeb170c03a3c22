"""What an operator sees: frozen records made from counters that are there anyway.

Nothing here asks an actor anything, so a wedged, suspended or overloaded one is seen as well as any other, and
nothing here waits. Every answer is bounded: by depth, by rows, by bytes.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING

import trio

from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child, ExitRecord, Status
from greenroom.supervisor.dynamic_supervisor import DynamicSupervisor
from greenroom.supervisor.hindrance import Hindrance, hindrance_of
from greenroom.supervisor.meter import BUCKET_BOUNDS_S, MessageHeader, percentile_s

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem

VIEW_CHARS_MAX = 64 * 1024
STACK_FRAMES_MAX = 20
COLLAPSED_LOOKED_AT_MAX = 2_000  # about a millisecond
SCAN_CHUNK = 500  # children looked at between two checkpoints; well below a millisecond


@dataclass(frozen=True, slots=True)
class MailboxNode:
    depth: int
    capacity: int
    policy: str
    peak: int
    bytes: int  # 0 unless the mailbox is bounded in bytes
    oldest_ms: float  # how long the oldest message has waited


@dataclass(frozen=True, slots=True)
class CurrentMessage:
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
class CollapsedKind:
    """Those of one kind among the children that were looked at: how many, and the worst of them."""

    kind: str
    count: int
    mailbox_depth_max: int
    oldest_ms_max: float
    restarts_max: int
    failed_max: int


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Children left out of a tree: how many, and the worst among the first ``looked_at`` of them."""

    count: int
    looked_at: int
    mailbox_depth_max: int
    restarts: int
    failed: int
    kinds: tuple[CollapsedKind, ...]


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


@dataclass(frozen=True, slots=True)
class ActorDetail:
    """Everything about one actor, or supervisor."""

    node: Node
    exits: tuple[ExitRecord, ...]  # oldest first, at most 20
    messages: tuple[MessageHeader, ...]  # the last few handled, oldest first, without bodies
    watching: tuple[str, ...]
    watched_by: tuple[str, ...]
    view: Mapping[str, object]  # the behaviour's own; {"error": ...} when it could not be had
    stack: tuple[str, ...]  # where its task stands now, innermost last
    is_traced: bool
    statistics: tuple[MessageStatistics, ...]  # of its kind, by message type


@dataclass(frozen=True, slots=True)
class MessageStatistics:
    """Totals of one message type for one kind of actor. ``buckets[i]`` counts handler times below ``bounds_s[i]``."""

    message: str
    count: int
    failures: int
    expired: int
    queue_s: float
    handler_s: float
    buckets: tuple[int, ...]
    bounds_s: tuple[float, ...] = BUCKET_BOUNDS_S


@dataclass(frozen=True, slots=True)
class KindStatistics:
    kind: str
    live: int
    activations: int
    passivations: int
    messages: tuple[MessageStatistics, ...]


@dataclass(frozen=True, slots=True)
class SystemStatistics:
    kinds: tuple[KindStatistics, ...]
    dead_letters: Mapping[str, int]
    restarts: int
    escalations: int
    wedged: int
    late_replies: int
    actors: int
    timers: int
    last_escalation: str


class Sort(Enum):
    """What to order :func:`top` by, highest first."""

    DEPTH = "depth"
    OLDEST = "oldest"
    BUSY = "busy"
    RESTARTS = "restarts"
    BYTES = "bytes"
    IDLE = "idle"
    HANDLED = "handled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """Actors of one listing. ``cursor`` gives the next page; None on the last. Values change between pages, so an
    actor may be seen twice or not at all."""

    actors: tuple[Node, ...]
    cursor: str | None


def node_of(child: Child, *, depth: int | None = 0, children_max: int = 50) -> Node:
    """The node of one child with ``depth`` levels below it; None for all of them."""
    return _actor_node(child) if isinstance(child, Cell) else _supervisor_node(child, depth, children_max)


def detail_of(child: Child) -> ActorDetail:
    """Everything about one child."""
    node = node_of(child, depth=1)
    if not isinstance(child, Cell):
        return ActorDetail(node, child.exits, (), (), (), {}, stack_of(child), False, ())
    watching = tuple(child.context.watching) if child.context is not None else ()
    return ActorDetail(
        node=node,
        exits=child.exits,
        messages=tuple(child.meter.recent()),
        watching=watching,
        watched_by=tuple(child.watched_by),
        view=view_of(child),
        stack=stack_of(child),
        is_traced=child.traced_until > child.system.now(),
        statistics=_kind_statistics(child.system, child.kind).messages,
    )


def view_of(cell: Cell) -> Mapping[str, object]:
    """What the behaviour shows of itself. It is the author's code, so it may fail, and may not be large."""
    if cell.actor is None:
        return {}
    try:
        view = dict(cell.actor.view())
        size = len(repr(view))
    except Exception as error:  # whatever an author's view may raise must not fail the inspection
        return {"error": f"{type(error).__name__}: {error}"}
    if size > VIEW_CHARS_MAX:
        return {"error": f"the view takes {size} characters, more than {VIEW_CHARS_MAX}"}
    return view


def stack_of(child: Child) -> tuple[str, ...]:
    """Where the incarnation's task stands: the awaits it is in, outermost first."""
    if child.task is None or not child.is_alive:
        return ()
    frames = [
        f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
        for frame, line in child.task.iter_await_frames()
    ]
    return tuple(frames[-STACK_FRAMES_MAX:])


def top(
    system: ActorSystem,
    *,
    sort: Sort = Sort.DEPTH,
    limit: int = 50,
    kind: str | None = None,
    state: str | None = None,
    key_prefix: str = "",
    cursor: str | None = None,
) -> Page:
    """The actors that stand out by ``sort``, highest first, ``limit`` of them.

    Looks at every actor once (some 0.3 us each), and makes nodes only for those it returns.
    """
    ranking = Ranking(
        system.now(), sort=sort, limit=limit, kind=kind, state=state, key_prefix=key_prefix, cursor=cursor
    )
    ranking.look_at(system.registry.children())
    return ranking.page()


class Ranking:
    """Keeps the actors that stand out among those it is shown, ``limit`` of them and one more.

    Raises:
        ValueError: ``cursor`` is none of this listing.
    """

    def __init__(
        self,
        now: float,
        *,
        sort: Sort,
        limit: int,
        kind: str | None = None,
        state: str | None = None,
        key_prefix: str = "",
        cursor: str | None = None,
    ) -> None:
        self._now = now
        self._rank = _RANKS[sort]
        self._limit = limit
        self._kind = kind
        self._state = state
        self._key_prefix = key_prefix
        self._after = _read_cursor(cursor)
        self._best: list[tuple[float, str, Cell]] = []

    def look_at(self, children: Iterable[Child]) -> None:
        """Consider these too. Paths are unique, so cells themselves are never compared."""
        now, rank, after = self._now, self._rank, self._after
        found = [
            (rank(child, now), child.path, child)
            for child in children
            if isinstance(child, Cell) and self._is_asked(child)
        ]
        if after is not None:
            found = [row for row in found if row[:2] < after]
        self._best = heapq.nlargest(self._limit + 1, self._best + found)

    def page(self) -> Page:
        page, more = self._best[: self._limit], self._best[self._limit :]
        nodes = tuple(node_of(cell) for _, _, cell in page)
        return Page(nodes, f"{page[-1][0]!r}|{page[-1][1]}" if more and page else None)

    def _is_asked(self, cell: Cell) -> bool:
        return (
            (self._kind is None or cell.kind == self._kind)
            and (not self._key_prefix or (cell.key or "").startswith(self._key_prefix))
            and (self._state is None or cell.status.value == self._state)
        )


def hindered_below(child: Child) -> Iterator[tuple[str, Hindrance]]:
    """What is essential and can't work: ``child``, or those below it."""
    if not child.is_essential:
        return
    hindrance = hindrance_of(child)
    if hindrance is not None:
        yield child.path, hindrance
    elif not isinstance(child, DynamicSupervisor):
        for below in child.members():
            yield from hindered_below(below)


async def scan(system: ActorSystem, look_at: Callable[[Sequence[Child]], None]) -> None:
    """Show every child to ``look_at``, some at a time, with a checkpoint between: however many there are, nobody else
    waits for longer than a chunk takes. What starts meanwhile is not seen; what ends meanwhile still is."""
    children = system.registry.children()
    for start in range(0, len(children), SCAN_CHUNK):
        look_at(children[start : start + SCAN_CHUNK])
        await trio.lowlevel.checkpoint()


def in_flight(system: ActorSystem, *, limit: int = 50) -> tuple[Node, ...]:
    """Actors that are handling a message now, the one that does so for longest first."""
    calls = CallsInFlight(system.now(), limit=limit)
    calls.look_at(system.registry.children())
    return calls.nodes()


class CallsInFlight:
    """Keeps the actors that have been at a message for longest, among those it is shown."""

    def __init__(self, now: float, *, limit: int) -> None:
        self._now = now
        self._limit = limit
        self._longest: list[tuple[float, str, Cell]] = []

    def look_at(self, children: Iterable[Child]) -> None:
        found = [
            (self._now - child.current_since, child.path, child)
            for child in children
            if isinstance(child, Cell) and child.current is not None
        ]
        if found:
            self._longest = heapq.nlargest(self._limit, self._longest + found)

    def nodes(self) -> tuple[Node, ...]:
        """Those that are at it still."""
        return tuple(node_of(cell) for _, _, cell in self._longest if cell.current is not None)


def statistics(system: ActorSystem) -> SystemStatistics:
    counters = system.counters
    return SystemStatistics(
        kinds=tuple(_kind_statistics(system, kind) for kind in system.kinds),
        dead_letters=system.dead_letters.counts,
        restarts=counters.restarts,
        escalations=counters.escalations,
        wedged=counters.wedged,
        late_replies=counters.late_replies,
        actors=sum(meter.live for meter in system.kinds.values()),
        timers=len(system.timers),
        last_escalation=system.last_escalation,
    )


def _actor_node(cell: Cell) -> Node:
    now = cell.system.now()
    meter = cell.meter
    meter.count_turn()
    buckets = meter.buckets()
    return Node(
        path=cell.path,
        name=cell.name,
        kind=cell.kind,
        key=cell.key,
        state=cell.status.value,
        incarnation=cell.incarnation,
        restarts=cell.restarts,
        started_at=_started_at(cell),
        backoff_left_ms=_backoff_left_ms(cell, now),
        is_essential=cell.is_essential,
        hindrance=_hindrance(cell),
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
            oldest_ms=1000 * _oldest_s(cell, now),
        ),
        current=_current(cell, now),
        latency_ms=Latency(*(_percentile_ms(buckets, share) for share in (0.5, 0.95, 0.99))),
    )


def _supervisor_node(child: Child, depth: int | None, children_max: int) -> Node:
    below = iter(child.members())
    window = child.window
    shown: tuple[Node, ...] = ()
    if depth is None or depth > 0:
        less = None if depth is None else depth - 1
        first = islice(below, children_max)
        shown = tuple(node_of(each, depth=less, children_max=children_max) for each in first)
    total = len(child.members())
    now = child.system.now()
    return Node(
        path=child.path,
        name=child.name,
        kind=child.kind,
        key=child.key,
        state=child.status.value,
        incarnation=child.incarnation,
        restarts=child.restarts,
        started_at=_started_at(child),
        backoff_left_ms=_backoff_left_ms(child, now),
        is_essential=child.is_essential,
        hindrance=_hindrance(child),
        strategy=child.strategy.value,
        intensity_used=window.used(now) if window is not None else 0,
        intensity_allowed=window.intensity if window is not None else 0,
        children=shown,
        children_total=total,
        collapsed=_collapse(below, total - len(shown)),
    )


def _collapse(children: Iterator[Child], count: int) -> Collapsed | None:
    """Sum up children; a glance at the first thousands, so that a tree costs the same however many there are."""
    if count == 0:
        return None
    seen = list(islice(children, COLLAPSED_LOOKED_AT_MAX))
    cells = [child for child in seen if isinstance(child, Cell)]
    by_kind: dict[str, list[Child]] = {}
    for child in seen:
        by_kind.setdefault(child.kind, []).append(child)
    return Collapsed(
        count=count,
        looked_at=len(seen),
        mailbox_depth_max=max((len(cell.mailbox.queue) for cell in cells), default=0),
        restarts=sum(child.restarts for child in seen),
        failed=sum(cell.meter.failed for cell in cells),
        kinds=tuple(_collapse_kind(kind, alike) for kind, alike in by_kind.items()),
    )


def _collapse_kind(kind: str, alike: Sequence[Child]) -> CollapsedKind:
    cells = [child for child in alike if isinstance(child, Cell)]
    now = alike[0].system.now()
    return CollapsedKind(
        kind=kind,
        count=len(alike),
        mailbox_depth_max=max((len(cell.mailbox.queue) for cell in cells), default=0),
        oldest_ms_max=1000 * max((_oldest_s(cell, now) for cell in cells), default=0.0),
        restarts_max=max(child.restarts for child in alike),
        failed_max=max((cell.meter.failed for cell in cells), default=0),
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


def _kind_statistics(system: ActorSystem, kind: str) -> KindStatistics:
    meter = system.kind_meter(kind)
    meter.count_turns()
    messages = tuple(
        MessageStatistics(
            message_type.__name__,
            sum(totals.buckets),
            totals.failures,
            totals.expired,
            totals.queue_s,
            totals.handler_s,
            tuple(totals.buckets),
        )
        for message_type, totals in meter.types.items()
    )
    return KindStatistics(kind, meter.live, meter.activations, meter.passivations, messages)


def _oldest_s(cell: Cell, now: float) -> float:
    queue = cell.mailbox.queue
    return now - queue[0].enqueued_at if queue else 0.0


def _percentile_ms(buckets: list[int] | None, share: float) -> float | None:
    seconds = percentile_s(buckets, share)
    return None if seconds is None else 1000 * seconds


def _started_at(child: Child) -> datetime | None:
    return child.system.wall_time(child.started_at) if child.incarnation else None


def _backoff_left_ms(child: Child, now: float) -> float:
    return max(0.0, 1000 * (child.backoff_until - now)) if child.state is Status.BACKOFF else 0.0


def _hindrance(child: Child) -> str | None:
    hindrance = hindrance_of(child)
    return None if hindrance is None else hindrance.value


def _read_cursor(cursor: str | None) -> tuple[float, str] | None:
    """Parse a page's cursor.

    Raises:
        ValueError: it is not one.
    """
    if cursor is None:
        return None
    value, _, path = cursor.partition("|")
    place = float(value)
    if math.isnan(place):
        raise ValueError("not a float that anything compares with")
    return place, path


_RANKS: dict[Sort, Callable[[Cell, float], float]] = {
    Sort.DEPTH: lambda cell, _now: len(cell.mailbox.queue),
    Sort.OLDEST: _oldest_s,
    Sort.BUSY: lambda cell, now: cell.meter.busy_share(now),
    Sort.RESTARTS: lambda cell, _now: cell.restarts,
    Sort.BYTES: lambda cell, _now: cell.mailbox.bytes,
    Sort.IDLE: lambda cell, now: now - cell.meter.last_handled,
    Sort.HANDLED: lambda cell, _now: cell.meter.handled,
    Sort.FAILED: lambda cell, _now: cell.meter.failed,
}
