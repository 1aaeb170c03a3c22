"""Pages and batches cost a constant number of statements, whatever their length."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from greenroom.schema.ids import UserId
from greenroom.schema.records import ConversationState, Role
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from tests.storage.builders import ANN, a_conversation, a_service, a_user, conversation_id, open_all, send

MANY = 30


@pytest.fixture
async def pool(database: PostgresOptions) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        yield pool


@pytest.fixture
def storage(pool: Pool) -> Storage:
    return postgres_storage(pool, bus=LocalBus())


async def statements(pool: Pool, act: Callable[[], Awaitable[object]]) -> int:
    before = pool.statistics().statements
    await act()
    return pool.statistics().statements - before


async def talk_to_many(storage: Storage) -> None:
    """Ann has a conversation with each of many instructors, with a message and a service in each."""
    await storage.accounts.create_user(a_user(ANN), "hash")
    for number in range(1, MANY + 1):
        instructor = UserId(f"01INSTRUCTOR{number:014}")
        await storage.accounts.create_user(a_user(instructor, role=Role.INSTRUCTOR), "hash")
        await storage.directory.add_services([a_service(instructor, number)])
        await open_all(storage, a_conversation(ANN, instructor, number))
        await send(storage, instructor, conversation=number)


async def test_a_page_of_conversations_is_one_statement(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int) -> None:
        page = await storage.conversations.page(ANN, state=ConversationState.ACTIVE, before=None, limit=limit)
        assert len(page) == limit

    assert await statements(pool, lambda: read(1)) == 1
    assert await statements(pool, lambda: read(MANY)) == 1


async def test_a_page_of_instructors_is_two_statements(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int) -> None:
        page = await storage.directory.instructors_page(after=None, limit=limit)
        assert sum(len(profile.services) for profile in page) == limit

    assert await statements(pool, lambda: read(1)) == 2
    assert await statements(pool, lambda: read(MANY)) == 2


async def test_a_snapshot_is_five_statements(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int) -> None:
        assert len((await storage.streams.snapshot(ANN, conversations_max=limit)).conversations) == limit

    assert await statements(pool, lambda: read(1)) == 5
    assert await statements(pool, lambda: read(MANY)) == 5


async def test_a_batch_of_messages_costs_as_many_statements_as_one(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)
    one = await statements(pool, lambda: send(storage, ANN, count=1))
    assert await statements(pool, lambda: send(storage, ANN, count=100)) == one


async def test_many_conversations_and_streams_are_locked_and_read_in_four_statements(
    storage: Storage, pool: Pool
) -> None:
    await talk_to_many(storage)
    ids = [conversation_id(number) for number in range(1, MANY + 1)]
    async with storage.writes.transaction() as tx:
        assert await statements(pool, lambda: tx.lock(conversations=ids)) == 4
