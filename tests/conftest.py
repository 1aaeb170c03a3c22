"""Fixtures that every room may use: a real Postgres, started when the first test asks for it, and a Redis."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import hypothesis
import pytest
import structlog
from trio.testing import MockClock

from greenroom.storage.postgres import PostgresOptions
from tests.postgres import PostgresServer, fast_data_dir, fresh_name, postgres_for_tests
from tests.storage.bus.redis_server import RedisServer, running_redis

# Beside whatever runs otherwise: how long an example takes says nothing of what is tried with it.
hypothesis.settings.register_profile(
    "unhurried",
    hypothesis.settings.default,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Whatever a test sets up for its process is taken back: the next one in it may be of another room."""
    root, own, config = logging.getLogger(), logging.getLogger("greenroom"), structlog.get_config()
    handlers, levels = root.handlers[:], (root.level, own.level)
    yield
    structlog.configure(**config)
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])


@pytest.fixture
def skipping_clock() -> MockClock:
    """Time as it passes, from which a test may leave some out: ``jump`` it once whatever is to be late is waited for.

    With it a timeout can be one that no slow machine comes near, and yet be tried in no time. A ``fail_after`` that is
    open while it jumps loses as much.
    """
    return MockClock(rate=1.0)


@pytest.fixture
def slow_clock() -> MockClock:
    """Time at a fifth of its pace: to whatever is timed, the machine is five times as fast.

    For tests of what happens at once, or within a budget, where work is done by others than this process.
    """
    return MockClock(rate=0.2)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole run."""
    with fast_data_dir() as folder, postgres_for_tests(folder) as server:
        yield server


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[PostgresOptions]:
    """How to reach a migrated, empty database of this test's own."""
    with postgres_server.migrated_database(fresh_name()) as options:
        yield options


@pytest.fixture
def unmigrated_database(postgres_server: PostgresServer) -> Iterator[PostgresOptions]:
    """How to reach a database of this test's own that holds nothing at all."""
    with postgres_server.empty_database(fresh_name()) as options:
        yield options


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of this test's own."""
    with running_redis() as server:
        yield server
