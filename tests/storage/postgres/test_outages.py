"""What kills connections, servers or the way to them costs some answers, never a stored message."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from greenroom.schema.errors import Conflict, StorageUnavailable
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.embedded import EmbeddedPostgres, open_embedded
from greenroom.storage.postgres.migrate import migrate
from tests.postgres import PostgresServer
from tests.storage.builders import ANN, BEN, add_users, conversation_id, open_all, send
from tests.storage.postgres.proxy import network_to

WAIT_S = 30
BACKEND = "SELECT pg_backend_pid()"
# Waits until it is gone.
TERMINATE = "SELECT pg_terminate_backend(%(pid)s::integer, 5000)"
SLEEPER = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


@pytest.fixture
async def pool(database: PostgresOptions) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        yield pool


@pytest.fixture
async def own_server(data_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server that this test may kill, durable as in production."""
    async with open_embedded(data_dir) as server:
        await migrate(PostgresOptions(server.conninfo))
        yield server


async def terminate(pool: Pool, pid: int) -> None:
    await pool.fetch(TERMINATE, {"pid": pid}, bool)


async def test_an_idle_connection_that_the_server_closed_is_not_used(pool: Pool) -> None:
    async with pool.session() as one, pool.session() as other:
        both = {*await one.fetch(BACKEND, None, int), *await other.fetch(BACKEND, None, int)}
    async with pool.session() as session:
        (idle,) = both - {*await session.fetch(BACKEND, None, int)}
        await session.fetch(TERMINATE, {"pid": idle}, bool)
    async with pool.session() as one, pool.session() as other:
        now = {*await one.fetch(BACKEND, None, int), *await other.fetch(BACKEND, None, int)}
    assert idle not in now
    assert pool.statistics().lost == 0


async def test_a_read_whose_connection_is_cut_is_tried_again(database: PostgresOptions) -> None:
    answers: list[int] = []

    async def read() -> None:
        answers.extend(await pool.fetch("SELECT 7 FROM pg_sleep((SELECT s FROM pause))", None, int))

    with trio.fail_after(WAIT_S):
        async with open_pool(replace(database, statement_timeout_s=2 * WAIT_S)) as pool:
            await pool.run("CREATE TABLE pause AS SELECT 60 AS s", None)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                while not (sleeping := await pool.fetch(SLEEPER, {}, int)):
                    await trio.lowlevel.checkpoint()
                await pool.run("UPDATE pause SET s = 0", None)  # for whoever tries again
                await terminate(pool, sleeping[0])

    assert answers == [7]
    assert pool.statistics().lost == 1


async def test_a_write_whose_connection_is_cut_is_not_tried_again(pool: Pool) -> None:
    storage = postgres_storage(pool, bus=LocalBus())
    await add_users(storage)

    async def write() -> None:
        async with storage.writes.transaction() as tx:
            await tx.lock(users=[ANN])
            holder = (
                "SELECT pid FROM pg_locks WHERE relation = 'user_streams'::regclass AND pid <> pg_backend_pid()"
            )
            (pid,) = set(await pool.fetch(holder, None, int))
            await terminate(pool, pid)

    with trio.fail_after(WAIT_S), pytest.raises(StorageUnavailable):
        await write()
    assert pool.statistics().in_use == 0


class Ledger:
    """What writers were told, to compare with what is stored."""

    def __init__(self) -> None:
        self.acked: set[str] = set()
        self.unknown: set[str] = set()
        self._grew = trio.Event()

    def ack(self, client_id: str) -> None:
        self.acked.add(client_id)
        self._grew.set()
        self._grew = trio.Event()

    async def wait_acked(self, more: int) -> None:
        goal = len(self.acked) + more
        while len(self.acked) < goal:
            await self._grew.wait()


async def keep_writing(storage: Storage, ledger: Ledger, name: str, stop: trio.Event) -> None:
    """Send messages, each until it is acknowledged, as a client with its own message ids does."""
    number = 0
    while not stop.is_set():
        number += 1
        client_id = f"{name}-{number}"
        while client_id not in ledger.acked:
            try:
                await send(storage, ANN if number % 2 else BEN, client_id=client_id)
                ledger.ack(client_id)
            except StorageUnavailable:
                ledger.unknown.add(client_id)
                await trio.sleep(0.02)
            except Conflict:
                # An attempt of unknown outcome had been committed after all.
                assert client_id in ledger.unknown
                ledger.ack(client_id)


async def check(storage: Storage, ledger: Ledger) -> None:
    """Nothing acknowledged is lost, nothing is there twice, no sequence has a hole."""
    stored = await storage.conversations.messages_after(conversation_id(1), 0, limit=1_000_000)
    client_ids = [message.client_id for message in stored]
    assert set(client_ids) == ledger.acked
    assert len(client_ids) == len(ledger.acked)
    assert [message.seq for message in stored] == list(range(1, len(stored) + 1))
    for user_id in (ANN, BEN):
        events = await storage.streams.events_after(user_id, 0, limit=1_000_000)
        assert [event.seq for event in events] == list(range(1, len(stored) + 1))


async def write_through(server: EmbeddedPostgres, kills: int, pick: str) -> Ledger:
    """Have writers write while something is killed again and again."""
    ledger = Ledger()
    stop = trio.Event()
    async with open_pool(PostgresOptions(server.conninfo, pool_size=5)) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await add_users(storage)
        await open_all(storage)
        async with trio.open_nursery() as nursery:
            for name in ("a", "b", "c", "d"):
                nursery.start_soon(keep_writing, storage, ledger, name, stop)
            killed: int | None = None
            for _ in range(kills):
                postmaster = await another_postmaster(server, than=killed)
                await ledger.wait_acked(25)
                killed = postmaster if pick == "server" else await some_backend(pool)
                os.kill(killed, signal.SIGKILL)
            await ledger.wait_acked(25)
            stop.set()
        await check(storage, ledger)
        assert pool.statistics().in_use == 0
        assert pool.statistics().lost > 0
    return ledger


async def another_postmaster(server: EmbeddedPostgres, *, than: int | None) -> int:
    """Wait for it: backends outlive a killed one for a moment, and go on to acknowledge what they are at."""
    while (pid := server.cluster.postmaster_pid()) in (None, than):  # noqa: ASYNC110 - another process
        await trio.sleep(0.02)
    assert pid is not None
    return pid


async def some_backend(pool: Pool) -> int:
    query = "SELECT max(pid) FROM pg_stat_activity WHERE datname = current_database()"
    while True:
        try:
            (pid,) = await pool.fetch(query, None, int)
        except StorageUnavailable:
            await trio.sleep(0.02)
        else:
            return pid


async def test_killing_a_backend_loses_nothing_acknowledged(own_server: EmbeddedPostgres) -> None:
    with trio.fail_after(WAIT_S):
        ledger = await write_through(own_server, kills=3, pick="backend")
    assert ledger.unknown


async def test_killing_the_server_loses_nothing_acknowledged(own_server: EmbeddedPostgres) -> None:
    with trio.fail_after(WAIT_S):
        ledger = await write_through(own_server, kills=3, pick="server")
    assert ledger.unknown


async def test_a_server_that_is_away_is_answered_for_at_once(data_dir: Path) -> None:
    options = PostgresOptions(f"host={data_dir} dbname=none", pool_timeout_s=0.2)
    async with open_pool(options) as pool:
        with trio.fail_after(WAIT_S):
            for _ in range(6):
                with pytest.raises(StorageUnavailable):
                    await pool.fetch("SELECT 1", None, int)
            with pytest.raises(StorageUnavailable) as refusal:
                await pool.fetch("SELECT 1", None, int)
        assert 0 < refusal.value.retry_after_s <= 1
        assert pool.statistics().in_use == 0


@pytest.mark.parametrize("prepare", [True, False], ids=["direct", "behind a pooler"])
async def test_a_network_that_went_dead_holds_nobody_beyond_the_deadline(
    database: PostgresOptions, postgres_server: PostgresServer, prepare: bool
) -> None:
    socket = postgres_server.socket_folder / ".s.PGSQL.5432"
    with trio.fail_after(WAIT_S):
        async with network_to(socket) as network:
            far = f"{database.conninfo} hostaddr=127.0.0.1 port={network.port} sslmode=disable"
            options = replace(database, conninfo=far, prepare=prepare)
            async with open_pool(options) as pool:
                assert await pool.fetch("SELECT 1", None, int) == [1]
                network.freeze()

                with trio.move_on_after(0.1) as scope:
                    await pool.fetch("SELECT 1", None, int)
                assert trio.current_time() - scope.deadline < options.statement_timeout_s

                with pytest.raises(StorageUnavailable):
                    await pool.fetch("SELECT 1", None, int)

                network.thaw()
                await first_answer(pool)
                assert pool.statistics().in_use == 0


async def test_a_pool_heals_by_itself_after_the_server_was_killed(own_server: EmbeddedPostgres) -> None:
    async with open_pool(PostgresOptions(own_server.conninfo)) as pool:
        async with pool.session() as session:
            await session.fetch("SELECT 1", None, int)
            killed = own_server.cluster.postmaster_pid()
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            with pytest.raises(StorageUnavailable):
                await session.fetch("SELECT pg_sleep(1)", None, str)
        with trio.fail_after(WAIT_S):
            await first_answer(pool)
    assert own_server.cluster.postmaster_pid() != killed


async def first_answer(pool: Pool) -> None:
    """Ask as often as the refusals allow."""
    while True:
        try:
            assert await pool.fetch("SELECT 1", None, int) == [1]
            return
        except StorageUnavailable as exc:
            await trio.sleep(exc.retry_after_s)


async def test_a_column_that_changes_under_prepared_statements_is_no_trouble(
    database: PostgresOptions, pool: Pool
) -> None:
    """As when a newer worker migrates while this one serves."""
    storage = postgres_storage(pool, bus=LocalBus())
    epoch = await storage.streams.epoch()
    async with open_pool(database) as newer:
        await newer.run("ALTER TABLE stream_epoch ALTER COLUMN epoch TYPE varchar(16)", None)
    assert await storage.streams.epoch() == epoch
