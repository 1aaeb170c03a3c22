from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.storage.bus.redis_server import RedisServer, running_redis


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of this test's own."""
    with running_redis() as server:
        yield server
