"""Asking which server has which names: the lone one all of them, of a cluster whichever serves a name's slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from greenroom.storage.bus_wire import WireDown
from greenroom.storage.redis.cluster_slots import homes
from greenroom.storage.redis.connection import RedisConnection
from greenroom.storage.redis.resp import Reply
from greenroom.storage.redis.url import Address, RedisUrl


async def find_homes(url: RedisUrl, names: Sequence[bytes]) -> Mapping[bytes, Address]:
    """Find where each name lives; of a cluster, by asking its known nodes in turn until one answers.

    Args:
        names: without braces.

    Raises:
        WireDown: none of the nodes told.
    """
    if not url.is_cluster:
        return dict.fromkeys(names, url.addresses[0])
    failure = WireDown("no address is known")
    for address in url.addresses:
        try:
            return homes(await _slots(address, url), names, asked=address)
        except WireDown as exc:
            failure = exc
    raise failure


async def _slots(address: Address, url: RedisUrl) -> Reply:
    connection = await RedisConnection.open(address, url)
    try:
        (slots,) = await connection.call([(b"CLUSTER", b"SLOTS")])
    finally:
        await connection.aclose()
    return slots
