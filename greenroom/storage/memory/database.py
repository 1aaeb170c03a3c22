"""The in-memory database: committed tables, one writer at a time, and the faults it is told to have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from greenroom.schema.clock import WallClock, system_wall_clock
from greenroom.schema.errors import PoolExhausted
from greenroom.storage.memory.faults import FaultPoint, Faults, Phase, no_faults
from greenroom.storage.memory.tables import Tables

WRITERS_WAITING_MAX = 1_000
"""As many as may wait in the real pool's queue."""


class MemoryDatabase:
    """State that several :class:`~greenroom.storage.ports.Storage` may share, as workers share one Postgres.

    Attributes:
        tables: what is committed, open to inspection.
        faults: the hook called at each fault point; a simulation may replace it at any time.
        epoch: the name of this history; assigning another one is what a restore does.
        clock: what leases are on; a simulation assigns its own.
    """

    def __init__(
        self, *, epoch: str = "memory", faults: Faults = no_faults, writer_timeout_s: float = 0.5
    ) -> None:
        """
        Args:
            writer_timeout_s: how long a transaction waits for the one before it, then raises ``PoolExhausted``.
        """
        self.tables = Tables()
        self.faults = faults
        self.epoch = epoch
        self.clock: WallClock = system_wall_clock
        self._writer_timeout_s = writer_timeout_s
        self._writer = trio.Semaphore(1, max_value=1)

    @property
    def has_waiters(self) -> bool:
        """Whether a transaction waits for the one before it."""
        return self._writer.statistics().tasks_waiting > 0

    @asynccontextmanager
    async def operation(self, name: str) -> AsyncIterator[None]:
        """Frame one operation with its fault points; what fails after it had its effect nonetheless."""
        await self.faults(FaultPoint(name, Phase.BEFORE))
        yield
        await self.faults(FaultPoint(name, Phase.AFTER))

    @asynccontextmanager
    async def sole_writer(self) -> AsyncIterator[None]:
        """Hold the right to write transactions, first come first served.

        Raises:
            PoolExhausted: the writers ahead took too long, or too many wait.
        """
        if self._writer.statistics().tasks_waiting >= WRITERS_WAITING_MAX:
            raise PoolExhausted("Too many transactions wait for a turn.", retry_after_s=self._writer_timeout_s)
        with trio.move_on_after(self._writer_timeout_s) as scope:
            await self._writer.acquire()
        if scope.cancelled_caught:
            raise PoolExhausted("No turn to write came in time.", retry_after_s=self._writer_timeout_s)
        try:
            yield
        finally:
            self._writer.release()
