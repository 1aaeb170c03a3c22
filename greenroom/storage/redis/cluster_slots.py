"""Which node of a cluster has which channel.

Source: https://redis.io/docs/latest/commands/cluster-slots/ and the cluster specification, "Hash slot".
"""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Mapping, Sequence
from typing import Final

from greenroom.storage.bus_wire import WireDown
from greenroom.storage.redis.resp import Reply
from greenroom.storage.redis.url import Address

SLOTS: Final = 16_384


def slot_of(name: bytes) -> int:
    """The hash slot of a name without braces."""
    return crc_hqx(name, 0) % SLOTS


def homes(slots: Reply, names: Sequence[bytes], *, asked: Address) -> Mapping[bytes, Address]:
    """Find the primary of each name in an answer to CLUSTER SLOTS.

    Args:
        asked: who gave the answer; a node that does not know its own address leaves it out.

    Raises:
        WireDown: a slot has no node, or the answer is of another shape.
    """
    ranges: list[tuple[int, int, Address]] = []
    for row in slots if isinstance(slots, list) else ():
        match row:
            case [int(first), int(last), [bytes(host), int(port), *_], *_]:
                ranges.append((first, last, Address(host.decode() or asked.host, port)))
            case [int(first), int(last), [None, int(port), *_], *_]:
                ranges.append((first, last, Address(asked.host, port)))
            case _:
                raise WireDown("the cluster's slots were not understood")
    found = {}
    for name in names:
        slot = slot_of(name)
        home = next((address for first, last, address in ranges if first <= slot <= last), None)
        if home is None:
            raise WireDown(f"no node of the cluster serves slot {slot}")
        found[name] = home
    return found
