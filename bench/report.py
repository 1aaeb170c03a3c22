"""What a run comes to, for readers: the same rows in a terminal and in the README."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from rich.table import Table

from bench.figures import Better, Figure, Of
from bench.history import Snapshot
from bench.surroundings import ROOT, Surroundings

README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- figures: rendered by `python -m bench --readme` -->"
END: Final = "<!-- end of figures -->"


class NoPlace(Exception):
    """The README has no two marks between which the table goes."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure in words. Medians over the rounds; the ratio is the median of the rounds' own, with its range."""

    figure: str
    greenroom: str
    baseline: str
    unit: str
    baseline_is: str
    ratio: str
    range: str
    want: str
    verdict: str

    @classmethod
    def of(cls, figure: Figure) -> Row:
        return cls(
            figure=figure.name,
            greenroom=_number(median(figure.greenroom)),
            baseline=_number(median(figure.baseline)),
            unit=figure.unit,
            baseline_is=figure.baseline_name,
            ratio=f"{figure.ratio:.2f}",
            range=f"{min(figure.ratios):.2f} to {max(figure.ratios):.2f}",
            want=_want(figure),
            verdict={True: "met", False: "not met", None: ""}[figure.is_met],
        )


def figures_table(figures: Sequence[Figure]) -> Table:
    """For a terminal."""
    table = Table(show_edge=False)
    for title in ("figure", "beside"):
        table.add_column(title)
    for title in ("greenroom", "beside it", "unit", "ratio", "range", "want", ""):
        table.add_column(title, justify="left" if title == "unit" else "right", no_wrap=True)
    for row in map(Row.of, figures):
        color = {"met": "green", "not met": "red", "": "default"}[row.verdict]
        table.add_row(
            row.figure,
            row.baseline_is,
            row.greenroom,
            row.baseline,
            row.unit,
            row.ratio,
            row.range,
            row.want,
            f"[{color}]{row.verdict}[/]",
        )
    return table


def summary(figures: Sequence[Figure]) -> str:
    """How many bars were reached."""
    verdicts = [figure.is_met for figure in figures if figure.is_met is not None]
    return f"{sum(verdicts)} of {len(verdicts)} bars met"


def describe(surroundings: Surroundings) -> str:
    """One sentence on where figures are from."""
    return (
        f"Commit {surroundings.commit}, {surroundings.date[:16].replace('T', ' ')} UTC, {surroundings.cpus} x "
        f"{surroundings.cpu_model}, Python {surroundings.python}, load {surroundings.load_before} before and "
        f"{surroundings.load_after} after, a flush to disk takes {surroundings.flush_us:,} µs."
    )


def readme_figures(snapshot: Snapshot) -> str:
    """The README's table, in Markdown."""
    lines = [
        f"{describe(snapshot.surroundings)} {summary(snapshot.figures)}.",
        "",
        "| | greenroom | beside it | | ratio (range) | want | |",
        "|---|---:|---:|---|---:|---:|---|",
    ]
    for row in map(Row.of, snapshot.figures):
        verdict = f"**{row.verdict}**" if row.verdict == "not met" else row.verdict
        lines.append(
            f"| {row.figure}, {row.unit} | {row.greenroom} | {row.baseline} | {row.baseline_is} "
            f"| {row.ratio} ({row.range}) | {row.want} | {verdict} |"
        )
    return "\n".join(lines)


def put_into(text: str, figures: str) -> str:
    """Replace what stands between the marks.

    Raises:
        NoPlace: one of them is not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"{BEGIN} and {END} have to be there")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def write_readme(snapshot: Snapshot, readme: Path = README) -> None:
    """Put a snapshot's table into the README.

    Raises:
        NoPlace: it has no place for one.
    """
    readme.write_text(put_into(readme.read_text(), readme_figures(snapshot)))


def _want(figure: Figure) -> str:
    if figure.bar is None:
        return ""
    bound = "≥" if figure.better is Better.MORE else "≤"
    unit = "x" if figure.bar.of is Of.RATIO else f" {figure.unit}"
    return f"{bound} {_bare(figure.bar.limit)}{unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _bare(value: float) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".")
