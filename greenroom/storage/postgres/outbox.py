"""The outbox in Postgres. Leases are on the database's own clock, read when a statement begins.

Not ``clock_timestamp()``, which may differ from row to row and so can't be looked up in an index: a claim would walk every
reminder that is planned for the months to come. For the same end ``handler || ''``, which no index has.

Jobs that are due are looked for as ``state = 'pending'``, the first of an aggregate as ``finished_at IS NULL``, a page as
``state || ''``, and a claimed job by its claim: one index has each of these words, so that a planner without statistics has
no choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from greenroom.schema.ids import JobId
from greenroom.schema.outbox import COUNTED_MAX, Job, JobState, NewJob, OutboxFigures
from greenroom.storage.postgres import rows
from greenroom.storage.postgres.columns import bigints, moments, texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.session import Params, Query

APPEND_JOBS: Final = """
-- append_jobs: numbered in the order in which they are given.
INSERT INTO outbox (id, event_id, type, handler, aggregate_id, payload, planned_at, due_at, created_at)
SELECT id, event_id, type, handler, aggregate_id, payload::json, planned_at, planned_at, created_at
  FROM unnest(%(ids)s::text[], %(event_ids)s::text[], %(types)s::text[], %(handlers)s::text[], %(aggregate_ids)s::text[],
              %(payloads)s::text[], %(planned_ats)s::timestamptz[], %(created_ats)s::timestamptz[])
       WITH ORDINALITY AS j (id, event_id, type, handler, aggregate_id, payload, planned_at, created_at, place)
 ORDER BY j.place
"""

CLAIM: Final = """
-- claim_jobs: those due, the longest due first; nobody waits for a row that another worker is claiming. A row that changed
-- between the look and the lock is looked at again (EvalPlanQual), so that it can't be claimed twice.
--
-- The first pending job of an aggregate and handler is asked for, and not whether there is none before this one: that would
-- be an anti-join, for which a planner without statistics may read all that is pending for each that is due.
WITH lost AS (
    UPDATE outbox SET state = 'dead', finished_at = statement_timestamp(), claimed_by = NULL, claimed_until = NULL,
           last_error = 'no worker that claimed it came back'
     WHERE state = 'pending' AND due_at <= statement_timestamp() AND handler || '' = ANY(%(handlers)s::text[])
       AND attempts >= %(attempts_max)s AND claimed_until <= statement_timestamp()),
claimable AS (
    SELECT o.place FROM outbox o
     WHERE o.state = 'pending' AND o.due_at <= statement_timestamp() AND o.handler || '' = ANY(%(handlers)s::text[])
       AND o.attempts < %(attempts_max)s AND (o.claimed_until IS NULL OR o.claimed_until <= statement_timestamp())
       AND o.place = (
           SELECT e.place FROM outbox e
            WHERE e.finished_at IS NULL AND e.aggregate_id = o.aggregate_id AND e.handler = o.handler
            ORDER BY e.planned_at, e.place LIMIT 1)
     ORDER BY o.due_at, o.place LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED)
UPDATE outbox o
   SET attempts = o.attempts + 1, claimed_by = %(worker)s, claimed_until = statement_timestamp() + %(lease)s
  FROM claimable c
 WHERE o.place = c.place
RETURNING o.place, o.id, o.event_id, o.type, o.handler, o.aggregate_id, o.payload::text, o.planned_at, o.due_at, o.state,
          o.attempts, o.claimed_by, o.claimed_until, o.last_error, o.created_at, o.finished_at
"""

NEXT_IN: Final = """
-- next_job_in: until the first pending job is due and its lease over.
SELECT GREATEST(min(GREATEST(due_at, claimed_until)) - statement_timestamp(), '0') FROM outbox
 WHERE state = 'pending' AND due_at <= statement_timestamp() + %(within)s AND handler || '' = ANY(%(handlers)s::text[])
HAVING min(GREATEST(due_at, claimed_until)) <= statement_timestamp() + %(within)s
"""

FINISH: Final = """
-- finish_job: if the claim still stands.
UPDATE outbox SET state = 'done', finished_at = statement_timestamp(), claimed_by = NULL, claimed_until = NULL
 WHERE place = %(place)s AND claimed_by = %(worker)s AND attempts = %(attempts)s
"""

RETRY: Final = """
-- retry_job: later, if the claim still stands.
UPDATE outbox SET due_at = statement_timestamp() + %(after)s, last_error = %(error)s, claimed_by = NULL, claimed_until = NULL
 WHERE place = %(place)s AND claimed_by = %(worker)s AND attempts = %(attempts)s
"""

BURY: Final = """
-- bury_job: if the claim still stands.
UPDATE outbox SET state = 'dead', finished_at = statement_timestamp(), last_error = %(error)s, claimed_by = NULL,
       claimed_until = NULL
 WHERE place = %(place)s AND claimed_by = %(worker)s AND attempts = %(attempts)s
"""

RELEASE: Final = """
-- release_jobs: those whose claim still stands.
UPDATE outbox o SET claimed_by = NULL, claimed_until = NULL, attempts = o.attempts - 1
  FROM unnest(%(places)s::bigint[], %(workers)s::text[], %(attempts)s::bigint[]) AS w (place, worker, attempts)
 WHERE o.place = w.place AND o.claimed_by = w.worker AND o.attempts = w.attempts
"""

REVIVE: Final = """
-- revive_job: a dead one. No index has it like this, so it is found by its id.
UPDATE outbox SET state = 'pending', finished_at = NULL, attempts = 0, due_at = statement_timestamp()
 WHERE id = %(id)s AND (state = 'dead') IS TRUE
RETURNING place, id, event_id, type, handler, aggregate_id, payload::text, planned_at, due_at, state, attempts, claimed_by,
          claimed_until, last_error, created_at, finished_at
"""

JOB: Final = """
-- job: by id.
SELECT place, id, event_id, type, handler, aggregate_id, payload::text, planned_at, due_at, state, attempts, claimed_by,
       claimed_until, last_error, created_at, finished_at
  FROM outbox WHERE id = %(id)s
"""

PAGE: Final = """
-- jobs_page: newest first; walks the primary key.
SELECT place, id, event_id, type, handler, aggregate_id, payload::text, planned_at, due_at, state, attempts, claimed_by,
       claimed_until, last_error, created_at, finished_at
  FROM outbox WHERE place < %(before)s ORDER BY place DESC LIMIT %(limit)s
"""

PAGE_IN_STATE: Final = """
-- jobs_page_in_state: the same, of one state; walks outbox_state.
SELECT place, id, event_id, type, handler, aggregate_id, payload::text, planned_at, due_at, state, attempts, claimed_by,
       claimed_until, last_error, created_at, finished_at
  FROM outbox WHERE state || '' = %(state)s AND place < %(before)s ORDER BY place DESC LIMIT %(limit)s
"""

RUNNING: Final = """
-- running_jobs: those in somebody's hands, the longest due first. Claims are made in that order, so that few others are read.
SELECT place, id, event_id, type, handler, aggregate_id, payload::text, planned_at, due_at, state, attempts, claimed_by,
       claimed_until, last_error, created_at, finished_at
  FROM (SELECT * FROM outbox WHERE state = 'pending' AND due_at <= statement_timestamp()
         ORDER BY due_at, place LIMIT %(counted_max)s) due
 WHERE claimed_until > statement_timestamp() ORDER BY due_at, place LIMIT %(limit)s
"""

FIGURES: Final = """
-- outbox_figures: walks outbox_due either way from now, and the dead, each so far and no further.
WITH due AS (
    SELECT planned_at, COALESCE(claimed_until > statement_timestamp(), false) AS is_running FROM outbox
     WHERE state = 'pending' AND due_at <= statement_timestamp() ORDER BY due_at, place LIMIT %(counted_max)s),
later AS (
    SELECT planned_at FROM outbox
     WHERE state = 'pending' AND due_at > statement_timestamp() ORDER BY due_at, place LIMIT %(counted_max)s),
dead AS (
    SELECT FROM outbox WHERE state || '' = 'dead' ORDER BY place LIMIT %(counted_max)s)
SELECT count(*) FILTER (WHERE NOT is_running), count(*) FILTER (WHERE is_running), (SELECT count(*) FROM later),
       (SELECT count(*) FROM dead),
       GREATEST(statement_timestamp() - LEAST(min(planned_at), (SELECT min(planned_at) FROM later)), '0')
  FROM due
"""

DELETE_DONE: Final = """
-- delete_done_jobs: those done first.
DELETE FROM outbox WHERE place IN (
    SELECT place FROM outbox WHERE state = 'done' AND finished_at < statement_timestamp() - %(older_than)s
     ORDER BY finished_at LIMIT %(limit)s)
"""

_AFTER_ALL: Final = 2**63 - 1


def appending(jobs: Sequence[NewJob]) -> tuple[Query, Params]:
    """How a write transaction appends jobs."""
    return APPEND_JOBS, {
        "ids": texts(j.id for j in jobs),
        "event_ids": texts(j.event_id for j in jobs),
        "types": texts(j.type for j in jobs),
        "handlers": texts(j.handler for j in jobs),
        "aggregate_ids": texts(j.aggregate_id for j in jobs),
        "payloads": texts(j.payload for j in jobs),
        "planned_ats": moments(j.planned_at for j in jobs),
        "created_ats": moments(j.created_at for j in jobs),
    }


class PostgresOutbox:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(
        self, worker: str, handlers: Sequence[str], *, limit: int, lease: timedelta, attempts_max: int
    ) -> list[Job]:
        params = {
            "worker": worker,
            "handlers": texts(handlers),
            "limit": limit,
            "lease": lease,
            "attempts_max": attempts_max,
        }
        claimed = await self._pool.fetch(CLAIM, params, rows.job)
        return sorted(claimed, key=lambda job: (job.due_at, job.place))

    async def next_in(self, handlers: Sequence[str], *, within: timedelta) -> timedelta | None:
        found = await self._pool.fetch(
            NEXT_IN, {"handlers": texts(handlers), "within": within}, rows.length_of_time
        )
        return found[0] if found else None

    async def finish(self, job: Job) -> bool:
        return await self._pool.run(FINISH, _claim(job)) > 0

    async def retry(self, job: Job, error: str, *, after: timedelta) -> bool:
        return await self._pool.run(RETRY, {**_claim(job), "error": error, "after": after}) > 0

    async def bury(self, job: Job, error: str) -> bool:
        return await self._pool.run(BURY, {**_claim(job), "error": error}) > 0

    async def release(self, jobs: Sequence[Job]) -> int:
        params = {
            "places": bigints(job.place for job in jobs),
            "workers": texts(job.claimed_by for job in jobs),
            "attempts": bigints(job.attempts for job in jobs),
        }
        return await self._pool.run(RELEASE, params)

    async def revive(self, job_id: JobId) -> Job | None:
        found = await self._pool.fetch(REVIVE, {"id": job_id}, rows.job)
        return found[0] if found else None

    async def job(self, job_id: JobId) -> Job | None:
        found = await self._pool.fetch(JOB, {"id": job_id}, rows.job)
        return found[0] if found else None

    async def page(self, *, state: JobState | None, before: int | None, limit: int) -> list[Job]:
        params: dict[str, Any] = {"before": _AFTER_ALL if before is None else before, "limit": limit}
        if state is None:
            return await self._pool.fetch(PAGE, params, rows.job)
        return await self._pool.fetch(PAGE_IN_STATE, {**params, "state": state.value}, rows.job)

    async def running(self, *, limit: int) -> list[Job]:
        return await self._pool.fetch(RUNNING, {"limit": limit, "counted_max": COUNTED_MAX}, rows.job)

    async def figures(self) -> OutboxFigures:
        [figures] = await self._pool.fetch(FIGURES, {"counted_max": COUNTED_MAX}, rows.outbox_figures)
        return figures

    async def delete_done(self, *, older_than: timedelta, limit: int) -> int:
        return await self._pool.run(DELETE_DONE, {"older_than": older_than, "limit": limit})


def _claim(job: Job) -> dict[str, Any]:
    return {"place": job.place, "worker": job.claimed_by, "attempts": job.attempts}
