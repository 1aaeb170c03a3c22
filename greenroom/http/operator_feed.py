"""The operators' stream: what happens to actors as it happens, and what changed in the tree once a second.

Its cost is bounded whatever the actors do: so many writes a second, so many nodes in a tree, and events beyond the
kernel's own buffer are replaced by one that says how many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

import trio

from greenroom.actors.core import Core
from greenroom.http.faults import CrossSiteRequest
from greenroom.http.operator_answers import ActorOut, BeatOut, LaggedOut, LifecycleOut, TreeDeltaOut
from greenroom.schema.errors import NotAuthenticated, PermissionDenied, Unavailable
from greenroom.schema.events import Closing, ClosingReason, Frame
from greenroom.schema.wire import Wire, to_json
from greenroom.supervisor import LifecycleEvent, Node, Subscription

TREE_EVERY_S: Final = 1.0
WRITE_EVERY_S: Final = 0.1
"""Ten writes a second look live to a person."""

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
        recheck: Callable[[], Awaitable[None]],
    ) -> None:
        self._core = core
        self._events = events
        self._depth = depth
        self._children_max = children_max
        self._recheck = recheck
        self._shown: dict[str, tuple[object, ...]] = {}
        self._has_ended = False
        self._write_at = self._tree_at = trio.current_time()
        self._heartbeat_at = self._tree_at + HEARTBEAT_S

    async def receive(self) -> Sequence[Frame]:
        """Wait for something to write; empty once the stream has ended."""
        if self._has_ended:
            return ()
        await trio.sleep_until(self._write_at)
        frames: list[Frame] = []
        while not frames:
            if self._core.is_draining:
                return self._close(ClosingReason.DRAINING, reconnect=True)
            with trio.move_on_at(min(self._tree_at, self._heartbeat_at)):
                frames += self._render(await self._events.receive())
            frames += self._pending()
            now = trio.current_time()
            if now >= self._tree_at:
                self._tree_at = now + TREE_EVERY_S
                frames += self._tree_delta()
            if now >= self._heartbeat_at:
                self._heartbeat_at = now + HEARTBEAT_S
                try:
                    await self._recheck()
                except (NotAuthenticated, PermissionDenied, CrossSiteRequest):
                    return self._close(ClosingReason.REVOKED, reconnect=False)
                except Unavailable:
                    pass  # it can't be checked now; it will be with the next beat
                frames.append(_frame("heartbeat", BeatOut(actors=self._core.system.statistics().actors)))
        self._write_at = trio.current_time() + WRITE_EVERY_S
        return frames

    def _pending(self) -> Iterator[Frame]:
        while True:
            try:
                event = self._events.receive_nowait()
            except IndexError:
                return
            yield from self._render(event)

    def _render(self, event: LifecycleEvent) -> list[Frame]:
        if event.event == "lagged":
            return [_frame("lagged", LaggedOut(missed=event.missed))]
        return [_frame(event.event, LifecycleOut.of(event, self._core.system))]

    def _tree_delta(self) -> list[Frame]:
        root = self._core.system.tree(depth=self._depth, children_max=self._children_max)
        nodes = {node.path: node for node in _flatten(root)}
        marks = {path: _mark(node) for path, node in nodes.items()}
        changed = [
            ActorOut.model_validate(node) for path, node in nodes.items() if self._shown.get(path) != marks[path]
        ]
        removed = [path for path in self._shown if path not in marks]
        self._shown = marks
        return [_frame("tree", TreeDeltaOut(changed=changed, removed=removed))] if changed or removed else []

    def _close(self, reason: ClosingReason, *, reconnect: bool) -> Sequence[Frame]:
        self._has_ended = True
        return [_frame("closing", Closing(reason=reason, reconnect=reconnect))]


def _flatten(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _flatten(child)


def _mark(node: Node) -> tuple[object, ...]:
    """What makes a node worth showing again; idle times and the like change by themselves."""
    return (
        node.state,
        node.incarnation,
        node.restarts,
        node.handled,
        node.failed,
        node.mailbox.depth if node.mailbox is not None else 0,
        node.children_total,
    )


def _frame(name: str, data: Wire) -> Frame:
    return Frame(id=None, event=name, data=to_json(data))
