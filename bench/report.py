"""What a run comes to: where it was taken, a table, and a snapshot to keep."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import trio
from rich.table import Table

from bench.committer import flush_us
from bench.figures import Better, Figure
from greenroom.schema.clock import rfc3339, system_wall_clock

ROOT: Final = Path(__file__).parents[1]
HISTORY: Final = ROOT / "metrics_history.json"
GIT_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where and of what the figures were taken; without this they mean nothing.

    Attributes:
        commit: ends in ``+`` if files that git knows were changed since.
        load_before: processes that wanted a processor, on average over the last minute; above 0.5 or so the machine
            was not ours alone, and only ratios are worth comparing.
        flush_us: what this disk takes to make 8 KiB durable.
    """

    commit: str
    python: str
    trio: str
    cpus: int
    cpu_model: str
    date: str
    load_before: float
    flush_us: float

    @classmethod
    def look(cls) -> Surroundings:
        return cls(
            commit=_commit(),
            python=platform.python_version(),
            trio=trio.__version__,
            cpus=os.cpu_count() or 0,
            cpu_model=_cpu_model(),
            date=rfc3339(system_wall_clock()),
            load_before=round(os.getloadavg()[0], 2),
            flush_us=round(flush_us()),
        )

    def __str__(self) -> str:
        return (
            f"{self.date}, commit {self.commit}, Python {self.python}, Trio {self.trio}, {self.cpus} x {self.cpu_model}\n"
            f"load before {self.load_before}, a flush to disk takes {self.flush_us:,.0f} µs"
        )


def figures_table(figures: Sequence[Figure]) -> Table:
    """A row per figure. Medians over the rounds; the ratio is the median of the rounds' own, with its range."""
    table = Table(show_edge=False)
    table.add_column("figure")
    table.add_column("greenroom", justify="right", no_wrap=True)
    table.add_column("baseline", justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("range", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("baseline is")
    for figure in figures:
        is_ahead = (figure.ratio > 1) == (figure.better is Better.MORE)
        table.add_row(
            figure.name,
            _number(median(figure.greenroom)),
            _number(median(figure.baseline)),
            f"[{'green' if is_ahead else 'yellow'}]{figure.ratio:.2f}[/]",
            f"{min(figure.ratios):.2f} to {max(figure.ratios):.2f}",
            f"{figure.unit}, {figure.better.value} is better",
            figure.baseline_name,
        )
    return table


def record(surroundings: Surroundings, figures: Sequence[Figure], history: Path = HISTORY) -> None:
    """Append a snapshot to the history, which is replaced in one step.

    Raises:
        ValueError: what is there is no history; it is left as it is.
    """
    snapshots = json.loads(history.read_text()) if history.exists() else []
    if not isinstance(snapshots, list):
        raise ValueError(f"{history} holds no list of snapshots")
    snapshots.append(_snapshot(surroundings, figures))
    written = history.with_suffix(".new")
    written.write_text(json.dumps(snapshots, indent=2, ensure_ascii=False) + "\n")
    written.replace(history)


def _snapshot(surroundings: Surroundings, figures: Sequence[Figure]) -> dict[str, Any]:
    taken = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "better": figure.better.value,
            "baseline_name": figure.baseline_name,
            "greenroom": [_rounded(sample) for sample in figure.greenroom],
            "baseline": [_rounded(sample) for sample in figure.baseline],
            "ratio": _rounded(figure.ratio),
        }
        for figure in figures
    ]
    return asdict(surroundings) | {"figures": taken}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _commit() -> str:
    head = _git("rev-parse", "--short=12", "HEAD")
    return f"{head}+" if _git("status", "--porcelain", "--untracked-files=no") else head


def _git(*arguments: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed command
            ["git", *arguments],  # noqa: S607 - whichever git the reader has
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return ended.stdout.strip()


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
