"""One timer for all connections of a worker."""

from __future__ import annotations

from collections.abc import Callable

import trio
from trio.testing import MockClock

from greenroom.actors.alarms import Alarms


def noting(rung: list[tuple[str, float]], name: str) -> Callable[[], None]:
    return lambda: rung.append((name, trio.current_time()))


async def test_alarms_ring_at_their_moments_whatever_the_order_they_were_set_in(autojump_clock: MockClock) -> None:
    alarms = Alarms()
    rung: list[tuple[str, float]] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarms.ring)
        alarms.at(20, noting(rung, "late"))
        await trio.sleep(1)
        alarms.at(5, noting(rung, "soon"))  # while the task sleeps until the later one
        alarms.at(20, noting(rung, "late as well"))
        alarms.at(0, noting(rung, "past"))
        await trio.sleep(30)
        alarms.at(40, noting(rung, "after silence"))
        await trio.sleep(30)
        nursery.cancel_scope.cancel()

    assert rung == [("past", 1), ("soon", 5), ("late", 20), ("late as well", 20), ("after silence", 40)]
    assert len(alarms) == 0


async def test_alarms_set_before_the_clock_runs_or_while_it_restarts_are_kept(autojump_clock: MockClock) -> None:
    alarms = Alarms()
    rung: list[tuple[str, float]] = []
    alarms.at(5, noting(rung, "before"))
    with trio.move_on_after(2):
        await alarms.ring()
    alarms.at(4, noting(rung, "between"))
    with trio.move_on_after(10):
        await alarms.ring()

    assert rung == [("between", 4), ("before", 5)]
