"""One transaction in one pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from greenroom.schema.errors import Conflict
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.session import Query, Session

SET_TIMEOUTS: Final = """
-- set_timeouts: for this transaction, where the session can't hold them.
SELECT set_config('statement_timeout', %(statement_timeout)s, true),
       set_config('lock_timeout', %(lock_timeout)s, true),
       set_config('idle_in_transaction_session_timeout', %(idle_in_transaction_session_timeout)s, true)
"""


@asynccontextmanager
async def in_transaction(pool: Pool, begin: Query, *, timeout_s: float | None = None) -> AsyncIterator[Session]:
    """Run one transaction in one pipeline: committed on leaving, rolled back by the pool if left by an exception.

    Raises:
        Conflict: a statement failed and its error was swallowed; nothing was committed.
    """
    async with pool.session(timeout_s=timeout_s) as session:
        async with session.pipeline():
            await session.send(begin)
            if not pool.options.prepare:
                await session.send(SET_TIMEOUTS, pool.options.timeouts())
            yield session
            ending = await session.send("COMMIT")
        if ending.status != "COMMIT":
            # Committing a failed transaction is no error to Postgres: it says ROLLBACK, and does it.
            raise Conflict("A statement of this transaction failed; it was rolled back.")
