"""Flights in Redis: a lease for whoever leads, then what came of it, under one key.

1. One task speaks to Redis, for all that happened meanwhile in one exchange. It renews the leases of this worker's leaders, which
   are far shorter than what any search has, so a worker that dies is missed soon enough for another to lead.
2. A lease is never renewed beyond what its leader had left.
3. Whoever boards waits for an exchange, 50 ms at most. Ending a flight waits for nothing, so a leader that is cancelled does it too.
4. If Redis does not answer in time nobody asks it any more until it does again: the first search loses 50 ms, the next none.
5. What stands there is not trusted: what landed is signed, together with its key; a lease that is longer than ours are is none. Keys
   are keyed digests, which tell nothing of what was searched for.

It needs the commands SCRIPT LOAD and EVALSHA, and GET, SET, DEL and PTTL within scripts.
"""

from __future__ import annotations

import hmac
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
import trio

from greenroom.schema.search.flights import Boarding, Landed, Lead, Sky
from greenroom.storage.bus_wire import WireDown
from greenroom.storage.redis.resp import Reply
from greenroom.storage.redis.scripts import RedisScripts, Run, Script
from greenroom.storage.redis.url import RedisUrl

EXCHANGE_TIMEOUT_S: Final = 0.05
"""Of an exchange, and of a search that waits for one. It takes less than a millisecond when Redis is well."""

LEASE_S: Final = 0.3
RENEWALS: Final = 4
"""In the time of a lease. This process may be held up for three of them before another call is made besides. A longer lease would leave less of a search's
half second to whoever leads after a worker that died."""

RETRY_S: Final = 0.5
"""Before Redis is tried again. Nobody waits for it until then."""

IDLE_S: Final = 5.0
"""With nothing to say for so long it is asked all the same, so that its absence is found out while nobody waits."""

CONNECT_TIMEOUT_S: Final = 1.0
EXCHANGE_MAX: Final = 128
"""Runs in one exchange: a millisecond or two."""

WAITING_MAX: Final = 512
"""Of those who board, and as many ends of flights: more than there can be searches in flight."""

BODY_BYTES_MAX: Final = 64 * 1024
SIGNATURE_BYTES: Final = 16

BOARD: Final = Script(b"""
local found = redis.pcall('GET', KEYS[1])
if type(found) == 'string' then
  if string.sub(found, 1, 1) == 'L' then
    local left = redis.call('PTTL', KEYS[1])
    if left >= 0 and left <= tonumber(ARGV[4]) then return 0 end
  else
    local within = tonumber(string.match(found, '^D(%d+):'))
    if within and (within == 0 or tonumber(ARGV[2]) <= within) then return found end
  end
end
redis.call('SET', KEYS[1], 'L' .. ARGV[1], 'PX', ARGV[3])
return 1
""")
"""Arguments: token, what is left to the asker, the lease, the longest lease, in milliseconds. Returns what landed, 0 where
another leads, 1 for a lease."""

RENEW: Final = Script(b"""
local found = redis.pcall('GET', KEYS[1])
if not found or found == 'L' .. ARGV[1] then redis.call('SET', KEYS[1], 'L' .. ARGV[1], 'PX', ARGV[2]) end
return 0
""")
"""One that lapsed while this process was held up is taken again, unless another leads by now."""

LAND: Final = Script(b"""
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 0
""")

FAIL: Final = Script(b"""
local found = redis.pcall('GET', KEYS[1])
if not found or found == 'L' .. ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 0
""")
"""Also where the lease has just lapsed: it does so at the moment in which a leader finds that its time is over."""

REMOVE: Final = Script(b"""
if redis.pcall('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
""")

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Ask:
    """``boarding`` stays None if Redis can't be asked; ``is_awaited`` until its asker went."""

    lead: Lead
    rest_s: float
    until: float
    told: trio.Event = field(default_factory=trio.Event)
    boarding: Boarding | None = None
    is_awaited: bool = True

    def tell(self, boarding: Boarding | None) -> None:
        self.boarding = boarding
        self.told.set()


@dataclass(slots=True)
class _Held:
    """A lease of a leader of this worker's, which has to be done by ``until``."""

    until: float
    renew_at: float


class RedisFlights:
    """Stands behind :class:`~greenroom.models.ports.Flights`. Made by :func:`open_redis_flights`.

    Args:
        key: a secret of all workers, to sign and to hide names with.
        token: makes a name for each lease that no other has.
        exchange_timeout_s, lease_s: see EXCHANGE_TIMEOUT_S and LEASE_S.
    """

    def __init__(
        self,
        scripts: RedisScripts,
        *,
        key: bytes,
        token: Callable[[], str],
        exchange_timeout_s: float,
        lease_s: float,
    ) -> None:
        self._scripts = scripts
        # One for each use: names can be seen, and must not pass for signatures.
        self._naming_key, self._signing_key = (
            hmac.digest(key, use, "sha256") for use in (b"flights", b"landings")
        )
        self._token = token
        self._exchange_timeout_s = exchange_timeout_s
        self._lease_s = lease_s
        self._is_up = False
        self._asks: deque[_Ask] = deque()
        self._ends: deque[Run] = deque()
        self._held: dict[Lead, _Held] = {}
        self._woken = trio.Event()

    @property
    def is_up(self) -> bool:
        return self._is_up

    async def board(self, key: str, *, rest_s: float) -> Boarding:
        if not self._is_up or len(self._asks) >= WAITING_MAX:
            await trio.lowlevel.checkpoint()
            return Sky.UNSEEN
        ask = _Ask(Lead(key, self._token()), rest_s, trio.current_time() + rest_s)
        self._asks.append(ask)
        self._woken.set()
        with trio.move_on_after(min(self._exchange_timeout_s, rest_s)):
            try:
                await ask.told.wait()
            finally:
                ask.is_awaited = ask.told.is_set()
        return Sky.UNSEEN if ask.boarding is None else ask.boarding

    def land(self, lead: Lead, body: bytes, *, kept_s: float) -> None:
        self._held.pop(lead, None)
        if len(body) <= BODY_BYTES_MAX:
            name = self._name(lead.key)
            self._end(Run(LAND, name, (self._sealed(name, body), _ms(kept_s))))

    def fail(self, lead: Lead, body: bytes, *, kept_s: float, within_s: float | None = None) -> None:
        self._held.pop(lead, None)
        name = self._name(lead.key)
        said = self._sealed(name, body, within_s)
        self._end(Run(FAIL, name, (lead.token.encode(), said, _ms(kept_s))))

    def leave(self, lead: Lead) -> None:
        self._held.pop(lead, None)
        self._end(Run(REMOVE, self._name(lead.key), (b"L" + lead.token.encode(),)))

    async def run(self) -> None:
        """Speak to Redis until cancelled."""
        while True:
            try:
                with trio.fail_after(CONNECT_TIMEOUT_S):
                    await self._scripts.connect()
                self._raise()
                while True:
                    await self._wait_for_work()
                    await self._exchange()
            except (WireDown, trio.TooSlowError) as exc:
                self._lower(str(exc) or "no answer in time")
            await trio.sleep(RETRY_S)

    async def _wait_for_work(self) -> None:
        if self._asks or self._ends:
            await trio.lowlevel.checkpoint()
            return
        self._woken = trio.Event()
        idle_at = trio.current_time() + IDLE_S
        with trio.move_on_at(min([idle_at, *(held.renew_at for held in self._held.values())])):
            await self._woken.wait()

    async def _exchange(self) -> None:
        # Ends before asks, so that those who ask hear of them.
        ends = [self._ends.popleft() for _ in range(min(len(self._ends), EXCHANGE_MAX))]
        renewals = self._renewals()
        asks = [self._asks.popleft() for _ in range(min(len(self._asks), EXCHANGE_MAX))]
        asks = [ask for ask in asks if ask.is_awaited]
        runs = [*ends, *renewals, *map(self._boarding_run, asks)]
        try:
            with trio.fail_after(self._exchange_timeout_s):
                replies = await self._scripts.run(runs or [Run(REMOVE, b"idle", (b"",))])
        except BaseException:
            for ask in asks:
                ask.tell(None)
            raise
        self._settle(asks, replies[len(runs) - len(asks) :])

    def _settle(self, asks: Sequence[_Ask], replies: Sequence[Reply]) -> None:
        now = trio.current_time()
        for ask, reply in zip(asks, replies, strict=False):
            boarding = self._boarding(ask, reply)
            if isinstance(boarding, Lead):
                if ask.is_awaited:
                    self._held[boarding] = _Held(until=ask.until, renew_at=now + self._lease_s / RENEWALS)
                else:
                    self.leave(boarding)
            ask.tell(boarding)

    def _boarding_run(self, ask: _Ask) -> Run:
        lease = _ms(min(self._lease_s, ask.rest_s))
        arguments = (ask.lead.token.encode(), _ms(ask.rest_s), lease, _ms(self._lease_s))
        return Run(BOARD, self._name(ask.lead.key), arguments)

    def _boarding(self, ask: _Ask, reply: Reply) -> Boarding:
        match reply:
            case 1:
                return ask.lead
            case 0:
                return Sky.ALOFT
            case bytes():
                name = self._name(ask.lead.key)
                head, _, rest = reply.partition(b":")
                signature, body = rest[:SIGNATURE_BYTES], rest[SIGNATURE_BYTES:]
                if hmac.compare_digest(signature, self._signature(name, head, body)):
                    return Landed(body)
                # No worker of ours wrote it. Who goes next finds room.
                self._end(Run(REMOVE, name, (reply,)))
                return Sky.UNSEEN
            case _:
                return Sky.UNSEEN

    def _renewals(self) -> list[Run]:
        now, due = trio.current_time(), []
        for lead, held in list(self._held.items()):
            if held.until <= now:
                del self._held[lead]
            elif held.renew_at <= now:
                held.renew_at = now + self._lease_s / RENEWALS
                left = _ms(min(self._lease_s, held.until - now))
                due.append(Run(RENEW, self._name(lead.key), (lead.token.encode(), left)))
        return due

    def _end(self, run: Run) -> None:
        # Of what is lost here others hear when the lease lapses.
        if self._is_up and len(self._ends) < WAITING_MAX:
            self._ends.append(run)
            self._woken.set()

    def _sealed(self, name: bytes, body: bytes, within_s: float | None = None) -> bytes:
        head = b"D%s" % (b"0" if within_s is None else _ms(within_s))
        return b"%s:%s%s" % (head, self._signature(name, head, body), body)

    def _signature(self, *parts: bytes) -> bytes:
        return hmac.digest(self._signing_key, b":".join(parts), "sha256")[:SIGNATURE_BYTES]

    def _name(self, key: str) -> bytes:
        return hmac.digest(self._naming_key, key.encode("utf-8", "replace"), "sha256").hex()[:32].encode()

    def _raise(self) -> None:
        _log.info("flights_seen")
        self._is_up = True

    def _lower(self, reason: str) -> None:
        if self._is_up:
            _log.warning("flights_unseen", reason=reason)
        self._is_up = False
        while self._asks:
            self._asks.popleft().tell(None)
        self._ends.clear()
        self._held.clear()


def _ms(seconds: float) -> bytes:
    return b"%d" % max(1, math.ceil(seconds * 1000))


@asynccontextmanager
async def open_redis_flights(
    url: RedisUrl,
    *,
    namespace: str,
    key: bytes,
    token: Callable[[], str],
    exchange_timeout_s: float = EXCHANGE_TIMEOUT_S,
    lease_s: float = LEASE_S,
) -> AsyncIterator[RedisFlights]:
    """See other workers' flights for the length of the block; a Redis that can't be reached is tried again and again."""
    scripts = RedisScripts(url, BOARD, RENEW, LAND, FAIL, REMOVE, namespace=f"{namespace}:flights")
    flights = RedisFlights(scripts, key=key, token=token, exchange_timeout_s=exchange_timeout_s, lease_s=lease_s)
    async with aclosing(scripts), trio.open_nursery() as nursery:
        nursery.start_soon(flights.run)
        yield flights
        nursery.cancel_scope.cancel()
