"""What the command line shows: steps that take long, and the settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio
from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from greenroom.schema.environment import environment_name
from greenroom.schema.settings import Settings

SHOWN_AFTER_S: Final = 2.0
"""A step shorter than this is not worth a line."""


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
    """Every setting with its value, default and meaning; secrets are only said to be set."""
    listing = Text()
    for group in (settings, settings.search):
        for name, field in type(group).model_fields.items():
            listing.append(f"{environment_name(name)}={_shown(getattr(group, name))}", style="bold")
            listing.append(f"  (default {_shown(field.default)})", style="dim")
            listing.append(f"\n    {field.description}\n")
    listing.rstrip()
    return listing


def _shown(value: object) -> str:
    match value:
        case None | ():
            return "-"
        case bool():
            return str(value).lower()
        case SecretStr():
            return "(set)"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
