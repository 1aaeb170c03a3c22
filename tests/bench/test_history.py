"""What was recorded is read back, and what is no history is left alone."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from bench.figures import Bar, Better, Figure, Of
from bench.history import NoHistory, Snapshot, latest, record, settings_of
from bench.surroundings import Surroundings

SURROUNDINGS = Surroundings(
    commit="0123456789ab",
    date="2026-03-01T10:00:00.000Z",
    python="3.11.7",
    system="Linux 6.1",
    cpus=2,
    cpu_model="a processor",
    memory_mib=4096,
    load_before=0.1,
    load_after=1.2,
    flush_us=400,
    versions={"trio": "0.35.0"},
)


def snapshot(*, sends: float = 1200.0) -> Snapshot:
    figures = [
        Figure("sends", "sends/s", Better.MORE, "a peer", (sends, 1300.0), (400.0, 410.0), Bar(3.0)),
        Figure("memory", "bytes", Better.LESS, "a task", (5000.0,), (4000.0,), Bar(4900.0, Of.LEVEL)),
        Figure("deliveries", "deliveries/s", Better.MORE, "by hand", (12.34,), (43.21,)),
    ]
    return Snapshot(SURROUNDINGS, {"http": {"TURN_S": 1.2}}, figures)


def test_there_is_no_latest_before_the_first(tmp_path: Path) -> None:
    assert latest(tmp_path / "history.json") is None


def test_the_latest_is_what_was_recorded_last(tmp_path: Path) -> None:
    history = tmp_path / "history.json"

    record(snapshot(sends=1000.0), history)
    record(snapshot(sends=1100.0), history)

    assert latest(history) == snapshot(sends=1100.0)


@pytest.mark.parametrize("text", ["{}", "no JSON at all"])
def test_what_is_no_history_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    history = tmp_path / "history.json"
    history.write_text(text)

    with pytest.raises(NoHistory):
        record(snapshot(), history)

    assert history.read_text() == text


def test_settings_are_the_numbers_a_module_is_set_to() -> None:
    module = ModuleType("part")
    module.__dict__.update(TURN_S=1.2, ROUNDS=3, NAME="sends", _TICKS=100, helper=5)

    assert settings_of({"http": module}) == {"http": {"TURN_S": 1.2, "ROUNDS": 3}}
