"""What is to be done after a commit, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from greenroom.schema.ids import JobId
from greenroom.schema.outbox import Job, JobState, OutboxFigures


class Outbox(Protocol):
    """What is to be done, and by whom. All times are the database's own: workers need not agree on one.

    A claim is a lease: when it ends without having been settled, the job can be claimed again. So whoever claimed it
    before can't settle it any more; the claim is known by its worker and its number of attempts.
    """

    async def claim(
        self, worker: str, handlers: Sequence[str], *, limit: int, lease: timedelta, attempts_max: int
    ) -> list[Job]:
        """Claim up to ``limit`` due jobs of these handlers, longest due first.

        Of one aggregate and handler only the first job that is planned by now can be claimed; those behind it wait until it
        is done or dead. A job that was claimed ``attempts_max`` times and never settled is dead: it took its workers with it.
        """
        ...

    async def next_in(self, handlers: Sequence[str], *, within: timedelta) -> timedelta | None:
        """How long until the first pending job of these handlers is due and unclaimed; None if not ``within`` that time.

        Not negative. It may still not be claimable then, if it is behind another.
        """
        ...

    async def finish(self, job: Job) -> bool:
        """Note that a claimed job is done; False if it is no longer this claim's."""
        ...

    async def retry(self, job: Job, error: str, *, after: timedelta) -> bool:
        """Give a claimed job back, to be tried again; False if it is no longer this claim's."""
        ...

    async def bury(self, job: Job, error: str) -> bool:
        """Note that a claimed job is dead; False if it is no longer this claim's."""
        ...

    async def release(self, jobs: Sequence[Job]) -> int:
        """Give back claimed jobs that were not tried to their end, as if never claimed; return how many still were."""
        ...

    async def revive(self, job_id: JobId) -> Job | None:
        """Have a dead job tried again from now on, with all its attempts; None if there is no such dead job."""
        ...

    async def job(self, job_id: JobId) -> Job | None:
        """Find a job by id, done and dead ones included; None if it is unknown, or was deleted since."""
        ...

    async def page(self, *, state: JobState | None, before: int | None, limit: int) -> list[Job]:
        """One page, newest first; ``before`` is the ``place`` of the last one of the page before."""
        ...

    async def running(self, *, limit: int) -> list[Job]:
        """Jobs that a worker has in hand, the longest due first; looked for among the first COUNTED_MAX that are due."""
        ...

    async def figures(self) -> OutboxFigures:
        """How much is to be done; reads at most some ten thousand rows, however many there are."""
        ...

    async def delete_done(self, *, older_than: timedelta, limit: int) -> int:
        """Delete at most ``limit`` jobs that were done longer ago; return how many."""
        ...
