"""The server that is broken: a process of ours, in a temporary folder, with an embedded Postgres of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import trio

import greenroom
from chaos.launch import Launch, Prepare, prepare_nothing
from chaos.line import Line, NoAnswer
from chaos.workers import Workers

START_TIMEOUT_S: Final = 60.0
"""A first start runs initdb; one after a kill waits for the orphaned Postgres to go."""

STOP_TIMEOUT_S: Final = 20.0
"""Above the 15 s that an orderly stop may take."""

READY_TIMEOUT_S: Final = 5.0
"""For one answer about that."""

POLL_S: Final = 0.02

UNLIMITED: Final = {
    "GREENROOM_LIMIT_REQUESTS_PER_MINUTE": "10000000",
    "GREENROOM_LIMIT_ANONYMOUS_REQUESTS_PER_MINUTE": "10000000",
    "GREENROOM_LIMIT_SENDS_PER_MINUTE": "10000000",
    "GREENROOM_LIMIT_TYPING_PER_MINUTE": "0",
    "GREENROOM_LIMIT_CONVERSATIONS_PER_HOUR": "0",
    "GREENROOM_LIMIT_BOOKINGS_PER_HOUR": "0",
    "GREENROOM_LIMIT_REGISTRATIONS_PER_HOUR": "0",
    "GREENROOM_LIMIT_LOGINS_PER_MINUTE": "0",
    "GREENROOM_LIMIT_LOGINS_PER_HOUR": "0",
    "GREENROOM_LIMIT_ACCOUNT_LOGINS_PER_MINUTE": "0",
    "GREENROOM_LIMIT_ACCOUNT_LOGINS_PER_HOUR": "0",
    "GREENROOM_LOGIN_LOCKOUT_FAILURES": "0",
}
"""A few users here do the work of thousands. Where it is much, limits are out of reach rather than off: they cost what they
cost.
"""


class ServerFailed(Exception):
    """The server did not do what every scenario needs of it; with the last lines it wrote."""


class ServerProcess:
    """``python -m greenroom serve`` on a port that stays the same over restarts. Signals go to this process alone."""

    def __init__(self, folder: Path, port: int, launch: Launch | None = None, *, workers: int = 1) -> None:
        self.launch = Launch() if launch is None else launch
        self.environment = dict(self.launch.environment)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.data = self.launch.data or folder / "data"
        self._log = folder / "server.log"
        self.workers = Workers(self._log, count=workers)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerFailed("it was not started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> float:
        """Start it and wait until it is ready; returns the seconds that took.

        Raises:
            ServerFailed: it ended, or was not ready in time.
        """
        began = trio.current_time()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
        own = {
            "GREENROOM_BIND": f"127.0.0.1:{self.port}",
            "GREENROOM_DATA_DIR": str(self.data),
            "GREENROOM_LOG_LEVEL": "warning",
            **UNLIMITED,
            # The code beside the harness, also where another checkout is the installed one.
            "PYTHONPATH": str(Path(greenroom.__file__).parents[1]),
            **(self.workers.environment() if self.workers.count > 1 else {}),
        }
        with self._log.open("ab") as log:
            # The working directory is the temporary folder, so that no .env of the reader's can name another database.
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - forks and returns; a fixed command
                [sys.executable, "-m", self.launch.module, "serve", "--workers", str(self.workers.count)],
                cwd=self._folder,
                env=inherited | own | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self.wait_ready()
        return trio.current_time() - began

    async def wait_ready(self) -> None:
        """Wait until it says that it and its database are ready.

        Raises:
            ServerFailed: it ended, or was not ready in time.
        """
        line = Line(self.port, timeout_s=READY_TIMEOUT_S)
        try:
            with trio.move_on_after(START_TIMEOUT_S):
                while self.is_running:
                    with suppress(NoAnswer):
                        if (await line.ask("GET", "/health/ready")).is_success and self.workers.are_all_ready():
                            return
                    await trio.sleep(POLL_S)
        finally:
            line.close()
        raise ServerFailed(f"not ready; {'running' if self.is_running else 'ended'}:\n{self.log_tail()}")

    def send_signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    async def wait_ended(self, within_s: float) -> int:
        """Wait for its end and return the exit status, negative for a signal.

        Raises:
            ServerFailed: it still runs after ``within_s``.
        """
        with trio.move_on_after(within_s):
            while self._process is not None:
                status = self._process.poll()
                if status is not None:
                    return status
                await trio.sleep(POLL_S)
        raise ServerFailed(f"it still runs {within_s:.0f} s after it was told to end:\n{self.log_tail()}")

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs on, nothing is told to anybody."""
        self.send_signal(signal.SIGKILL)
        await self.wait_ended(STOP_TIMEOUT_S)

    def postmaster_pid(self) -> int | None:
        """The embedded Postgres that serves this folder now; None if there is none."""
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError, IndexError, ValueError):
            pid = int(self._postmaster_lines()[0])
            # The number may be stale; a live one of another program must not be touched.
            if os.readlink(f"/proc/{pid}/cwd") == str((self.data / "postgres" / "cluster").resolve()):
                return pid
        return None

    def accepting_postmaster_pid(self) -> int | None:
        """The same, once it accepts connections."""
        pid = self.postmaster_pid()
        with suppress(FileNotFoundError, IndexError):
            if self._postmaster_lines()[7].strip() == "ready":
                return pid
        return None

    def database_folder(self) -> Path:
        """Where its Postgres has its socket."""
        if self.launch.database is not None:
            return self.launch.database
        return Path(self._postmaster_lines()[4])

    def _postmaster_lines(self) -> list[str]:
        """Process id, folder, start time, port, socket folder, address, shared memory, status.

        Source: ``src/include/utils/pidfile.h`` of PostgreSQL.
        """
        return (self.data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()

    def admin_api_key(self) -> str:
        """The operator's key that a server on loopback makes for itself."""
        return (self.data / "admin-api-key").read_text().strip()

    async def metric(self, sample: str) -> float:
        """One number of ``/metrics``, by the name of the sample with its labels; 0 if there is none yet.

        Raises:
            ServerFailed: there are no metrics.
            NoAnswer: nor an answer.
        """
        if self._line is None:
            self._line = Line(self.port, timeout_s=READY_TIMEOUT_S)
        answer = await self._line.ask("GET", "/metrics", headers={"X-API-Key": self.admin_api_key()})
        if not answer.is_success:
            raise ServerFailed(f"/metrics answered {answer.status}")
        for line in answer.body.decode().splitlines():
            if line.startswith(f"{sample} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def resident_kib(self) -> int:
        """Memory it occupies."""
        return self._memory_kib("VmRSS:")

    def mapped_kib(self) -> int:
        """Address space it has mapped."""
        return self._memory_kib("VmSize:")

    def _memory_kib(self, which: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(which))

    def log_tail(self) -> str:
        with suppress(FileNotFoundError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-12:])
        return ""

    async def end(self) -> None:
        """Leave nothing running: orderly if possible, by force otherwise, the embedded Postgres too."""
        if self._line is not None:
            self._line.close()
        if self.is_running:
            self.send_signal(signal.SIGTERM)
            try:
                await self.wait_ended(STOP_TIMEOUT_S)
            except ServerFailed:
                await self.kill()
        with trio.move_on_after(STOP_TIMEOUT_S):
            while self.postmaster_pid() is not None:  # noqa: ASYNC110 - somebody else's child sets no event
                await trio.sleep(POLL_S)
        if (orphan := self.postmaster_pid()) is not None:
            os.kill(orphan, signal.SIGKILL)


@asynccontextmanager
async def a_server(prepare: Prepare = prepare_nothing, *, workers: int = 1) -> AsyncIterator[ServerProcess]:
    """A running server in a fresh folder; both are gone after the block, which takes 60 s at the very most."""
    folder = Path(tempfile.mkdtemp(prefix="greenroom-chaos-"))
    try:
        async with AsyncExitStack() as stack:
            # What it runs on stays until it has ended: a disk that is taken away earlier leaves it on the machine's own.
            launch = await stack.enter_async_context(prepare(folder))
            port = stack.enter_context(_a_port())
            server = ServerProcess(folder, port, launch, workers=workers)
            try:
                await server.start()
                yield server
            finally:
                # Shielded, as a run that is out of time must still end what it started; every wait in it is bounded.
                with trio.CancelScope(shield=True):
                    await server.end()
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(lambda: shutil.rmtree(folder, ignore_errors=True))


@contextmanager
def _a_port() -> Iterator[int]:
    """One that stays bound and is never listened on here: so nobody else is given it while the server is away."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", 0))
        yield place.getsockname()[1]
