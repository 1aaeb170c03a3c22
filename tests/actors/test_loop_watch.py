"""What is measured of the event loop, on a clock that a test turns, and on the real one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pytest
import trio
import trio.testing

from greenroom.actors.loop_watch import LONGEST_STEPS, LoopWatch, bucket_of, lag_s
from greenroom.actors.stall_watchdog import Stall, StallWatchdog

WAIT_S = 10.0


class HandClock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def spread(turns: list[float]) -> tuple[list[int], list[float]]:
    counts, sums = [0] * 41, [0.0] * 41
    for turn in turns:
        counts[bucket_of(turn)] += 1
        sums[bucket_of(turn)] += turn
    return counts, sums


def test_a_bucket_holds_what_is_below_its_bound() -> None:
    base = 16e-6
    assert bucket_of(0.0) == bucket_of(base * 0.99) == 0
    assert bucket_of(base * 1.01) == 1
    assert bucket_of(base * 1.42) == 2
    assert bucket_of(base * 2.01) == 3
    assert bucket_of(3_600.0) == 40


def test_an_idle_loop_is_never_late() -> None:
    assert lag_s(0.99, *spread([]), 60.0) == 0.0
    assert lag_s(0.99, *spread([0.001] * 10), 60.0) == 0.0


def test_the_lag_is_what_somebody_waits_who_comes_at_any_moment() -> None:
    # One turn of 10 s in a minute: a sixth of those who come wait, the unluckiest for all of it. Of a hundred, the last
    # one comes in the first 0.6 s of the turn, and waits for at least 9.4 s.
    assert lag_s(0.99, *spread([10.0]), 60.0) == pytest.approx(9.4)
    assert lag_s(0.5, *spread([10.0]), 60.0) == 0.0


def test_a_loop_that_is_always_busy_makes_everybody_wait() -> None:
    turns = [0.1] * 600
    assert lag_s(0.5, *spread(turns), 60.0) == pytest.approx(0.05)
    assert lag_s(0.99, *spread(turns), 60.0) == pytest.approx(0.099)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_longer_turns_never_make_less_lag(share: float) -> None:
    lags = [lag_s(share, *spread([length] * 50), 10.0) for length in (0.001, 0.01, 0.05, 0.1, 0.19)]
    assert lags == sorted(lags)


async def test_seconds_are_kept_apart_and_for_a_minute() -> None:
    clock = HandClock()
    watch = LoopWatch(clock)
    for second in range(100):
        clock.now = 1_000.0 + second + 0.5
        watch.note_turn(second / 1_000, clock.now)

    report = watch.report()

    assert report.turns == 60
    assert report.longest_turn_ms == pytest.approx(99)
    assert [round(second.longest_turn_ms) for second in report.seconds] == list(range(40, 99))


async def test_the_watch_sees_a_turn_that_took_long_and_lets_go_of_the_loop() -> None:
    watch = LoopWatch()
    with watch.attached():
        await trio.lowlevel.checkpoint()
        _block(0.05)
        await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        report = watch.report()
    assert report.longest_turn_ms >= 50
    turns = watch.report().turns
    await trio.sleep(0.01)
    assert watch.report().turns == turns


async def test_steps_are_named_and_the_probe_takes_itself_off(nursery: trio.Nursery) -> None:
    clock = HandClock()
    watch = LoopWatch(clock)

    async def slow() -> None:
        clock.now += 0.25
        await trio.sleep_forever()

    with watch.attached():
        watch.probe_steps(5.0)
        for number in range(LONGEST_STEPS + 5):
            nursery.start_soon(trio.sleep_forever, name=f"quick {number}")
        nursery.start_soon(slow, name="the slow one")
        await trio.testing.wait_all_tasks_blocked()
        steps = watch.report().steps
        assert steps is not None
        assert (steps.longest[0].owner, round(steps.longest[0].ms)) == ("the slow one", 250)
        assert len(steps.longest) == LONGEST_STEPS
        assert steps.batch_max >= LONGEST_STEPS

        clock.now += 5.0
        await trio.testing.wait_all_tasks_blocked()
        over = watch.report().steps
        assert over is not None
        assert not over.is_attached
        await trio.testing.wait_all_tasks_blocked()
        again = watch.report().steps
        assert again is not None
        assert again.steps == over.steps
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("seconds", [0, -1, 61, float("nan")])
async def test_a_probe_lasts_for_a_minute_at_most(seconds: float) -> None:
    with pytest.raises(ValueError, match="60 seconds"):
        LoopWatch().probe_steps(seconds)


async def test_a_blocked_loop_is_reported_once_while_it_is_blocked() -> None:
    reported: list[Stall] = []
    watch = LoopWatch()
    watchdog = StallWatchdog(watch, threshold_s=0.05, report=reported.append)
    with watch.attached(), watchdog.watching():
        await trio.lowlevel.checkpoint()
        trio.lowlevel.current_task().name = "the one that blocks"
        _block(WAIT_S, unless=lambda: bool(stalls_in("_block", reported)))
        _block(0.2)
        await trio.lowlevel.checkpoint()
        await trio.sleep(0.1)

    (stall,) = stalls_in("_block", reported)
    assert 50 <= stall.for_ms < WAIT_S * 1000
    assert stall.owner == "the one that blocks"
    assert not any("unrolled_run" in line for line in stall.stack)
    assert stall in watchdog.stalls


async def test_a_loop_that_waits_is_not_blocked() -> None:
    reported: list[Stall] = []
    watch = LoopWatch()
    with watch.attached(), StallWatchdog(watch, threshold_s=1.0, report=reported.append).watching():
        await trio.lowlevel.checkpoint()  # from here on turns are seen from their begin
        await trio.sleep(1.5)
    # While it waits the loop is in this function of Trio's, wherever else a busy machine holds it up.
    assert stalls_in("get_events", reported) == []


def stalls_in(function: str, reported: Iterable[Stall]) -> list[Stall]:
    """Those of a function: on a busy machine any turn may be long."""
    return [stall for stall in reported if any(f"in {function}" in line for line in stall.stack)]


def _block(seconds: float, *, unless: Callable[[], bool] = lambda: False) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until and not unless():
        pass
