"""One heap for every deadline."""

from __future__ import annotations

import random

import trio
from trio.testing import MockClock

from greenroom.supervisor.timers import Timers


async def test_timers_fire_in_order_of_time_then_of_setting(autojump_clock: MockClock) -> None:
    timers, fired = Timers(), list[int]()
    order = [3, 1, 2, 1, 3, 2]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        for number, at in enumerate(order):
            timers.call_at(at, lambda number=number: fired.append(number))  # type: ignore[misc]
        await trio.sleep(5)
        timers.stop()
    assert fired == [1, 3, 2, 5, 0, 4]


async def test_an_earlier_deadline_set_later_is_kept(autojump_clock: MockClock) -> None:
    timers, fired = Timers(), list[float]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        timers.call_at(100, lambda: fired.append(trio.current_time()))
        await trio.sleep(1)
        timers.call_at(3, lambda: fired.append(trio.current_time()))
        await trio.sleep(4)
        assert fired == [3]
        timers.stop()


async def test_cancelled_timers_neither_fire_nor_pile_up(autojump_clock: MockClock) -> None:
    timers, fired = Timers(), list[int]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        rng = random.Random(1)
        for _ in range(100_000):
            timers.call_at(1 + rng.random(), lambda: fired.append(1)).cancel()
        assert len(timers) <= Timers.SWEEP_MIN
        await trio.sleep(5)
        assert (fired, len(timers)) == ([], 0)
        timers.stop()


async def test_an_infinite_deadline_is_never_entered(autojump_clock: MockClock) -> None:
    timers = Timers()
    timers.call_at(float("inf"), lambda: None)
    assert len(timers) == 0
