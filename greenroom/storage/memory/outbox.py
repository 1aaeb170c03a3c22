"""The outbox, in memory. Its time is that of the database's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from greenroom.schema.ids import JobId
from greenroom.schema.outbox import COUNTED_MAX, Job, JobState, OutboxFigures
from greenroom.storage.memory.database import MemoryDatabase


class MemoryOutbox:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def claim(
        self, worker: str, handlers: Sequence[str], *, limit: int, lease: timedelta, attempts_max: int
    ) -> list[Job]:
        async with self._database.operation("outbox.claim"):
            now = self._database.clock()
            free: list[Job] = []
            lost: list[Job] = []
            behind: set[tuple[str, str]] = set()
            for job in sorted(self._jobs.values(), key=lambda job: (job.planned_at, job.place)):
                if job.state is not JobState.PENDING:
                    continue
                is_first = (job.aggregate_id, job.handler) not in behind
                behind.add((job.aggregate_id, job.handler))
                is_free = job.claimed_until is None or job.claimed_until <= now
                if job.handler not in handlers or not is_free:
                    continue
                if job.attempts >= attempts_max and job.claimed_until is not None:
                    lost.append(job)
                elif is_first and job.due_at <= now and job.attempts < attempts_max:
                    free.append(job)
            for job in lost:
                error = "no worker that claimed it came back"
                self._change(job, state=JobState.DEAD, finished_at=now, last_error=error, **_UNCLAIMED)
            free.sort(key=lambda job: (job.due_at, job.place))
            return [
                self._change(job, attempts=job.attempts + 1, claimed_by=worker, claimed_until=now + lease)
                for job in free[:limit]
            ]

    async def next_in(self, handlers: Sequence[str], *, within: timedelta) -> timedelta | None:
        async with self._database.operation("outbox.next_in"):
            now = self._database.clock()
            pending = [j for j in self._jobs.values() if j.state is JobState.PENDING and j.handler in handlers]
            first = min((max(job.due_at, job.claimed_until or job.due_at) for job in pending), default=None)
            return None if first is None or first > now + within else max(first - now, timedelta(0))

    async def finish(self, job: Job) -> bool:
        return await self._settle("finish", job, state=JobState.DONE, finished_at=self._database.clock())

    async def retry(self, job: Job, error: str, *, after: timedelta) -> bool:
        return await self._settle("retry", job, due_at=self._database.clock() + after, last_error=error)

    async def bury(self, job: Job, error: str) -> bool:
        now = self._database.clock()
        return await self._settle("bury", job, state=JobState.DEAD, finished_at=now, last_error=error)

    async def release(self, jobs: Sequence[Job]) -> int:
        async with self._database.operation("outbox.release"):
            standing = [job for job in jobs if self._stands(job)]
            for job in standing:
                self._change(job, attempts=job.attempts - 1, **_UNCLAIMED)
            return len(standing)

    async def revive(self, job_id: JobId) -> Job | None:
        async with self._database.operation("outbox.revive"):
            found = self._found(job_id)
            if found is None or found.state is not JobState.DEAD:
                return None
            now = self._database.clock()
            return self._change(found, state=JobState.PENDING, finished_at=None, attempts=0, due_at=now)

    async def job(self, job_id: JobId) -> Job | None:
        async with self._database.operation("outbox.job"):
            return self._found(job_id)

    async def page(self, *, state: JobState | None, before: int | None, limit: int) -> list[Job]:
        async with self._database.operation("outbox.page"):
            newest = sorted(self._jobs.values(), key=lambda job: job.place, reverse=True)
            return [
                job
                for job in newest
                if (state is None or job.state is state) and (before is None or job.place < before)
            ][:limit]

    async def running(self, *, limit: int) -> list[Job]:
        async with self._database.operation("outbox.running"):
            now = self._database.clock()
            return [job for job in self._due(now)[:COUNTED_MAX] if _is_claimed(job, now)][:limit]

    async def figures(self) -> OutboxFigures:
        async with self._database.operation("outbox.figures"):
            now = self._database.clock()
            due = self._due(now)[:COUNTED_MAX]
            later = [j for j in self._jobs.values() if j.state is JobState.PENDING and j.due_at > now]
            later = sorted(later, key=lambda job: (job.due_at, job.place))[:COUNTED_MAX]
            running = sum(_is_claimed(job, now) for job in due)
            dead = sum(job.state is JobState.DEAD for job in self._jobs.values())
            planned = min((job.planned_at for job in (*due, *later)), default=now)
            return OutboxFigures(
                waiting=len(due) - running,
                running=running,
                scheduled=len(later),
                dead=min(dead, COUNTED_MAX),
                oldest=max(now - planned, timedelta(0)),
            )

    async def delete_done(self, *, older_than: timedelta, limit: int) -> int:
        async with self._database.operation("outbox.delete_done"):
            moment = self._database.clock() - older_than
            old = [j for j in self._jobs.values() if j.state is JobState.DONE and _finished_at(j) < moment]
            old = sorted(old, key=_finished_at)[:limit]
            for job in old:
                del self._jobs[job.place]
            return len(old)

    @property
    def _jobs(self) -> dict[int, Job]:
        return self._database.tables.outbox

    def _due(self, now: datetime) -> list[Job]:
        """Pending jobs that are due, the longest due first."""
        due = [job for job in self._jobs.values() if job.state is JobState.PENDING and job.due_at <= now]
        return sorted(due, key=lambda job: (job.due_at, job.place))

    def _found(self, job_id: JobId) -> Job | None:
        return next((job for job in self._jobs.values() if job.id == job_id), None)

    def _stands(self, claim: Job) -> bool:
        job = self._jobs.get(claim.place)
        return (
            job is not None
            and job.state is JobState.PENDING
            and (job.claimed_by, job.attempts) == (claim.claimed_by, claim.attempts)
        )

    async def _settle(self, name: str, job: Job, **changes: Any) -> bool:
        async with self._database.operation(f"outbox.{name}"):
            if not self._stands(job):
                return False
            self._change(job, **changes, **_UNCLAIMED)
            return True

    def _change(self, job: Job, **changes: Any) -> Job:
        changed = self._jobs[job.place] = replace(self._jobs[job.place], **changes)
        return changed


_UNCLAIMED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def _is_claimed(job: Job, now: datetime) -> bool:
    return job.claimed_until is not None and job.claimed_until > now


def _finished_at(job: Job) -> datetime:
    return job.finished_at or job.created_at
