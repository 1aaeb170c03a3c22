"""Reading many rows for a few figures, in sessions that are set up for the opposite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.session import Session
from greenroom.storage.postgres.transactions import in_transaction

BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""What belongs to one answer is of one moment."""

PLAN_FOR_MANY: Final = """
-- plan_for_many: until the end of this transaction. Sessions plan for walks along an index that end after a page, whatever the
-- values; what reads a whole span is planned for the span it is.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_hashjoin', 'on', true),
       set_config('enable_mergejoin', 'on', true), set_config('work_mem', '16MB', true)
"""


@asynccontextmanager
async def reading_many(pool: Pool) -> AsyncIterator[Session]:
    """Run statements of one snapshot, each planned for the values it has."""
    async with in_transaction(pool, BEGIN) as session:
        await session.send(PLAN_FOR_MANY)
        yield session
