"""Whether Postgres answers."""

from __future__ import annotations

from typing import Final

from greenroom.storage.postgres.pool import Pool

PING: Final = """
-- ping: proves that the database answers.
SELECT 1
"""


class PostgresHealth:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ping(self) -> None:
        await self._pool.fetch(PING, None, int)

    @property
    def is_pressed(self) -> bool:
        return self._pool.statistics().waiting > 0
