"""Scripts run over many keys in one exchange, wherever the keys are.

In a cluster keys are spread over the nodes by :attr:`RedisScripts.tags`, each of which lies in one slot; when a slot moves the
exchange fails, and the next one asks anew who serves what.

It needs the commands SCRIPT LOAD and EVALSHA.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Final

from greenroom.storage.redis.cluster_slots import slot_of
from greenroom.storage.redis.connection import RedisConnection
from greenroom.storage.redis.homes import find_homes
from greenroom.storage.redis.resp import Reply
from greenroom.storage.redis.url import Address, RedisUrl

CLUSTER_PLACES: Final = 16
"""Hash tags that keys are spread over in a cluster, as the bus's channels are."""


class Script:
    """One script with one key; ``sha`` is its name in Redis."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.sha = sha1(text, usedforsecurity=False).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``key`` is the part after the tag."""

    script: Script
    key: bytes
    arguments: tuple[bytes, ...]


class RedisScripts:
    """See the module. One task runs them at a time.

    Args:
        namespace: begins the keys' names, so that several installations and uses can share a server.
    """

    def __init__(self, url: RedisUrl, *scripts: Script, namespace: str) -> None:
        self._url = url
        self._scripts = scripts
        count = CLUSTER_PLACES if url.is_cluster else 1
        self.tags: Final = tuple(f"greenroom:{namespace}:{place}".encode() for place in range(count))
        self._places: Mapping[bytes, Address] = {}
        self._connections: dict[Address, RedisConnection] = {}

    async def connect(self) -> None:
        """Connect to all that will be needed, so that no run has to wait for it.

        Raises:
            WireDown: bounded inside.
        """
        await self.run([])
        for address in set(self._places.values()):
            await self._connection(address)

    async def run(self, runs: Sequence[Run]) -> list[Reply]:
        """Run them, those of each node in their order; return the replies in the runs' order.

        Raises:
            WireDown: bounded inside; some may have run.
        """
        try:
            return await self._run(runs)
        except BaseException:
            # Of a connection whose answers were not read there is no more use.
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close the connections; the next run opens new ones."""
        connections, self._connections, self._places = self._connections, {}, {}
        for connection in connections.values():
            await connection.aclose()

    async def _run(self, runs: Sequence[Run]) -> list[Reply]:
        if not self._places:
            self._places = await find_homes(self._url, self.tags)
        by_server: dict[Address, list[int]] = defaultdict(list)
        commands = []
        for number, run in enumerate(runs):
            tag = self.tags[slot_of(run.key) % len(self.tags)]
            by_server[self._places[tag]].append(number)
            commands.append((b"EVALSHA", run.script.sha, b"1", b"{%s}:%s" % (tag, run.key), *run.arguments))
        replies: dict[int, Reply] = {}
        for address, numbers in by_server.items():
            connection = await self._connection(address)
            replies |= zip(numbers, await connection.call([commands[number] for number in numbers]), strict=True)
        return [replies[number] for number in range(len(runs))]

    async def _connection(self, address: Address) -> RedisConnection:
        connection = self._connections.get(address)
        if connection is None:
            connection = self._connections[address] = await RedisConnection.open(address, self._url)
            await connection.call([(b"SCRIPT", b"LOAD", script.text) for script in self._scripts])
        return connection
