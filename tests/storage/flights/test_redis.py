"""Flights over a real Redis: workers that die, a Redis that is gone, frozen, or written to by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import pytest
import trio
from trio.testing import MockClock

from greenroom.models.ports import Flights
from greenroom.schema.search.flights import Boarding, Landed, Lead, Sky
from greenroom.storage.flights.redis import EXCHANGE_TIMEOUT_S, LEASE_S, RENEWALS
from tests.storage.bus.redis_server import RedisServer
from tests.storage.flights.workers import WAIT_S, a_worker, until

SLACK_S = 0.3
"""For a machine that runs other tests besides."""


async def test_a_lease_is_renewed_for_as_long_as_its_leader_flies(
    redis: RedisServer, skipping_clock: MockClock
) -> None:
    async with a_worker(redis, lease_s=60, exchange_timeout_s=600) as flights:
        await flights.board("piano", rest_s=600)
        [name] = keys(redis)
        for _ in range(2 * RENEWALS):
            redis.command("PEXPIRE", name, "30000")
            skipping_clock.jump(60 / RENEWALS)

            await until(lambda: left_ms(redis, name) > 30_000)


async def test_a_lease_that_lapsed_unnoticed_is_taken_again(redis: RedisServer) -> None:
    async with a_worker(redis, lease_s=2) as one, a_worker(redis) as other:
        await one.board("piano", rest_s=5)
        [name] = keys(redis)
        redis.command("DEL", name)
        await until(lambda: name in keys(redis))

        assert await other.board("piano", rest_s=5) is Sky.ALOFT


async def test_a_worker_that_dies_is_missed_within_the_lease(redis: RedisServer) -> None:
    async with a_worker(redis, lease_s=LEASE_S) as other:
        async with a_worker(redis, lease_s=LEASE_S) as dying:
            await dying.board("piano", rest_s=5)
        left = [left_ms(redis, name) for name in keys(redis)]
        boarding = await a_lead(other)

    assert isinstance(boarding, Lead)
    assert all(each_ms <= LEASE_S * 1000 for each_ms in left)


async def test_an_asker_that_left_before_it_was_told_leads_nothing(redis: RedisServer) -> None:
    async with a_worker(redis) as one, a_worker(redis) as other:
        redis.freeze()
        with trio.move_on_after(0.05):
            await one.board("piano", rest_s=5)
        redis.thaw()
        await one.board("another", rest_s=5)  # by then it has left

        assert isinstance(await other.board("piano", rest_s=5), Lead)


@pytest.mark.parametrize("stop", [RedisServer.kill, RedisServer.freeze])
async def test_without_redis_one_waits_for_a_moment_and_the_next_not_at_all(
    redis: RedisServer, slow_clock: MockClock, stop: Callable[[RedisServer], None]
) -> None:
    async with a_worker(redis, exchange_timeout_s=EXCHANGE_TIMEOUT_S) as flights:
        stop(redis)
        took: list[float] = []
        for _ in range(10):
            began = trio.current_time()
            assert await flights.board("piano", rest_s=5) is Sky.UNSEEN
            took.append(trio.current_time() - began)
        assert not flights.is_up

    assert took[0] <= EXCHANGE_TIMEOUT_S + SLACK_S
    assert median(took[1:]) < EXCHANGE_TIMEOUT_S / 2


async def test_a_redis_that_is_back_is_used_again(redis: RedisServer) -> None:
    async with a_worker(redis) as flights:
        redis.kill()
        await flights.board("piano", rest_s=5)
        redis.start()
        await until(lambda: flights.is_up)

        assert isinstance(await flights.board("piano", rest_s=5), Lead)


async def test_a_redis_that_forgot_the_scripts_is_told_them_again(redis: RedisServer) -> None:
    async with a_worker(redis) as flights:
        redis.command("SCRIPT", "FLUSH")
        assert await flights.board("piano", rest_s=5) is Sky.UNSEEN
        await until(lambda: flights.is_up)

        assert isinstance(await flights.board("piano", rest_s=5), Lead)


@pytest.mark.parametrize("forged", [b"D0:" + b"x" * 16 + b"a vector of theirs", b"D0:", b"D9999:short"])
async def test_what_others_wrote_is_not_taken_for_a_vector(redis: RedisServer, forged: bytes) -> None:
    async with a_worker(redis) as flights:
        lead = await flights.board("piano", rest_s=5)
        assert isinstance(lead, Lead)
        [name] = keys(redis)
        redis.command("SET", name, forged.decode())

        assert await flights.board("piano", rest_s=5) is Sky.UNSEEN
        # It is thrown away: the next one finds room to lead.
        assert isinstance(await flights.board("piano", rest_s=5), Lead)


async def test_what_landed_for_one_text_is_not_taken_for_another(redis: RedisServer) -> None:
    async with a_worker(redis) as flights:
        lead = await flights.board("piano", rest_s=5)
        assert isinstance(lead, Lead)
        [piano] = keys(redis)
        flights.land(lead, b"a vector", kept_s=60)
        await flights.board("violin", rest_s=5)
        [violin] = set(keys(redis)) - {piano}
        redis.command("EVAL", "redis.call('SET', KEYS[2], redis.call('GET', KEYS[1]))", "2", piano, violin)

        assert await flights.board("violin", rest_s=5) is Sky.UNSEEN


@pytest.mark.parametrize("written", [("SET", "garbage"), ("SET", "Lforever"), ("LPUSH", "a"), ("SET", "D")])
async def test_what_others_wrote_bars_nobody(redis: RedisServer, written: tuple[str, str]) -> None:
    async with a_worker(redis) as flights:
        lead = await flights.board("piano", rest_s=5)
        assert isinstance(lead, Lead)
        [name] = keys(redis)
        flights.leave(lead)
        await flights.board("another", rest_s=5)
        redis.commands([("DEL", name), (written[0], name, written[1])])

        again = await flights.board("piano", rest_s=5)
        assert isinstance(again, Lead)
        flights.land(again, b"a vector", kept_s=5)
        assert await flights.board("piano", rest_s=5) == Landed(b"a vector")


async def test_keys_tell_nothing_of_what_was_asked_and_end_by_themselves(redis: RedisServer) -> None:
    async with a_worker(redis, lease_s=30) as flights:
        lead = await flights.board("piano", rest_s=40)
        assert isinstance(lead, Lead)
        await flights.board("violin", rest_s=40)
        flights.land(lead, b"a vector", kept_s=60)
        await flights.board("another", rest_s=5)
        left = sorted(left_ms(redis, name) for name in keys(redis))

        assert "piano" not in " ".join(keys(redis))
    assert len(left) == 3
    assert 0 < left[0] <= left[1] <= 30_000 < left[2] <= 60_000


async def a_lead(flights: Flights) -> Boarding:
    """Ask until nobody else leads."""
    with trio.fail_after(WAIT_S):
        while (boarding := await flights.board("piano", rest_s=5)) is Sky.ALOFT:  # noqa: ASYNC110 - as followers do
            await trio.sleep(0.01)
    return boarding


def left_ms(redis: RedisServer, name: str) -> int:
    """Until Redis forgets it; below 0 if it has."""
    return int(redis.command("PTTL", name).lstrip(":"))


def keys(redis: RedisServer) -> list[str]:
    return redis.lines("KEYS", "*")[2::2]
