"""Wall time as the database tells it, carried on between two readings by a clock that nobody can step.

Sessions, tickets and what retention drops are judged by wall time. A machine whose clock jumps a year ahead (a battery, a
hypervisor, a mistyped date) would sign everybody out and throw away every stream's past; machines that disagree would do so
in part. The database is the one authority that all workers share, so its clock is the one that counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import trio

from greenroom.schema.errors import Unavailable
from greenroom.storage.patience import patiently
from greenroom.storage.postgres.pool import Pool

ANCHOR_S: Final = 60.0
"""Between two readings. A machine's own clock drifts by some ten parts in a million: less than a millisecond in this time,
so this is for a database whose clock was put right."""

READ_CLOCK: Final = """
-- read_clock: the time at this very moment, not that of the transaction's begin.
SELECT clock_timestamp()
"""


class DatabaseClock:
    """A wall clock: call it for the time, aware, in UTC. Only within Trio. Made by :func:`open_database_clock`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._read: datetime | None = None
        self._read_at = 0.0

    def __call__(self) -> datetime:
        """Return the last reading and what has passed since, as Trio's clock counts it."""
        if self._read is None:
            raise RuntimeError("the clock has not been anchored")
        return self._read + timedelta(seconds=trio.current_time() - self._read_at)

    async def anchor(self) -> None:
        """Read the database's clock.

        Raises:
            Unavailable: it can't be read now; the last reading stays.
        """
        asked_at = trio.current_time()
        (read,) = await self._pool.fetch(READ_CLOCK, None, _only)
        # Half way between question and answer: wrong by half a round trip at most. Source: RFC 5905, section 8.
        self._read, self._read_at = read, (asked_at + trio.current_time()) / 2

    async def keep_anchored(self) -> None:
        """Read it again and again, until cancelled. While the database is away time goes on from the last reading."""
        while True:
            await trio.sleep(ANCHOR_S)
            try:
                await self.anchor()
            except Unavailable:
                continue


@asynccontextmanager
async def open_database_clock(pool: Pool) -> AsyncIterator[DatabaseClock]:
    """A clock that is kept anchored for as long as the block.

    Raises:
        Unavailable: the database can't be reached.
    """
    clock = DatabaseClock(pool)
    await patiently(clock.anchor)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clock.keep_anchored)
        yield clock
        nursery.cancel_scope.cancel()


def _only(moment: datetime) -> datetime:
    return moment
