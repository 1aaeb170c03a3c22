"""The actor tree, as branches."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from rich.text import Text
from rich.tree import Tree

from greenroom.operator_terminal.snapshot import Json, Worker
from greenroom.operator_terminal.words import duration, plain
from greenroom.schema.clock import system_wall_clock

STATE_STYLES: Final = {
    "running": "green",
    "handling": "cyan",
    "suspended": "yellow",
    "restarting": "bold yellow",
    "backoff": "bold yellow",
    "starting": "yellow",
    "stopping": "magenta",
    "stopped": "dim",
    "passivated": "dim",
    "wedged": "bold red",
}


def worker_tree(worker: Worker) -> Tree:
    """Draw one of several workers, with its pid and age, and below it the tree of its actors."""
    label = Text(f"worker {plain(worker.name)}", style="bold")
    if worker.pid is not None:
        label.append(f"  pid {worker.pid}", style="dim")
    if worker.started_at is not None:
        age = max(timedelta(0), system_wall_clock() - worker.started_at)
        label.append(f"  up {duration(age / timedelta(milliseconds=1))}", style="dim")
    if worker.seen is None:
        label.append("  does not answer", style="bold red")
        return Tree(label, guide_style="dim")
    tree = Tree(label, guide_style="dim")
    _grow(tree.add(_actor(worker.seen.tree)), worker.seen.tree)
    return tree


def actor_tree(node: Json) -> Tree:
    """Draw the answer of ``GET /api/v1/admin/actors``."""
    tree = Tree(_actor(node), guide_style="dim")
    _grow(tree, node)
    return tree


def _grow(branch: Tree, node: Json) -> None:
    for child in node.get("children") or ():
        _grow(branch.add(_actor(child)), child)
    rest = node.get("collapsed")
    if rest and node.get("children"):
        kinds = ", ".join(plain(str(each["kind"])) for each in rest.get("kinds") or ())
        about = f" ({kinds})" if kinds else ""
        branch.add(
            Text(f"and {rest['count']} more{about}, deepest mailbox {rest['mailbox_depth_max']}", style="dim")
        )


def _actor(node: Json) -> Text:
    name = plain(str(node["path"])).rpartition("/")[2] or "/"
    kind = plain(str(node.get("kind", "")))
    text = Text(name, style="bold")
    text.append("  " if kind in {name, ""} else f"  {kind}  ", style="dim")
    text.append_text(state_of(node))
    mailbox = node.get("mailbox")
    if mailbox:
        style = "yellow" if mailbox["depth"] * 2 > mailbox["capacity"] else "dim"
        text.append(f"  mailbox {mailbox['depth']}/{mailbox['capacity']}", style=style)
        text.append(f"  handled {node.get('handled', 0)}", style="dim")
    else:
        text.append(f"  {node.get('children_total', 0)} below", style="dim")
    for word in ("failed", "restarts"):
        if node.get(word):
            text.append(f"  {word} {node[word]}", style="yellow")
    latency = node.get("latency_ms")
    if latency and latency.get("p99") is not None:
        text.append(f"  p50 {duration(latency['p50'])}  p99 {duration(latency['p99'])}", style="dim")
    if node.get("current"):
        text.append("  ")
        text.append_text(now_of(node))
    return text


def state_of(node: Json) -> Text:
    state = plain(str(node["state"]))
    return Text(state, style=STATE_STYLES.get(state, ""))


def now_of(node: Json) -> Text:
    current = node.get("current")
    if not current:
        return Text(f"idle {duration(node.get('idle_ms'))}", style="dim")
    at = f" ({plain(str(current['activity']))})" if current.get("activity") else ""
    return Text(f"{plain(str(current['message']))}{at} for {duration(current['for_ms'])}", style="cyan")
