"""A peer's process: started, asked for its port, and gone after the block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

ROOT: Final = Path(__file__).parents[1]
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 5.0


class PeerFailed(Exception):
    """It said something else than what was expected of it, or ended; what it wrote to stderr is above."""


class PeerProcess:
    """``python -m MODULE ARGUMENTS``, which speaks in lines that hold a number."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self._named = str(process.args)
        self._unread = b""

    async def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        if self._process.stdin is None:
            raise PeerFailed("it has no stdin")
        await self._process.stdin.send_all(line.encode() + b"\n")

    async def number(self) -> int:
        """Wait for the next line, which is a number.

        Raises:
            PeerFailed: it is not, or the process ended.
            trio.TooSlowError: none came within 30 s.
        """
        with trio.fail_after(START_TIMEOUT_S):
            while b"\n" not in self._unread:
                piece = await self._process.stdout.receive_some() if self._process.stdout else b""
                if not piece:
                    raise PeerFailed(f"{self._named} ended")
                self._unread += bytes(piece)
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            return int(line)
        except ValueError as exc:
            raise PeerFailed(f"{self._named} said {line!r}") from exc


@asynccontextmanager
async def a_peer(module: str, *arguments: str) -> AsyncIterator[PeerProcess]:
    """Run it for the length of the block."""
    command = [sys.executable, "-m", module, *arguments]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    try:
        yield PeerProcess(process)
    finally:
        process.kill()
        # A process that was killed is gone in an instant; the bound is for one that the kernel holds on to.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + STOP_TIMEOUT_S):
            await process.wait()
