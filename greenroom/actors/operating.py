"""What operators do to a running server, and the record of it.

An action is written down before it is taken and settled after it: whoever can't be recorded can't act, and an action
whose end could not be written stays ``begun``. No database connection is held in between.
"""

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
from greenroom.actors.event_worker import WorkAwaits
from greenroom.actors.loop_watch import LoopWatch
from greenroom.schema.audit import (
    ActorAction,
    AuditEntry,
    AuditId,
    AuditOutcome,
    AuditPageKey,
    JobAction,
    LoopAction,
    OperatorAction,
    OperatorKind,
    OperatorName,
)
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import Conflict, DomainError, FieldError, InvalidInput, NotFound, Unavailable
from greenroom.schema.ids import Ids, JobId, UserId
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

SETTLE_TIMEOUT_S: Final = 2.0
"""For writing the outcome, whatever became of whoever asked."""

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
        audit: Audit,
        outbox: Outbox,
        accounts: Accounts,
        ids: Ids,
        wall: WallClock,
    ) -> None:
        self._system = system
        self._accounts = accounts
        self._audit = audit
        self._outbox = outbox
        self._ids = ids
        self._wall = wall
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
        entry = self._entry(operator, action, path, reason=reason, request_id=request_id)
        await self._audit.begin(entry)
        outcome, detail = AuditOutcome.UNFINISHED, None
        try:
            with self._kernel_errors(action), trio.move_on_after(ACTION_TIMEOUT_S):
                await self._deed(action, path)(path)
                outcome = AuditOutcome.DONE
        except DomainError as refusal:
            outcome, detail = AuditOutcome.REFUSED, str(refusal)
            raise
        finally:
            await self._settle(entry, outcome, detail)
        if outcome is not AuditOutcome.DONE:
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
        entry = self._entry(operator, JobAction.RETRY, f"outbox/{job_id}", reason=reason, request_id=request_id)
        await self._audit.begin(entry)
        outcome, detail = AuditOutcome.UNFINISHED, None
        try:
            job = await self._outbox.revive(job_id)
            if job is None:
                known = await self._outbox.job(job_id)
                raise (
                    NotFound("There is no such job.") if known is None else Conflict("Only a dead job is retried.")
                )
            outcome = AuditOutcome.DONE
        except (NotFound, Conflict) as refusal:
            outcome, detail = AuditOutcome.REFUSED, str(refusal)
            raise
        finally:
            await self._settle(entry, outcome, detail)
        for worker in (event_worker, mail_worker):
            worker(self._system).tell(WorkAwaits())
        return job

    async def probe_steps(self, operator: OperatorName, loop: LoopWatch, *, for_s: float, request_id: str) -> None:
        """Have every step of every task measured for some seconds, which slows the server down; returns when recorded.

        Raises:
            Unavailable: it could not be recorded, so nothing was done.
        """
        entry = self._entry(
            operator, LoopAction.PROBE_STEPS, "loop", reason=f"for {for_s:g} s", request_id=request_id
        )
        await self._audit.begin(entry)
        loop.probe_steps(for_s)
        await self._settle(entry, AuditOutcome.DONE, None)

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

    def _entry(
        self, operator: OperatorName, action: OperatorAction, path: str, *, reason: str | None, request_id: str
    ) -> AuditEntry:
        return AuditEntry(
            id=AuditId(self._ids.ulid()),
            at=self._wall(),
            operator=operator,
            action=action,
            path=path,
            reason=reason,
            request_id=request_id,
        )

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

    async def _settle(self, entry: AuditEntry, outcome: AuditOutcome, detail: str | None) -> None:
        # Whatever looks like a fault in the lines that follow may be of somebody's own making.
        _log.warning(
            "operator %s %s: %s %s: %s%s",
            entry.operator.kind.value,
            entry.operator.id,
            entry.action.value,
            entry.path,
            outcome.value,
            "" if detail is None else f" ({detail})",
        )
        # Shielded, because an operator who left still acted; bounded, because the database may have gone meanwhile.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + SETTLE_TIMEOUT_S) as scope:
            try:
                await self._audit.settle(entry.id, outcome, detail=detail, now=self._wall())
            except Unavailable as error:
                _log.error("audit entry %s stays begun, its outcome was %s: %s", entry.id, outcome, error)
        if scope.cancelled_caught:
            _log.error("audit entry %s stays begun, its outcome was %s: no answer in time", entry.id, outcome)

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
