"""Everything about one child: its node, its last exits and messages, its own view, where its task stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child, ExitRecord
from greenroom.supervisor.inspection.node import Node, node_of
from greenroom.supervisor.inspection.totals import MessageStatistics, kind_statistics
from greenroom.supervisor.meter import MessageHeader

VIEW_CHARS_MAX = 64 * 1024

STACK_FRAMES_MAX = 20


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
        statistics=kind_statistics(child.system, child.kind).messages,
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
