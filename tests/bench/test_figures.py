"""A bar is reached or it is not, and belongs to a figure."""

from __future__ import annotations

import pytest

from bench.bars import lost_bars, with_bars
from bench.figures import Bar, Better, Figure, Of


def figure(better: Better = Better.MORE, *, bar: Bar | None = None) -> Figure:
    """Greenroom is 2, 3 and 5 times its baseline."""
    return Figure("sends", "sends/s", better, "a peer", (20.0, 30.0, 50.0), (10.0, 10.0, 10.0), bar)


def test_the_ratio_is_the_median_of_the_rounds_own() -> None:
    assert figure().ratio == 3.0


@pytest.mark.parametrize(
    ("better", "bar", "is_met"),
    [
        (Better.MORE, Bar(3.0), True),
        (Better.MORE, Bar(3.1), False),
        (Better.LESS, Bar(3.0), True),
        (Better.LESS, Bar(2.9), False),
        (Better.MORE, Bar(30.0, Of.LEVEL), True),
        (Better.LESS, Bar(29.0, Of.LEVEL), False),
        (Better.MORE, None, None),
    ],
)
def test_a_bar_is_inclusive_and_bounds_the_side_that_is_worse(
    better: Better, bar: Bar | None, is_met: bool | None
) -> None:
    assert figure(better, bar=bar).is_met is is_met


def test_a_bar_is_found_by_the_names_of_figure_and_baseline() -> None:
    bars = {("sends", "a peer"): Bar(2.0), ("sends", "another"): Bar(9.0)}

    [found] = with_bars([figure()], bars)

    assert found.bar == Bar(2.0)


def test_a_bar_whose_figure_was_renamed_is_named() -> None:
    assert lost_bars([figure()], {("sends", "a peer"): Bar(2.0), ("sent", "a peer"): Bar(2.0)}) == [
        "sent, beside a peer"
    ]
