"""A real Postgres for tests: one server for the whole run, and a fresh copy of a migrated database for each test."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from shutil import disk_usage
from time import monotonic, sleep  # noqa: TID251 - before and after any Trio

import psycopg
import trio
from psycopg.conninfo import make_conninfo

from greenroom.storage.postgres import PostgresOptions
from greenroom.storage.postgres.embedded.cluster import SUPERUSER, held_cluster
from greenroom.storage.postgres.embedded.postmaster import PORT, SERVER_SETTINGS, STOP_LADDER, Postmaster
from greenroom.storage.postgres.migrate import migrate

START_TIMEOUT_S = 120.0
MEMORY_FREE_MIN = 1_000_000_000

# No test of this server pulls the plug, so nothing has to reach the disk.
UNDURABLE = {
    **SERVER_SETTINGS,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "200",
}

TEMPLATE = "migrated"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; :func:`postgres_for_tests` gives it a migrated database to copy."""

    socket_folder: Path
    pid: int

    def conninfo(self, database: str = SUPERUSER) -> str:
        return make_conninfo("", host=str(self.socket_folder), port=PORT, user=SUPERUSER, dbname=database)

    def command(self, statement: str) -> None:
        """Run a statement of an administrator's."""
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def empty_database(self, name: str) -> Iterator[PostgresOptions]:
        with self._database(name, template="template1") as options:
            yield options

    @contextmanager
    def migrated_database(self, name: str) -> Iterator[PostgresOptions]:
        with self._database(name, template=TEMPLATE) as options:
            yield options

    @contextmanager
    def _database(self, name: str, *, template: str) -> Iterator[PostgresOptions]:
        self.command(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield PostgresOptions(self.conninfo(name))
        finally:
            self.command(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres_for_tests(data_dir: Path) -> Iterator[PostgresServer]:
    """Run a server that is quick and forgetful, with a migrated database."""
    with running_server(data_dir, UNDURABLE) as server:
        server.command(f"CREATE DATABASE {TEMPLATE}")
        trio.run(partial(migrate, PostgresOptions(server.conninfo(TEMPLATE))))
        yield server


@contextmanager
def running_server(data_dir: Path, settings: Mapping[str, str] = SERVER_SETTINGS) -> Iterator[PostgresServer]:
    """Run a server without Trio, which a fixture of more than one test can't have."""
    with held_cluster(data_dir) as cluster:
        postmaster = Postmaster(cluster, settings=settings)
        try:
            deadline = monotonic() + START_TIMEOUT_S
            while not postmaster.is_ready():
                if postmaster.returncode() is not None or monotonic() > deadline:
                    raise RuntimeError(f"Postgres did not start:\n{cluster.log_tail()}")
                sleep(0.01)
            yield PostgresServer(cluster.socket_folder, postmaster.pid)
        finally:
            _stop(postmaster)


def _stop(postmaster: Postmaster) -> None:
    for number, patience_s in STOP_LADDER:
        postmaster.send_signal(number)
        deadline = monotonic() + patience_s
        while monotonic() < deadline:
            if postmaster.returncode() is not None:
                return
            sleep(0.01)


@contextmanager
def fast_data_dir(copy_of: Path | None = None) -> Iterator[Path]:
    """A name for a data folder, in a place where the account the server runs as may go; or a copy of a stopped one."""
    # Not pytest's tmp_path, whose folders are closed to that account.
    with tempfile.TemporaryDirectory(prefix="greenroom-tests-", dir=_fast_folder()) as folder:
        if copy_of is not None:
            subprocess.run(["cp", "-a", copy_of, f"{folder}/data"], check=True)
        yield Path(folder) / "data"


def _fast_folder() -> str | None:
    """Memory if there is enough of it, None for the usual place: copying a database takes 8 ms there, 200 on a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder is made in it
    return str(memory) if memory.is_dir() and disk_usage(memory).free > MEMORY_FREE_MIN else None


_names = count()


def fresh_name() -> str:
    return f"test_{next(_names)}"
