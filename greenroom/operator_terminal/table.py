"""Those that stand out, as rows."""

from __future__ import annotations

from math import inf
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from greenroom.operator_terminal.snapshot import Json
from greenroom.operator_terminal.tree import now_of, state_of
from greenroom.operator_terminal.words import duration, plain

PIPED_WIDTH: Final = 10_000
"""Where no terminal cuts lines, nothing else should: wider than any line."""

COLUMNS: Final = {
    "actor": 0,
    "kind": 140,
    "state": 0,
    "mailbox": 0,
    "oldest": 110,
    "busy": 0,
    "handled": 120,
    "failed": 130,
    "p99": 90,
    "restarts": 80,
    "bytes": inf,
    "idle": inf,
    "now": 100,
}
"""Columns of the table, and how wide a terminal must be to have them; the one that is ranked by is always there."""

RANKED_BY: Final = {"depth": "mailbox"}
"""The column of an order, where it has another name."""


def actor_table(actors: list[Json], *, width: int, sort: str | None) -> Table:
    """Draw the answer of ``GET /api/v1/admin/actors/top``: what it is ranked by, and what else ``width`` has room for."""
    ranked_by = RANKED_BY.get(sort or "depth", sort)
    table = Table(box=None, pad_edge=False, header_style="dim", expand=width < PIPED_WIDTH)
    shown = [name for name, narrowest in COLUMNS.items() if width >= narrowest or name == ranked_by]
    for name in shown:
        is_text = name in {"actor", "kind", "state", "now"}
        table.add_column(
            name,
            no_wrap=True,
            overflow="ellipsis",
            justify="left" if is_text else "right",
            ratio=1 if name == "actor" else None,
            min_width=20 if name == "actor" else len(name),
        )
    for actor in actors:
        cells = _cells(actor)
        table.add_row(*(cells[name] for name in shown))
    return table


def _cells(actor: Json) -> dict[str, RenderableType]:
    mailbox, latency = actor.get("mailbox") or {}, actor.get("latency_ms") or {}
    return {
        "actor": Text(plain(str(actor["path"])), style="bold"),
        "kind": plain(str(actor.get("kind", ""))),
        "state": state_of(actor),
        "mailbox": f"{mailbox.get('depth', 0)}/{mailbox.get('capacity', 0)}",
        "oldest": duration(mailbox["oldest_ms"]) if mailbox.get("depth") else "",
        "busy": f"{actor.get('busy_share', 0.0):.0%}",
        "handled": str(actor.get("handled", 0)),
        "failed": _noted(actor.get("failed", 0)),
        "p99": duration(latency.get("p99")),
        "restarts": _noted(actor.get("restarts", 0)),
        "bytes": str(mailbox.get("bytes", 0)),
        "idle": duration(actor.get("idle_ms")),
        "now": now_of(actor),
    }


def _noted(count: int) -> Text:
    return Text(str(count), style="yellow" if count else "dim")
