"""``python -m bench``: measure, beside baselines, and print a table. About 80 s; ends by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Final

import trio
import typer
from rich.console import Console

from bench.committer import committer_figures
from bench.deliveries import delivery_figures
from bench.figures import Figure
from bench.http_path import http_figures
from bench.kernel import kernel_figures
from bench.memory import memory_figures
from bench.report import HISTORY, Surroundings, figures_table, record

TIMEOUT_S: Final = 180.0
"""Of a whole run, which takes half of this: what does not end is broken and not slow."""

PARTS: Final[dict[str, Callable[[], Awaitable[list[Figure]]]]] = {
    "kernel": kernel_figures,
    "memory": memory_figures,
    "committer": committer_figures,
    "http": http_figures,
    "deliveries": delivery_figures,
}

out = Console(width=170)


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(PARTS)}; may be repeated.")] = None,
    keep: Annotated[
        bool, typer.Option("--record", help=f"Append the figures to {HISTORY.name}, for the next to compare.")
    ] = False,
) -> None:
    """Measure greenroom beside something else that does the same work, on this machine, over loopback only."""
    unknown = set(only or ()) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}", param_hint="--only")
    if keep and only:
        raise typer.BadParameter("a snapshot is of everything: leave out --only", param_hint="--record")
    surroundings, figures = trio.run(partial(_measure, only or list(PARTS)))
    out.print(figures_table(figures))
    if keep:
        record(surroundings, figures)
        out.print(f"recorded in {HISTORY.name}", style="dim", highlight=False)


async def _measure(parts: list[str]) -> tuple[Surroundings, list[Figure]]:
    surroundings = Surroundings.look()
    out.print(str(surroundings), highlight=False)
    began = trio.current_time()
    figures: list[Figure] = []
    with trio.fail_after(TIMEOUT_S):
        for part in parts:
            figures += await PARTS[part]()
            out.print(f"{part}: done at {trio.current_time() - began:.0f} s", style="dim", highlight=False)
    out.print()
    return surroundings, figures


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()
