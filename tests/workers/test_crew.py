"""How places are kept filled, with workers that do as they are told, on the virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest
import trio
from trio.testing import MockClock

from greenroom.workers.control import Orders
from greenroom.workers.crew import (
    FIRST_STARTS_MAX,
    KILL_TIMEOUT_S,
    STOP_GRACE_S,
    WEDGED_S,
    Crew,
    WorkersDoNotStart,
)

START_S = 0.3
DRAIN_S = 10.0


class FakeWorker:
    """A worker that serves ``starts_in_s`` after its orders, and drains in ``drains_in_s`` when told to."""

    def __init__(self, pid: int, *, starts_in_s: float = START_S, drains_in_s: float = 0.1) -> None:
        self.pid = pid
        self.requests = 0
        self.orders: Orders | None = None
        self.is_last: bool | None = None
        self.status: int | None = None
        self.is_wedged = False
        self._starts_in_s = starts_in_s
        self._drains_in_s = drains_in_s
        self._ready_at = float("inf")
        self._heard_at = trio.current_time()
        self._ended = trio.Event()

    @property
    def heard_at(self) -> float:
        if not self.is_wedged:
            self._heard_at = trio.current_time()
        return self._heard_at

    @property
    def serves(self) -> bool:
        return self.status is None and trio.current_time() >= self._ready_at and self.is_last is None

    async def listen(self) -> None:
        await self._ended.wait()

    async def begin(self, orders: Orders) -> None:
        self.orders = orders
        self._ready_at = trio.current_time() + self._starts_in_s

    async def wait_ready(self) -> bool:
        with trio.move_on_at(self._ready_at):
            await self._ended.wait()
        return self.status is None

    async def wait_end(self) -> int:
        await self._ended.wait()
        assert self.status is not None
        return self.status

    async def stop(self, *, is_last: bool) -> None:
        self.is_last = is_last
        await trio.sleep(self._drains_in_s)
        self.end(0)

    def kill(self) -> None:
        self.end(-9)

    def end(self, status: int) -> None:
        if self.status is None:
            self.status = status
        self._ended.set()


class Yard:
    """Where workers come from; ``make`` says what the next one is like."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.make: Callable[[int], FakeWorker] = FakeWorker

    def spawn(self) -> FakeWorker:
        worker = self.make(len(self.workers) + 1)
        self.workers.append(worker)
        return worker

    @property
    def serving(self) -> list[FakeWorker]:
        return [worker for worker in self.workers if worker.serves]

    def at(self, place: str) -> FakeWorker:
        """Who serves at a place."""
        [worker] = [w for w in self.serving if w.orders is not None and w.orders.name == place]
        return worker

    @property
    def alive(self) -> list[FakeWorker]:
        return [worker for worker in self.workers if worker.status is None]


def a_crew(yard: Yard, *, size: int = 2, requests_max: int = 0) -> Crew:
    return Crew(
        size=size,
        spawn=yard.spawn,
        orders=lambda name: Orders(name, size, "dbname=none", (3,), "/run"),
        drain_s=DRAIN_S,
        requests_max=requests_max,
        rng=Random(1),
    )


@asynccontextmanager
async def working(crew: Crew) -> AsyncIterator[None]:
    """A crew that works for the length of the block and is stopped after it."""
    with trio.fail_after(3_600):
        async with trio.open_nursery() as nursery:
            await nursery.start(crew.run)
            yield
            crew.stop()


async def test_every_place_has_a_worker_that_knows_its_name(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard, size=3)):
        assert {worker.orders.name for worker in yard.serving if worker.orders} == {"1", "2", "3"}


async def test_a_worker_that_dies_is_replaced_at_once_from_the_spare(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        await trio.sleep(20)
        [spare] = [worker for worker in yard.alive if worker.orders is None]
        yard.at("1").end(-9)
        await trio.sleep(START_S + 0.01)
        assert yard.at("1") is spare
        await trio.sleep(2)
        assert len(yard.alive) == 3


async def test_the_next_spare_is_begun_when_one_is_taken(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        await trio.sleep(20)
        yard.at("1").end(-9)
        yard.at("2").end(-9)
        await trio.sleep(START_S / 2)
        taken = [worker for worker in yard.alive if worker.orders is not None]
        spares = [worker for worker in yard.alive if worker.orders is None]
        assert (len(taken), len(spares)) == (2, 1)


async def test_a_spare_that_dies_is_followed_by_another(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        await trio.sleep(20)
        [spare] = [worker for worker in yard.alive if worker.orders is None]
        spare.end(1)
        await trio.sleep(2)
        assert len(yard.alive) == 3
        assert yard.serving == yard.workers[:2]


async def test_others_serve_while_one_is_replaced(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        other = yard.at("2")
        yard.at("1").end(-9)
        await trio.sleep(START_S / 2)
        assert yard.serving == [other]


async def test_a_worker_that_keeps_dying_is_started_ever_more_rarely(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard, size=1)):
        await trio.sleep(1)
        yard.make = lambda pid: FakeWorker(pid, starts_in_s=float("inf"))
        before = len(yard.workers)
        for _ in range(600):
            for worker in yard.alive:
                if worker.orders is not None:
                    worker.end(1)
            await trio.sleep(0.1)
        assert 10 <= len(yard.workers) - before <= 20


async def test_what_never_serves_to_begin_with_is_told(autojump_clock: MockClock) -> None:
    yard = Yard()

    def dead(pid: int) -> FakeWorker:
        worker = FakeWorker(pid)
        worker.end(1)
        return worker

    yard.make = dead
    with pytest.RaisesGroup(WorkersDoNotStart, flatten_subgroups=True):
        async with working(a_crew(yard, size=1)):
            pass
    assert len(yard.workers) == FIRST_STARTS_MAX


async def test_rolling_over_never_leaves_a_place_empty(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(crew := a_crew(yard)):
        await trio.sleep(1)
        before = set(yard.workers)
        crew.roll()
        fewest = 2
        for _ in range(100):
            await trio.sleep(0.02)
            fewest = min(fewest, len(yard.serving))
        assert fewest == 2
        assert not before & set(yard.alive)
        assert all(worker.is_last is False for worker in before if worker.orders is not None)


async def test_workers_are_rolled_over_one_at_a_time(autojump_clock: MockClock) -> None:
    yard = Yard()
    yard.make = lambda pid: FakeWorker(pid, drains_in_s=3.0)
    async with working(crew := a_crew(yard)):
        crew.roll()
        most_draining = 0
        for _ in range(100):
            await trio.sleep(0.1)
            most_draining = max(most_draining, sum(w.is_last is False and w.status is None for w in yard.workers))
        assert most_draining == 1


async def test_a_worker_that_answered_its_share_is_replaced_once(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard, requests_max=100)):
        worn, other = yard.at("1"), yard.at("2")
        worn.requests = 121
        await trio.sleep(5)
        assert worn.status == 0
        assert yard.at("1") is not worn
        assert yard.at("2") is other


async def test_an_old_worker_stays_when_its_successor_does_not_come_up(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(crew := a_crew(yard, size=1)):
        old = yard.at("1")
        yard.make = lambda pid: FakeWorker(pid, starts_in_s=float("inf"))
        crew.roll()
        await trio.sleep(300)
        assert yard.at("1") is old


async def test_a_worker_that_dies_while_its_successor_starts_leaves_one_worker(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(crew := a_crew(yard, size=1)):
        await trio.sleep(2)
        old = yard.at("1")
        crew.roll()
        await trio.sleep(START_S / 2)
        old.end(-9)
        await trio.sleep(5)
        assert len(yard.serving) == 1


async def test_a_wedged_worker_is_killed_and_replaced(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        wedged = yard.at("1")
        wedged.is_wedged = True
        await trio.sleep(WEDGED_S + 3)
        assert wedged.status == -9
        assert yard.at("1") is not wedged


async def test_stopping_ends_everybody_and_tells_them_they_are_the_last(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        await trio.sleep(2)
    assert yard.alive == []
    assert [worker.is_last for worker in yard.workers if worker.orders is not None] == [True, True]


async def test_a_worker_that_does_not_drain_is_killed_in_time(autojump_clock: MockClock) -> None:
    yard = Yard()
    yard.make = lambda pid: FakeWorker(pid, drains_in_s=float("inf"))
    async with working(a_crew(yard)):
        await trio.sleep(2)
        began = trio.current_time()
    assert trio.current_time() - began <= DRAIN_S + STOP_GRACE_S + 0.01
    assert yard.alive == []


async def test_stopping_in_the_middle_of_a_roll_ends_who_was_being_replaced(autojump_clock: MockClock) -> None:
    yard = Yard()
    yard.make = lambda pid: FakeWorker(pid, drains_in_s=float("inf"))
    async with working(crew := a_crew(yard)):
        crew.roll()
        await trio.sleep(3)  # a successor serves, its predecessor drains
        assert [worker.is_last for worker in yard.alive].count(False) == 1
        began = trio.current_time()
    assert trio.current_time() - began <= DRAIN_S + STOP_GRACE_S + 0.01
    assert yard.alive == []


async def test_killing_in_the_middle_of_a_roll_leaves_nobody(autojump_clock: MockClock) -> None:
    yard = Yard()
    yard.make = lambda pid: FakeWorker(pid, drains_in_s=float("inf"))
    async with working(crew := a_crew(yard)):
        crew.roll()
        await trio.sleep(3)
        everybody = list(yard.alive)
        crew.kill()
        assert {worker.status for worker in everybody} == {-9}


async def test_a_worker_that_can_not_even_be_killed_is_not_waited_for(autojump_clock: MockClock) -> None:
    class Immortal(FakeWorker):
        async def stop(self, *, is_last: bool) -> None:
            pass

        def kill(self) -> None:
            pass

    yard = Yard()
    yard.make = Immortal
    async with working(a_crew(yard)):
        began = trio.current_time()
    assert trio.current_time() - began <= DRAIN_S + STOP_GRACE_S + KILL_TIMEOUT_S + 0.01


async def test_stopping_in_the_middle_of_a_start_leaves_nobody(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with working(a_crew(yard)):
        yard.at("1").end(-9)
        await trio.sleep(START_S / 2)
    assert yard.alive == []


async def test_a_cancelled_crew_leaves_nobody(autojump_clock: MockClock) -> None:
    yard = Yard()
    async with trio.open_nursery() as nursery:
        await nursery.start(a_crew(yard).run)
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    assert yard.alive == []
