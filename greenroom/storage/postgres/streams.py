"""Event streams and their retention in Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from psycopg import sql

from greenroom.schema.bookings import UPCOMING_MAX
from greenroom.schema.errors import UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.records import ConversationState, StoredEvent, StreamHead, SyncSnapshot
from greenroom.schema.redaction import TELLING
from greenroom.storage.event_weeks import week_of, week_starts, weeks_to_prepare
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.bookings import UPCOMING, upcoming_params
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.conversations import PAGE, TOTAL_UNREAD, page_params, with_upcoming
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.session import Session
from greenroom.storage.postgres.transactions import in_transaction

UPKEEP_TIMEOUT_S: Final = 60.0
"""Upkeep reads old partitions in batches; a batch that takes longer than this fails, and the next upkeep tries again."""

FLOORS_BATCH: Final = 1_000
"""Streams whose rows one transaction holds while it raises their floors: some milliseconds."""

EPOCH: Final = """
-- epoch: the name of this database's history.
SELECT epoch FROM stream_epoch
"""

HEADS: Final = """
-- heads: where some users' streams stand.
SELECT user_id, last_seq, floor_seq FROM user_streams WHERE user_id = ANY(%(user_ids)s::text[])
"""

EVENTS_AFTER: Final = """
-- events_after: kept events above a seq, oldest first, and when what they tell of was deleted. Merges the primary keys of all
-- partitions, and looks up one message for each event that holds one.
SELECT e.user_id, e.seq, e.name, e.data::text, e.at,
       CASE WHEN e.name = ANY(%(telling)s::text[]) THEN (
            SELECT m.deleted_at FROM messages m
             WHERE m.id = COALESCE(e.data->'message'->>'id', e.data->'conversation'->'last_message'->>'id')) END
  FROM user_events e
 WHERE e.user_id = %(user_id)s
   AND e.seq > GREATEST(%(after)s, (SELECT floor_seq FROM user_streams WHERE user_id = %(user_id)s))
 ORDER BY e.seq LIMIT %(limit)s
"""

_TELLING: Final = texts(sorted(TELLING))

ALLOW_UPKEEP_TIME: Final = """
-- allow_upkeep_time: for this transaction.
SELECT set_config('statement_timeout', %(milliseconds)s, true)
"""

RAISE_FLOORS: Final = """
-- raise_floors: of the next streams, in user id order, to their newest event of before a cutoff.
WITH old AS (
    SELECT user_id, max(seq) AS seq FROM user_events
     WHERE at < %(cutoff)s AND user_id > %(after)s GROUP BY user_id ORDER BY user_id LIMIT %(limit)s),
locked AS (
    SELECT s.user_id, old.seq FROM user_streams s JOIN old ON old.user_id = s.user_id
     WHERE s.floor_seq < old.seq ORDER BY s.user_id FOR NO KEY UPDATE OF s),
raised AS (
    UPDATE user_streams s SET floor_seq = locked.seq FROM locked WHERE s.user_id = locked.user_id)
SELECT user_id FROM old ORDER BY user_id DESC LIMIT 1
"""

TRY_UPKEEP_LOCK: Final = """
-- try_upkeep_lock: for this transaction; false while another worker has it.
SELECT pg_try_advisory_xact_lock(hashtextextended('greenroom: upkeep of user_events', 0))
"""

EVENT_WEEKS: Final = """
-- event_weeks: weeks that have a partition, by its name.
SELECT substring(c.relname FROM 'w(\\d+)$')::integer
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'user_events'::regclass AND c.relname ~ '^user_events_w\\d+$'
"""

HOLD_UNPREPARED: Final = """
-- hold_unprepared: lets nobody add to the default partition until the end of this transaction. What would be added between a look
-- at it and the making of a partition for it would fail that.
LOCK TABLE user_events_default IN SHARE ROW EXCLUSIVE MODE
"""

UNPREPARED_EVENTS: Final = """
-- unprepared_events: whether the default partition holds something of a time.
SELECT EXISTS (SELECT FROM user_events_default WHERE at >= %(start)s AND at < %(end)s)
"""

DELETE_UNPREPARED_EVENTS: Final = """
-- delete_unprepared_events: what the default partition holds of before a cutoff.
DELETE FROM user_events_default WHERE at < %(cutoff)s
"""

MAKE_PARTITION: Final = sql.SQL("CREATE TABLE {} PARTITION OF user_events FOR VALUES FROM ({}) TO ({})")
DROP_PARTITION: Final = sql.SQL("DROP TABLE {}")


class PostgresStreams:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def epoch(self) -> str:
        (epoch,) = await self._pool.fetch(EPOCH, None, str)
        return epoch

    async def head(self, user_id: UserId) -> StreamHead:
        return _only(await self._pool.fetch(HEADS, {"user_ids": texts([user_id])}, rows.head))

    async def heads(self, user_ids: Sequence[UserId]) -> Mapping[UserId, StreamHead]:
        found = await self._pool.fetch(HEADS, {"user_ids": texts(user_ids)}, rows.head)
        return {head.user_id: head for head in found}

    async def events_after(self, user_id: UserId, after: int, *, limit: int) -> list[StoredEvent]:
        params = {"user_id": user_id, "after": after, "limit": limit, "telling": _TELLING}
        return await self._pool.fetch(EVENTS_AFTER, params, rows.event)

    async def snapshot(self, user_id: UserId, *, conversations_max: int, now: datetime) -> SyncSnapshot:
        states = [state for state in ConversationState if state is not ConversationState.TRASHED]
        page = page_params(user_id, states=states, before=None, limit=conversations_max)
        async with in_transaction(self._pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as session:
            views = await session.send_for(PAGE, page, rows.view)
            total = await session.send_for(TOTAL_UNREAD, {"user_id": user_id}, int)
            head = _only(await session.fetch(HEADS, {"user_ids": texts([user_id])}, rows.head))
            (total_unread,) = await total.rows()
            found = await views.rows()
            params = upcoming_params((view.conversation.id for view in found), now=now, limit=UPCOMING_MAX)
            upcoming = await session.fetch(UPCOMING, params, rows.booking)
            return SyncSnapshot(tuple(with_upcoming(found, upcoming)), total_unread, head)

    async def keep_events_since(self, moment: datetime, now: datetime) -> int:
        # Whole weeks go: the one that holds the moment stays.
        week = week_of(moment)
        await self._raise_floors(week_starts(week))
        async with self._upkeep() as session:
            (is_ours,) = await session.fetch(TRY_UPKEEP_LOCK, None, bool)
            if not is_ours:
                return 0
            prepared = set(await session.fetch(EVENT_WEEKS, None, int))
            old = sorted(w for w in prepared if w < week)
            for week_to_drop in old:
                await session.send(DROP_PARTITION.format(_partition(week_to_drop)))
            await session.send(DELETE_UNPREPARED_EVENTS, {"cutoff": week_starts(week)})
            for week_to_make in sorted(set(weeks_to_prepare(now)) - prepared):
                await _make_partition(session, week_to_make)
            return len(old)

    async def _raise_floors(self, cutoff: datetime) -> None:
        """Raise floors before events go, so that nobody is promised what is about to be dropped."""
        after: UserId | None = UserId("")
        while after is not None:
            async with self._upkeep() as session:
                params = {"cutoff": cutoff, "after": after, "limit": FLOORS_BATCH}
                last = await session.fetch(RAISE_FLOORS, params, rows.user_id)
                after = last[0] if last else None

    @asynccontextmanager
    async def _upkeep(self) -> AsyncIterator[Session]:
        async with in_transaction(self._pool, "BEGIN", timeout_s=UPKEEP_TIMEOUT_S + 1) as session:
            await session.send(ALLOW_UPKEEP_TIME, {"milliseconds": str(round(UPKEEP_TIMEOUT_S * 1000))})
            yield session


async def _make_partition(session: Session, week: int) -> None:
    start, end = week_starts(week), week_starts(week + 1)
    await session.send(HOLD_UNPREPARED)
    (is_late,) = await session.fetch(UNPREPARED_EVENTS, {"start": start, "end": end}, bool)
    # Moving those events would lock everybody out for as long as it takes; they do no harm where they are.
    if not is_late:
        await session.send(MAKE_PARTITION.format(_partition(week), sql.Literal(start), sql.Literal(end)))


def _partition(week: int) -> sql.Identifier:
    return sql.Identifier(f"user_events_w{week}")


def _only(heads: Sequence[StreamHead]) -> StreamHead:
    if not heads:
        raise UserNotFound("No such user.")
    return heads[0]
