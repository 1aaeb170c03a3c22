"""The kernel beside what one would write by hand with Trio's memory channels. No network, no database.

What is measured:

- *ask*: a request with a deadline to one actor that answers at once. By hand: a request channel, a reply channel per
  request, all of it under ``fail_after``. Once with a single asker, once with 100 asking at the same time.
- *tell to 1,000*: one message to each of 1,000 sleeping actors, until all have handled it, so that every message is a
  wake-up. By hand: a task and a channel each; sent with ``send``, and with the faster ``send_nowait``.
- *tell in bursts*: 64 messages to one actor, until all are handled. By hand: ``send``, and ``send_nowait``.
- *restart*: one message that crashes the actor, then an ask that its next incarnation answers; no backoff. By hand:
  a loop that opens a nursery per run and catches what it raises. The kernel's log record of each crash is made, and
  dropped unwritten.

The hand-written side does none of what the kernel does besides: it keeps no meter, no trace ids, no call chains, no
bound on restarts, and nobody can look into it. The ratio is the price of those.

Asking and telling are also measured beside Pykka and triotp, where they are installed, and telling beside the least
that can be done on Trio: a deque, and a task that is rescheduled when something is in it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import trio
from trio.lowlevel import Abort, Task, current_task, reschedule, wait_task_rescheduled

from bench.figures import Figure, Work, microseconds_per_operation, operations_per_second
from bench.peers.actor_libraries import Peer, peers
from greenroom.supervisor import (
    NO_BACKOFF,
    Actor,
    Address,
    ChildSpec,
    DynamicSpec,
    Request,
    SupervisorSpec,
    open_system,
)

ASKS: Final = 3_000
ASKERS: Final = 100
RECEIVERS: Final = 1_000
WAVES: Final = 20
BURST: Final = 64
BURSTS: Final = 250
CRASHES: Final = 500
CAPACITY: Final = 256
"""Of channels: as many messages as a mailbox holds by default."""

TIMEOUT_S: Final = 10.0
"""Never reached: what is measured is the cost of having a deadline."""


async def kernel_figures() -> list[Figure]:
    """All figures of the kernel, about 20 s on two cores."""
    figures = await _asks("ask with a deadline", askers=1)
    figures += await _asks(f"ask with a deadline, {ASKERS} at a time", askers=ASKERS)
    figures += await _tells_to_many()
    figures += await _bursts()
    with _unwritten_logs():
        figures += await _restarts()
    return figures


# Asking.


@dataclass(frozen=True, slots=True)
class Echo(Request[int]):
    number: int


class Echoing(Actor[Echo]):
    """Answers with what it was asked."""

    async def handle(self, message: Echo) -> int:
        return message.number


Asked = tuple[int, trio.MemorySendChannel[int]]


async def _asks(name: str, *, askers: int) -> list[Figure]:
    tree = SupervisorSpec("bench", (ChildSpec("echo", Echoing),))
    requests, incoming = trio.open_memory_channel[Asked](CAPACITY)
    async with open_system(tree) as system, peers(1, BURST) as others, trio.open_nursery() as nursery:
        nursery.start_soon(_echo_by_hand, incoming)
        echo: Address[Echo] = system.address("/bench/echo")

        async def ask(number: int) -> int:
            return await echo.ask(Echo(number), timeout=TIMEOUT_S)

        async def ask_by_hand(number: int) -> int:
            reply, answers = trio.open_memory_channel[int](1)
            with trio.fail_after(TIMEOUT_S):
                await requests.send((number, reply))
                return await answers.receive()

        baselines: dict[str, Work] = {"by hand: two channels, fail_after": lambda: _many_asks(ask_by_hand, askers)}
        if askers == 1:  # for more, Pykka would need as many threads that ask
            baselines |= {peer.library: peer.ask for peer in others}
        figures = await operations_per_second(name, "asks/s", lambda: _many_asks(ask, askers), baselines)
        nursery.cancel_scope.cancel()
    return figures


async def _echo_by_hand(incoming: trio.MemoryReceiveChannel[Asked]) -> None:
    async for number, reply in incoming:
        reply.send_nowait(number)


async def _many_asks(ask: Callable[[int], Awaitable[int]], askers: int) -> int:
    async def ask_in_turn() -> None:
        for number in range(ASKS // askers):
            await ask(number)

    async with trio.open_nursery() as nursery:
        for _ in range(askers):
            nursery.start_soon(ask_in_turn)
    return ASKS


# Telling.


class Tally:
    """Counts down what is still to be handled."""

    def __init__(self) -> None:
        self._left = 0
        self._done = trio.Event()

    def expect(self, count: int) -> None:
        self._left, self._done = count, trio.Event()

    def count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._done.set()

    async def wait(self) -> None:
        await self._done.wait()


class Counting(Actor[int]):
    """Counts what it is told."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    async def handle(self, message: int) -> None:
        self._tally.count()


async def count_by_hand(incoming: trio.MemoryReceiveChannel[int], tally: Tally) -> None:
    async for _ in incoming:
        tally.count()


class Least:
    """The least that can be done on Trio for a task with a mailbox."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._queue: deque[int] = deque()
        self._asleep: Task | None = None

    def tell(self, message: int) -> None:
        self._queue.append(message)
        if self._asleep is not None:
            task, self._asleep = self._asleep, None
            reschedule(task)

    async def run(self) -> None:
        while True:
            while self._queue:
                self._queue.popleft()
                self._tally.count()
            self._asleep = current_task()
            await wait_task_rescheduled(lambda _: Abort.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Receivers:
    """So many actors, channels with a task each, and tasks with the least of mailboxes; all of them asleep."""

    addresses: list[Address[int]]
    senders: list[trio.MemorySendChannel[int]]
    least: list[Least]
    peers: list[Peer]


@asynccontextmanager
async def _receivers(count: int, tally: Tally) -> AsyncIterator[Receivers]:
    tree = SupervisorSpec("bench", (DynamicSpec("receivers", "receiver", lambda _: Counting(tally)),))
    async with open_system(tree) as system, peers(count, BURST) as others, trio.open_nursery() as nursery:
        addresses: list[Address[int]] = [system.virtual("receiver", str(n)) for n in range(count)]
        senders, least = [], [Least(tally) for _ in range(count)]
        for each in least:
            sender, incoming = trio.open_memory_channel[int](CAPACITY)
            senders.append(sender)
            nursery.start_soon(count_by_hand, incoming, tally)
            nursery.start_soon(each.run)
        yield Receivers(addresses, senders, least, others)
        nursery.cancel_scope.cancel()


async def _tells_to_many() -> list[Figure]:
    tally = Tally()

    def to_all(ways: list[Callable[[int], object]]) -> Work:
        async def tell() -> int:
            for wave in range(WAVES):
                tally.expect(RECEIVERS)
                for tell_one in ways:
                    tell_one(wave)
                await tally.wait()
            return WAVES * RECEIVERS

        return tell

    async with _receivers(RECEIVERS, tally) as receivers:

        async def send() -> int:
            for wave in range(WAVES):
                tally.expect(RECEIVERS)
                for sender in receivers.senders:
                    await sender.send(wave)
                await tally.wait()
            return WAVES * RECEIVERS

        return await operations_per_second(
            "tell to 1,000 actors, a wake-up each",
            "messages/s",
            to_all([address.tell for address in receivers.addresses]),
            {
                "send on 1,000 channels": send,
                "send_nowait on 1,000 channels": to_all([sender.send_nowait for sender in receivers.senders]),
                "1,000 deques, reschedule": to_all([each.tell for each in receivers.least]),
                **{peer.library: peer.tell_each for peer in receivers.peers},
            },
        )


async def _bursts() -> list[Figure]:
    tally = Tally()

    def in_bursts(tell_one: Callable[[int], object]) -> Work:
        async def tell() -> int:
            for _ in range(BURSTS):
                tally.expect(BURST)
                for number in range(BURST):
                    tell_one(number)
                await tally.wait()
            return BURSTS * BURST

        return tell

    async with _receivers(1, tally) as receivers:
        sender = receivers.senders[0]

        async def send() -> int:
            for _ in range(BURSTS):
                tally.expect(BURST)
                for number in range(BURST):
                    await sender.send(number)
                await tally.wait()
            return BURSTS * BURST

        return await operations_per_second(
            f"tell in bursts of {BURST}",
            "messages/s",
            in_bursts(receivers.addresses[0].tell),
            {
                "send in bursts": send,
                "send_nowait in bursts": in_bursts(sender.send_nowait),
                "a deque, reschedule": in_bursts(receivers.least[0].tell),
                **{peer.library: peer.tell_in_bursts for peer in receivers.peers},
            },
        )


# Restarting.


class Broken(Exception):
    """What the messages that are to crash raise."""


@dataclass(frozen=True, slots=True)
class Crash:
    """Has no answer."""


class Fragile(Actor[Echo | Crash]):
    """Answers, or crashes when told to."""

    async def handle(self, message: Echo | Crash) -> int:
        if isinstance(message, Crash):
            raise Broken
        return message.number


async def _restarts() -> list[Figure]:
    # A window so short that it never fills: a supervisor that gives up would end the measurement.
    tree = SupervisorSpec(
        "bench",
        (ChildSpec("fragile", Fragile),),
        intensity=10_000,
        period_s=0.001,
        backoff=NO_BACKOFF,
        consecutive_failures_max=10_000_000,
    )
    requests, incoming = trio.open_memory_channel[Asked | None](CAPACITY)
    async with open_system(tree) as system, trio.open_nursery() as nursery:
        nursery.start_soon(_restart_by_hand, incoming)
        fragile: Address[Echo | Crash] = system.address("/bench/fragile")

        async def crash_and_ask() -> int:
            for number in range(CRASHES):
                fragile.tell(Crash())
                await fragile.ask(Echo(number), timeout=TIMEOUT_S)
            return CRASHES

        async def crash_and_ask_by_hand() -> int:
            for number in range(CRASHES):
                requests.send_nowait(None)
                reply, answers = trio.open_memory_channel[int](1)
                with trio.fail_after(TIMEOUT_S):
                    await requests.send((number, reply))
                    await answers.receive()
            return CRASHES

        figures = await microseconds_per_operation(
            "restart, to the first answer",
            crash_and_ask,
            {"by hand: a nursery per run": crash_and_ask_by_hand},
        )
        nursery.cancel_scope.cancel()
    return figures


@contextmanager
def _unwritten_logs() -> Iterator[None]:
    """Drop what the kernel logs: thousands of crashes on purpose are no news."""
    log, nowhere = logging.getLogger("greenroom.supervisor"), logging.NullHandler()
    log.addHandler(nowhere)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = True
        log.removeHandler(nowhere)


async def _restart_by_hand(incoming: trio.MemoryReceiveChannel[Asked | None]) -> None:
    while True:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_fragile_by_hand, incoming)
        except* Broken:
            pass


async def _fragile_by_hand(incoming: trio.MemoryReceiveChannel[Asked | None]) -> None:
    async for request in incoming:
        if request is None:
            raise Broken
        number, reply = request
        reply.send_nowait(number)
