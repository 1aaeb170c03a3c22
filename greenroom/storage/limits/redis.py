"""Limits in Redis: one script that charges and grants, run for many subjects in one pipeline.

What stands there is not trusted: a debt of more than two capacities is cut to that, and what is no number is no debt. So whoever
can write there can shut somebody out for about a window at a time, or let somebody in, and nothing else.

It needs the commands SCRIPT LOAD and EVALSHA, and GET, SET, DEL and TIME within the script.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/, "Script replication" on why TIME may be asked there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha1
from typing import Final

import trio

from greenroom.schema.rate_limits import DEBT_CAPACITIES_MAX, Standing
from greenroom.storage.bus_wire import WireDown
from greenroom.storage.limits.home import Claim, HomeAway
from greenroom.storage.redis.cluster_slots import homes, slot_of
from greenroom.storage.redis.connection import RedisConnection
from greenroom.storage.redis.resp import Reply
from greenroom.storage.redis.url import Address, RedisUrl

CLUSTER_PLACES: Final = 16
"""Hash tags that keys are spread over in a cluster, as the bus's channels are."""

SCRIPT: Final = b"""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local spent, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local interval, capacity, highest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local found = redis.pcall('GET', KEYS[1])
local paid_at = type(found) == 'string' and tonumber(found) or now
local debt = paid_at - now
if not (debt > 0) then debt = 0 end
debt = math.max(0, math.min(debt + spent * interval, highest))
local granted = math.min(wanted, math.floor(math.max(0, capacity - debt) / interval))
debt = debt + granted * interval
if debt > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
else
  redis.call('DEL', KEYS[1])
end
return {granted, debt}
"""
"""The arithmetic of ``settle``. Microseconds since 1970 are exact in Lua's doubles, and lose digits when written by ``..``."""

_SHA: Final = sha1(SCRIPT, usedforsecurity=False).hexdigest().encode()  # its name in Redis


class RedisHome:
    """See the module. One task settles at a time.

    Args:
        namespace: part of the keys, so that several installations can share a server.
    """

    name = "redis"

    def __init__(self, url: RedisUrl, *, namespace: str) -> None:
        self._url = url
        count = CLUSTER_PLACES if url.is_cluster else 1
        self._tags = [f"greenroom:{namespace}:limits:{place}".encode() for place in range(count)]
        self._places: Mapping[bytes, Address] = {}
        self._connections: dict[Address, RedisConnection] = {}

    async def settle(self, claims: Sequence[Claim]) -> list[Standing]:
        try:
            return await self._settle(claims)
        except WireDown as exc:
            await self.aclose()
            raise HomeAway(str(exc)) from exc
        except trio.Cancelled:
            # A connection whose answer was not read is of no more use.
            await self.aclose()
            raise

    async def forget(self) -> None:
        await trio.lowlevel.checkpoint()  # keys end by themselves

    async def aclose(self) -> None:
        """Close the connections; the next settlement opens new ones."""
        connections, self._connections, self._places = self._connections, {}, {}
        for connection in connections.values():
            await connection.aclose()

    async def _settle(self, claims: Sequence[Claim]) -> list[Standing]:
        if not self._places:
            self._places = await self._find_places()
        by_server: dict[Address, list[int]] = defaultdict(list)
        commands = []
        for number, claim in enumerate(claims):
            tag = self._tags[slot_of(claim.key.encode()) % len(self._tags)]
            by_server[self._places[tag]].append(number)
            commands.append(_command(tag, claim))
        standings: dict[int, Standing] = {}
        for address, numbers in by_server.items():
            connection = await self._connection(address)
            replies = await connection.call([commands[number] for number in numbers])
            standings |= zip(numbers, map(_standing, replies), strict=True)
        return [standings[number] for number in range(len(claims))]

    async def _find_places(self) -> Mapping[bytes, Address]:
        first = self._url.addresses[0]
        if not self._url.is_cluster:
            return dict.fromkeys(self._tags, first)
        failure = WireDown("no address is known")
        for address in self._url.addresses:
            try:
                connection = await RedisConnection.open(address, self._url)
                try:
                    (slots,) = await connection.call([(b"CLUSTER", b"SLOTS")])
                finally:
                    await connection.aclose()
                return homes(slots, self._tags, asked=address)
            except WireDown as exc:
                failure = exc
        raise failure

    async def _connection(self, address: Address) -> RedisConnection:
        connection = self._connections.get(address)
        if connection is None:
            connection = self._connections[address] = await RedisConnection.open(address, self._url)
            await connection.call([(b"SCRIPT", b"LOAD", SCRIPT)])
        return connection


def _command(tag: bytes, claim: Claim) -> tuple[bytes, ...]:
    policy = claim.policy
    numbers = (
        claim.spent,
        claim.wanted,
        policy.interval_us,
        policy.capacity_us,
        DEBT_CAPACITIES_MAX * policy.capacity_us,
    )
    key = b"{%s}:%s" % (tag, claim.key.encode())
    return (b"EVALSHA", _SHA, b"1", key, *(b"%d" % number for number in numbers))


def _standing(reply: Reply) -> Standing:
    match reply:
        case [int(granted), int(debt_us)]:
            return Standing(granted, debt_us)
        case _:
            raise WireDown("the answer is no standing")
