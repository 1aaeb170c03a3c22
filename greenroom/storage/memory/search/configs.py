"""The twin of what operators changed about searching."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from greenroom.schema.errors import Conflict
from greenroom.schema.search.config import ConfigValue, StoredConfig
from greenroom.storage.memory.database import MemoryDatabase


class MemorySearchConfigs:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def read(self) -> StoredConfig:
        async with self._database.operation("search_configs.read"):
            return self._database.tables.search_config

    async def write(
        self, changes: Mapping[str, ConfigValue], *, expected_revision: int, now: datetime
    ) -> StoredConfig:
        async with self._database.operation("search_configs.write"):
            tables = self._database.tables
            if tables.search_config.revision != expected_revision:
                raise Conflict("The configuration was changed by somebody else meanwhile.")
            tables.search_config = StoredConfig(expected_revision + 1, dict(changes), now)
            return tables.search_config
