import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.errors import PoolExhausted, StorageUnavailable
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase, memory_storage, no_faults
from tests.storage.builders import ANN, NOW, a_conversation, add_users, conversation_id, open_all, send


@pytest.fixture
async def database() -> MemoryDatabase:
    """Ann and Ben have an empty conversation."""
    database = MemoryDatabase()
    storage = memory_storage(database)
    await add_users(storage)
    await open_all(storage)
    return database


def fail_at(database: MemoryDatabase, *points: FaultPoint) -> None:
    async def faults(point: FaultPoint) -> None:
        await no_faults(point)
        if point in points:
            raise StorageUnavailable("told to")

    database.faults = faults


async def test_a_commit_that_fails_before_leaves_nothing(database: MemoryDatabase) -> None:
    fail_at(database, FaultPoint("writes.commit", Phase.BEFORE))
    with pytest.raises(StorageUnavailable):
        await send(memory_storage(database))
    assert database.tables.messages == {}


async def test_a_commit_that_fails_after_has_happened(database: MemoryDatabase) -> None:
    fail_at(database, FaultPoint("writes.commit", Phase.AFTER))
    with pytest.raises(StorageUnavailable):
        await send(memory_storage(database))
    assert len(database.tables.messages[conversation_id(1)]) == 1


async def test_a_statement_that_fails_rolls_everything_back(database: MemoryDatabase) -> None:
    fail_at(database, FaultPoint("writes.append_events", Phase.BEFORE))
    with pytest.raises(StorageUnavailable):
        await send(memory_storage(database))
    assert database.tables.messages == {}
    assert database.tables.streams[ANN].last_seq == 0


async def test_a_read_can_be_slow_without_holding_up_others(
    database: MemoryDatabase, autojump_clock: MockClock
) -> None:
    async def faults(point: FaultPoint) -> None:
        await trio.sleep(10 if point == FaultPoint("streams.head", Phase.BEFORE) else 0)

    database.faults = faults
    storage = memory_storage(database)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(storage.streams.head, ANN)
        await storage.streams.epoch()
        assert trio.current_time() < 10


async def test_a_writer_waits_for_the_one_before_it_but_not_for_ever(
    database: MemoryDatabase, autojump_clock: MockClock
) -> None:
    storage = memory_storage(database)
    async with storage.writes.transaction():
        before = trio.current_time()
        with pytest.raises(PoolExhausted):
            await open_all(storage, a_conversation(number=2, at=NOW))
        assert trio.current_time() - before == pytest.approx(0.5)


async def test_workers_share_a_database(database: MemoryDatabase) -> None:
    one, other = memory_storage(database), memory_storage(database)
    await send(one)
    assert (await other.streams.head(ANN)).last_seq == 1
