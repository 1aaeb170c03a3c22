"""A run that failed says what failed and how to see it again."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from chaos import __main__ as command
from chaos.broken import PromiseBroken
from chaos.checker import check
from chaos.figures import Figure
from chaos.launch import NotHere
from chaos.ledger import Acked, Attempt, Ledger, Sent
from chaos.report import refusals, repro, settled
from chaos.scenario import Played, Scenario


def sent(client_id: str, *answers: str) -> Sent:
    return Sent(
        "t", "s", client_id, 0.0, tuple(Attempt(float(n), n + 0.5, answer) for n, answer in enumerate(answers))
    )


LOST = Ledger((sent("c1", "503", "503", "201"),), (Acked("t", "s", "c1", "m1", 1),), (), ())


def run_with(monkeypatch: pytest.MonkeyPatch, outcome: Played | Exception) -> tuple[int, str]:
    """Run the command with one scenario that ends in ``outcome``."""

    async def play(scenario: Scenario, *, seed: int, rounds: int | None, workers: int | None) -> Played:
        if isinstance(outcome, Exception):
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
    status, output = run_with(monkeypatch, Played(LOST, verdict, (), 1.0))
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
    status, output = run_with(monkeypatch, Played(empty, check(empty), (), 1.0))
    assert status == 0
    assert "every promise was kept" in output


def test_a_bar_of_zero_is_a_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Ledger((), (), (), ())
    status, output = run_with(monkeypatch, Played(empty, check(empty), (Figure("resets", 2, "", 0),), 1.0))
    assert status == 1
    assert "resets 2 (at most 0)" in output


def test_a_missed_bar_is_exit_status_3(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Ledger((), (), (), ())
    status, output = run_with(monkeypatch, Played(empty, check(empty), (Figure("exit", 16.0, "s", 15.0),), 1.0))
    assert status == 3
    assert "exit 16 s (at most 15)" in output
    assert output.splitlines()[-1].endswith("some bars were missed: kill9 exit 16 s (at most 15)")


def test_a_fault_that_this_machine_cannot_do_is_said_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    status, output = run_with(monkeypatch, NotHere("there is no mount"))
    assert status == 0
    assert "skipped: there is no mount" in output


def test_a_harness_that_fails_is_exit_status_4_and_says_nothing_of_promises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status, output = run_with(monkeypatch, KeyError("a bug of the harness"))
    assert status == 4
    assert "KeyError: 'a bug of the harness'" in output
    assert "the harness itself failed" in output
    assert "broken promises" not in output
    assert ".venv/bin/python -m chaos --only kill9 --seed 7" in output


def test_a_scenario_that_is_not_there_is_answered_with_those_that_are() -> None:
    app = typer.Typer()
    app.command()(command.main)
    result = CliRunner().invoke(app, ["--only", "nosuch"], env={"COLUMNS": "1000"})
    assert result.exit_code == 2
    assert "there is no nosuch" in result.output
    assert "kill9" in result.output


def test_refusals_are_counted_by_kind() -> None:
    assert refusals(LOST) == "2 x 503"


def test_the_repro_names_the_rounds_that_were_asked_for() -> None:
    assert repro("kill9", seed=7, rounds=4) == ".venv/bin/python -m chaos --only kill9 --seed 7 --rounds 4"


def test_a_message_that_was_stored_before_its_answer_was_lost_counts_as_settled() -> None:
    again = sent("c2", "reset", "200")
    assert settled(Ledger((*LOST.sent, again), (), (), ())) == 1
