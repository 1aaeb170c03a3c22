"""The seeded scheduler itself: that a seed decides everything, and that nothing can hang it."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback

import pytest
import trio
from trio._core import _run as trio_run_loop
from trio.testing import wait_all_tasks_blocked

from tests.supervisor.scheduling import RunawayError, Trace, run_seeded


async def jostle() -> list[tuple[int, int]]:
    """Tasks that wait, wake each other and take turns: the order of the result is the scheduler's."""
    order: list[tuple[int, int]] = []
    gate = trio.Event()

    async def racer(number: int) -> None:
        await gate.wait()
        for lap in range(4):
            order.append((number, lap))
            await trio.sleep(lap * (number % 2))

    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(racer, number, name=f"racer {number}")
        await wait_all_tasks_blocked()
        gate.set()
    return order


def jostle_trace(seed: int) -> tuple[str, int]:
    trace = Trace()
    run_seeded(jostle, seed=seed, trace=trace)
    return trace.digest(), trace.steps


def test_trio_still_has_both_private_names_and_they_still_mean_the_same() -> None:
    with open(trio_run_loop.__file__) as file:
        source = file.read()

    assert "batch.sort(key=lambda t: t._counter)\n                _r.shuffle(batch)" in source
    assert isinstance(trio_run_loop._ALLOW_DETERMINISTIC_SCHEDULING, bool)
    assert callable(trio_run_loop._r.shuffle)


def test_both_names_are_restored_even_when_the_program_fails() -> None:
    before = trio_run_loop._ALLOW_DETERMINISTIC_SCHEDULING, trio_run_loop._r

    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_seeded(fail, seed=1)

    assert (trio_run_loop._ALLOW_DETERMINISTIC_SCHEDULING, trio_run_loop._r) == before


def test_a_seed_repeats_its_trace_and_another_seed_takes_another() -> None:
    assert jostle_trace(7) == jostle_trace(7)
    assert len({jostle_trace(seed) for seed in range(10)}) == 10


def test_the_golden_trace_is_the_same_in_every_process_whatever_its_hash_seed() -> None:
    program = "from tests.supervisor.test_scheduling import jostle_trace; print(jostle_trace(7))"

    def elsewhere(hash_seed: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip()

    # The golden value is Trio 0.35's. If only it differs, Trio schedules otherwise than before: replays
    # recorded with the old version are void, and the value here is to be renewed knowingly.
    golden = ("f68b66675dab01947f496a70cac4ef22", 47)
    assert elsewhere("1") == elsewhere("2") == str(jostle_trace(7)) == str(golden)


def test_a_failure_names_the_seed() -> None:
    async def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as failure:
        run_seeded(fail, seed=4711)

    assert "schedule seed 4711" in "".join(traceback.format_exception(failure.value))


def test_virtual_days_pass_at_once() -> None:
    async def wait() -> float:
        start = trio.current_time()
        await trio.sleep(86_400)
        return trio.current_time() - start

    assert run_seeded(wait, seed=1) == 86_400


def test_waiting_for_what_never_comes_ends_at_the_horizon() -> None:
    with pytest.raises(RunawayError, match="still running after 60"):
        run_seeded(trio.sleep_forever, seed=1, horizon_s=60.0)


def test_a_zero_time_livelock_fails_and_names_a_culprit() -> None:
    async def spin() -> None:
        while True:
            await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(spin, name="spinner")
            await trio.sleep(1)

    with pytest.raises(RunawayError, match="spinner"):
        run_seeded(main, seed=1, steps_per_instant_max=1_000)


def test_a_shielded_livelock_is_aborted() -> None:
    async def main() -> None:
        with trio.CancelScope(shield=True):
            while True:
                await trio.lowlevel.checkpoint()

    with pytest.raises(RunawayError, match="cannot be cancelled") as failure:
        run_seeded(main, seed=5, steps_per_instant_max=1_000)

    assert "schedule seed 5" in failure.value.__notes__


def test_a_shielded_wait_for_what_never_comes_is_aborted() -> None:
    async def main() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()

    with pytest.raises(RunawayError, match="no task to run"):
        run_seeded(main, seed=1, horizon_s=60.0)
