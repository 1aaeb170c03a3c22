"""Which changes of a service mark it to be indexed anew, and which leave it alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from greenroom.schema.catalogue import ListedService, Listing
from greenroom.schema.ids import RandomIds
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from tests.storage.builders import NOW

LATER = NOW + timedelta(hours=1)
FLUTE = ListedService(
    external_id="s", title="Flute", description="", price_cents=1, currency="USD", duration_minutes=30
)
FAY = Listing(external_id="f", display_name="Fay", services=(FLUTE,))
IDS = RandomIds(Random(1), lambda: NOW)

MARK = "SELECT search_dirty, updated_at FROM services"
INDEX = "UPDATE services SET search_dirty = false"


@pytest.fixture
async def pool(database: PostgresOptions) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        yield pool


@pytest.fixture
async def storage(pool: Pool) -> Storage:
    """Fay's flute lessons are there, and indexed."""
    storage = postgres_storage(pool, bus=LocalBus())
    await storage.catalogue.upsert([FAY], password_hash="-", ids=IDS, now=NOW)
    assert await mark(pool) == (True, NOW)
    await pool.run(INDEX, None)
    return storage


async def mark(pool: Pool) -> tuple[bool, datetime]:
    [found] = await pool.fetch(MARK, None, lambda *columns: columns)
    return found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (False, NOW)),
        ({"price_cents": 2}, (False, LATER)),
        ({"is_online": True}, (False, LATER)),
        ({"title": "Recorder"}, (True, LATER)),
        ({"description": "Breath."}, (True, LATER)),
        ({"category": "flute"}, (True, LATER)),
        ({"is_retired": True}, (True, LATER)),
    ],
)
async def test_a_service_is_marked_when_what_it_is_found_by_changes(
    storage: Storage, pool: Pool, changes: dict[str, object], expected: tuple[bool, datetime]
) -> None:
    changed = replace(FAY, services=(replace(FLUTE, **changes),))  # type: ignore[arg-type]

    await storage.catalogue.upsert([changed], password_hash="-", ids=IDS, now=LATER)

    assert await mark(pool) == expected
