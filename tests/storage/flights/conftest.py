"""Two workers' views of the flights: every test of the contract runs against each implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from greenroom.models.ports import Flights
from greenroom.storage.flights import MemoryFlights
from tests.storage.flights.workers import a_worker


@pytest.fixture(params=["memory", "redis"])
def kind(request: pytest.FixtureRequest) -> object:
    return request.getfixturevalue("redis") if request.param == "redis" else None


@pytest.fixture
async def flights(kind: object) -> AsyncIterator[tuple[Flights, Flights]]:
    async with AsyncExitStack() as stack:
        if kind is None:
            memory = MemoryFlights()
            yield memory, memory
        else:
            one = await stack.enter_async_context(a_worker(kind))  # type: ignore[arg-type]
            other = await stack.enter_async_context(a_worker(kind))  # type: ignore[arg-type]
            yield one, other
