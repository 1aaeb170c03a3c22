"""What operators do to a running server, each deed on the record, and what they read of it."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import trio

from greenroom.actors.addresses import event_worker, mail_worker
from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.event_worker import WorkAwaits
from greenroom.actors.loop_watch import LoopWatch
from greenroom.schema.audit import (
    ActorAction,
    AuditEntry,
    AuditId,
    AuditPageKey,
    JobAction,
    LoopAction,
    OperatorKind,
    OperatorName,
)
from greenroom.schema.errors import Conflict, FieldError, InvalidInput, NotFound, Unavailable
from greenroom.schema.ids import JobId, UserId
from greenroom.schema.outbox import Job, JobsShown, JobState, OutboxFigures
from greenroom.storage.ports import Accounts, Audit, Outbox
from greenroom.supervisor import (
    ActorDied,
    ActorSystem,
    CallCycle,
    NoSuchActor,
    NotAnActor,
    StartFailed,
    Subscription,
)

ACTION_TIMEOUT_S: Final = 15.0
"""An actor has five seconds to stop by default, and as many to start."""

FOLLOWERS_MAX: Final = 20
"""Operators' streams per worker; each costs a look at the tree once a second."""

PATH_LENGTH_MAX: Final = 512

_PLACE: Final = re.compile(r"[1-9][0-9]{0,17}")
_CURSOR: Final = re.compile(r"([0-9]{1,17})\.([0-9A-Z]{26})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first. ``next_cursor`` is None on the last page; ``names`` are what operators who are users call themselves."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None
    names: Mapping[OperatorName, str]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Newest first, running ones the longest due first. ``next_cursor`` is None on the last page."""

    items: tuple[Job, ...]
    next_cursor: str | None
    figures: OutboxFigures


class Operating:
    """Acts on actors and jobs for operators, and reads back what was done."""

    def __init__(
        self,
        *,
        system: ActorSystem,
        trail: AuditTrail,
        audit: Audit,
        outbox: Outbox,
        accounts: Accounts,
    ) -> None:
        self._system = system
        self._accounts = accounts
        self._audit = audit
        self._outbox = outbox
        self._trail = trail
        self._followers = 0

    async def act(
        self, operator: OperatorName, action: ActorAction, path: str, *, reason: str | None, request_id: str
    ) -> None:
        """Do something to the actor at ``path``; returns when it is done and recorded.

        Raises:
            Unavailable: the action could not be recorded, so nothing was done; or it takes longer than
                ACTION_TIMEOUT_S and goes on by itself.
            NotFound: there is no such actor.
            Conflict: it can't be done to this one, or it did not come back at once.
        """
        if len(path) > PATH_LENGTH_MAX or not path.isprintable():
            raise NotFound("There is no such actor.")
        async with self._trail.recorded(operator, action, path, reason=reason, request_id=request_id):
            with self._kernel_errors(action), trio.move_on_after(ACTION_TIMEOUT_S) as scope:
                await self._deed(action, path)(path)
            if scope.cancelled_caught:
                raise Unavailable("It is taking long; look at the actor's state.")

    async def retry_job(
        self, operator: OperatorName, job_id: JobId, *, reason: str | None, request_id: str
    ) -> Job:
        """Have a dead job tried again, with all its attempts; returns when that is stored and recorded.

        Raises:
            Unavailable: it could not be recorded, so nothing was done; or the database went away.
            NotFound: there is no such job.
            Conflict: it is not dead.
        """
        path = f"outbox/{job_id}"
        async with self._trail.recorded(operator, JobAction.RETRY, path, reason=reason, request_id=request_id):
            job = await self._outbox.revive(job_id)
            if job is None and await self._outbox.job(job_id) is None:
                raise NotFound("There is no such job.")
            if job is None:
                raise Conflict("Only a dead job is retried.")
        for worker in (event_worker, mail_worker):
            worker(self._system).tell(WorkAwaits())
        return job

    async def probe_steps(self, operator: OperatorName, loop: LoopWatch, *, for_s: float, request_id: str) -> None:
        """Have every step of every task measured for some seconds, which slows the server down; returns when recorded.

        Raises:
            Unavailable: it could not be recorded, so nothing was done.
        """
        reason = f"for {for_s:g} s"
        async with self._trail.recorded(
            operator, LoopAction.PROBE_STEPS, "loop", reason=reason, request_id=request_id
        ):
            loop.probe_steps(for_s)

    async def job(self, job_id: JobId) -> Job:
        """Read one job.

        Raises:
            NotFound: there is no such job.
        """
        job = await self._outbox.job(job_id)
        if job is None:
            raise NotFound("There is no such job.")
        return job

    async def jobs(self, *, shown: JobsShown | None, limit: int, cursor: str | None) -> JobPage:
        """Read one page of the outbox, newest first, and how much is to be done.

        Args:
            shown: which of them; None for all. Those that are running come on one page, the longest due first.

        Raises:
            InvalidInput: not a cursor of this list.
        """
        if cursor is not None and _PLACE.fullmatch(cursor) is None:
            raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
        before = None if cursor is None else int(cursor)
        figures = await self._outbox.figures()
        if shown is JobsShown.RUNNING:
            return JobPage(tuple(await self._outbox.running(limit=limit)), None, figures)
        state = None if shown is None else JobState(shown.value)
        found = await self._outbox.page(state=state, before=before, limit=limit + 1)
        items = tuple(found[:limit])
        return JobPage(items, str(items[-1].place) if len(found) > limit else None, figures)

    async def audit_page(self, *, limit: int, cursor: str | None) -> AuditPage:
        """Read one page of what operators did, newest first.

        Raises:
            InvalidInput: not a cursor of this list.
        """
        found = await self._audit.page(before=None if cursor is None else _read_cursor(cursor), limit=limit + 1)
        items = tuple(found[:limit])
        return AuditPage(items, _cursor(items[-1]) if len(found) > limit else None, await self._names(items))

    async def _names(self, entries: Iterable[AuditEntry]) -> Mapping[OperatorName, str]:
        """A query for each of the few people who operate."""
        names = {}
        for operator in {entry.operator for entry in entries if entry.operator.kind is OperatorKind.USER}:
            user = await self._accounts.user(UserId(operator.id))
            if user is not None:
                names[operator] = user.display_name
        return names

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[Subscription]:
        """Follow what happens to actors, for the length of the block.

        Raises:
            Unavailable: FOLLOWERS_MAX do so already.
        """
        if self._followers >= FOLLOWERS_MAX:
            raise Unavailable(f"{FOLLOWERS_MAX} operators' streams are open on this worker.", retry_after_s=10.0)
        self._followers += 1
        try:
            async with self._system.subscribe() as events:
                yield events
        finally:
            self._followers -= 1

    def _deed(self, action: ActorAction, path: str) -> Callable[[str], Awaitable[None]]:
        match action:
            case ActorAction.RESTART:
                return self._system.restart
            case ActorAction.STOP:
                return self._system.stop_child
            case ActorAction.SUSPEND:
                return self._system.suspend
            case ActorAction.RESUME:
                return self._system.resume
            case ActorAction.PASSIVATE:
                if self._system.inspect(path).node.key is None:
                    raise Conflict("Only an actor that is started on demand can be passivated.")
                return self._system.passivate

    @contextmanager
    def _kernel_errors(self, action: ActorAction) -> Iterator[None]:
        """Say in the domain's words what the kernel refused."""
        try:
            yield
        except NoSuchActor as exc:
            raise NotFound("There is no such actor.") from exc
        except NotAnActor as exc:
            if action in {ActorAction.RESTART, ActorAction.STOP}:
                raise Conflict("That is the root: stop or restart the process instead.") from exc
            raise Conflict("That is a supervisor; this can only be done to an actor.") from exc
        except StartFailed as exc:
            raise Conflict("It did not come back at once; its supervisor goes on trying.") from exc
        except (ActorDied, CallCycle) as exc:
            raise Unavailable("Its supervisor ended at the same time.") from exc


def _cursor(entry: AuditEntry) -> str:
    """A moment in microseconds, as Postgres keeps it, and the id."""
    return f"{(entry.at - _EPOCH) // timedelta(microseconds=1)}.{entry.id}"


def _read_cursor(cursor: str) -> AuditPageKey:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
    return AuditPageKey(_EPOCH + timedelta(microseconds=int(found[1])), AuditId(found[2]))
