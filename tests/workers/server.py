"""A real server with several workers, and what its log says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import psutil
from psycopg.conninfo import conninfo_to_dict

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 50.0


class WorkersServer:
    """``greenroom serve --workers N``, told by signals and heard by its log."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[tuple[float, dict[str, Any]]] = []
        self._raw: list[str] = []
        self._said = Condition()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = ""
        self.is_over = False

    @property
    def workers(self) -> list[int]:
        """Pids of the worker processes that live, the spare included."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            try:
                if "greenroom.workers.worker" in child.cmdline():
                    found.append(child.pid)
            except psutil.Error:
                continue
        return found

    def serving(self) -> list[int]:
        """Pids of the workers that serve, by their place, as the log has it."""
        current = {line["worker"]: line["pid"] for _, line in list(self.lines) if line["event"] == "worker_ready"}
        return [pid for _, pid in sorted(current.items())]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_line(self, event: str, *, since: float = 0.0, count: int = 1, timeout_s: float = 60.0) -> float:
        """Wait until the log has said ``event`` so often since a moment; return when it did."""
        deadline = monotonic() + timeout_s
        with self._said:
            while True:
                found = [at for at, line in self.lines if line["event"] == event and at >= since]
                if len(found) >= count:
                    return found[count - 1]
                if self.is_over or not self._said.wait(deadline - monotonic()):
                    raise AssertionError(f"no {event} in time:\n{''.join(self._raw[-60:])}")

    def wait_url(self) -> None:
        deadline = monotonic() + START_TIMEOUT_S
        with self._said:
            while not self.url:
                if self.is_over or not self._said.wait(deadline - monotonic()):
                    raise AssertionError(f"it does not serve:\n{''.join(self._raw)}")

    def wait_end(self) -> int:
        status = self.process.wait(STOP_TIMEOUT_S)
        self._reader.join(STOP_TIMEOUT_S)
        return status

    def log(self) -> str:
        return "".join(self._raw)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self._raw.append(line)
                if line.startswith("{"):
                    self.lines.append((monotonic(), json.loads(line)))
                elif found := re.search(r"serves on (http://\S+)", line):
                    self.url = found[1]
                self._said.notify_all()
        self.process.stdout.close()
        with self._said:
            self.is_over = True
            self._said.notify_all()


@contextmanager
def workers_server(
    conninfo: str, data_dir: Path, *, workers: int = 2, settings: Mapping[str, str] | None = None
) -> Iterator[WorkersServer]:
    """Run a server for the length of the block."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    environment = {
        "GREENROOM_DATABASE_URL": f"postgresql:///{parts.pop('dbname')}?{urlencode(parts)}",
        "GREENROOM_DATA_DIR": str(data_dir),
        "GREENROOM_BIND": "127.0.0.1:0",
        "GREENROOM_LOG_FORMAT": "json",
        "GREENROOM_ACCESS_LOG_LEVEL": "error",
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "greenroom", "serve", "--workers", str(workers)],
        env=own | environment | dict(settings or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = WorkersServer(process)
    try:
        server.wait_url()
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
        server.wait_end()
