from datetime import timedelta

import pytest

from greenroom.schema.errors import Conflict
from greenroom.schema.search.config import StoredConfig
from greenroom.storage.ports import Storage
from tests.storage.builders import NOW


async def test_nothing_is_changed_at_first(storage: Storage) -> None:
    assert await storage.search_configs.read() == StoredConfig()


async def test_what_was_changed_replaces_all_that_was_changed_before(storage: Storage) -> None:
    await storage.search_configs.write({"budget_ms": 400}, expected_revision=0, now=NOW)
    later = NOW + timedelta(minutes=1)

    written = await storage.search_configs.write({"parsing_model": "other"}, expected_revision=1, now=later)

    assert written == StoredConfig(2, {"parsing_model": "other"}, later)
    assert await storage.search_configs.read() == written


@pytest.mark.parametrize("expected", [0, 2])
async def test_a_change_by_somebody_else_meanwhile_is_never_overwritten(storage: Storage, expected: int) -> None:
    first = await storage.search_configs.write({"budget_ms": 400}, expected_revision=0, now=NOW)

    with pytest.raises(Conflict):
        await storage.search_configs.write({"budget_ms": 900}, expected_revision=expected, now=NOW)

    assert await storage.search_configs.read() == first
