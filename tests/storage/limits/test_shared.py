"""Deciding for several workers, on the virtual clock, over a home in memory that can be slow and away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.rate_limits import Policy, Standing
from greenroom.storage.limits import Claim, HomeAway, MemoryHome, SharedLimits, open_shared_limits
from greenroom.storage.limits.shared import ADVANCE_SHARE, EXCHANGE_TIMEOUT_S, RETRY_S, SETTLE_S, WAIT_S

SMALL = Policy("small", 10, 3600)
LARGE = Policy("large", 1600, 86_400)


class StubbornHome(MemoryHome):
    """A home in memory that takes its time, or is away, when told to; it remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.answers_after_s = 0.001
        self.exchanges: list[Sequence[Claim]] = []

    async def settle(self, claims: Sequence[Claim]) -> list[Standing]:
        self.exchanges.append(claims)
        if self.is_away:
            raise HomeAway("for a walk")
        await trio.sleep(self.answers_after_s)
        return await super().settle(claims)


@asynccontextmanager
async def workers(count: int, home: StubbornHome) -> AsyncIterator[list[SharedLimits]]:
    async with AsyncExitStack() as stack:
        stack.enter_context(trio.fail_after(10_000))
        yield [await stack.enter_async_context(open_shared_limits(home, workers=count)) for _ in range(count)]


async def taken(limits: SharedLimits, policy: Policy, count: int) -> int:
    return sum([(await limits.take(policy, "maya")).is_allowed for _ in range(count)])


@pytest.fixture
def home() -> StubbornHome:
    return StubbornHome()


async def test_a_small_limit_is_exact_whichever_worker_is_asked(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    async with workers(3, home) as crew:
        allowed = [(await crew[n % 3].take(SMALL, "maya")).is_allowed for n in range(12)]

    assert allowed == [True] * 10 + [False] * 2


async def test_a_small_limit_is_exact_when_everybody_asks_at_once(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    allowed = []

    async def ask(limits: SharedLimits) -> None:
        allowed.append((await limits.take(SMALL, "maya")).is_allowed)

    async with workers(2, home) as crew, trio.open_nursery() as nursery:
        for n in range(200):
            nursery.start_soon(ask, crew[n % 2])

    assert sum(allowed) == 10
    assert len(home.exchanges) < 20


async def test_nobody_waits_within_the_advance_and_the_home_is_told_of_all_in_one(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    async with workers(2, home) as [limits, _]:
        began = trio.current_time()
        assert await taken(limits, LARGE, limits.advance(LARGE)) == 50
        assert trio.current_time() == began
        await trio.sleep(SETTLE_S)

        told = [claim for claims in home.exchanges for claim in claims]
        assert {claim.key for claim in told} == {"large:maya"}
        assert sum(claim.spent for claim in told) == 50
        assert len(told) <= 2


async def test_a_burst_gets_at_most_the_advances_too_much_and_pays_for_it(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    async with workers(2, home) as [first, second]:
        assert await taken(second, LARGE, 1) == 1
        await trio.sleep(2 * SETTLE_S)
        assert 1 + await taken(first, LARGE, LARGE.limit) == LARGE.limit
        # The second has heard of nothing but its own single unit.
        too_many = await taken(second, LARGE, LARGE.limit)
        await trio.sleep(SETTLE_S * 2)
        owed_us = home.settle_one(LARGE, "maya").debt_us

    assert 0 < too_many <= LARGE.limit // ADVANCE_SHARE // 2
    assert round(owed_us / LARGE.interval_us) == LARGE.limit + too_many


async def test_who_has_nothing_left_costs_the_home_nothing(home: StubbornHome, autojump_clock: MockClock) -> None:
    async with workers(2, home) as [limits, _]:
        await taken(limits, SMALL, 10)
        before = len(home.exchanges)

        decision = await limits.take(SMALL, "maya")
        await trio.sleep(SETTLE_S * 2)

    assert not decision.is_allowed
    assert 0 < decision.retry_after_s <= 360
    assert len(home.exchanges) == before


async def test_who_waits_as_long_as_told_is_let_in(home: StubbornHome, autojump_clock: MockClock) -> None:
    async with workers(2, home) as [limits, _]:
        await taken(limits, SMALL, 10)
        await trio.sleep((await limits.take(SMALL, "maya")).retry_after_s)

        assert (await limits.take(SMALL, "maya")).is_allowed
        assert not (await limits.take(SMALL, "maya")).is_allowed


async def test_what_is_given_back_can_be_had_by_another_worker(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    async with workers(2, home) as [first, second]:
        await taken(first, SMALL, 10)
        first.give_back(SMALL, "maya")
        await trio.sleep(SETTLE_S * 2)

        assert await taken(second, SMALL, 2) == 1


async def test_without_a_home_each_worker_keeps_the_limit_and_nobody_waits_twice(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    home.is_away = True
    async with workers(2, home) as crew:
        began = trio.current_time()
        granted = [await taken(limits, SMALL, 20) for limits in crew]

        assert granted == [10, 10]
        assert trio.current_time() - began <= 2 * WAIT_S
        assert not crew[0].statistics().is_up
        assert crew[0].statistics().unconfirmed == 10


async def test_a_home_that_hangs_costs_one_wait_of_fifty_milliseconds(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    home.answers_after_s = 3600
    async with workers(2, home) as [limits, _]:
        began = trio.current_time()
        assert await taken(limits, SMALL, 20) == 10
        assert trio.current_time() - began == pytest.approx(WAIT_S)


async def test_what_was_spent_without_the_home_is_told_when_it_is_back(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    home.is_away = True
    async with workers(2, home) as [first, second]:
        await taken(first, SMALL, 8)
        home.is_away = False
        await trio.sleep(2 * RETRY_S)

        assert first.statistics().is_up
        assert await taken(second, SMALL, 10) == 2


async def test_what_is_little_is_told_in_time_and_the_rest_at_the_end(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    async with workers(2, home) as [limits, _]:
        await taken(limits, LARGE, 1)
        await trio.sleep(SETTLE_S / 2)
        assert home.exchanges == []
        await trio.sleep(SETTLE_S)
        assert home.exchanges == [[Claim(LARGE, "maya", spent=1)]]
        await taken(limits, LARGE, 2)

    assert home.exchanges[1:] == [[Claim(LARGE, "maya", spent=2)]]


async def test_a_home_that_is_back_is_noticed_though_nobody_asks(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    home.is_away = True
    async with workers(2, home) as [limits, _]:
        await taken(limits, SMALL, 1)
        assert not limits.statistics().is_up
        home.is_away = False
        await trio.sleep(2 * RETRY_S)

        assert limits.statistics().is_up


async def test_whoever_leaves_while_waiting_leaves_nothing_behind(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    home.answers_after_s = 0.02
    async with workers(2, home) as [limits, _]:
        with trio.move_on_after(0.005):
            await limits.take(SMALL, "maya")
        with trio.move_on_after(0.005):
            await limits.take(SMALL, "maya")

        assert 8 <= await taken(limits, SMALL, 20) <= 10


async def test_the_table_stays_within_its_bound(home: StubbornHome, autojump_clock: MockClock) -> None:
    limits = SharedLimits(home, workers=1, subjects_max=100)
    for n in range(1000):
        await limits.take(LARGE, f"user-{n}")

    assert limits.statistics().subjects == 100


async def test_what_is_over_makes_room(autojump_clock: MockClock) -> None:
    table, brief = MemoryHome(), Policy("brief", 10, 1)
    for n in range(1000):
        table.settle_one(brief, f"user-{n}", wanted=1)
    await trio.sleep(1)
    for n in range(600):
        table.settle_one(brief, f"later-{n}", wanted=1)

    assert len(table) <= 600


async def test_a_full_table_tells_of_each_subject_once(home: StubbornHome, autojump_clock: MockClock) -> None:
    home.is_away = True
    with trio.fail_after(1_000):
        limits = SharedLimits(home, workers=1, subjects_max=10)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limits.run)
            for n in range(100):
                await limits.take(LARGE, f"user-{n % 20}")
                await trio.sleep(0.1)
            nursery.cancel_scope.cancel()

    assert all(len({claim.key for claim in claims}) == len(claims) for claims in home.exchanges)
    assert limits.statistics().subjects == 10


GATE = Policy("gate", 1, 3600)


async def test_a_step_is_nobody_elses_though_all_take_it_at_once(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    granted: list[int] = []

    async def step(limits: SharedLimits) -> None:
        granted.append((await limits.settle(GATE, "maya", wanted=1)).granted)

    async with workers(2, home) as crew, trio.open_nursery() as nursery:
        for n in range(50):
            nursery.start_soon(step, crew[n % 2])

    assert sum(granted) == 1


async def test_without_a_home_steps_go_by_what_this_worker_was_asked(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    async with workers(2, home) as [first, second]:
        await first.settle(GATE, "maya", wanted=1)
        home.is_away = True

        assert (await first.settle(GATE, "maya", wanted=1)).granted == 0
        assert (await second.settle(GATE, "maya", wanted=1)).granted == 1
        assert (await second.settle(GATE, "maya", wanted=1)).granted == 0


async def test_a_home_that_hangs_keeps_a_step_for_a_quarter_of_a_second(
    home: StubbornHome, autojump_clock: MockClock
) -> None:
    home.answers_after_s = 3600
    async with workers(2, home) as [limits, _]:
        began = trio.current_time()
        for _ in range(4):
            await limits.settle(GATE, "maya", wanted=1)
        assert trio.current_time() - began == pytest.approx(EXCHANGE_TIMEOUT_S)
