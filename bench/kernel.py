"""The kernel beside what one would write by hand with Trio's memory channels. No network, no database.

What is measured:

- *ask*: a request with a deadline to one actor that answers at once. By hand: a request channel, a reply channel per
  request, all of it under ``fail_after``. Once with a single asker, once with 100 asking at the same time.
- *tell to 1,000*: one message to each of 1,000 sleeping actors, until all have handled it, so that every message is a
  wake-up. By hand: a task and a channel each; sent with ``send``, and with the faster ``send_nowait``.
- *tell in bursts*: 64 messages to one actor, until all are handled. By hand: ``send_nowait``.
- *restart*: one message that crashes the actor, then an ask that its next incarnation answers; no backoff. By hand:
  a loop that opens a nursery per run and catches what it raises. The kernel's log record of each crash is made, and
  dropped unwritten.

The hand-written side does none of what the kernel does besides: it keeps no meter, no trace ids, no call chains, no
bound on restarts, and nobody can look into it. The ratio is the price of those.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import trio

from bench.figures import Figure, microseconds_per_operation, operations_per_second
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
    """All figures of the kernel, about 10 s on two cores."""
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
    async with open_system(tree) as system, trio.open_nursery() as nursery:
        nursery.start_soon(_echo_by_hand, incoming)
        echo: Address[Echo] = system.address("/bench/echo")

        async def ask(number: int) -> int:
            return await echo.ask(Echo(number), timeout=TIMEOUT_S)

        async def ask_by_hand(number: int) -> int:
            reply, answers = trio.open_memory_channel[int](1)
            with trio.fail_after(TIMEOUT_S):
                await requests.send((number, reply))
                return await answers.receive()

        figures = await operations_per_second(
            name,
            "asks/s",
            lambda: _many_asks(ask, askers),
            {"by hand: two channels, fail_after": lambda: _many_asks(ask_by_hand, askers)},
        )
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


@asynccontextmanager
async def _receivers(count: int, tally: Tally) -> AsyncIterator[tuple[list[Address[int]], list[Sender]]]:
    """So many actors, and so many tasks with a channel each, all asleep."""
    tree = SupervisorSpec("bench", (DynamicSpec("receivers", "receiver", lambda _: Counting(tally)),))
    async with open_system(tree) as system, trio.open_nursery() as nursery:
        addresses: list[Address[int]] = [system.virtual("receiver", str(n)) for n in range(count)]
        senders = []
        for _ in range(count):
            sender, incoming = trio.open_memory_channel[int](CAPACITY)
            senders.append(sender)
            nursery.start_soon(count_by_hand, incoming, tally)
        yield addresses, senders
        nursery.cancel_scope.cancel()


Sender = trio.MemorySendChannel[int]


async def _tells_to_many() -> list[Figure]:
    tally = Tally()
    async with _receivers(RECEIVERS, tally) as (addresses, senders):

        async def tell() -> int:
            for wave in range(WAVES):
                tally.expect(RECEIVERS)
                for address in addresses:
                    address.tell(wave)
                await tally.wait()
            return WAVES * RECEIVERS

        async def send() -> int:
            for wave in range(WAVES):
                tally.expect(RECEIVERS)
                for sender in senders:
                    await sender.send(wave)
                await tally.wait()
            return WAVES * RECEIVERS

        async def send_nowait() -> int:
            for wave in range(WAVES):
                tally.expect(RECEIVERS)
                for sender in senders:
                    sender.send_nowait(wave)
                await tally.wait()
            return WAVES * RECEIVERS

        return await operations_per_second(
            "tell to 1,000 actors, a wake-up each",
            "messages/s",
            tell,
            {"send on 1,000 channels": send, "send_nowait on 1,000 channels": send_nowait},
        )


async def _bursts() -> list[Figure]:
    tally = Tally()
    async with _receivers(1, tally) as ([address], [sender]):

        async def tell() -> int:
            for _ in range(BURSTS):
                tally.expect(BURST)
                for number in range(BURST):
                    address.tell(number)
                await tally.wait()
            return BURSTS * BURST

        async def send_nowait() -> int:
            for _ in range(BURSTS):
                tally.expect(BURST)
                for number in range(BURST):
                    sender.send_nowait(number)
                await tally.wait()
            return BURSTS * BURST

        return await operations_per_second(
            f"tell in bursts of {BURST}", "messages/s", tell, {"send_nowait in bursts": send_nowait}
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
