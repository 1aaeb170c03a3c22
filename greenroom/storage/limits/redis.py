"""Limits in Redis: one script that charges and grants, run for many subjects in one pipeline.

What stands there is not trusted: a debt of more than two capacities is cut to that, and what is no number is no debt. So whoever
can write there can shut somebody out for about a window at a time, or let somebody in, and nothing else.

It needs the commands SCRIPT LOAD and EVALSHA, and GET, SET, DEL and TIME within the script.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/, "Script replication" on why TIME may be asked there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from greenroom.schema.rate_limits import DEBT_CAPACITIES_MAX, Standing
from greenroom.storage.bus_wire import WireDown
from greenroom.storage.limits.home import Claim, HomeAway
from greenroom.storage.redis.resp import Reply
from greenroom.storage.redis.scripts import RedisScripts, Run, Script
from greenroom.storage.redis.url import RedisUrl

SETTLE: Final = Script(b"""
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
""")
"""The arithmetic of ``settle``. Microseconds since 1970 are exact in Lua's doubles, and lose digits when written by ``..``."""


class RedisHome:
    """See the module. One task settles at a time.

    Args:
        namespace: part of the keys, so that several installations can share a server.
    """

    name = "redis"

    def __init__(self, url: RedisUrl, *, namespace: str) -> None:
        self._scripts = RedisScripts(url, SETTLE, namespace=f"{namespace}:limits")

    async def settle(self, claims: Sequence[Claim]) -> list[Standing]:
        try:
            replies = await self._scripts.run([_run(claim) for claim in claims])
            return [_standing(reply) for reply in replies]
        except WireDown as exc:
            raise HomeAway(str(exc)) from exc

    async def forget(self) -> None:
        await trio.lowlevel.checkpoint()  # keys end by themselves

    async def aclose(self) -> None:
        """Close the connections; the next settlement opens new ones."""
        await self._scripts.aclose()


def _run(claim: Claim) -> Run:
    policy = claim.policy
    numbers = (
        claim.spent,
        claim.wanted,
        policy.interval_us,
        policy.capacity_us,
        DEBT_CAPACITIES_MAX * policy.capacity_us,
    )
    return Run(SETTLE, claim.key.encode(), tuple(b"%d" % number for number in numbers))


def _standing(reply: Reply) -> Standing:
    match reply:
        case [int(granted), int(debt_us)]:
            return Standing(granted, debt_us)
        case _:
            raise WireDown("the answer is no standing")
