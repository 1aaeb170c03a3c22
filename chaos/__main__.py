"""``python -m chaos``: break a server in every way there is here.

Exits with 1 if it broke a promise, with 3 if it missed a bar, with 4 if the harness itself failed, which says nothing of
the server.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from random import SystemRandom
from traceback import format_exception
from typing import Annotated, Final

import trio
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chaos.broken import PromiseBroken
from chaos.launch import NotHere
from chaos.line import NoAnswer
from chaos.report import add_failed, add_played, add_skipped, repro, verdict_table
from chaos.scenario import Scenario, play
from chaos.scenarios import SCENARIOS
from chaos.server import ServerFailed

EXIT_KEPT: Final = 0
EXIT_BROKEN: Final = 1
EXIT_MISSED: Final = 3
EXIT_FAILED: Final = 4
EXIT_TERMINATED: Final = 128 + signal.SIGTERM
SEVERITY: Final = (EXIT_KEPT, EXIT_MISSED, EXIT_FAILED, EXIT_BROKEN)
VERDICTS: Final = {
    EXIT_KEPT: "every promise was kept",
    EXIT_MISSED: "every promise was kept, some bars were missed",
    EXIT_FAILED: "the harness itself failed; the rest was kept",
    EXIT_BROKEN: "broken promises",
}

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
    workers: Annotated[
        int | None, typer.Option(min=2, help="Processes, in the scenarios of several; by default 2.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Play all of it so often, with seeds counted up.")] = 1,
    is_long: Annotated[bool, typer.Option("--long", help="Each scenario's full number of rounds.")] = False,
) -> None:
    """Run servers of our own, break them while clients talk, and hold what the clients saw against the promises."""
    unknown = set(only or ()) - set(SCENARIOS)
    if unknown:
        raise typer.BadParameter(
            f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}", param_hint="--only"
        )
    if is_long and rounds is not None:
        raise typer.BadParameter("it has its own number of rounds; leave out --rounds", param_hint="--long")
    first = SystemRandom().getrandbits(32) if seed is None else seed
    plan = Plan(only or list(SCENARIOS), range(first, first + seeds), rounds, workers, is_long=is_long)
    raise typer.Exit(trio.run(_play_until_told, plan))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be played."""

    names: list[str]
    seeds: range
    rounds: int | None
    workers: int | None
    is_long: bool

    def rounds_of(self, scenario: Scenario) -> int | None:
        return scenario.rounds_long if self.is_long else self.rounds


async def _play_until_told(plan: Plan) -> int:
    """Play, and return the exit status. SIGTERM ends it early and in order, as Ctrl-C does: no server is left over."""
    status = EXIT_TERMINATED
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_sigterm, nursery.cancel_scope)
        status = max([await _play_all(plan, seed) for seed in plan.seeds], key=SEVERITY.index)
        nursery.cancel_scope.cancel()
    return status


async def _cancel_on_sigterm(running: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            running.cancel()


async def _play_all(plan: Plan, seed: int) -> int:
    """Play every scenario with one seed; return the exit status."""
    out.print(f"seed {seed}", highlight=False)
    table = verdict_table()
    status = EXIT_KEPT
    complaints = []
    for name in plan.names:
        scenario = SCENARIOS[name]
        rounds = plan.rounds_of(scenario)
        out.print(f"{name}: {scenario.what} ...", style="dim", highlight=False)
        outcome = await _play_one(table, scenario, seed=seed, rounds=rounds, workers=plan.workers)
        if outcome.words:
            again = repro(name, seed=seed, rounds=rounds, workers=plan.workers)
            complaints.append((f"{name} {', '.join(outcome.words)}", again))
        status = max(status, outcome.status, key=SEVERITY.index)
    out.print(table)
    for complaint, again in complaints:
        out.print(f"{complaint}\n  {again}", style="red", highlight=False, markup=False)
    named = "; ".join(complaint.partition("\n")[0] for complaint, _ in complaints)
    verdict = f"seed {seed}: {VERDICTS[status]}" + (f": {named}" if named else "")
    out.print(verdict, highlight=False, markup=False, soft_wrap=True)
    return status


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario came to, and what there is to say of it unless all was well."""

    status: int
    words: tuple[str, ...] = ()


async def _play_one(
    table: Table, scenario: Scenario, *, seed: int, rounds: int | None, workers: int | None
) -> Outcome:
    """Play a scenario and add its row."""
    played, reason, missing, failure = None, "", "", ""
    try:
        played = await play(scenario, seed=seed, rounds=rounds, workers=workers)
    except* NotHere as group:
        missing = "; ".join(_reasons(group))
    except* (PromiseBroken, ServerFailed, NoAnswer, trio.TooSlowError) as group:
        reason = "; ".join(_reasons(group)) or "a step took too long"
    except* Exception as group:
        # The outermost edge: the other scenarios are played all the same, and nobody takes a bug of ours for the server's.
        failure = "; ".join(f"{type(exc).__name__}: {exc}" for exc in _leaves(group))
        out.print("".join(format_exception(group)), style="dim", highlight=False, markup=False)
    if reason or failure:
        words = tuple(filter(None, (reason, failure)))
        add_failed(table, scenario, escape("; ".join(words)))
        return Outcome(EXIT_BROKEN if reason else EXIT_FAILED, words)
    if played is None:
        add_skipped(table, scenario, escape(missing))
        return Outcome(EXIT_KEPT)
    add_played(table, scenario, played)
    status = EXIT_BROKEN if played.broken else EXIT_MISSED if played.missed else EXIT_KEPT
    return Outcome(status, (*played.broken, *played.missed))


def _reasons(group: BaseExceptionGroup[BaseException]) -> list[str]:
    return [reason for reason in map(str, _leaves(group)) if reason]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for exc in group.exceptions:
        if isinstance(exc, BaseExceptionGroup):
            yield from _leaves(exc)
        else:
            yield exc


if __name__ == "__main__":
    typer.run(main)
