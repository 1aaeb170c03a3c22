"""A run that failed says what failed and how to see it again."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from chaos import __main__ as command
from chaos.checker import check
from chaos.ledger import Acked, Ledger, Sent
from chaos.report import refusals, repro, settled
from chaos.scenario import Played, PromiseBroken, Scenario

LOST = Ledger((Sent("t", "s", "c1", 0.0, ("503", "503", "201")),), (Acked("t", "s", "c1", "m1", 1),), (), ())


def run_with(monkeypatch: pytest.MonkeyPatch, outcome: Played | PromiseBroken) -> tuple[int, str]:
    """Run the command with one scenario that ends in ``outcome``."""

    async def play(scenario: Scenario, *, seed: int, rounds: int | None) -> Played:
        if isinstance(outcome, PromiseBroken):
            raise outcome
        return outcome

    monkeypatch.setattr(command, "play", play)
    app = typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, ["--only", "kill9", "--seed", "7"])
    return result.exit_code, result.output


def test_a_broken_promise_is_exit_status_1_with_the_seed_and_the_way_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdict = check(LOST)
    status, output = run_with(monkeypatch, Played(LOST, verdict, "", 1.0, verdict.broken))
    assert status == 1
    assert "1 lost" in output
    assert "python -m chaos --only kill9 --seed 7" in output


def test_a_server_that_does_not_stop_is_exit_status_1_too(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = run_with(monkeypatch, PromiseBroken("it did not stop"))
    assert status == 1
    assert "it did not stop" in output
    assert "python -m chaos --only kill9 --seed 7" in output


def test_kept_promises_are_exit_status_0(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Ledger((), (), (), ())
    status, output = run_with(monkeypatch, Played(empty, check(empty), "", 1.0, {}))
    assert status == 0
    assert "every promise was kept" in output


def test_refusals_are_counted_by_kind() -> None:
    assert refusals(LOST) == "2 x 503"


def test_the_repro_names_the_rounds_that_were_asked_for() -> None:
    assert repro("kill9", seed=7, rounds=4) == "python -m chaos --only kill9 --seed 7 --rounds 4"


def test_a_message_that_was_stored_before_its_answer_was_lost_counts_as_settled() -> None:
    again = Sent("t", "s", "c2", 0.0, ("ReadError", "200"))
    assert settled(Ledger((*LOST.sent, again), (), (), ())) == 1
