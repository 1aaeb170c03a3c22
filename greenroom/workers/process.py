"""A worker as its parent sees it: a child process, and what it said last."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

import trio

from greenroom.workers.control import Beat, Control, Orders, Ready, Stop

POLL_S: Final = 0.02


class Worker(Protocol):
    """A started worker, which waits for orders at first."""

    @property
    def pid(self) -> int: ...

    @property
    def requests(self) -> int:
        """How many it has answered, as it last said."""
        ...

    @property
    def heard_at(self) -> float:
        """When it was last heard, on Trio's clock."""
        ...

    async def listen(self) -> None:
        """Take in what it says, until it has ended. To be run by the parent for as long as the worker lives."""
        ...

    async def begin(self, orders: Orders) -> None:
        """Have it serve."""
        ...

    async def wait_ready(self) -> bool:
        """Wait until it serves (True), or has ended."""
        ...

    async def wait_end(self) -> int:
        """Wait for its end; return its status, a negative number being the signal that killed it."""
        ...

    async def stop(self, *, is_last: bool) -> None:
        """Tell it to drain and end; nothing if it has ended."""
        ...

    def kill(self) -> None:
        """End it at once; nothing if it has ended."""
        ...


class WorkerProcess:
    """A worker that is a process."""

    def __init__(self, process: subprocess.Popen[bytes], control: Control) -> None:
        self._process = process
        self._control = control
        self._ready = trio.Event()
        self._ended = trio.Event()
        self.requests = 0
        self.heard_at = trio.current_time()

    @classmethod
    def spawn(cls, listeners: Sequence[int]) -> WorkerProcess:
        """Start a process that inherits the listening sockets and waits for orders.

        Raises:
            OSError: the system refuses another process.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            # In a session of its own, so that Ctrl-C in a terminal reaches the parent alone, which stops it in order.
            process = subprocess.Popen(  # noqa: S603 - a fixed command
                [sys.executable, "-m", "greenroom.workers.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *listeners],
                start_new_session=True,
            )
        return cls(process, Control(ours))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def listen(self) -> None:
        try:
            while (message := await self._control.receive()) is not None:
                self.heard_at = trio.current_time()
                match message:
                    case Ready():
                        self._ready.set()
                    case Beat(requests):
                        self.requests = requests
            await self._wait()
        finally:
            self._ended.set()
            # Shielded: closing a socket does not wait.
            with trio.CancelScope(shield=True):
                await self._control.aclose()

    async def begin(self, orders: Orders) -> None:
        self.heard_at = trio.current_time()
        await self._control.send(orders)

    async def wait_ready(self) -> bool:
        async with trio.open_nursery() as nursery:

            async def until(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(until, self._ready)
            nursery.start_soon(until, self._ended)
        return not self._ended.is_set()

    async def wait_end(self) -> int:
        await self._ended.wait()
        return self._process.wait()

    async def stop(self, *, is_last: bool) -> None:
        await self._control.send(Stop(is_last))

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def _wait(self) -> None:
        """Wait for the process to end, and take its status, so that no zombie is left."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except (OSError, AttributeError):
            # An old kernel, another system, or a sandbox.
            while self._process.poll() is None:  # noqa: ASYNC110 - the process sets no event
                await trio.sleep(POLL_S)
            return
        try:
            while self._process.poll() is None:
                await trio.lowlevel.wait_readable(descriptor)
        finally:
            os.close(descriptor)
