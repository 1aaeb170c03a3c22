"""A stop as a whole has a bound, whatever holds it up."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic

from greenroom.stop_bound import EXIT_FAILURE

PROGRAM = """
import sys, time, trio
from greenroom.stop_bound import bounding_stop

async def main():
    with bounding_stop(1.0) as start_clock:
        start_clock()
        start_clock()  # whoever begins a stop again gets no more time
        if sys.argv[1] == "stuck":
            time.sleep(60)
        elif sys.argv[1] == "waiting":
            await trio.sleep(60)
    time.sleep(1.2)

trio.run(main)
"""


def run(how: str) -> tuple[int, str, float]:
    began = monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], timeout=30, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr, monotonic() - began


def test_what_holds_a_stop_up_is_not_waited_for() -> None:
    status, log, took_s = run("waiting")
    assert (status, "stop_cut_short" in log) == (EXIT_FAILURE, True)
    assert took_s < 20


def test_not_even_an_event_loop_that_is_stuck() -> None:
    status, log, took_s = run("stuck")
    assert (status, "stop_cut_short" in log) == (EXIT_FAILURE, True)
    assert took_s < 20


def test_a_stop_that_is_over_in_time_is_left_alone() -> None:
    status, log, _ = run("prompt")
    assert (status, log) == (0, "")
