"""The bus of several processes: what is published here reaches this process at once, and the others by a wire.

1. A publisher never waits for the wire and never hears of its troubles. Notes go to this process's own subscriptions
   directly and into a bounded outbox; a task sends them, many at a time.
2. The wire may lose anything. Payloads are numbered; every channel carries a sign of life of every worker twice a second.
   A hole, a worker that falls silent, a drop for want of room, losing the wire and regaining it: each makes the next
   batch of every subscription suspect, and the subscriber compares with the database.
3. A wire over which we do not hear our own signs of life is down, whatever the sockets say. Then nothing is queued for it,
   and it is tried again at most once a second.
4. A worker that ends says so. One that falls silent without a word may have died, or may live on with its wire cut and go on
   committing: for a minute the bus does not count as up.
5. What comes in is checked before it is used (:mod:`greenroom.storage.bus_codec`), and grants nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import structlog
import trio

from greenroom.schema.ids import UserId
from greenroom.storage.bus_codec import Codec, Unreadable
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.bus_outbox import Outbox
from greenroom.storage.bus_sequences import Arrival, Sequences
from greenroom.storage.bus_wire import Link, Payload, Wire, WireDown
from greenroom.storage.ports import BusNote, BusSubscription

BEAT_S: Final = 0.5
"""Between two signs of life. With what follows, a delivery that needs the sweep is at most two seconds late."""

SILENCE_S: Final = 1.5
"""Without a sign of life of one's own: three of them are missing."""

SILENCE_BUSY_S: Final = 5.0
"""The same while other payloads keep coming, behind which ours may be queued."""

PUBLISHER_SILENCE_S: Final = 2.0
"""Without a sign of life of another worker: it has ended, and its last notes may be lost."""

MISSING_S: Final = 60.0
"""How long a worker that fell silent is counted on to be alive: it would be back on any wire that works by then."""

LEAVE_TIMEOUT_S: Final = 0.5
"""For the last notes and a word of farewell."""

RETRY_S: Final = (0.5, 1.0)
"""Between an attempt to connect and the next, jittered so that workers do not come in step."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SharedBusStatistics:
    """Counts since the bus was opened.

    Attributes:
        queued: notes in the outbox now.
        published: notes that were to go out.
        sent: notes handed to the wire; ``received`` came from other workers by it.
        dropped: notes that did not go out, as the wire was down or slow, or that a subscription had no room for.
        unreadable: payloads that no worker of this database wrote.
        suspicions: times something may have been lost on the way in.
        losses: times the wire was lost.
        missing: workers that fell silent without a word, lately.
    """

    is_up: bool
    queued: int
    published: int
    sent: int
    received: int
    dropped: int
    unreadable: int
    suspicions: int
    losses: int
    missing: int


class SharedBus:
    """See the module. Made by :func:`open_shared_bus`."""

    def __init__(self, wire: Wire, *, worker: str, key: bytes, rng: Random) -> None:
        self._wire = wire
        self._worker = worker
        self._rng = rng
        self._codec = Codec(key, channels=wire.channels, payload_bytes_max=wire.payload_bytes_max)
        self._local = LocalBus()
        self._outbox = Outbox()
        self._heard = Sequences()
        self._numbers = [0] * wire.channels
        self._is_up = False
        self._has_complained = False  # said once why there is no wire, not once a second
        self._missing: dict[str, float] = {}
        self._is_leaving = False
        self._has_left = trio.Event()
        self._published = 0
        self._sent = 0
        self._received = 0
        self._dropped = 0
        self._unreadable = 0
        self._suspicions = 0
        self._losses = 0

    @property
    def is_up(self) -> bool:
        now = trio.current_time()
        for worker in [worker for worker, since in self._missing.items() if since + MISSING_S <= now]:
            del self._missing[worker]
        return self._is_up and not self._missing

    async def publish(self, notes: Sequence[BusNote]) -> None:
        self._published += len(notes)
        self._dropped += self._outbox.add(notes)
        await self._local.publish(notes)

    def subscribe(
        self, *, concerns: Callable[[UserId], bool] | None = None
    ) -> AbstractAsyncContextManager[BusSubscription]:
        return self._local.subscribe(concerns=concerns)

    def statistics(self) -> SharedBusStatistics:
        return SharedBusStatistics(
            is_up=self._is_up,
            queued=len(self._outbox),
            published=self._published,
            sent=self._sent,
            received=self._received,
            dropped=self._dropped + self._local.statistics().dropped,
            unreadable=self._unreadable,
            suspicions=self._suspicions,
            losses=self._losses,
            missing=len(self._missing),
        )

    async def leave(self) -> None:
        """Send what is queued, and a farewell; bounded, and nothing while the wire is down."""
        self._is_leaving = True
        self._outbox.wake()
        if self._is_up:
            with trio.move_on_after(LEAVE_TIMEOUT_S):
                await self._has_left.wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the wire up until cancelled; ``task_status`` is told after the first attempt, whatever came of it."""
        is_first = True
        while True:
            retry_at = trio.current_time() + self._rng.uniform(*RETRY_S)
            try:
                async with self._wire.connect() as link:
                    self._raise()
                    if is_first:
                        is_first = False
                        task_status.started()
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._send, link)
                        nursery.start_soon(self._receive, link)
            except* WireDown as group:
                self._lower(group)
            if is_first:
                is_first = False
                task_status.started()
            await trio.sleep_until(retry_at)

    def _raise(self) -> None:
        _log.info("bus_up", wire=self._wire.name)
        self._is_up = True
        self._has_complained = False
        now = trio.current_time()
        self._heard = Sequences()
        for channel in range(self._wire.channels):
            # The first sign of life is still to come.
            self._heard.note(self._worker, channel, self._numbers[channel], now)
        self._outbox.open()
        self._suspect()

    def _lower(self, group: BaseExceptionGroup[WireDown]) -> None:
        self._dropped += self._outbox.close()
        if self._is_up:
            self._is_up = False
            self._losses += 1
            _log.warning("bus_down", wire=self._wire.name, reason=_first_reason(group))
            self._suspect()
        elif not self._has_complained:
            _log.warning("bus_unreachable", wire=self._wire.name, reason=_first_reason(group))
        self._has_complained = True

    def _suspect(self) -> None:
        self._suspicions += 1
        self._local.interrupt()

    async def _send(self, link: Link) -> None:
        beat_at = trio.current_time()
        while True:
            await self._outbox.wait(until=beat_at)
            notes, has_dropped = self._outbox.take()
            is_beat = trio.current_time() >= beat_at
            if is_beat:
                beat_at = trio.current_time() + BEAT_S
            if has_dropped:
                # The hole in the numbers is how the others learn that something is missing.
                self._numbers = [number + 1 for number in self._numbers]
            if payloads := self._payloads(notes, with_beats=is_beat or has_dropped):
                await link.send(payloads)
                self._sent += len(notes)
            if self._is_leaving and not len(self._outbox):
                await link.send(self._farewells())
                self._has_left.set()
                return

    def _farewells(self) -> list[Payload]:
        return [
            self._codec.seal(self._worker, channel, number + 1, (), is_last=True)
            for channel, number in enumerate(self._numbers)
        ]

    def _payloads(self, notes: Sequence[BusNote], *, with_beats: bool) -> list[Payload]:
        by_channel: dict[int, list[bytes]] = defaultdict(list)
        for channel, body in self._codec.bodies(notes):
            by_channel[channel].append(body)
        payloads = []
        for channel in range(self._wire.channels):
            groups: list[tuple[bytes, ...]] = list(self._codec.pack(by_channel.get(channel, ())))
            if not groups and with_beats:
                groups = [()]
            for bodies in groups:
                self._numbers[channel] += 1
                payloads.append(self._codec.seal(self._worker, channel, self._numbers[channel], bodies))
        return payloads

    async def _receive(self, link: Link) -> None:
        quiet_turns = 0
        while True:
            payloads: Sequence[Payload] = ()
            with trio.move_on_after(BEAT_S):
                payloads = await link.receive()
            now = trio.current_time()
            for payload in payloads:
                await self._take(payload, now)
            quiet_turns = 0 if payloads else quiet_turns + 1
            # One quiet turn may be our own fault: after a stall of the event loop the timeout is over before what has
            # long arrived is read.
            self._listen_for_silence(now, is_quiet=quiet_turns > 1)

    async def _take(self, payload: Payload, now: float) -> None:
        try:
            envelope = self._codec.open(payload, own=self._worker, wants=self._local.wants)
        except Unreadable as exc:
            self._unreadable += 1
            _log.debug("bus_unreadable", wire=self._wire.name, reason=str(exc))
            return
        arrival = self._heard.note(envelope.publisher, envelope.channel, envelope.number, now)
        if envelope.publisher == self._worker:
            return  # delivered when it was published
        if arrival is Arrival.STALE:
            self._unreadable += 1
            return
        if arrival is Arrival.AFTER_A_GAP:
            self._suspect()
        self._missing.pop(envelope.publisher, None)
        if envelope.is_last:
            self._heard.forget(envelope.publisher, envelope.channel)
        self._received += envelope.notes_told
        if envelope.notes:
            await self._local.publish(envelope.notes)

    def _listen_for_silence(self, now: float, *, is_quiet: bool) -> None:
        """Give the wire up if it does not carry what we say; suspect it if another worker has stopped speaking."""
        longest = SILENCE_S if is_quiet else SILENCE_BUSY_S
        for channel in range(self._wire.channels):
            heard_at = self._heard.heard_at(self._worker, channel)
            if heard_at is None or now - heard_at > longest:
                raise WireDown("our own signs of life do not come back")
        silent = self._heard.fallen_silent(since=now - (PUBLISHER_SILENCE_S if is_quiet else SILENCE_BUSY_S))
        if silent:
            _log.warning("bus_worker_silent", wire=self._wire.name, workers=sorted(silent))
            self._missing.update(dict.fromkeys(silent, now))
            self._suspect()


def _first_reason(group: BaseExceptionGroup[WireDown]) -> str:
    exc: BaseException = group
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return str(exc)


@asynccontextmanager
async def open_shared_bus(wire: Wire, *, worker: str, key: bytes, rng: Random) -> AsyncIterator[SharedBus]:
    """Run a bus over a wire; one that can't be reached is waited for in the background.

    Args:
        worker: names this process; no other, living or dead, may have had the name.
        key: the secret that workers of one database share.
    """
    bus = SharedBus(wire, worker=worker, key=key, rng=rng)
    async with trio.open_nursery() as nursery:
        await nursery.start(bus.run)
        yield bus
        await bus.leave()
        nursery.cancel_scope.cancel()
