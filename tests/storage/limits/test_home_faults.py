"""Homes that are gone, frozen, emptied, or written to by somebody else."""

from __future__ import annotations

import math
from contextlib import AsyncExitStack, aclosing

import pytest
import trio

from greenroom.schema.rate_limits import Policy
from greenroom.storage.limits import Claim, HomeAway
from greenroom.storage.limits.postgres import FORGET_MAX, PostgresHome
from greenroom.storage.limits.redis import RedisHome
from greenroom.storage.postgres import PostgresOptions, open_pool
from greenroom.storage.redis import RedisUrl
from tests.storage.bus.redis_server import RedisServer

HOURLY = Policy("hourly", 5, 3600)
CLAIM = [Claim(HOURLY, "maya", wanted=1)]
KEY = "{greenroom:test:limits:0}:hourly:maya"


def a_home(redis: RedisServer) -> aclosing[RedisHome]:
    return aclosing(RedisHome(RedisUrl.parse(redis.url), namespace="test"))


async def test_a_redis_that_was_restarted_is_used_again(redis: RedisServer) -> None:
    async with a_home(redis) as home:
        await home.settle(CLAIM)
        redis.kill()
        with pytest.raises(HomeAway):
            await home.settle(CLAIM)
        redis.start()

        assert (await home.settle(CLAIM))[0].granted == 1


async def test_a_redis_that_forgot_the_script_is_told_it_again(redis: RedisServer) -> None:
    async with a_home(redis) as home:
        await home.settle(CLAIM)
        redis.command("SCRIPT", "FLUSH")
        with pytest.raises(HomeAway):
            await home.settle(CLAIM)

        assert (await home.settle(CLAIM))[0].granted == 1


async def test_a_frozen_redis_is_given_up_in_time_and_its_late_answer_is_nobodys(redis: RedisServer) -> None:
    async with a_home(redis) as home:
        await home.settle(CLAIM)
        redis.freeze()
        with trio.move_on_after(0.05) as scope:
            await home.settle([Claim(HOURLY, "tomas", wanted=3)])
        redis.thaw()

        assert scope.cancelled_caught
        assert (await home.settle(CLAIM))[0].granted == 1


@pytest.mark.parametrize("value", ["garbage", "nan", "-1", "1e308", "9" * 400, ""])
async def test_what_somebody_else_wrote_shuts_out_for_one_window_at_most(redis: RedisServer, value: str) -> None:
    redis.command("SET", KEY, value)
    async with a_home(redis) as home:
        [standing] = await home.settle(CLAIM)

    assert 0 <= standing.debt_us <= 2 * HOURLY.capacity_us


async def test_a_key_of_another_type_is_replaced(redis: RedisServer) -> None:
    redis.command("LPUSH", KEY, "a")
    async with a_home(redis) as home:
        granted = [(await home.settle(CLAIM))[0].granted for _ in range(6)]

    assert granted == [1, 1, 1, 1, 1, 0]


async def test_keys_end_by_themselves(redis: RedisServer) -> None:
    async with a_home(redis) as home:
        await home.settle([Claim(HOURLY, "maya", spent=2)])

    milliseconds = int(redis.command("PTTL", KEY).lstrip(":"))
    assert 0 < milliseconds <= math.ceil(2 * HOURLY.interval_us / 1000)


async def test_settlements_of_several_workers_add_up_and_do_not_block_each_other(
    database: PostgresOptions,
) -> None:
    granted: list[int] = []
    policy = Policy("p", 100, 3600)

    async def settle(home: PostgresHome, subjects: list[str]) -> None:
        for _ in range(20):
            standings = await home.settle([Claim(policy, subject, wanted=3) for subject in subjects])
            granted.extend(standing.granted for standing in standings)

    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(open_pool(database)) for _ in range(2)]
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                for n in range(4):
                    subjects = [f"user-{m}" for m in range(20)]
                    nursery.start_soon(settle, PostgresHome(pools[n % 2]), subjects if n % 2 else subjects[::-1])

    assert sum(granted) == 20 * 100


async def test_postgres_forgets_what_is_over(database: PostgresOptions) -> None:
    async with open_pool(database) as pool:
        home = PostgresHome(pool)
        await home.settle([Claim(Policy("brief", 1_000_000, 1), "maya", wanted=1), *CLAIM])

        await home.forget()

        assert await pool.fetch("SELECT key FROM rate_limits", None, str) == ["hourly:maya"]


async def test_postgres_forgets_all_that_is_over_however_many_names_were_made_up(
    database: PostgresOptions,
) -> None:
    made_up = 2 * FORGET_MAX + 1
    query = "INSERT INTO rate_limits SELECT 'brief:' || n, 1, 0 FROM generate_series(1, %(count)s) AS n"
    async with open_pool(database) as pool:
        await pool.run(query, {"count": made_up})

        await PostgresHome(pool).forget()

        assert await pool.fetch("SELECT key FROM rate_limits", None, str) == []


async def test_a_database_that_is_gone_is_a_home_that_is_away(database: PostgresOptions) -> None:
    async with open_pool(database) as pool:
        await pool.close()

        with pytest.raises(HomeAway):
            await PostgresHome(pool).settle(CLAIM)


async def test_a_database_without_the_table_is_a_home_that_is_away(database: PostgresOptions) -> None:
    async with open_pool(database) as pool:
        await pool.run("DROP TABLE rate_limits", None)

        with pytest.raises(HomeAway):
            await PostgresHome(pool).settle(CLAIM)
        with pytest.raises(HomeAway):
            await PostgresHome(pool).forget()
