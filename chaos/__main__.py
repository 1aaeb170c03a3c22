"""``python -m chaos``: break a server in every way there is here, and exit with 1 if it broke a promise."""

from __future__ import annotations

import signal
from functools import partial
from random import SystemRandom
from typing import Annotated, Final

import httpx
import trio
import typer
from rich.console import Console
from rich.markup import escape

from chaos.report import add_failed, add_played, repro, verdict_table
from chaos.scenario import PromiseBroken, play
from chaos.scenarios import SCENARIOS
from chaos.server import ServerFailed

EXIT_TERMINATED: Final = 128 + signal.SIGTERM

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
    raise typer.Exit(trio.run(partial(_play_until_told, only or list(SCENARIOS), chosen, rounds)))


async def _play_until_told(names: list[str], seed: int, rounds: int | None) -> int:
    """Play, and return the exit status. SIGTERM ends it early and in order, as Ctrl-C does: no server is left over."""
    status = EXIT_TERMINATED
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_sigterm, nursery.cancel_scope)
        status = int(await _play_all(names, seed, rounds))
        nursery.cancel_scope.cancel()
    return status


async def _cancel_on_sigterm(running: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            running.cancel()


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
