"""What becomes of the bus, and of those who follow a stream by it, when Redis fails in every way it can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from random import Random
from statistics import median

import pytest
import trio
from trio.testing import MockClock

from greenroom.storage.bus_codec import Codec
from greenroom.storage.bus_shared import PUBLISHER_SILENCE_S, SharedBus
from greenroom.storage.redis import RedisUrl, RedisWire
from tests.storage.bus.follower import Writer, following
from tests.storage.bus.notes import KEY, WAIT_S, Reader, a_hint, a_worker, reading, until
from tests.storage.bus.redis_server import RedisServer

NAMESPACE = "test"


def wire_to(redis: RedisServer, namespace: str = NAMESPACE) -> RedisWire:
    return RedisWire(RedisUrl.parse(redis.url), namespace=namespace)


@asynccontextmanager
async def two_workers(redis: RedisServer) -> AsyncIterator[tuple[SharedBus, SharedBus]]:
    async with a_worker(wire_to(redis), "worker-a.1") as first, a_worker(wire_to(redis), "worker-b.1") as second:
        yield first, second


def kill_and_start(redis: RedisServer) -> None:
    redis.kill()
    redis.start()


def freeze_and_thaw(redis: RedisServer) -> None:
    redis.freeze()
    # Longer than a silence may last.
    trio.from_thread.run(trio.sleep, 2.5)
    redis.thaw()


def kill_subscribers(redis: RedisServer) -> None:
    redis.command("CLIENT", "KILL", "TYPE", "pubsub")


def kill_publishers(redis: RedisServer) -> None:
    redis.command("CLIENT", "KILL", "TYPE", "normal")


def flush(redis: RedisServer) -> None:
    redis.command("FLUSHALL")


@pytest.mark.parametrize("strike", [kill_and_start, freeze_and_thaw, kill_subscribers, kill_publishers, flush])
async def test_a_stream_is_seen_whole_whatever_happens_to_redis(
    redis: RedisServer, strike: Callable[[RedisServer], None]
) -> None:
    writer = Writer()
    async with two_workers(redis) as (first, second), following(second, lambda: writer.committed) as follower:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(writer.write, first, a_hint, events=4_000, pause_s=0.0002))
            await follower.until(500, within_s=WAIT_S)
            await trio.to_thread.run_sync(strike, redis)
        await follower.until(4_000, within_s=WAIT_S)
    assert follower.seen == list(range(1, 4_001))


async def test_killed_subscribers_are_noticed_and_replaced(redis: RedisServer) -> None:
    async with a_worker(wire_to(redis), "worker-a.1") as bus, reading(bus) as reader:
        await reader.until(lambda reader: reader.suspicions == 0)
        kill_subscribers(redis)
        await reader.until(lambda reader: reader.suspicions > 0)
        await until(lambda: bus.is_up)
        assert bus.statistics().losses >= 1


async def test_the_bus_is_down_while_redis_hangs_and_up_again_after(redis: RedisServer) -> None:
    async with a_worker(wire_to(redis), "worker-a.1") as bus:
        redis.freeze()
        with trio.fail_after(WAIT_S):
            await until(lambda: not bus.is_up)
        redis.thaw()
        await until(lambda: bus.is_up)


@pytest.mark.parametrize("strike", [RedisServer.kill, RedisServer.freeze])
async def test_publishing_without_redis_neither_waits_nor_raises_and_reaches_its_own_worker(
    redis: RedisServer, strike: Callable[[RedisServer], None]
) -> None:
    async with a_worker(wire_to(redis), "worker-a.1") as bus, reading(bus) as reader:
        strike(redis)
        took: list[float] = []
        for seq in range(1, 301):
            began = trio.current_time()
            await bus.publish([a_hint(seq)])
            took.append(trio.current_time() - began)
            await trio.sleep(0.01)
        # But for those that the machine held up, however long: most of 300 they are not.
        assert median(took) < 0.05
        await reader.until(lambda reader: reader.seqs == list(range(1, 301)))


async def test_a_server_that_starts_without_redis_waits_for_it_in_the_background(redis: RedisServer) -> None:
    redis.kill()
    with trio.fail_after(WAIT_S):
        async with a_worker(wire_to(redis), "worker-a.1") as bus:
            assert not bus.is_up
            redis.start()
            await until(lambda: bus.is_up)


async def test_a_note_that_was_dropped_here_makes_the_others_suspicious(redis: RedisServer) -> None:
    async with two_workers(redis) as (first, second), reading(second) as there:
        await first.publish([a_hint(1)])
        await there.until(lambda reader: reader.seqs == [1])
        there.forget()
        await first.publish([a_hint(seq) for seq in range(2, 6_000)])  # more than is queued
        assert first.statistics().dropped > 0
        await there.until(lambda reader: reader.suspicions > 0)


async def test_a_worker_that_dies_leaves_the_others_suspicious_and_the_bus_not_up(redis: RedisServer) -> None:
    async with a_worker(wire_to(redis), "worker-b.1") as second, reading(second) as there:
        for number in count(1):
            losses = second.statistics().losses
            await live_and_die(redis, f"worker-a.{number}", there)
            there.forget()
            await until(lambda losses=losses: second.statistics().missing or second.statistics().losses > losses)
            if second.statistics().missing:
                break
            # This one was held up, and lost its own wire: it has forgotten whom it had heard.
            await until(lambda: second.is_up)
        await there.until(lambda reader: reader.suspicions > 0)
        assert not second.is_up
        assert second.statistics().missing == 1


async def live_and_die(redis: RedisServer, name: str, there: Reader) -> None:
    """Say something that is heard, and nothing any more."""
    dying = SharedBus(wire_to(redis), worker=name, key=KEY, rng=Random(1))
    async with trio.open_nursery() as nursery:
        await nursery.start(dying.run)
        await dying.publish([a_hint(1)])
        await there.until(lambda reader: reader.seqs == [1])
        nursery.cancel_scope.cancel()


async def test_a_worker_that_ends_in_order_sends_its_last_notes_and_is_not_missed(
    redis: RedisServer, slow_clock: MockClock
) -> None:
    async with a_worker(wire_to(redis), "worker-b.1") as second, reading(second) as there:
        async with a_worker(wire_to(redis), "worker-a.1") as first:
            await first.publish([a_hint(1)])
            await there.until(lambda reader: reader.seqs == [1])
            there.forget()
            await first.publish([a_hint(seq) for seq in range(2, 2_002)])
        await there.until(lambda reader: len(reader.seqs) == 2_000)
        with trio.move_on_after(PUBLISHER_SILENCE_S + 1):
            await there.until(lambda reader: reader.suspicions > 0)
        assert there.suspicions == 0
        assert second.is_up


# Redis is anybody's: what comes from it is checked.

CHANNEL = f"greenroom:{NAMESPACE}:0"


def forged(key: bytes, publisher: str = "worker-z.1", number: int = 1) -> str:
    codec = Codec(key, channels=1, payload_bytes_max=60_000)
    bodies = [body for _, body in codec.bodies([a_hint(1, text="send money")])]
    return codec.seal(publisher, 0, number, bodies).body.decode()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(forged(b"another key"), id="another key"),
        pytest.param(forged(KEY)[:-1], id="cut short"),
        pytest.param("0" + forged(KEY)[1:], id="another version"),
        pytest.param(forged(KEY).replace("send", "lend"), id="changed"),
        pytest.param('{"role":"admin"}', id="bare JSON"),
        pytest.param("", id="empty"),
        pytest.param("x" * 10_000_000, id="ten megabytes"),
    ],
)
async def test_what_no_worker_wrote_is_dropped_and_counted(redis: RedisServer, payload: str) -> None:
    async with two_workers(redis) as (first, second), reading(second) as there:
        await trio.to_thread.run_sync(redis.command, "PUBLISH", CHANNEL, payload)
        await until(lambda: second.statistics().unreadable == 1)
        await first.publish([a_hint(1)])
        await there.until(lambda reader: len(reader.notes) > 0)
        assert there.notes == [a_hint(1)]
        assert second.statistics().losses == 0


async def test_a_repetition_of_what_a_worker_said_is_dropped(redis: RedisServer) -> None:
    said = forged(KEY)
    async with a_worker(wire_to(redis), "worker-b.1") as bus, reading(bus) as reader:
        redis.command("PUBLISH", CHANNEL, said)
        await reader.until(lambda reader: len(reader.notes) == 1)
        redis.command("PUBLISH", CHANNEL, said)
        redis.command("PUBLISH", CHANNEL, forged(KEY, number=2))
        await reader.until(lambda reader: len(reader.notes) >= 2)
        assert len(reader.notes) == 2
        assert bus.statistics().unreadable == 1


async def test_two_installations_share_a_redis_without_hearing_each_other(redis: RedisServer) -> None:
    async with (
        a_worker(wire_to(redis, "one"), "worker-a.1", key=b"one") as one,
        a_worker(wire_to(redis, "two"), "worker-a.1", key=b"two") as two,
        reading(two) as reader,
    ):
        await one.publish([a_hint(1)])
        await two.publish([a_hint(2)])
        await reader.until(lambda reader: len(reader.notes) > 0)
        assert reader.seqs == [2]
        assert two.statistics().unreadable == 0
