"""A real server in a process of its own, which a test may take away and bring back."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from types import MappingProxyType
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

from tests.postgres import PostgresServer, fresh_name

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60

UNLIMITED = {
    "GREENROOM_LIMIT_ANONYMOUS_REQUESTS_PER_MINUTE": "0",
    "GREENROOM_LIMIT_REGISTRATIONS_PER_HOUR": "0",
    "GREENROOM_LIMIT_LOGINS_PER_MINUTE": "0",
    "GREENROOM_LIMIT_LOGINS_PER_HOUR": "0",
}
"""All people of all tests come from one address, and no sooner is one gone than the next is there."""

AWAY = r"net::ERR_(?!BLOCKED)|status of 503"
"""What a browser says of requests to a server that goes away. Which of a dozen names it has for a connection that
failed (refused, reset, empty, incomplete, not connected ...) depends on the instant at which the server went."""


class ServerProcess:
    """``greenroom serve``, on one port from :meth:`start` until :meth:`close`, however often it ends in between.

    Args:
        database_url: where it keeps everything, so that a restart forgets nothing.
        data_dir: a folder of its own.
        environment: further settings.
    """

    def __init__(self, database_url: str, data_dir: Path, environment: Mapping[str, str]) -> None:
        self.url = ""
        self.data_dir = data_dir
        self.database_url = database_url
        # Bound all the while and never listened on: so nobody else is given the port while the server is away.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")
        } | {
            "GREENROOM_DATABASE_URL": database_url,
            "GREENROOM_DATA_DIR": str(data_dir),
            "GREENROOM_BIND": "{}:{}".format(*self._place.getsockname()),
            "GREENROOM_LOG_LEVEL": "warning",
            "COLUMNS": "200",
            **UNLIMITED,
            **environment,
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it serves.

        Raises:
            AssertionError: it ended, or did not serve in time.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "greenroom", "serve"],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._process = process
        self.url = _read_url(process)

    def stop(self) -> None:
        """Ask it to stop and wait until it has; stopping twice is fine."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise

    def close(self) -> None:
        """Stop it, and give up its port."""
        try:
            self.stop()
        finally:
            self._place.close()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def running_server(
    postgres: PostgresServer, data_dir: Path, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[ServerProcess]:
    """A server on a database of its own."""
    with postgres.migrated_database(fresh_name()) as options:
        server = ServerProcess(database_url(options.conninfo), data_dir, environment)
        try:
            server.start()
            yield server
        finally:
            server.close()


def database_url(conninfo: str) -> str:
    """The same address in the form that settings take."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    return f"postgresql:///{parts.pop('dbname')}?{urlencode(parts)}"


def _read_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    # Reading has no timeout of its own; a process that hangs is ended, which ends the reading.
    watchdog = Timer(START_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        seen = []
        for line in process.stdout:
            seen.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                return found[0]
    finally:
        watchdog.cancel()
    process.communicate()
    raise AssertionError(f"it did not say where it serves: {''.join(seen)}")
