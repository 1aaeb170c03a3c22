"""The event worker: does what is to follow from changes, as the outbox has it.

It claims due jobs, runs each job's handler beside the others, and settles it: done, to be tried again, or dead. A worker that
dies in between leaves its claims to their leases; a handler may then have had its effect, so handlers are such that
another run changes nothing. A handler is given less time than the lease, so none runs on while another worker has its job.

There are two: one for what stays inside the server, one for mail, so that a mail server that hangs delays no message.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

import trio

from greenroom.schema.errors import DomainError, Unavailable
from greenroom.schema.ids import JobId
from greenroom.schema.outbox import Job
from greenroom.storage.mail import MailFailed
from greenroom.storage.ports import Outbox
from greenroom.supervisor import Actor, ActorSystem, ExitReason, Timer

LEASE_S: Final = 12.0
"""A dead worker's jobs are another's within fifteen seconds."""

HANDLER_TIMEOUT_S: Final = 8.0
"""Leaves time to settle before the lease ends."""

SETTLE_TIMEOUT_S: Final = 2.0

POLL_S: Final = (5.0, 10.0)
"""Jittered between these, so that workers do not ask in step. What is committed here is claimed at once, and what is known to
come due, a dead worker's claims included, when it does."""

POLL_AGAIN_S: Final = 1.0
"""At least between two looks for others' work: what is due but behind another can't be claimed, however often one asks."""

ATTEMPTS_MAX: Final = 8
BACKOFF_BASE_S: Final = 2.0
BACKOFF_CAP_S: Final = 15 * 60.0

SLOTS: Final = 8
"""Jobs that are being done at once."""

ERROR_LENGTH_MAX: Final = 300

_log = logging.getLogger(__name__)

Handle = Callable[[Job], Awaitable[None]]
"""Does a job. Doing it again changes nothing. Raises what is to be tried again."""


MakeHandles = Callable[[ActorSystem], Mapping[str, Handle]]


@dataclass(frozen=True, slots=True)
class WorkAwaits:
    """Something to do may have been written, or a place come free."""


@dataclass(frozen=True, slots=True)
class PollDue:
    """To itself: look whether others left something to do."""


def backoff_s(attempts: int, rng: Random) -> float:
    """How long to wait after so many failures: anything between nothing and twice as long as the last time, at most.

    Source: Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015 ("full jitter").
    """
    return rng.uniform(0, min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** (attempts - 1)))


class EventWorker(Actor[WorkAwaits | PollDue]):
    """Does the jobs of some handlers.

    Args:
        worker: names this process among those that share the outbox.
        handles: makes what does the jobs, by the handler's name, in a system.
    """

    def __init__(self, *, outbox: Outbox, worker: str, handles: MakeHandles) -> None:
        self._outbox = outbox
        self._worker = worker
        self._make_handles = handles
        self._handles: Mapping[str, Handle] = {}
        self._in_hand: dict[JobId, Job] = {}
        self._due: Timer | None = None
        self._due_at = 0.0
        self._claimed = self._done = self._failed = self._dead = self._lost = 0

    async def init(self) -> None:
        self._handles = self._make_handles(self.ctx.system)
        self._wake_in(POLL_AGAIN_S)

    async def handle(self, message: WorkAwaits | PollDue) -> None:
        if isinstance(message, PollDue):
            self._due = None
        try:
            await self.run_once()
            if isinstance(message, PollDue):
                await self._look_ahead()
        except Unavailable:
            self._wake_in(POLL_AGAIN_S)  # the database is away

    async def run_once(self) -> None:
        """Claim as many jobs as there are places, and begin them; raises Unavailable."""
        if (places := SLOTS - len(self._in_hand)) <= 0:
            return
        jobs = await self._outbox.claim(
            self._worker,
            list(self._handles),
            limit=places,
            lease=timedelta(seconds=LEASE_S),
            attempts_max=ATTEMPTS_MAX,
        )
        self._claimed += len(jobs)
        for job in jobs:
            self._in_hand[job.id] = job
            self.ctx.start_task(self._do, job, trio.current_time(), name=job.handler)

    async def terminate(self, reason: ExitReason) -> None:
        """Give back what is in hand, so that another need not wait for the lease."""
        jobs, self._in_hand = list(self._in_hand.values()), {}
        if jobs:
            try:
                await self._outbox.release(jobs)
            except Unavailable:
                return  # then it has to wait

    def view(self) -> Mapping[str, object]:
        return {
            "claimed": self._claimed,
            "done": self._done,
            "failed": self._failed,
            "dead": self._dead,
            "lost": self._lost,
            "in_hand": sorted(f"{job.handler} {job.id}" for job in self._in_hand.values()),
        }

    async def _do(self, job: Job, claimed_at: float) -> None:
        """Do a job and settle it. Whatever a handler raises is the job's failure, not this actor's."""
        try:
            with trio.fail_at(claimed_at + HANDLER_TIMEOUT_S):
                await self._handles[job.handler](job)
        except Exception as error:
            await self._settle(job, error)
        else:
            await self._settle(job, None)
        self.ctx.address.tell(WorkAwaits())

    async def _settle(self, job: Job, error: Exception | None) -> None:
        """Write down what became of a job. A claim that can't be settled is left to its lease."""
        stands = False
        with trio.move_on_after(SETTLE_TIMEOUT_S):
            try:
                stands = await self._write_outcome(job, error)
            except Unavailable:
                stands = False
        self._in_hand.pop(job.id, None)
        if not stands:
            self._lost += 1

    async def _write_outcome(self, job: Job, error: Exception | None) -> bool:
        if error is None:
            self._done += 1
            return await self._outbox.finish(job)
        self._failed += 1
        reason = _reason(error)
        if job.attempts < ATTEMPTS_MAX:
            _log.warning("job %s (%s, %s) failed: %s", job.id, job.handler, job.type, reason)
            pause_s = backoff_s(job.attempts, self.ctx.rng)
            self._wake_in(pause_s)
            return await self._outbox.retry(job, reason, after=timedelta(seconds=pause_s))
        self._dead += 1
        _log.error("job %s (%s, %s) is dead: %s", job.id, job.handler, job.type, reason)
        return await self._outbox.bury(job, reason)

    async def _look_ahead(self) -> None:
        """Set the timer for what comes due next, or for when to look again."""
        poll_s = self.ctx.rng.uniform(*POLL_S)
        ahead = await self._outbox.next_in(list(self._handles), within=timedelta(seconds=poll_s))
        self._wake_in(poll_s if ahead is None else max(ahead.total_seconds(), POLL_AGAIN_S))

    def _wake_in(self, delay_s: float) -> None:
        """Poll then, unless that is to be sooner anyway."""
        moment = trio.current_time() + delay_s
        if self._due is not None:
            if self._due_at <= moment:
                return
            self._due.cancel()
        self._due, self._due_at = self.ctx.tell_after(delay_s, PollDue()), moment


def _reason(error: Exception) -> str:
    """What operators may read: the sentences of errors that are known to hold no text of users, else only their names."""
    match error:
        case trio.TooSlowError():
            return f"it took longer than {HANDLER_TIMEOUT_S:g} s"
        case DomainError() | MailFailed():
            return f"{type(error).__name__}: {error}"[:ERROR_LENGTH_MAX]
        case _:
            return type(error).__name__
