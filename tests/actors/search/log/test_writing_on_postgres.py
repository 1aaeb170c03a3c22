"""A database that stalls keeps the log from writing, and nobody from a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import trio

from greenroom.actors.search.log.writer import NAME, LogCounts, SearchLogWriter, search_log
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.supervisor import ChildSpec, MailboxSpec, Overflow, SupervisorSpec, open_system
from tests.storage.builders import NOW
from tests.storage.search_builders import a_search

WAIT_S = 20
TIMEOUT_S = 0.2


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - neither counts nor a pool tell anybody that they have changed
        await trio.sleep(0.005)


async def test_a_stalled_database_takes_one_connection_from_the_pool_and_gives_it_back(
    database: PostgresOptions,
) -> None:
    counts = LogCounts()
    async with open_pool(replace(database, pool_size=2)) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        tree = SupervisorSpec(
            "greenroom",
            (
                ChildSpec(
                    NAME,
                    lambda: SearchLogWriter(
                        log=storage.search_log,
                        counts=counts,
                        timeout_s=TIMEOUT_S,
                        is_loaded=lambda: storage.health.is_pressed,
                    ),
                    mailbox=MailboxSpec(capacity=10, overflow=Overflow.DROP_NEWEST),
                    batch_max=5,
                ),
            ),
        )
        with trio.fail_after(WAIT_S), psycopg.connect(database.conninfo) as blocker:
            blocker.execute("LOCK TABLE search_queries IN ACCESS EXCLUSIVE MODE")
            async with open_system(tree, seed=1, wall=lambda: NOW) as system:
                for number in range(1, 21):
                    search_log(system).tell(a_search(number))
                await until(lambda: pool.statistics().in_use > 0)

                assert pool.statistics().in_use == 1
                await storage.health.ping()

                await until(lambda: counts.timed_out == 10)
                blocker.rollback()
                await until(lambda: pool.statistics().in_use == 0)
                search_log(system).tell(a_search(99))
                await until(lambda: counts.recorded == 1)
                await system.shutdown(1.0)
        assert pool.statistics().discarded == 0
    assert counts.timed_out == 10


async def test_a_database_is_pressed_while_somebody_waits_for_a_connection(database: PostgresOptions) -> None:
    with trio.fail_after(WAIT_S):
        async with open_pool(replace(database, pool_size=1)) as pool, trio.open_nursery() as nursery:
            health = postgres_storage(pool, bus=LocalBus()).health
            async with pool.session():
                before = health.is_pressed
                nursery.start_soon(health.ping)
                await until(lambda: pool.statistics().waiting == 1)
                during = health.is_pressed

    assert (before, during) == (False, True)
