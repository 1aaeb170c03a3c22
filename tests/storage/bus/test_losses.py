"""A wire that loses payloads without a word, and connections whose callers lose patience."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import pytest
import trio

from greenroom.storage.bus_wire import Link, Payload, WireDown
from greenroom.storage.redis import RedisUrl, RedisWire
from greenroom.storage.redis.connection import RedisConnection
from tests.storage.bus.follower import Writer, following
from tests.storage.bus.notes import WAIT_S, a_hint, a_worker
from tests.storage.bus.redis_server import RedisServer


class LossyWire(RedisWire):
    """Redis, but some of what it carries does not arrive."""

    def __init__(self, redis: RedisServer, *, share: float, rng: Random) -> None:
        super().__init__(RedisUrl.parse(redis.url), namespace="test")
        self._share = share
        self._rng = rng

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Link]:
        async with super().connect() as link:
            yield _LossyLink(link, self._share, self._rng)


class _LossyLink:
    def __init__(self, link: Link, share: float, rng: Random) -> None:
        self._link = link
        self._share = share
        self._rng = rng
        self.lost = 0

    async def send(self, payloads: Sequence[Payload]) -> None:
        await self._link.send(payloads)

    async def receive(self) -> Sequence[Payload]:
        while True:
            arrived = [p for p in await self._link.receive() if self._rng.random() >= self._share]
            if arrived:
                return arrived


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_stream_is_seen_whole_although_a_tenth_of_the_payloads_is_lost(
    redis: RedisServer, seed: int
) -> None:
    writer = Writer()
    wire = LossyWire(redis, share=0.1, rng=Random(seed))
    async with (
        a_worker(RedisWire(RedisUrl.parse(redis.url), namespace="test"), "worker-a.1") as first,
        a_worker(wire, "worker-b.1") as second,
        following(second, lambda: writer.committed) as follower,
    ):
        with trio.fail_after(WAIT_S):
            await partial(writer.write, first, a_hint, events=1_000, pause_s=0.0005)()
        await follower.until(1_000, within_s=WAIT_S)
        assert second.statistics().suspicions > 1
    assert follower.seen == list(range(1, 1_001))


async def test_no_command_ever_reads_the_answer_to_another(redis: RedisServer) -> None:
    url, rng = RedisUrl.parse(redis.url), Random(7)
    connection = await RedisConnection.open(url.addresses[0], url)
    answered = given_up = 0
    patience_s = 0.0004  # about what a call takes, which is found out: some are to be answered and some not
    for number in range(2_000):
        words = [b"%d-%d" % (number, part) for part in range(3)]
        with trio.move_on_after(rng.uniform(0, patience_s)) as patience:
            assert await connection.call([(b"ECHO", word) for word in words]) == words
            answered += 1
            patience_s /= 1.1
        if patience.cancelled_caught:
            given_up += 1
            patience_s *= 1.1
            with pytest.raises(WireDown):
                await connection.call([(b"PING",)])
            connection = await RedisConnection.open(url.addresses[0], url)
    await connection.aclose()
    assert answered > 100
    assert given_up > 100
