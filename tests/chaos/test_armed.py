"""Workers that end themselves: who ends where, what is left of them, and that the server still has the places for a fuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chaos.armed.points import PASSES, Blast, Journal, Plan, Point, charge

ATTACH = """
from pathlib import Path
from chaos.armed.fuse import Fuse
from chaos.armed.patches import attach
from chaos.armed.points import Journal, Plan
attach(Fuse(Plan(Path(".")), Journal(Path(".")), nth=0, port=1))
from greenroom.actors import commit, committer, conversation
from greenroom.storage import bus_shared
from greenroom.storage.postgres import session
patched = (
    conversation.Conversation.handle, commit._write, session.Session.send, committer.Committer._answer,
    committer.announce, bus_shared.SharedBus._payloads, bus_shared.SharedBus._send,
)
print({function.__module__ for function in patched})
"""


def test_of_as_many_workers_as_there_are_points_each_ends_at_another() -> None:
    ends = [charge(7, nth).point for nth in range(3 * len(Point))]
    for first in range(0, len(ends), len(Point)):
        assert set(ends[first : first + len(Point)]) == set(Point)


def test_a_seed_draws_the_same_ends_again() -> None:
    assert [charge(7, nth) for nth in range(20)] == [charge(7, nth) for nth in range(20)]
    assert [charge(7, nth) for nth in range(20)] != [charge(8, nth) for nth in range(20)]
    assert all(PASSES[0] <= charge(7, nth).passes <= PASSES[1] for nth in range(50))


def test_workers_are_armed_only_while_there_is_a_plan(tmp_path: Path) -> None:
    plan = Plan(tmp_path)
    assert plan.seed() is None
    plan.arm(5)
    assert Plan(tmp_path).seed() == 5
    plan.disarm()
    assert plan.seed() is None


def test_a_journal_tells_each_end_once_and_leaves_half_a_line_for_later(tmp_path: Path) -> None:
    first = Blast(1, Point.DRAFTED, 60, 1.5, (4_000, 4_001))
    second = Blast(2, Point.COMMIT_SENT, 61, 2.5, ())
    reader = Journal(tmp_path)
    assert reader.news() == []
    Journal(tmp_path).write(first)
    assert reader.news() == [first]
    Journal(tmp_path).write(second)
    path = tmp_path / "journal"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert reader.news() == []
    path.write_bytes(whole)
    assert reader.news() == [second]


def test_the_server_has_a_place_for_every_fuse(tmp_path: Path) -> None:
    # In a process of its own: what is patched stays patched.
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", ATTACH],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.stdout.strip(), ended.stderr) == ("{'chaos.armed.patches'}", "")
