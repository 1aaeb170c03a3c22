"""Payloads through Redis: PUBLISH and SUBSCRIBE, or their sharded twins in a cluster.

A link has two connections to each server it needs: one that subscribes and one that publishes, as a subscriber may not
do anything else. A lone server is all a plain URL needs. In a cluster the channels are spread over the nodes by their
names' slots (Redis 7, "Sharded Pub/Sub"), so that no node has to carry everything; when a slot moves, the subscription ends,
the link with it, and the next one asks anew who serves what.

What is read and not yet taken is bounded; beyond that it stays in the socket and then in Redis, which ends a subscriber
that is too far behind (``client-output-buffer-limit pubsub``). That shows, and what was lost is made good.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

import trio

from greenroom.storage.bus_wire import Link, Payload, WireDown
from greenroom.storage.redis.connection import ANSWER_TIMEOUT_S, RedisConnection
from greenroom.storage.redis.homes import find_homes
from greenroom.storage.redis.resp import ErrorReply, Reply
from greenroom.storage.redis.url import Address, RedisUrl

PAYLOAD_BYTES_MAX: Final = 64 * 1024

CLUSTER_CHANNELS: Final = 16
"""Fixed, so that every worker means the same by a channel's number; enough to spread over a dozen nodes."""

READS_MAX: Final = 16
"""Reads of 64 KiB held until they are taken."""


class RedisWire:
    """See the module.

    Args:
        namespace: part of the channels' names, so that several installations can share a server.
    """

    name = "redis"
    payload_bytes_max = PAYLOAD_BYTES_MAX

    def __init__(self, url: RedisUrl, *, namespace: str) -> None:
        self._url = url
        self.channels = CLUSTER_CHANNELS if url.is_cluster else 1
        self._names = [f"greenroom:{namespace}:{channel}".encode() for channel in range(self.channels)]
        self._publish = b"SPUBLISH" if url.is_cluster else b"PUBLISH"
        self._subscribe = b"SSUBSCRIBE" if url.is_cluster else b"SUBSCRIBE"

    def connect(self) -> AbstractAsyncContextManager[Link]:
        return self._connect()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Link]:
        places = await find_homes(self._url, self._names)
        channels = {name: channel for channel, name in enumerate(self._names)}
        arriving, arrived = trio.open_memory_channel[list[Payload]](READS_MAX)
        async with AsyncExitStack() as stack:
            publishers = {}
            subscribers = []
            for address in dict.fromkeys(places.values()):
                publishers[address] = await self._open(address, stack)
                subscriber = await self._open(address, stack)
                await self._listen(subscriber, [name for name in self._names if places[name] == address])
                subscribers.append(subscriber)
            nursery = await stack.enter_async_context(trio.open_nursery())
            for subscriber in subscribers:
                nursery.start_soon(_read, subscriber, channels, arriving)
            yield _RedisLink(
                publishers=[publishers[places[name]] for name in self._names],
                names=self._names,
                publish=self._publish,
                arrived=arrived,
            )
            nursery.cancel_scope.cancel()

    async def _open(self, address: Address, stack: AsyncExitStack) -> RedisConnection:
        connection = await RedisConnection.open(address, self._url)
        stack.push_async_callback(connection.aclose)
        return connection

    async def _listen(self, subscriber: RedisConnection, names: Sequence[bytes]) -> None:
        """Subscribe, and wait until it counts: what is published from here on arrives."""
        unconfirmed = set(names)
        with trio.move_on_after(ANSWER_TIMEOUT_S):
            # One command per channel, as those of one command must lie in one slot.
            await subscriber.send([(self._subscribe, name) for name in names])
            while unconfirmed:
                for reply in await subscriber.receive():
                    match reply:
                        case [bytes(kind), bytes(name), int()] if kind == self._subscribe.lower():
                            unconfirmed.discard(name)
                        case ErrorReply(text):
                            raise WireDown(f"refused: {text[:200]}")
                        case _:
                            # A message on a channel that is confirmed already. Whoever is told that the wire is up
                            # compares with the database first, so it is not missed.
                            pass
            return
        raise WireDown("the subscription was not confirmed in time")


async def _read(
    subscriber: RedisConnection, channels: Mapping[bytes, int], arriving: trio.MemorySendChannel[list[Payload]]
) -> None:
    while True:
        payloads = [_payload(reply, channels) for reply in await subscriber.receive()]
        if known := [payload for payload in payloads if payload is not None]:
            await arriving.send(known)


def _payload(reply: Reply, channels: Mapping[bytes, int]) -> Payload | None:
    match reply:
        case [b"message" | b"smessage", bytes(name), bytes(body)] if name in channels:
            return Payload(channels[name], body)
        case [b"message" | b"smessage", bytes(name), *_] if name in channels:
            return Payload(channels[name], b"")  # too long to be one of ours
        case [b"unsubscribe" | b"sunsubscribe", *_]:
            raise WireDown("a channel went to another node")
        case _:
            raise WireDown("not a message")


class _RedisLink:
    def __init__(
        self,
        *,
        publishers: Sequence[RedisConnection],
        names: Sequence[bytes],
        publish: bytes,
        arrived: trio.MemoryReceiveChannel[list[Payload]],
    ) -> None:
        self._publishers = publishers
        self._names = names
        self._publish = publish
        self._arrived = arrived

    async def send(self, payloads: Sequence[Payload]) -> None:
        by_server: dict[RedisConnection, list[tuple[bytes, ...]]] = defaultdict(list)
        for payload in payloads:
            command = (self._publish, self._names[payload.channel], payload.body)
            by_server[self._publishers[payload.channel]].append(command)
        if len(by_server) == 1:
            ((server, commands),) = by_server.items()
            await server.call(commands)
            return
        async with trio.open_nursery() as nursery:
            for server, commands in by_server.items():
                nursery.start_soon(server.call, commands)

    async def receive(self) -> Sequence[Payload]:
        return await self._arrived.receive()
