"""What a run comes to: a table with a row per scenario, and a line to run again whatever failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from chaos.checker import PROMISES
from chaos.ledger import Ledger
from chaos.scenario import Played, Scenario
from chaos.timings import detected_s, healed_s

COUNTS = ("sent", "acked", "persisted", "delivered", *PROMISES)


def verdict_table() -> Table:
    """An empty table; a row per scenario follows."""
    table = Table(title_justify="left", show_edge=False)
    table.add_column("scenario", no_wrap=True)
    for name in COUNTS:
        table.add_column(name, justify="right")
    for name in ("t_detect", "t_heal", "s"):
        table.add_column(name, justify="right")
    table.add_column("seen", overflow="fold")
    return table


def add_played(table: Table, scenario: Scenario, played: Played) -> None:
    """A row for a scenario that came to its end."""
    counts = [_count(name, getattr(played.verdict, name)) for name in COUNTS]
    ledger = played.ledger
    times = (longest(detected_s(ledger)), longest(healed_s(ledger)), f"{played.took_s:.0f}")
    figures = "; ".join(
        f"[bold red]{figure}[/bold red]" if figure.is_missed else str(figure) for figure in played.figures
    )
    errors = f"errors: {refusals(ledger) or 'none'}; {settled(ledger)} settled by client_id"
    table.add_row(scenario.name, *counts, *times, f"{figures}; {errors}" if figures else errors)


def add_skipped(table: Table, scenario: Scenario, reason: str) -> None:
    """A row for a scenario that this machine can't play."""
    table.add_row(scenario.name, *("-" for _ in (*COUNTS, 0, 0, 0)), f"[yellow]skipped: {reason}[/yellow]")


def longest(seconds: Sequence[float]) -> str:
    """The longest of some times; a dash if there is none."""
    return f"{max(seconds):.2f}" if seconds else "-"


def add_failed(table: Table, scenario: Scenario, reason: str) -> None:
    """A row for a scenario in which the server did what no ledger shows."""
    table.add_row(scenario.name, *("-" for _ in (*COUNTS, 0, 0, 0)), f"[red]{reason.splitlines()[0]}[/red]")


def refusals(ledger: Ledger) -> str:
    """Attempts that were not answered with a 2xx, by status or by what the connection raised."""
    answers = Counter(
        attempt.answer for sent in ledger.sent for attempt in sent.attempts if not attempt.is_success
    )
    return ", ".join(f"{count} x {answer}" for answer, count in answers.most_common())


def settled(ledger: Ledger) -> int:
    """Messages that had been stored although their answer never came: a 200, the first message again, said so."""
    return sum(bool(sent.attempts) and sent.attempts[-1].answer == "200" for sent in ledger.sent)


def repro(name: str, *, seed: int, rounds: int | None, workers: int | None = None) -> str:
    """The command that plays one scenario again."""
    command = f".venv/bin/python -m chaos --only {name} --seed {seed}"
    command += "" if rounds is None else f" --rounds {rounds}"
    return command if workers is None else f"{command} --workers {workers}"


def _count(name: str, count: int) -> str:
    if name not in PROMISES:
        return str(count)
    return f"[bold red]{count}[/bold red]" if count else "[green]0[/green]"
