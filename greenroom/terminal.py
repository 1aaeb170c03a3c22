"""What the command line shows: steps that take long, the settings, the actor tree."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import trio
from pydantic import SecretStr
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from greenroom.schema.settings import Settings, environment_name

SHOWN_AFTER_S: Final = 2.0
"""A step shorter than this is not worth a line."""

_STATE_STYLES: Final = {
    "running": "green",
    "handling": "cyan",
    "suspended": "yellow",
    "restarting": "bold yellow",
    "backoff": "bold yellow",
    "stopping": "magenta",
    "stopped": "dim",
    "wedged": "bold red",
}


class Steps:
    """Names what is going on when it takes a while, and how long it took in the end.

    :meth:`watch` runs beside the steps, in a task of its own.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._changed = trio.Event()
        self._current: tuple[str, float] | None = None

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say ``what`` is going on until the block ends; one step at a time."""
        started = trio.current_time()
        self._set((what, started))
        try:
            yield
        finally:
            self._set(None)
        took = trio.current_time() - started
        if took > SHOWN_AFTER_S:
            self._console.print(f"{what}: done in {took:.1f} s", style="dim")

    async def watch(self) -> None:
        """Show each step that takes longer than two seconds, while it does."""
        while True:
            self._changed = trio.Event()
            with trio.move_on_after(SHOWN_AFTER_S if self._current else math.inf) as waiting:
                await self._changed.wait()
            if waiting.cancelled_caught and self._current is not None:
                self._console.print(f"{self._current[0]} ...", style="dim")
                await self._changed.wait()

    def _set(self, current: tuple[str, float] | None) -> None:
        self._current = current
        self._changed.set()


def settings_listing(settings: Settings) -> Text:
    """Every setting with its value and meaning, and its default where it differs; secrets are only said to be set."""
    listing = Text()
    for name, field in Settings.model_fields.items():
        value, default = _shown(getattr(settings, name)), _shown(field.default)
        listing.append(f"{environment_name(name)}={value}", style="bold")
        if value != default:
            listing.append(f"  (default {default})", style="dim")
        listing.append(f"\n    {field.description}\n")
    listing.rstrip()
    return listing


def actor_tree(node: dict[str, Any]) -> Tree:
    """Draw the answer of ``GET /api/v1/admin/actors``."""
    tree = Tree(_actor(node))
    _grow(tree, node)
    return tree


def _grow(branch: Tree, node: dict[str, Any]) -> None:
    for child in node.get("children") or ():
        _grow(branch.add(_actor(child)), child)


def _actor(node: dict[str, Any]) -> Text:
    state = str(node["state"])
    text = Text(str(node["path"]).rpartition("/")[2] or "/", style="bold")
    text.append(f"  {state}", style=_STATE_STYLES.get(state, ""))
    mailbox = node.get("mailbox")
    if mailbox:
        text.append(f"  mailbox {mailbox['depth']}/{mailbox['capacity']}", style="dim")
    text.append(f"  handled {node.get('handled', 0)}", style="dim")
    for word in ("failed", "restarts"):
        if node.get(word):
            text.append(f"  {word} {node[word]}", style="yellow")
    latency = node.get("latency_ms")
    if latency and latency.get("p99") is not None:
        text.append(f"  p50 {latency['p50']:.1f} ms  p99 {latency['p99']:.1f} ms", style="dim")
    current = node.get("current")
    if current:
        text.append(f"  {current['message']} for {current['for_ms']:.0f} ms", style="cyan")
    return text


def _shown(value: object) -> str:
    match value:
        case None | ():
            return "-"
        case SecretStr():
            return "(set)"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
