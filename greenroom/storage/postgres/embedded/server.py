"""Keeping the embedded server running for as long as greenroom does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import trio
from psycopg import sql
from psycopg.conninfo import make_conninfo

from greenroom.storage.postgres.embedded.cluster import SUPERUSER, Cluster, held_cluster
from greenroom.storage.postgres.embedded.errors import DataFolderInUse, EmbeddedPostgresFailed
from greenroom.storage.postgres.embedded.postmaster import POLL_S, PORT, SERVER_SETTINGS, Postmaster
from greenroom.storage.postgres.trio_connection import TrioConnection

DATABASE: Final = "greenroom"

START_TIMEOUT_S: Final = 300.0
"""A start after a crash replays the log, which a checkpoint every five minutes keeps far below this."""

FIRST_STARTS_MAX: Final = 4
BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 2.0
STEADY_S: Final = 10.0
"""A server that ran this long was well; its death begins a new row of starts."""

ORPHAN_TIMEOUT_S: Final = 10.0
"""A server whose greenroom was killed shuts down by itself; its data folder is waited for."""


@dataclass(frozen=True, slots=True)
class ServerLoss:
    """The server ended although nobody told it to, or did not start, and is started again after a wait.

    Attributes:
        status: exit status; a negative number is the signal that killed it.
        restart_in_s: the wait.
    """

    status: int
    restart_in_s: float


OnLoss = Callable[[ServerLoss], None]


def ignore_loss(loss: ServerLoss) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A server of our own. ``conninfo`` stays the same when it has to be restarted, so that a pool on it heals."""

    conninfo: str
    cluster: Cluster


@asynccontextmanager
async def open_embedded(
    data_dir: Path, *, on_loss: OnLoss = ignore_loss, settings: Mapping[str, str] = SERVER_SETTINGS
) -> AsyncIterator[EmbeddedPostgres]:
    """Run a Postgres of our own in ``data_dir``, with an empty database at first, and stop it on leaving.

    A server that dies is started again, until it stays up. Stopping takes 8 s at most.

    Args:
        on_loss: told each time that the server ended, before it is started again.

    Raises:
        DataFolderInUse: another greenroom, or a server it does not know, has the folder.
        EmbeddedPostgresFailed: it can't be started. If a later start hangs, the body is cancelled and this is raised in
            an exception group.
    """
    holding = held_cluster(data_dir)
    cluster = await trio.to_thread.run_sync(holding.__enter__)
    try:
        await _wait_for_orphan(cluster)
        starts = _Starts(cluster, settings, on_loss)
        postmaster = await starts.start(attempts=FIRST_STARTS_MAX)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_keep_running, starts, postmaster)
            await _ensure_database(cluster)
            yield EmbeddedPostgres(_conninfo(cluster, DATABASE), cluster)
            nursery.cancel_scope.cancel()
    finally:
        holding.__exit__(None, None, None)


def _conninfo(cluster: Cluster, database: str) -> str:
    return make_conninfo("", host=str(cluster.socket_folder), port=PORT, user=SUPERUSER, dbname=database)


async def _wait_for_orphan(cluster: Cluster) -> None:
    """Wait for a server whose greenroom was killed.

    Raises:
        DataFolderInUse: it does not go; it may not be an orphan at all, so it is not ours to stop.
    """
    pid = cluster.postmaster_pid()
    if pid is None:
        return
    with trio.move_on_after(ORPHAN_TIMEOUT_S):
        while cluster.is_served_by(pid):  # noqa: ASYNC110 - somebody else's process sets no event
            await trio.sleep(POLL_S)
    if cluster.is_served_by(pid):
        raise DataFolderInUse(
            f"{cluster.folder} is in use by a Postgres server, process {pid}; stop it, or set another GREENROOM_DATA_DIR."
        )
    cluster.forget_reused_pid()


async def _keep_running(starts: _Starts, postmaster: Postmaster) -> None:
    """Start the server again whenever it ends, for as long as that takes: a full disk may be emptied."""
    while True:
        try:
            status = await postmaster.wait()
        finally:
            await _end(postmaster)
        await starts.back_off(status)
        postmaster = await starts.start(attempts=None)


async def _end(postmaster: Postmaster) -> None:
    # Shielded, as cancellation is how the server is told to stop; bounded by the ladder of signals.
    with trio.CancelScope(shield=True):
        await postmaster.stop()


class _Starts:
    """Starts the server, and waits longer between starts the more of them end soon."""

    def __init__(self, cluster: Cluster, settings: Mapping[str, str], on_loss: OnLoss) -> None:
        self._cluster = cluster
        self._settings = settings
        self._on_loss = on_loss
        self._in_a_row = 0
        self._last_at = 0.0

    async def start(self, *, attempts: int | None) -> Postmaster:
        """Start the server and wait until it accepts connections.

        Args:
            attempts: how many starts may end before that; None for any number.

        Raises:
            EmbeddedPostgresFailed: all of them did.
        """
        while attempts is None or self._in_a_row < attempts:
            self._last_at = trio.current_time()
            postmaster = Postmaster(self._cluster, settings=self._settings)
            try:
                status = await self._until_ready(postmaster)
            except BaseException:
                await _end(postmaster)
                raise
            if status is None:
                return postmaster
            # Often it is only that orphaned server processes are still letting go of the shared memory.
            await self.back_off(status)
        raise EmbeddedPostgresFailed(f"Postgres does not start. Its last words:\n{self._cluster.log_tail()}")

    async def back_off(self, status: int) -> None:
        """Tell that the server ended, and wait before it is started again."""
        was_steady = trio.current_time() - self._last_at > STEADY_S
        self._in_a_row = 1 if was_steady else self._in_a_row + 1
        restart_in_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** (min(self._in_a_row, 10) - 1))
        self._on_loss(ServerLoss(status, restart_in_s))
        await trio.sleep(restart_in_s)

    async def _until_ready(self, postmaster: Postmaster) -> int | None:
        """Return None once it accepts connections, its exit status if it ended instead.

        Raises:
            EmbeddedPostgresFailed: neither happened in time.
        """
        with trio.move_on_after(START_TIMEOUT_S):
            while not postmaster.is_ready():
                if (status := postmaster.returncode()) is not None:
                    return status
                await trio.sleep(POLL_S)
            return None
        raise EmbeddedPostgresFailed(f"Postgres was not ready after {START_TIMEOUT_S:.0f} s.")


async def _ensure_database(cluster: Cluster) -> None:
    try:
        with trio.fail_after(START_TIMEOUT_S):
            connection = await TrioConnection.open(
                _conninfo(cluster, SUPERUSER), timeout_s=START_TIMEOUT_S, prepare=False
            )
            try:
                found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
                if not found.rowcount:
                    await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
            finally:
                await connection.close()
    except (psycopg.Error, trio.TooSlowError) as exc:
        raise EmbeddedPostgresFailed(f"The database {DATABASE} can't be made: {exc}") from exc
