"""Who is let in follows from what searches take of the worker and its database."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.actors.search.admission import CUT_EVERY_S, SHEDDING_S, Admission, SearchesBusy
from greenroom.schema.search.config import SearchConfig
from greenroom.schema.search.diagnostics import BudgetUse, Skip, SkipReason, StageName, StageStatus, StageTiming

CONFIG = SearchConfig()
PATIENCE_S = 0.1
"""A third of the shorter budget."""

IN_TIME = BudgetUse(limit_ms=500, used_ms=400, skipped=())
LATE = BudgetUse(limit_ms=500, used_ms=650, skipped=())
CUT_SHORT = BudgetUse(limit_ms=500, used_ms=490, skipped=(Skip(StageName.BURST2, SkipReason.TIMEOUT),))
WITHOUT_MODEL = BudgetUse(limit_ms=500, used_ms=450, skipped=(Skip(StageName.EMBEDDING, SkipReason.TIMEOUT),))


def taking(ms: float, name: StageName = StageName.BURST2) -> list[StageTiming]:
    return [StageTiming(name, start_ms=5, duration_ms=ms, status=StageStatus.OK)]


QUICK, SLOW = taking(20), taking(100)


def an_admission() -> Admission:
    return Admission(lambda: CONFIG)


def room(admission: Admission) -> int:
    return admission.statistics().room


async def fill(admission: Admission, stack: AsyncExitStack) -> None:
    """Have as many run as there is room for."""
    while admission.statistics().in_flight < room(admission):
        await stack.enter_async_context(admission.admitted())


async def under_load(admission: Admission, use: BudgetUse, stages: list[StageTiming], *, times: int) -> None:
    """Answer so many in a row, each while as many run as there is room for."""
    for number in range(times):
        async with AsyncExitStack() as stack:
            await fill(admission, stack)
            admission.answered(use, stages, now=number * CUT_EVERY_S)


async def crowded(admission: Admission) -> None:
    """Have it find that there is room for two and no more."""
    await under_load(admission, CUT_SHORT, SLOW, times=50)


async def test_without_load_as_many_run_as_are_set() -> None:
    admission = an_admission()
    async with AsyncExitStack() as stack:
        await fill(admission, stack)

        assert admission.statistics().in_flight == 24
        with pytest.raises(SearchesBusy):
            admission.check()


@pytest.mark.parametrize(("use", "stages"), [(IN_TIME, SLOW), (LATE, QUICK), (CUT_SHORT, QUICK)])
async def test_where_searches_take_long_or_are_cut_short_fewer_run(
    use: BudgetUse, stages: list[StageTiming]
) -> None:
    admission = an_admission()
    await under_load(admission, use, stages, times=5)

    assert room(admission) == 14


async def test_so_many_run_that_they_take_a_fifth_of_the_shorter_budget() -> None:
    admission = an_admission()
    for number in range(300):
        async with AsyncExitStack() as stack:
            await fill(admission, stack)
            together = admission.statistics().in_flight
            admission.answered(IN_TIME, taking(10 * together), now=number * CUT_EVERY_S)

    assert room(admission) in {5, 6, 7}


async def test_slow_models_keep_nobody_out() -> None:
    admission = an_admission()
    await under_load(admission, WITHOUT_MODEL, [*QUICK, *taking(400, StageName.EMBEDDING)], times=50)

    assert room(admission) == 24


async def test_searches_that_are_late_at_the_same_time_count_once() -> None:
    admission = an_admission()
    async with AsyncExitStack() as stack:
        await fill(admission, stack)
        for _ in range(20):
            admission.answered(LATE, SLOW, now=1.0)

    assert room(admission) == 22


async def test_a_search_that_is_slow_while_few_run_keeps_nobody_out() -> None:
    admission = an_admission()
    async with admission.admitted():
        admission.answered(CUT_SHORT, SLOW, now=1.0)

    assert room(admission) == 24


async def test_what_takes_long_also_without_a_crowd_keeps_nobody_out() -> None:
    admission = an_admission()
    async with admission.admitted():
        admission.answered(IN_TIME, SLOW, now=1.0)
    await under_load(admission, IN_TIME, taking(180), times=50)

    assert room(admission) == 24


async def test_there_is_more_room_once_searches_are_quick_again() -> None:
    admission = an_admission()
    await crowded(admission)
    assert room(admission) == 2

    await under_load(admission, IN_TIME, QUICK, times=400)
    assert room(admission) == 24


async def test_room_that_nobody_uses_does_not_grow() -> None:
    admission = an_admission()
    await under_load(admission, IN_TIME, SLOW, times=10)
    before = room(admission)
    async with admission.admitted():
        for _ in range(1_000):
            admission.answered(IN_TIME, QUICK, now=9.0)

    assert room(admission) == before


async def test_who_finds_no_room_waits_for_a_turn_and_who_finds_no_place_to_wait_is_refused_at_once(
    autojump_clock: MockClock,
) -> None:
    admission = an_admission()
    await crowded(admission)
    waited: list[float] = []

    async def search() -> None:
        began = trio.current_time()
        async with admission.admitted():
            waited.append(trio.current_time() - began)
            await trio.sleep(0.04)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(search)
        await wait_all_tasks_blocked()
        assert admission.statistics().waiting == 1
        with pytest.raises(SearchesBusy) as refused:
            async with admission.admitted():
                pass

    assert waited == pytest.approx([0, 0, 0.04])
    assert refused.value.retry_after_s == 1
    assert admission.statistics().in_flight == 0


async def test_whose_turn_does_not_come_in_time_is_refused_and_leaves_the_line(autojump_clock: MockClock) -> None:
    admission = an_admission()
    await crowded(admission)
    async with AsyncExitStack() as stack:
        await fill(admission, stack)
        began = trio.current_time()
        with pytest.raises(SearchesBusy):
            async with admission.admitted():
                pass

        assert trio.current_time() - began == pytest.approx(PATIENCE_S)
        assert admission.statistics().waiting == 0


@pytest.mark.parametrize("stays_s", [PATIENCE_S, 1.0])
async def test_a_turn_that_comes_at_the_moment_somebody_gives_up_is_not_lost(
    autojump_clock: MockClock, stays_s: float
) -> None:
    admission = an_admission()
    await crowded(admission)

    async def search() -> None:
        with trio.move_on_after(stays_s), suppress(SearchesBusy):
            async with admission.admitted():
                await trio.sleep(min(stays_s, PATIENCE_S))

    # In which order Trio runs those that wake up at one moment is left to chance.
    for _ in range(20):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(search)

    assert admission.statistics().in_flight == 0


async def test_for_a_second_after_a_refusal_what_can_be_left_undone_is(autojump_clock: MockClock) -> None:
    admission = an_admission()
    assert not admission.is_shedding()
    async with AsyncExitStack() as stack:
        await fill(admission, stack)
        with pytest.raises(SearchesBusy):
            admission.check()

    assert admission.is_shedding()
    await trio.sleep(SHEDDING_S)
    assert not admission.is_shedding()
