"""Cancelling at any moment never gives a caller somebody else's answer, nor costs the pool a connection."""

import random
from dataclasses import replace

import trio

from greenroom.schema.errors import Unavailable
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from tests.storage.builders import ANN, BEN, NOW, add_users, conversation_id, open_all, send

CALLS = 1_500
CALLERS = 12
WAIT_S = 40


async def test_a_storm_of_cancellations_crosses_no_answers_and_leaks_no_connection(
    database: PostgresOptions,
) -> None:
    with trio.fail_after(WAIT_S):
        async with open_pool(replace(database, pool_size=4, pool_timeout_s=5, lock_timeout_s=2)) as pool:
            await storm(pool, calls=CALLS, seed=1)


async def storm(pool: Pool, *, calls: int, seed: int) -> None:
    storage = postgres_storage(pool, bus=LocalBus())
    await add_users(storage)
    await open_all(storage)
    draw = random.Random(seed)
    numbers = iter(range(calls))
    cancelled = finished = 0
    patience_s = 0.02  # which calls are given at most: it is found out with how much some end and some do not

    async def call_again_and_again() -> None:
        nonlocal cancelled, finished, patience_s
        for number in numbers:
            with trio.move_on_after(draw.uniform(0, patience_s)) as scope:
                try:
                    await draw.choice(CALLS_TO_MAKE)(pool, storage, number, draw.uniform(0, 0.01))
                    finished += 1
                except Unavailable:
                    # Only a neighbour's lock was too slow.
                    pass
            cancelled += scope.cancelled_caught
            patience_s = patience_s * 1.02 if scope.cancelled_caught else max(0.02, patience_s / 1.02)

    async with trio.open_nursery() as nursery:
        for _ in range(CALLERS):
            nursery.start_soon(call_again_and_again)

    # A mix of both, however slow the machine is.
    assert cancelled > calls / 100
    assert finished > calls / 100
    await everything_is_as_before(pool, storage)


async def read_back(pool: Pool, storage: Storage, number: int, pause_s: float) -> None:
    query = "SELECT %(number)s::bigint FROM pg_sleep(%(pause_s)s)"
    assert await pool.fetch(query, {"number": number, "pause_s": pause_s}, int) == [number]


async def read_many(pool: Pool, storage: Storage, number: int, pause_s: float) -> None:
    query = "SELECT %(number)s::bigint + n FROM generate_series(0, 999) AS n"
    assert await pool.fetch(query, {"number": number}, int) == list(range(number, number + 1_000))


async def read_in_a_pipeline(pool: Pool, storage: Storage, number: int, pause_s: float) -> None:
    snapshot = await storage.streams.snapshot(ANN, conversations_max=5, now=NOW)
    (view,) = snapshot.conversations
    # Each message makes one event: both come from one snapshot, or from a wrong answer.
    assert view.conversation.last_seq == snapshot.head.last_seq


async def write(pool: Pool, storage: Storage, number: int, pause_s: float) -> None:
    await send(storage, ANN if number % 2 else BEN)


CALLS_TO_MAKE = (read_back, read_many, read_in_a_pipeline, write)


async def everything_is_as_before(pool: Pool, storage: Storage) -> None:
    statistics = pool.statistics()
    assert statistics.in_use == 0
    assert statistics.open == statistics.idle <= statistics.size

    stored = await storage.conversations.messages_after(conversation_id(1), 0, limit=1_000_000)
    for user_id in (ANN, BEN):
        events = await storage.streams.events_after(user_id, 0, limit=1_000_000)
        assert [event.seq for event in events] == [message.seq for message in stored]

    # The server agrees: nothing runs, nothing holds a transaction open, nobody is connected but the pool.
    query = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with trio.fail_after(WAIT_S):
        while True:
            states = await pool.fetch(query, None, str)
            if set(states) <= {"idle"} and len(states) < statistics.size:
                break
            await trio.sleep(0.01)
