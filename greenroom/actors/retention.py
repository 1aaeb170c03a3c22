"""Retention: drops events and sessions that are older than what is kept, a little at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from greenroom.actors.answering_once import KEEP as KEEP_KEYS
from greenroom.schema.errors import Unavailable
from greenroom.storage.ports import Accounts, IdempotencyKeys, Outbox, SearchLog, Streams
from greenroom.supervisor import Actor

RETENTION_S: Final = 3_600.0
SESSIONS_PER_RUN: Final = 1_000
KEYS_PER_BATCH: Final = 2_000
KEY_BATCHES_PER_RUN: Final = 200
"""Together more than a hundred keyed requests per second, all day; each batch holds its rows for some milliseconds."""


KEEP_JOBS: Final = timedelta(days=7)
"""Jobs that were done: long enough to look up what became of one. Dead ones stay until somebody sees to them."""

JOBS_PER_RUN: Final = 10_000

KEEP_DETAILS: Final = timedelta(days=7)
"""How searches went in full, with what models were asked: long enough to look into a complaint."""

SEARCHES_PER_BATCH: Final = 1_000
SEARCH_BATCHES_PER_RUN: Final = 200
"""Together more than fifty searches per second, all day; a batch takes some 30 ms."""


@dataclass(frozen=True, slots=True)
class RetentionDue:
    """To itself: the next turn has come."""


class Retention(Actor[RetentionDue]):
    """Runs once an hour, and at start, when it also prepares storage for the events to come."""

    def __init__(
        self,
        *,
        streams: Streams,
        accounts: Accounts,
        idempotency: IdempotencyKeys,
        outbox: Outbox,
        search_log: SearchLog,
        wall: Callable[[], datetime],
        keep: timedelta,
        keep_searches: timedelta,
    ) -> None:
        self._streams = streams
        self._accounts = accounts
        self._idempotency = idempotency
        self._outbox = outbox
        self._wall = wall
        self._keep = keep
        self._search_log = search_log
        self._keep_searches = keep_searches
        self._partitions_dropped = 0
        self._sessions_deleted = 0
        self._keys_deleted = 0
        self._jobs_deleted = 0
        self._searches_deleted = 0
        self._search_details_deleted = 0

    async def init(self) -> None:
        self.ctx.tell_after(0, RetentionDue())

    async def handle(self, message: RetentionDue) -> None:
        self.ctx.tell_after(RETENTION_S, RetentionDue())
        try:
            await self.run_once()
        except Unavailable:
            return  # what is kept too long now is dropped at the next turn

    def view(self) -> Mapping[str, object]:
        return {
            "partitions_dropped": self._partitions_dropped,
            "sessions_deleted": self._sessions_deleted,
            "idempotency_keys_deleted": self._keys_deleted,
            "jobs_deleted": self._jobs_deleted,
            "searches_deleted": self._searches_deleted,
            "search_details_deleted": self._search_details_deleted,
        }

    async def run_once(self) -> None:
        now = self._wall()
        self._partitions_dropped += await self._streams.keep_events_since(now - self._keep, now)
        self._sessions_deleted += await self._accounts.delete_sessions_expired_before(
            now - self._keep, limit=SESSIONS_PER_RUN
        )
        self._jobs_deleted += await self._outbox.delete_done(older_than=KEEP_JOBS, limit=JOBS_PER_RUN)
        self._keys_deleted += await _in_batches(
            partial(self._idempotency.delete_before, now - KEEP_KEYS, limit=KEYS_PER_BATCH),
            size=KEYS_PER_BATCH,
            times=KEY_BATCHES_PER_RUN,
        )
        self._searches_deleted += await _in_batches(
            partial(self._search_log.delete_before, now - self._keep_searches, limit=SEARCHES_PER_BATCH),
            size=SEARCHES_PER_BATCH,
            times=SEARCH_BATCHES_PER_RUN,
        )
        self._search_details_deleted += await _in_batches(
            partial(self._search_log.delete_details_before, now - KEEP_DETAILS, limit=SEARCHES_PER_BATCH),
            size=SEARCHES_PER_BATCH,
            times=SEARCH_BATCHES_PER_RUN,
        )


async def _in_batches(delete: Callable[[], Awaitable[int]], *, size: int, times: int) -> int:
    """Delete until a batch is not full, or so many times; return how many were deleted in all."""
    total = 0
    for _ in range(times):
        deleted = await delete()
        total += deleted
        if deleted < size:
            break
    return total
