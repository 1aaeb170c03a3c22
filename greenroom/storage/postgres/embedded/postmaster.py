"""The server as our direct child process: it starts and stops with us, and nothing outlives us by accident."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import trio

from greenroom.storage.postgres.embedded.cluster import SERVER_ENVIRONMENT, Cluster

POLL_S: Final = 0.01

PORT: Final = 5432
"""Part of the socket's name."""

STOP_LADDER: Final = (
    (signal.SIGINT, 5.0),
    (signal.SIGQUIT, 2.0),
    (signal.SIGKILL, 1.0),
)
"""Signals and how long each may take: fast shutdown, which ends sessions and writes a checkpoint; immediate shutdown,
which the next start recovers from; and the kernel's. Source: PostgreSQL manual, "Shutting Down the Server"."""

SERVER_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "on",
    # A failed statement is reported to its client. Logged, it would let clients fill the disk, with what they sent.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
"""Durability stays as Postgres has it: ``fsync`` and ``synchronous_commit`` are on."""

# Drops rights, asks for a fast shutdown when the parent dies, and becomes the server. The signal is asked for after the
# rights are dropped, which would clear it, and in the process that becomes the server, which keeps it: prctl(2).
_BECOME_SERVER: Final = """
import ctypes, os, signal, sys
parent, uid, gid, *command = sys.argv[1:]
if int(uid) != os.geteuid():
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)
os.umask(0o077)
os.execv(command[0], command)
"""


class Postmaster:
    """A running server process. Start it in the thread that lives longest: its death is what the server follows."""

    def __init__(self, cluster: Cluster, *, settings: Mapping[str, str] = SERVER_SETTINGS) -> None:
        self._cluster = cluster
        command = _command(cluster, settings)
        # In a session of its own, so that Ctrl-C in a terminal reaches us alone and we stop it in order.
        with cluster.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=SERVER_ENVIRONMENT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def returncode(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.poll()

    def is_ready(self) -> bool:
        return self._cluster.is_ready(self.pid)

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the server; nothing if it has ended."""
        self._process.send_signal(number)

    async def wait(self) -> int:
        """Wait for the process to end; return its exit status."""
        if hasattr(os, "pidfd_open"):
            try:
                descriptor = os.pidfd_open(self.pid)
            except OSError:
                # An old kernel, or a sandbox.
                return await self._poll()
            try:
                while (status := self.returncode()) is None:
                    await trio.lowlevel.wait_readable(descriptor)
                return status
            finally:
                os.close(descriptor)
        return await self._poll()

    async def _poll(self) -> int:
        while (status := self.returncode()) is None:  # noqa: ASYNC110 - the process sets no event
            await trio.sleep(POLL_S)
        return status

    async def stop(self) -> int | None:
        """Go down the ladder; return the exit status, None if even the last signal did not end it in time.

        Stopping one that has ended is fine.
        """
        for number, patience_s in STOP_LADDER:
            self.send_signal(number)
            with trio.move_on_after(patience_s):
                return await self.wait()
        return None


def _command(cluster: Cluster, settings: Mapping[str, str]) -> Sequence[str]:
    options = {"port": str(PORT), "unix_socket_directories": str(cluster.socket_folder), **settings}
    return [
        *(sys.executable, "-I", "-S", "-c", _BECOME_SERVER),
        *(str(os.getpid()), str(cluster.account.uid), str(cluster.account.gid)),
        *(str(cluster.binaries / "postgres"), "-D", str(cluster.folder)),
        *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
    ]
