"""What is demanded of the figures, in one place: a bound of the ratio to a baseline, or of greenroom's own figure.

A bar that is missed stays where it is, and the table says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bench.figures import Bar, Figure

BARS: Final[Mapping[tuple[str, str], Bar]] = {}
"""By the name of a figure and of its baseline."""


class NoSuchFigure(Exception):
    """A bar belongs to nothing that was measured: a figure or its baseline was renamed."""


def with_bars(figures: Sequence[Figure], bars: Mapping[tuple[str, str], Bar] = BARS) -> list[Figure]:
    """Give each figure its bar."""
    return [replace(figure, bar=bars.get((figure.name, figure.baseline_name))) for figure in figures]


def check_bars(figures: Sequence[Figure], bars: Mapping[tuple[str, str], Bar] = BARS) -> None:
    """Hold the bars against a run of everything.

    Raises:
        NoSuchFigure: one of them found no figure.
    """
    lost = bars.keys() - {(figure.name, figure.baseline_name) for figure in figures}
    if lost:
        raise NoSuchFigure("; ".join(f"{name!r} beside {baseline!r}" for name, baseline in sorted(lost)))
