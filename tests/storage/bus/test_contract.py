"""What every bus does, whatever carries it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest
import trio

from greenroom.storage.bus_local import LocalBus
from greenroom.storage.bus_postgres import PostgresWire
from greenroom.storage.bus_wire import Wire
from greenroom.storage.ports import Bus, Hint
from greenroom.storage.redis import RedisUrl, RedisWire
from tests.storage.bus.notes import MAYA, ONE_OF_EACH, TOMAS, WAIT_S, a_hint, a_worker, reading

Workers = Callable[[], AbstractAsyncContextManager[tuple[Bus, Bus]]]


@pytest.fixture(params=["local", "redis", "postgres"])
def two_workers(request: pytest.FixtureRequest) -> Workers:
    """Opens the buses of two workers; of a local one there is only one, which then is both."""
    wire: Wire | None = None
    if request.param == "redis":
        wire = RedisWire(RedisUrl.parse(request.getfixturevalue("redis").url), namespace="test")
    elif request.param == "postgres":
        wire = PostgresWire(request.getfixturevalue("database"))

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Bus, Bus]]:
        if wire is None:
            bus = LocalBus()
            yield bus, bus
            return
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(a_worker(wire, "worker-a.1"))
            second = await stack.enter_async_context(a_worker(wire, "worker-b.1"))
            yield first, second

    return opened


async def test_a_note_reaches_the_worker_it_was_published_on_and_the_other(two_workers: Workers) -> None:
    async with two_workers() as (first, second), reading(first) as here, reading(second) as there:
        await first.publish(ONE_OF_EACH)
        for reader in (here, there):
            await reader.until(lambda reader: len(reader.notes) >= len(ONE_OF_EACH))
            assert reader.notes == list(ONE_OF_EACH)


async def test_notes_arrive_once_and_in_order(two_workers: Workers) -> None:
    async with two_workers() as (first, second), reading(first) as here, reading(second) as there:
        for seq in range(1, 1_001):
            await first.publish([a_hint(seq)])
        for reader in (here, there):
            await reader.until(lambda reader: len(reader.notes) >= 1_000)
            assert reader.seqs == list(range(1, 1_001))


async def test_it_is_up_from_the_start_when_nothing_is_in_the_way(two_workers: Workers) -> None:
    async with two_workers() as (first, second):
        assert first.is_up
        assert second.is_up


async def test_a_hint_of_any_size_arrives_as_events_or_as_a_position(two_workers: Workers) -> None:
    long = a_hint(200, events=200, text="é" * 4_000)
    async with two_workers() as (first, second), reading(second) as there:
        await first.publish([long, a_hint(1, user_id=TOMAS)])
        await there.until(lambda reader: len(reader.notes) >= 2)
    [arrived, after] = there.notes
    assert after == a_hint(1, user_id=TOMAS)
    if not isinstance(arrived, Hint):
        assert (arrived.user_id, arrived.last_seq) == (MAYA, 200)  # type: ignore[union-attr]
    else:
        assert arrived == long


async def test_publishing_never_waits_for_a_reader(two_workers: Workers) -> None:
    async with two_workers() as (first, second), second.subscribe():
        with trio.fail_after(WAIT_S):
            for seq in range(1, 20_001):
                await first.publish([a_hint(seq)])


async def test_a_reader_that_leaves_leaves_nothing_behind(two_workers: Workers) -> None:
    async with two_workers() as (first, second):
        async with reading(second):
            pass
        async with reading(second) as there:
            await first.publish([a_hint(1)])
            await there.until(lambda reader: reader.seqs == [1])
