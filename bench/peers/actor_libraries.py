"""Actors of two other libraries, doing what ours are measured at: Pykka's, which are threads, and triotp's generic
servers, which are tasks of the same Trio.

Neither is needed to run greenroom, and one that is not installed is left out with a line that says so.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import trio
import trio.testing

from bench.figures import Work

ASKS: Final = 1_000
WAVES: Final = 2
BURSTS: Final = 50
"""Fewer than ours, which are faster: what counts is the time of one."""

TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Peer:
    """So many actors of another library.

    Attributes:
        ask: ask one of them, in turn, with a timeout.
        tell_each: send every one a message and wait until all have handled it, several times.
        tell_in_bursts: send one of them many messages at once and wait until it has handled them, several times.
    """

    library: str
    ask: Work
    tell_each: Work
    tell_in_bursts: Work


@asynccontextmanager
async def peers(actors: int, burst: int) -> AsyncIterator[list[Peer]]:
    """So many idle actors of each library that is installed."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_actors(actors, burst))
            for library, open_actors in (("pykka", _pykka), ("triotp", _triotp))
            if _is_installed(library)
        ]


def _is_installed(library: str) -> bool:
    try:
        importlib.import_module(library)
    except ImportError:
        print(f"{library} is not installed and left out; make bench installs it")
        return False
    return True


@asynccontextmanager
async def _pykka(actors: int, burst: int) -> AsyncIterator[Peer]:
    """A thread per actor. They are called from Trio's thread, which waits for them: nothing else is to be done."""
    pykka: Any = importlib.import_module("pykka")
    tally = _ThreadsTally()

    class Counting(pykka.ThreadingActor):
        def on_receive(self, message: int) -> int:
            tally.count()
            return message

    refs = [Counting.start() for _ in range(actors)]

    async def ask() -> int:
        for number in range(ASKS):
            refs[0].ask(number, timeout=TIMEOUT_S)
        return ASKS

    async def tell_each() -> int:
        for wave in range(WAVES):
            tally.expect(actors)
            for ref in refs:
                ref.tell(wave)
            tally.wait()
        return WAVES * actors

    async def tell_in_bursts() -> int:
        for _ in range(BURSTS):
            tally.expect(burst)
            for number in range(burst):
                refs[0].tell(number)
            tally.wait()
        return BURSTS * burst

    try:
        yield Peer("Pykka's ThreadingActor", ask, tell_each, tell_in_bursts)
    finally:
        for ref in refs:
            ref.stop(block=False)
        for ref in refs:
            ref.actor_stopped.wait(TIMEOUT_S)


class _ThreadsTally:
    """Counts down what is still to be handled, for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._done = threading.Event()

    def expect(self, count: int) -> None:
        self._left = count
        self._done.clear()

    def count(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._done.set()

    def wait(self) -> None:
        if not self._done.wait(TIMEOUT_S):
            raise trio.TooSlowError


@asynccontextmanager
async def _triotp(actors: int, burst: int) -> AsyncIterator[Peer]:
    gen_server: Any = importlib.import_module("triotp.gen_server")
    mailbox: Any = importlib.import_module("triotp.mailbox")
    mailbox._init()  # what its node.run() does, which would run a Trio of its own
    names = [f"server {number}" for number in range(actors)]
    left, done = 0, trio.Event()

    class Counting:
        """A callback module, as far as triotp looks at one."""

        @staticmethod
        async def init(_argument: None) -> None:
            return None

        @staticmethod
        async def handle_call(message: int, _caller: object, state: None) -> object:
            return gen_server.Reply(message), state

        @staticmethod
        async def handle_cast(_message: int, state: None) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                done.set()
            return gen_server.NoReply(), state

    async def ask() -> int:
        for number in range(ASKS):
            await gen_server.call(names[0], number, timeout=TIMEOUT_S)
        return ASKS

    async def tell_each() -> int:
        nonlocal left, done
        for wave in range(WAVES):
            left, done = actors, trio.Event()
            for name in names:
                await gen_server.cast(name, wave)
            await done.wait()
        return WAVES * actors

    async def tell_in_bursts() -> int:
        nonlocal left, done
        for _ in range(BURSTS):
            left, done = burst, trio.Event()
            for number in range(burst):
                await gen_server.cast(names[0], number)
            await done.wait()
        return BURSTS * burst

    async with trio.open_nursery() as nursery:
        for name in names:
            nursery.start_soon(gen_server.start, Counting, None, name)
        await trio.testing.wait_all_tasks_blocked()
        yield Peer("triotp's gen_server", ask, tell_each, tell_in_bursts)
        nursery.cancel_scope.cancel()
