"""The operators' stream: once a second, what changed in the tree, what happened to actors, and how the loop fares.

Its cost is bounded whatever the actors do: one write a second, so many nodes in a tree, so many events in a write. What
is more than that is counted and left out, what happens all the time before what does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import trio

from greenroom.actors.core import Core
from greenroom.http.faults import CrossSiteRequest
from greenroom.http.operator_answers import (
    ActorOut,
    BeatOut,
    LaggedOut,
    LifecycleOut,
    PulseOut,
    TreeDeltaOut,
)
from greenroom.schema.errors import NotAuthenticated, PermissionDenied, Unavailable
from greenroom.schema.events import Closing, ClosingReason, Frame
from greenroom.schema.wire import Wire, to_json
from greenroom.supervisor import LifecycleEvent, Node, Subscription

WRITE_EVERY_S: Final = 1.0
"""A person reads no faster."""

EVENTS_MAX: Final = 100
"""Events in one write."""

ROUTINE: Final = frozenset({"actor.started", "actor.stopped", "actor.passivated", "actor.message"})
"""What happens to healthy actors all the time; left out first."""

HEARTBEAT_S: Final = 15.0
"""Also how often it is checked that the operator still is one."""

RETRY_MS: Final = 3_000


class OperatorFeed:
    """Makes the frames of one operator's stream. Use :meth:`receive` from one task until it returns nothing.

    Args:
        recheck: raises when the operator no longer is one.
    """

    def __init__(
        self,
        core: Core,
        events: Subscription,
        *,
        depth: int,
        children_max: int,
        recheck: Callable[[], Awaitable[object]],
    ) -> None:
        self._core = core
        self._events = events
        self._depth = depth
        self._children_max = children_max
        self._recheck = recheck
        self._shown: dict[str, tuple[object, ...]] = {}
        self._has_ended = False
        self._write_at = trio.current_time()
        self._heartbeat_at = self._write_at + HEARTBEAT_S

    async def receive(self) -> Sequence[Frame]:
        """Wait for the next write; empty once the stream has ended."""
        if self._has_ended:
            return ()
        await trio.sleep_until(self._write_at)
        if self._core.draining.has_begun:
            return self._close(ClosingReason.DRAINING, reconnect=True)
        now = trio.current_time()
        # From now and not from when it was due: a slow reader gets fewer writes, not a burst of them.
        self._write_at = now + WRITE_EVERY_S
        frames = [*self._tree_delta(), *self._pending(), self._pulse()]
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + HEARTBEAT_S
            try:
                await self._recheck()
            except (NotAuthenticated, PermissionDenied, CrossSiteRequest):
                return self._close(ClosingReason.REVOKED, reconnect=False)
            except Unavailable:
                pass  # it can't be checked now; it will be with the next beat
            frames.append(_frame("heartbeat", BeatOut(actors=self._core.system.statistics().actors)))
        return frames

    def _pending(self) -> Iterator[Frame]:
        """What happened since the last write, in order."""
        told, missed = select_events(list(_drained(self._events)), EVENTS_MAX)
        if missed:
            yield _frame("lagged", LaggedOut(missed=missed))
        for event in told:
            yield _frame(event.event, LifecycleOut.of(event, self._core.system))

    def _pulse(self) -> Frame:
        second = self._core.loop.last_second()
        statistics = self._core.system.statistics()
        return _frame(
            "pulse",
            PulseOut(
                lag_ms_p99=second.lag_ms_p99,
                longest_turn_ms=second.longest_turn_ms,
                busy_share=second.busy_share,
                turns=second.turns,
                tasks=trio.lowlevel.current_statistics().tasks_living,
                actors=statistics.actors,
                streams=self._core.open_streams,
                restarts=statistics.restarts,
                dead_letters=self._core.system.dead_letters.total,
                wedged=statistics.wedged,
            ),
        )

    def _tree_delta(self) -> list[Frame]:
        root = self._core.system.tree(depth=self._depth, children_max=self._children_max)
        nodes = {node.path: node for node in _flatten(root)}
        marks = {path: _mark(node) for path, node in nodes.items()}
        changed = [
            ActorOut.model_validate(node)
            for path, node in nodes.items()
            if _is_waited_for(node) or self._shown.get(path) != marks[path]
        ]
        removed = [path for path in self._shown if path not in marks]
        self._shown = marks
        return [_frame("tree", TreeDeltaOut(changed=changed, removed=removed))] if changed or removed else []

    def _close(self, reason: ClosingReason, *, reconnect: bool) -> Sequence[Frame]:
        self._has_ended = True
        return [_frame("closing", Closing(reason=reason, reconnect=reconnect))]


def select_events(events: Sequence[LifecycleEvent], limit: int) -> tuple[list[LifecycleEvent], int]:
    """Choose what to tell of ``events``: at most ``limit`` in their order, and how many are missing.

    Of routine events the newest are kept, and those only in the room that the others leave.
    """
    missed = sum(event.missed for event in events)
    events = [event for event in events if event.event != "lagged"]
    notable = [index for index, event in enumerate(events) if event.event not in ROUTINE][-limit:]
    routine = [index for index, event in enumerate(events) if event.event in ROUTINE]
    room = limit - len(notable)
    kept = sorted(notable + (routine[-room:] if room else []))
    return [events[index] for index in kept], missed + len(events) - len(kept)


def _drained(events: Subscription) -> Iterator[LifecycleEvent]:
    while True:
        try:
            yield events.receive_nowait()
        except IndexError:
            return


def _flatten(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _flatten(child)


def _is_waited_for(node: Node) -> bool:
    """Whether times are running that a person wants to see growing."""
    return node.current is not None or (node.mailbox is not None and node.mailbox.depth > 0)


def _mark(node: Node) -> tuple[object, ...]:
    """What makes a node worth showing again; idle times and the like change by themselves."""
    return (
        node.state,
        node.hindrance,
        node.incarnation,
        node.restarts,
        node.handled,
        node.failed,
        node.mailbox.depth if node.mailbox is not None else 0,
        node.intensity_used,
        node.children_total,
        node.collapsed,
    )


def _frame(name: str, data: Wire) -> Frame:
    return Frame(id=None, event=name, data=to_json(data))
