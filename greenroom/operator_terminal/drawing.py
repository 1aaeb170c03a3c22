"""A snapshot, drawn for a terminal's width."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from greenroom.operator_terminal.client import ServerFailure
from greenroom.operator_terminal.snapshot import Snapshot
from greenroom.operator_terminal.table import actor_table
from greenroom.operator_terminal.tree import actor_tree, worker_tree
from greenroom.operator_terminal.view import View
from greenroom.operator_terminal.words import duration, plain

LATE_MS: Final = 50
"""A loop that is this late is felt by people."""


def draw(
    snapshot: Snapshot, view: View, url: str, failure: ServerFailure | None = None, *, width: int
) -> RenderableType:
    """Draw a snapshot, the last one that could be had if there is a ``failure``, in ``width`` columns."""
    body: RenderableType
    if not view.is_ranked:
        body = actor_tree(snapshot.alone.tree) if snapshot.alone else Group(*map(worker_tree, snapshot.workers))
    elif ranked := snapshot.ranked(view):
        body = actor_table(ranked, width=width, sort=view.sort)
    else:
        body = Text("no actor fits", style="dim")
    return Group(_headline(snapshot, url, failure), Text(), body)


def _headline(snapshot: Snapshot, url: str, failure: ServerFailure | None) -> Text:
    text = Text()
    text.append("greenroom", style="bold green")
    text.append(f"  {plain(url)}", style="dim")
    if failure is not None:
        text.append(f"  disconnected: {failure}; what follows is older", style="bold red")
        return text
    # Of several, the worst loop, and all letters.
    loops = [seen.loop for seen in snapshot.seen]
    lag_ms = max((loop["lag_ms"]["p99"] for loop in loops), default=None)
    text.append(f"  lag p99 {duration(lag_ms)}", style="bold red" if (lag_ms or 0) > LATE_MS else "")
    text.append(f"  longest turn {duration(max((loop['longest_turn_ms'] for loop in loops), default=None))}")
    text.append(f"  busy {max((loop['busy_share'] for loop in loops), default=0):.0%}")
    letters = sum(seen.dead_letters for seen in snapshot.seen)
    text.append(f"  dead letters {letters}", style="yellow" if letters else "")
    return text
