"""One call for several workers, on a virtual clock."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.models.flown_vectors import ASK_AGAIN_S, FAILURE_KEPT_S, FlightOutcome, FlownVectors
from greenroom.models.kept_vectors import KeptVectors
from greenroom.models.ports import Embedder, ModelError, ModelTimeout, ModelUnavailable, NoSlot, Vector
from greenroom.storage.flights import MemoryFlights

CALL_S = 0.2


class Provider:
    """Takes CALL_S for each call, or ``takes_s``; ``failures`` come first."""

    model, dimensions, is_local = "small-2", 2, False

    def __init__(self, *failures: Exception, takes_s: float = CALL_S) -> None:
        self.failures = list(failures)
        self.takes_s = takes_s
        self.called_at: list[float] = []

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        self.called_at.append(trio.current_time())
        with trio.move_on_after(timeout_s):
            await trio.sleep(self.takes_s)
            if self.failures:
                raise self.failures.pop(0)
            return [(0.6, 0.8)] * len(texts)
        raise ModelTimeout("no answer in time")


class Asked:
    """What one search gets, and when."""

    def __init__(self) -> None:
        self.vector: Vector | None = None
        self.error: ModelError | None = None
        self.at = 0.0
        self.leaving = trio.CancelScope()

    async def ask(self, worker: Embedder, *, timeout_s: float = 1.0, text: str = "piano") -> None:
        with self.leaving:
            try:
                [self.vector] = await worker.embed([text], timeout_s=timeout_s)
            except ModelError as error:
                self.error = error
            self.at = trio.current_time()


def two_workers(provider: Provider) -> tuple[FlownVectors, FlownVectors]:
    flights = MemoryFlights()
    return FlownVectors(provider, flights), FlownVectors(provider, flights)


async def test_one_call_serves_all_searches_of_all_workers(autojump_clock: MockClock) -> None:
    provider = Provider()
    workers = [KeptVectors(flown) for flown in two_workers(provider)]
    searches = [Asked() for _ in range(20)]
    async with trio.open_nursery() as nursery:
        for number, search in enumerate(searches):
            nursery.start_soon(search.ask, workers[number % 2])

    assert all(search.vector == pytest.approx((0.6, 0.8)) for search in searches)
    assert len(provider.called_at) == 1
    assert max(search.at for search in searches) <= provider.called_at[0] + CALL_S + ASK_AGAIN_S


async def test_what_another_worker_fetched_lately_takes_no_call(autojump_clock: MockClock) -> None:
    provider = Provider()
    one, other = two_workers(provider)
    await one.embed(["piano  lessons"], timeout_s=1)

    assert await other.embed([" piano lessons "], timeout_s=0.001) == [pytest.approx((0.6, 0.8))]
    assert len(provider.called_at) == 1
    assert (one.outcomes()[FlightOutcome.LED], other.outcomes()[FlightOutcome.FOLLOWED]) == (1, 1)


async def test_a_failure_is_heard_by_those_who_wait_and_forgotten_soon(autojump_clock: MockClock) -> None:
    provider = Provider(ModelUnavailable("gone"))
    one, other = two_workers(provider)
    first, second = Asked(), Asked()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.ask, one)
        nursery.start_soon(second.ask, other)

    assert [str(search.error) for search in (first, second)] == ["gone", "gone"]
    assert len(provider.called_at) == 1
    await trio.sleep(FAILURE_KEPT_S)
    await other.embed(["piano"], timeout_s=1)
    assert len(provider.called_at) == 2


async def test_a_follower_waits_no_longer_than_it_has(autojump_clock: MockClock) -> None:
    one, other = two_workers(Provider(takes_s=5))
    first, second = Asked(), Asked()
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: first.ask(one, timeout_s=10))
        await wait_all_tasks_blocked()
        nursery.start_soon(lambda: second.ask(other, timeout_s=0.13))

    assert isinstance(second.error, ModelTimeout)
    assert second.at - began == pytest.approx(0.13)
    assert other.outcomes()[FlightOutcome.LATE] == 1


async def test_who_waits_takes_over_at_once_from_a_leader_that_leaves(autojump_clock: MockClock) -> None:
    provider = Provider()
    one, other = two_workers(provider)
    first, second = Asked(), Asked()
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.ask, one)
        await wait_all_tasks_blocked()
        nursery.start_soon(second.ask, other)
        await trio.sleep(0.1)
        first.leaving.cancel()

    assert second.vector is not None
    assert second.at - began <= 0.1 + ASK_AGAIN_S + CALL_S


async def test_a_worker_without_a_slot_lets_another_call(autojump_clock: MockClock) -> None:
    provider = Provider(NoSlot("none came free"))
    one, other = two_workers(provider)
    first, second = Asked(), Asked()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(first.ask, one)
        await wait_all_tasks_blocked()
        nursery.start_soon(second.ask, other)

    assert isinstance(first.error, NoSlot)
    assert second.vector is not None


@pytest.mark.parametrize(("timeout_s", "calls"), [(0.4, 1), (2.0, 2)])
async def test_a_timeout_is_believed_by_those_who_have_no_more_time(
    autojump_clock: MockClock, timeout_s: float, calls: int
) -> None:
    provider = Provider(takes_s=1)
    one, other = two_workers(provider)
    first, second = Asked(), Asked()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: first.ask(one, timeout_s=0.5))
        await trio.sleep(0.3)
        nursery.start_soon(lambda: second.ask(other, timeout_s=timeout_s))

    assert isinstance(first.error, ModelTimeout)
    assert isinstance(second.error, ModelTimeout) is (calls == 1)
    assert len(provider.called_at) == calls


async def test_where_others_are_not_seen_each_calls_at_once(autojump_clock: MockClock) -> None:
    provider, flights = Provider(), MemoryFlights()
    flights.is_up = False
    workers = FlownVectors(provider, flights), FlownVectors(provider, flights)
    searches = Asked(), Asked()
    async with trio.open_nursery() as nursery:
        for worker, search in zip(workers, searches, strict=True):
            nursery.start_soon(search.ask, worker)

    assert all(search.vector for search in searches)
    assert len(set(provider.called_at)) == 1
    assert [worker.outcomes()[FlightOutcome.ALONE] for worker in workers] == [1, 1]
    assert not workers[0].sees_others


async def test_what_is_no_vector_of_the_model_is_fetched_alone(autojump_clock: MockClock) -> None:
    class Liars(MemoryFlights):
        def land(self, lead: object, body: bytes, *, kept_s: float) -> None:
            super().land(lead, body + b"more", kept_s=kept_s)  # type: ignore[arg-type]

    provider, flights = Provider(), Liars()
    one, other = FlownVectors(provider, flights), FlownVectors(provider, flights)
    await one.embed(["piano"], timeout_s=1)

    assert await other.embed(["piano"], timeout_s=1) == [(0.6, 0.8)]
    assert other.outcomes()[FlightOutcome.UNREADABLE] == 1


async def test_batches_and_empty_texts_ask_nobody(autojump_clock: MockClock) -> None:
    one, _ = two_workers(Provider())
    await one.embed(["piano", "violin"], timeout_s=1)
    await one.embed([" "], timeout_s=1)

    assert not any(one.outcomes().values())
