"""Readers are told plainly what was reached, and the README shows the newest snapshot."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.history import latest
from bench.report import (
    BEGIN,
    END,
    README,
    NoPlace,
    Row,
    figures_table,
    put_into,
    readme_figures,
    summary,
)
from tests.bench.test_history import snapshot


def test_a_row_says_what_was_wanted_and_whether_it_was_met() -> None:
    sends, memory, deliveries = map(Row.of, snapshot().figures)

    assert (sends.greenroom, sends.ratio, sends.want, sends.verdict) == ("1,250", "3.09", "≥ 3x", "met")
    assert (memory.want, memory.verdict) == ("≤ 4,900 bytes", "not met")
    assert (deliveries.greenroom, deliveries.want, deliveries.verdict) == ("12.3", "", "")


def test_only_figures_with_a_bar_are_summed_up() -> None:
    assert summary(snapshot().figures) == "1 of 2 bars met"


def test_the_terminal_shows_every_figure() -> None:
    shown = io.StringIO()

    Console(file=shown, width=190).print(figures_table(snapshot().figures))

    assert all(figure.name in shown.getvalue() for figure in snapshot().figures)
    assert "not met" in shown.getvalue()


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert put_into(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["nothing", BEGIN, END])
def test_a_text_without_both_marks_has_no_place_for_figures(text: str) -> None:
    with pytest.raises(NoPlace):
        put_into(text, "new")


def test_the_readme_shows_the_newest_snapshot() -> None:
    newest = latest()
    assert newest is not None
    readme = README.read_text()

    assert put_into(readme, readme_figures(newest)) == readme
