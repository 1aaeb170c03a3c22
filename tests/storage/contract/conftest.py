"""The two twins: every test of this folder runs against both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from greenroom.storage.bus_local import LocalBus
from greenroom.storage.memory import memory_storage
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage


@pytest.fixture(params=["memory", "postgres"])
def twin(request: pytest.FixtureRequest) -> PostgresOptions | None:
    """How to reach Postgres, or None for the twin in memory."""
    if request.param == "memory":
        return None
    options: PostgresOptions = request.getfixturevalue("database")
    return options


@pytest.fixture
async def storage(twin: PostgresOptions | None) -> AsyncIterator[Storage]:
    if twin is None:
        yield memory_storage()
    else:
        async with open_pool(twin) as pool:
            yield postgres_storage(pool, bus=LocalBus())
