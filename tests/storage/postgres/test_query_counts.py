"""Pages and batches cost a constant number of statements, whatever their length."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from greenroom.schema.bookings import BookingTense
from greenroom.schema.ids import UserId
from greenroom.schema.records import ConversationState, Role
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from tests.storage.builders import (
    ANN,
    NOW,
    a_booking,
    a_conversation,
    a_service,
    a_user,
    conversation_id,
    open_all,
    save_bookings,
    send,
)

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
    """Ann has a conversation with each of many instructors, with a message, a service and a lesson in each."""
    await storage.accounts.create_user(a_user(ANN), "hash")
    for number in range(1, MANY + 1):
        instructor = UserId(f"01INSTRUCTOR{number:014}")
        await storage.accounts.create_user(a_user(instructor, role=Role.INSTRUCTOR), "hash")
        await storage.directory.add_services([a_service(instructor, number)])
        await open_all(storage, a_conversation(ANN, instructor, number))
        await send(storage, instructor, conversation=number)
        lesson = a_booking(number, instructor_id=instructor, conversation=number, service=number)
        await save_bookings(storage, lesson)


async def test_a_page_of_conversations_with_their_lessons_is_two_statements(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int) -> None:
        page = await storage.conversations.page(
            ANN, state=ConversationState.ACTIVE, before=None, limit=limit, now=NOW
        )
        assert len(page) == limit
        assert all(len(view.upcoming) == 1 for view in page)

    assert await statements(pool, lambda: read(1)) == 2
    assert await statements(pool, lambda: read(MANY)) == 2


async def test_a_page_of_instructors_is_two_statements(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int) -> None:
        page = await storage.directory.instructors_page(after=None, limit=limit)
        assert sum(len(profile.services) for profile in page) == limit

    assert await statements(pool, lambda: read(1)) == 2
    assert await statements(pool, lambda: read(MANY)) == 2


async def test_a_snapshot_is_six_statements(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int) -> None:
        views = (await storage.streams.snapshot(ANN, conversations_max=limit, now=NOW)).conversations
        assert [len(view.upcoming) for view in views] == [1] * limit

    assert await statements(pool, lambda: read(1)) == 6
    assert await statements(pool, lambda: read(MANY)) == 6


async def test_a_page_of_bookings_is_one_statement(storage: Storage, pool: Pool) -> None:
    await talk_to_many(storage)

    async def read(limit: int, tense: BookingTense | None) -> None:
        assert len(await storage.bookings.page(ANN, tense=tense, now=NOW, after=None, limit=limit)) == limit

    for tense in (None, BookingTense.UPCOMING):
        for limit in (1, MANY):
            assert await statements(pool, lambda limit=limit, tense=tense: read(limit, tense)) == 1  # type: ignore[misc]


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
