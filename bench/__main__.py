"""``python -m bench``: measure, beside named peers, and print a table. About nine minutes; ends by itself."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from functools import partial
from types import ModuleType
from typing import Annotated, Final, NamedTuple

import trio
import typer
from rich.console import Console

from bench import (
    committer,
    deliveries,
    drivers,
    http_path,
    kernel,
    memory,
    overload,
    replay,
    scaling,
    searching,
    sockets,
)
from bench.bars import lost_bars, with_bars
from bench.figures import Figure
from bench.history import HISTORY, Snapshot, latest, record, settings_of
from bench.report import README, describe, figures_table, summary, write_readme
from bench.surroundings import Surroundings, load

TIMEOUT_S: Final = 720.0
"""Of a whole run, which takes three quarters of this: what does not end is broken and not slow."""


class Part(NamedTuple):
    """A part of the run."""

    module: ModuleType
    figures: Callable[[], Awaitable[list[Figure]]]
    what: str


PARTS: Final = {
    "http": Part(
        http_path, http_path.http_figures, "sends and arrivals over HTTP, beside FastAPI and a bare hello"
    ),
    "drivers": Part(drivers, drivers.driver_figures, "Postgres drivers, beside asyncpg and psycopg on asyncio"),
    "kernel": Part(kernel, kernel.kernel_figures, "the kernel, beside memory channels and other actors in Python"),
    "memory": Part(memory, memory.memory_figures, "idle actors, beside idle tasks"),
    "committer": Part(committer, committer.committer_figures, "the committer, beside a transaction per message"),
    "deliveries": Part(deliveries, deliveries.delivery_figures, "event streams, beside streams by hand"),
    "sockets": Part(sockets, sockets.socket_figures, "sends over WebSocket, beside sends over HTTP"),
    "replay": Part(replay, replay.replay_figures, "a long past, read slowly"),
    "search": Part(
        searching,
        searching.search_figures,
        "searches of 20,000 instructors, beside FastAPI with tsvector and pgvector",
    ),
    "overload": Part(
        overload, overload.overload_figures, "five times as many searches as can be answered, for a minute"
    ),
    "scaling": Part(scaling, scaling.scaling_figures, "sends to two workers, beside sends to one"),
}

out = Console(width=190)


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(PARTS)}; may be repeated.")] = None,
    keep: Annotated[
        bool, typer.Option("--record", help=f"Append the figures to {HISTORY.name}, and show them in the README.")
    ] = False,
    readme: Annotated[
        bool, typer.Option("--readme", help="Measure nothing: render the newest snapshot into the README.")
    ] = False,
) -> None:
    """Measure greenroom beside named peers that do the same work, on this machine, over loopback only."""
    if readme:
        return _render()
    if unknown := set(only or ()) - set(PARTS):
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}", param_hint="--only")
    if keep and only:
        raise typer.BadParameter("a snapshot is of everything: leave out --only", param_hint="--record")
    snapshot = trio.run(partial(_measure, only or list(PARTS)))
    out.print(describe(snapshot.surroundings), highlight=False)
    out.print(figures_table(snapshot.figures))
    out.print(summary(snapshot.figures), highlight=False)
    if not only:
        for lost in lost_bars(snapshot.figures):
            out.print(f"a bar belongs to nothing that was measured: {lost}", style="red", highlight=False)
    if keep:
        record(snapshot)
        _render()
    return None


def _render() -> None:
    snapshot = latest()
    if snapshot is None:
        raise typer.BadParameter(f"{HISTORY.name} holds no snapshot yet: record one", param_hint="--readme")
    write_readme(snapshot)
    out.print(f"{README.name} shows the newest snapshot of {HISTORY.name}", style="dim", highlight=False)


async def _measure(names: list[str]) -> Snapshot:
    load_before = load()
    began = trio.current_time()
    figures: list[Figure] = []
    finished = False
    with trio.fail_after(TIMEOUT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_sigterm, nursery.cancel_scope)
            for name in names:
                out.print(
                    f"{trio.current_time() - began:3.0f} s  {PARTS[name].what}", style="dim", highlight=False
                )
                figures += await PARTS[name].figures()
            finished = True
            nursery.cancel_scope.cancel()
    if not finished:
        raise typer.Exit(128 + signal.SIGTERM)
    out.print(f"{trio.current_time() - began:3.0f} s  done\n", style="dim", highlight=False)
    settings = settings_of({name: PARTS[name].module for name in names})
    return Snapshot(Surroundings.look(load_before=load_before), settings, with_bars(figures))


async def _cancel_on_sigterm(scope: trio.CancelScope) -> None:
    """End as Ctrl-C does, so that no server is left running and no folder left behind."""
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        await anext(signals)
        scope.cancel()


if __name__ == "__main__":
    cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    cli.command()(main)
    cli()
