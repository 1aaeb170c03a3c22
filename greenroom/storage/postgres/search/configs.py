"""What operators changed about searching, in Postgres: one row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from greenroom.schema.errors import Conflict
from greenroom.schema.search.config import ConfigValue, StoredConfig
from greenroom.storage.postgres.pool import Pool

READ: Final = """
-- search_config: the one row, if anything was ever changed.
SELECT revision, changes, changed_at FROM search_config
"""

WRITE: Final = """
-- write_search_config: if the revision is still the one that was read; 0 is that of no row.
INSERT INTO search_config (revision, changes, changed_at)
SELECT 1, %(changes)s::text::jsonb, %(now)s WHERE %(expected)s = 0
    ON CONFLICT (is_only) DO NOTHING
RETURNING revision, changes, changed_at
"""

REWRITE: Final = """
-- rewrite_search_config: the same, where there is a row.
UPDATE search_config SET revision = revision + 1, changes = %(changes)s::text::jsonb, changed_at = %(now)s
 WHERE revision = %(expected)s
RETURNING revision, changes, changed_at
"""


class PostgresSearchConfigs:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self) -> StoredConfig:
        found = await self._pool.fetch(READ, {}, _stored)
        return found[0] if found else StoredConfig()

    async def write(
        self, changes: Mapping[str, ConfigValue], *, expected_revision: int, now: datetime
    ) -> StoredConfig:
        params = {"changes": json.dumps(dict(changes)), "expected": expected_revision, "now": now}
        async with self._pool.session() as session:
            written = await session.fetch(REWRITE if expected_revision else WRITE, params, _stored)
        if not written:
            raise Conflict("The configuration was changed by somebody else meanwhile.")
        return written[0]


def _stored(revision: int, changes: object, changed_at: datetime) -> StoredConfig:
    if not isinstance(changes, dict):
        raise TypeError("changes is no object")
    return StoredConfig(revision, changes, changed_at)
