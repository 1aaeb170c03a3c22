"""What becomes of the bus through Postgres when its connections are ended."""

from __future__ import annotations

from functools import partial

import psycopg
import trio

from greenroom.storage.bus_postgres import CHANNEL, PostgresWire
from greenroom.storage.postgres import PostgresOptions
from tests.storage.bus.follower import Writer, following
from tests.storage.bus.notes import WAIT_S, a_hint, a_worker, reading, until


def execute(database: PostgresOptions, statement: bytes) -> None:
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute(statement)


END_ALL = b"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


async def test_a_stream_is_seen_whole_although_every_connection_was_ended(database: PostgresOptions) -> None:
    writer = Writer()
    wire = PostgresWire(database)
    async with (
        a_worker(wire, "worker-a.1") as first,
        a_worker(wire, "worker-b.1") as second,
        following(second, lambda: writer.committed) as follower,
    ):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(writer.write, first, a_hint, events=2_000, pause_s=0.0005))
            await follower.until(500, within_s=WAIT_S)
            await trio.to_thread.run_sync(execute, database, END_ALL)
        await follower.until(2_000, within_s=WAIT_S)
        await until(lambda: first.is_up and second.is_up)
    assert follower.seen == list(range(1, 2_001))


async def test_what_anybody_notifies_is_checked(database: PostgresOptions) -> None:
    async with a_worker(PostgresWire(database), "worker-a.1") as bus, reading(bus) as reader:
        statement = f'NOTIFY {CHANNEL}, \'{{"role":"admin"}}\''
        await trio.to_thread.run_sync(execute, database, statement.encode())
        await until(lambda: bus.statistics().unreadable == 1)
        assert reader.notes == []
        assert bus.statistics().losses == 0


async def test_a_database_that_is_away_is_waited_for_in_the_background() -> None:
    nowhere = PostgresOptions("host=/nonexistent dbname=none")
    with trio.fail_after(WAIT_S):
        async with a_worker(PostgresWire(nowhere), "worker-a.1") as bus, reading(bus) as reader:
            assert not bus.is_up
            await bus.publish([a_hint(1)])
            await reader.until(lambda reader: reader.seqs == [1])
