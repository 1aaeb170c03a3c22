"""What a transaction-mode pooler breaks is off: nothing is prepared, and nothing is set for longer than a transaction."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import trio

from greenroom.schema.errors import EmailTaken, StorageUnavailable
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.migrate import migrate
from tests.storage.builders import ANN, BEN, NOW, a_user, add_users, conversation_id, open_all, send

WAIT_S = 20


@pytest.fixture
async def pool(database: PostgresOptions) -> AsyncIterator[Pool]:
    async with open_pool(pooled(database)) as pool:
        yield pool


def pooled(database: PostgresOptions) -> PostgresOptions:
    """With bounds beyond what a test waits, but for those that it is about."""
    return replace(database, prepare=False, statement_timeout_s=60.0, lock_timeout_s=60.0)


@pytest.fixture
def storage(pool: Pool) -> Storage:
    return postgres_storage(pool, bus=LocalBus())


async def test_people_talk(storage: Storage) -> None:
    await add_users(storage)
    await open_all(storage)
    sent = await send(storage, ANN, count=3) + await send(storage, BEN)
    assert await storage.conversations.messages_after(conversation_id(1), 0, limit=9) == sent
    assert [event.seq for event in await storage.streams.events_after(BEN, 0, limit=9)] == [1, 2, 3, 4]
    assert (await storage.streams.snapshot(BEN, conversations_max=9, now=NOW)).total_unread == 3


async def test_errors_are_told_apart(storage: Storage) -> None:
    await add_users(storage, ANN)
    with pytest.raises(EmailTaken):
        await storage.accounts.create_user(a_user(BEN, email=a_user(ANN).email), "hash")


async def test_upkeep_works(storage: Storage) -> None:
    await storage.streams.keep_events_since(NOW, NOW)
    assert await storage.streams.keep_events_since(NOW + timedelta(weeks=1), NOW + timedelta(weeks=1)) == 1


async def test_nothing_is_prepared(storage: Storage, pool: Pool) -> None:
    await add_users(storage)
    await open_all(storage)
    assert await pool.fetch("SELECT count(*) FROM pg_prepared_statements", None, int) == [0]


async def test_nothing_stays_set_after_a_transaction(storage: Storage, pool: Pool) -> None:
    await add_users(storage)
    await open_all(storage)
    settings = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
    assert await pool.fetch(settings, None, lambda *columns: columns) == [("0", "0")]


async def test_a_transaction_is_bounded_by_the_server(database: PostgresOptions) -> None:
    async with open_pool(replace(pooled(database), lock_timeout_s=0.1)) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await add_users(storage)
        await open_all(storage)
        async with storage.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(1)])
            with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
                await send(storage)


async def test_a_plain_read_is_bounded_by_the_client_and_cancelled_in_the_server(
    database: PostgresOptions, pool: Pool
) -> None:
    async with open_pool(replace(pooled(database), statement_timeout_s=0.2, grace_s=0.2)) as bounded:
        with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
            await bounded.fetch("SELECT pg_sleep(60)", None, str)
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    assert await pool.fetch(others, None, int) == [1]


async def test_the_schema_is_migrated(unmigrated_database: PostgresOptions) -> None:
    options = replace(unmigrated_database, prepare=False)
    assert await migrate(options)
    assert await migrate(options) == []
