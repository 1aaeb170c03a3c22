"""``python -m chaos``: break a server in every way there is here, and exit with 1 if it broke a promise."""

from __future__ import annotations

from functools import partial
from random import SystemRandom
from typing import Annotated

import httpx
import trio
import typer
from rich.console import Console
from rich.markup import escape

from chaos.report import add_failed, add_played, repro, verdict_table
from chaos.scenario import PromiseBroken, play
from chaos.scenarios import SCENARIOS
from chaos.server import ServerFailed

out = Console(width=200)


def main(
    seed: Annotated[
        int | None, typer.Option(help="Of an earlier run, to repeat it; by default a new one.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Faults per scenario; by default each has its own.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(SCENARIOS)}; may be repeated.")
    ] = None,
) -> None:
    """Run servers of our own, break them while clients talk, and hold what the clients saw against the promises."""
    unknown = set(only or ()) - set(SCENARIOS)
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(sorted(unknown))}", param_hint="--only")
    chosen = SystemRandom().getrandbits(32) if seed is None else seed
    failed = trio.run(partial(_play_all, only or list(SCENARIOS), chosen, rounds))
    raise typer.Exit(1 if failed else 0)


async def _play_all(names: list[str], seed: int, rounds: int | None) -> bool:
    out.print(f"seed {seed}", highlight=False)
    table = verdict_table()
    complaints = []
    for name in names:
        scenario = SCENARIOS[name]
        out.print(f"{name}: {scenario.what} ...", style="dim", highlight=False)
        played, reason = None, ""
        try:
            played = await play(scenario, seed=seed, rounds=rounds)
        except* (PromiseBroken, ServerFailed, trio.TooSlowError, httpx.HTTPError) as group:
            reason = "; ".join(_reasons(group)) or "a step took too long"
        if played is None:
            add_failed(table, scenario, escape(reason))
            complaints.append(f"{name}: {reason}\n  {repro(name, seed=seed, rounds=rounds)}")
            continue
        add_played(table, scenario, played)
        if played.broken:
            counts = ", ".join(f"{count} {promise}" for promise, count in played.broken.items())
            complaints.append(f"{name}: {counts}\n  {repro(name, seed=seed, rounds=rounds)}")
    out.print(table)
    for complaint in complaints:
        out.print(complaint, style="red", highlight=False, markup=False)
    out.print(f"seed {seed}: {'broken promises' if complaints else 'every promise was kept'}", highlight=False)
    return bool(complaints)


def _reasons(group: BaseExceptionGroup[BaseException]) -> list[str]:
    reasons = []
    for exc in group.exceptions:
        reasons += _reasons(exc) if isinstance(exc, BaseExceptionGroup) else [str(exc)]
    return [reason for reason in reasons if reason]


if __name__ == "__main__":
    typer.run(main)
