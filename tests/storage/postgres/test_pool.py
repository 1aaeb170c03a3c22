from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from greenroom.schema.errors import PoolExhausted, StorageUnavailable
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage, trio_connection
from tests.storage.builders import ANN, a_conversation, add_users, an_event, conversation_id, open_all, send

WAIT_S = 10
ONE = "SELECT 1"
BACKEND = "SELECT pg_backend_pid()"


@pytest.fixture
async def pool(database: PostgresOptions) -> AsyncIterator[Pool]:
    # A statement has longer than any test here waits.
    async with open_pool(replace(database, pool_size=2, pool_timeout_s=0.2, statement_timeout_s=60)) as pool:
        yield pool


async def backend(pool: Pool) -> int:
    (pid,) = await pool.fetch(BACKEND, None, int)
    return pid


async def states(pool: Pool) -> list[str]:
    """What the server says that this database's other connections are doing."""
    query = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return await pool.fetch(query, None, str)


async def test_a_connection_is_made_when_first_needed_and_used_again(pool: Pool) -> None:
    assert pool.statistics().open == 0
    assert await backend(pool) == await backend(pool)
    assert (pool.statistics().open, pool.statistics().idle) == (1, 1)


async def test_others_run_only_while_the_server_is_waited_for(pool: Pool) -> None:
    async with pool.session() as one, pool.session() as other:  # both are open from now on
        await one.fetch(ONE, None, int)
        await other.fetch(ONE, None, int)
    ran = trio.Event()

    async def run() -> None:
        ran.set()
        await holder.fetch("SELECT pg_advisory_unlock(1)", None, bool)

    with trio.fail_after(WAIT_S):
        async with pool.session() as holder, trio.open_nursery() as nursery:
            await holder.fetch("SELECT pg_advisory_lock(1)", None, str)
            nursery.start_soon(run)
            async with pool.session() as session, session.pipeline():
                await session.send("BEGIN")
                await session.send(ONE)
                assert not ran.is_set()
                # Which the server can't answer before the others have run.
                assert await session.fetch("SELECT 1 FROM pg_advisory_xact_lock(1)", None, int) == [1]
                assert ran.is_set()
                await session.send("COMMIT")


async def test_who_gets_no_turn_in_time_is_told_when_to_try_again(pool: Pool) -> None:
    async with pool.session(), pool.session():
        before = trio.current_time()
        with trio.fail_after(WAIT_S), pytest.raises(PoolExhausted) as refusal:
            await backend(pool)
        waited_s = trio.current_time() - before
    assert waited_s >= 0.2
    assert refusal.value.retry_after_s == 0.2
    assert pool.statistics().exhausted == 1


async def test_turns_come_in_the_order_asked_for(database: PostgresOptions) -> None:
    order: list[int] = []

    async def borrow(number: int) -> None:
        async with pool.session():
            order.append(number)

    async with open_pool(replace(database, pool_size=1)) as pool:
        with trio.fail_after(WAIT_S):
            async with trio.open_nursery() as nursery, pool.session():
                for number in range(6):
                    nursery.start_soon(borrow, number)
                    await wait_all_tasks_blocked()
                assert pool.statistics().waiting == 6
    assert order == list(range(6))


async def test_the_pool_is_whole_again_after_a_shortage(pool: Pool) -> None:
    async with pool.session(), pool.session(), trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(refused, pool)
    assert pool.statistics().in_use == 0
    async with pool.session() as one, pool.session() as other:
        assert await one.fetch(ONE, None, int) == await other.fetch(ONE, None, int) == [1]


async def refused(pool: Pool) -> None:
    with pytest.raises(PoolExhausted):
        await backend(pool)


async def test_an_open_transaction_is_rolled_back_before_its_connection_is_used_again(pool: Pool) -> None:
    async with pool.session() as session:
        await session.send("BEGIN")
        await session.send("CREATE TABLE left_behind ()")
        used = await session.fetch(BACKEND, None, int)
    assert [await backend(pool)] == used
    assert await pool.fetch("SELECT count(*) FROM pg_class WHERE relname = 'left_behind'", None, int) == [0]


async def test_no_connection_rests_in_a_transaction(pool: Pool) -> None:
    storage = postgres_storage(pool, bus=LocalBus())
    await add_users(storage)

    async def fail_in(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            await divide(number)

    async def divide(number: int) -> None:
        async with storage.writes.transaction() as tx:
            await tx.open_conversations([a_conversation(number=number)])
            raise ZeroDivisionError

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail_in, 1)
        nursery.start_soon(fail_in, 2)

    assert await states(pool) == ["idle"]
    assert pool.statistics().discarded == 0


async def test_a_statement_ends_at_its_timeout_and_the_connection_lives_on(database: PostgresOptions) -> None:
    async with open_pool(replace(database, statement_timeout_s=0.5, grace_s=60)) as pool:
        used = await backend(pool)
        with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
            await pool.fetch("SELECT pg_sleep(60)", None, str)
        assert await backend(pool) == used


async def test_a_lock_is_waited_for_no_longer_than_its_timeout(database: PostgresOptions) -> None:
    async with open_pool(replace(database, lock_timeout_s=0.1, statement_timeout_s=60)) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await add_users(storage)
        await open_all(storage)
        async with storage.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(1)])
            with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
                await send(storage)
        await send(storage)


@pytest.mark.parametrize("prepare", [True, False], ids=["by the session", "by the transaction"])
async def test_a_transaction_that_holds_locks_idly_is_ended_by_the_server(
    database: PostgresOptions, prepare: bool
) -> None:
    async with open_pool(database) as unhurried:
        await add_users(postgres_storage(unhurried, bus=LocalBus()))
    async with open_pool(replace(database, idle_in_transaction_timeout_s=0.1, prepare=prepare)) as pool:
        storage = postgres_storage(pool, bus=LocalBus())

        async def dawdle() -> None:
            async with storage.writes.transaction() as tx:
                await tx.lock(users=[ANN])
                await tx.append_events([an_event()])
                while "idle in transaction" in await states(pool):  # noqa: ASYNC110 - the server says it to nobody
                    await trio.sleep(0.02)

        with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
            await dawdle()
        assert await storage.streams.events_after(ANN, 0, limit=9) == []


async def test_a_cancelled_query_ends_in_the_server_and_its_connection_lives_on(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trio_connection, "CANCEL_TIMEOUT_S", WAIT_S)
    used = await backend(pool)
    with trio.fail_after(WAIT_S), trio.move_on_after(0.05) as scope:
        await pool.fetch("SELECT pg_sleep(60)", None, str)
    assert scope.cancelled_caught
    assert await backend(pool) == used
    assert await states(pool) == []


async def test_a_cancelled_wait_for_a_lock_lets_go_in_the_server(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trio_connection, "CANCEL_TIMEOUT_S", WAIT_S)
    storage = postgres_storage(pool, bus=LocalBus())
    await add_users(storage)
    await open_all(storage)
    async with storage.writes.transaction() as tx:
        await tx.lock(conversations=[conversation_id(1)])
        with trio.move_on_after(0.05):
            await send(storage)
        assert pool.statistics().open == 1
    await send(storage)


async def test_a_closed_pool_lends_nothing(database: PostgresOptions) -> None:
    async with open_pool(database) as pool:
        await backend(pool)
    assert pool.statistics().open == 0
    with pytest.raises(StorageUnavailable):
        await backend(pool)


async def test_a_statement_is_prepared_once_whatever_the_numbers_in_it(pool: Pool) -> None:
    storage = postgres_storage(pool, bus=LocalBus())
    await add_users(storage)
    for after in (0, 100_000, 10_000_000_000):
        await storage.streams.events_after(ANN, after, limit=1)
    query = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE E'\n-- events_after:%%'"
    assert await pool.fetch(query, {}, int) == [1]
