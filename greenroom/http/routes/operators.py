"""What operators see and do: the actor tree, live; calls, stacks, dead letters, the event loop; actions, on the record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Final

from greenroom.http import sse
from greenroom.http.call import Call, Operator
from greenroom.http.declaring import Operations
from greenroom.http.operations import ActorPath, Answer
from greenroom.http.operator_answers import (
    ActorDetailOut,
    ActorNodeOut,
    ActorsOut,
    AuditEntryOut,
    AuditOut,
    CallsOut,
    DeadLetterOut,
    DeadLettersOut,
    LoopOut,
    StackOut,
    WorkerOut,
    WorkersOut,
)
from greenroom.http.operator_credentials import authorize_operator
from greenroom.http.operator_feed import RETRY_MS, OperatorFeed
from greenroom.http.response import Response, reply
from greenroom.http.sse import encode_retry, event_stream
from greenroom.schema.audit import ActorAction
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import Conflict, FieldError, InvalidInput, NotFound
from greenroom.schema.operator_requests import (
    ActOnActor,
    ProbeSteps,
    RankActors,
    ReadActors,
    ReadAudit,
    ReadCalls,
    ReadDeadLetters,
)
from greenroom.supervisor import ActorQuery, DeadLetterReason, NoSuchActor, Sort

operations = Operations("Operators")

ACTORS: Final = "/api/v1/admin/actors"
PATH: Final = f"{ACTORS}/{{actor_path}}"
DONE: Final = Answer(description="Done")


@operations.serve("GET", "/api/v1/admin/workers", answers={200: WorkersOut})
async def list_workers(call: Call, operator: Operator) -> Response:
    """List the processes that serve, each with the root of its actors.

    Where there are several, every route below /api/v1/admin takes worker=<name>, and that one answers; without it, it is
    the one that took the connection. /api/v1/admin/actors/stream also takes worker=all: then every event has a field
    worker, and events named worker say which of them answer.
    """
    root = call.core.system.tree(1, 1)
    alone = WorkerOut(
        name="1",
        is_asked=True,
        answers=True,
        pid=os.getpid(),
        started_at=root.started_at,
        root=ActorNodeOut.of(root),
    )
    return reply(200, WorkersOut(workers=[alone]))


@operations.serve("GET", ACTORS, answers={200: ActorNodeOut})
async def read_actor_tree(call: Call, operator: Operator, query: ReadActors) -> Response:
    """Read the tree of actors."""
    return reply(200, ActorNodeOut.of(call.core.system.tree(query.depth, query.children_max)))


@operations.serve("GET", f"{ACTORS}/top", answers={200: ActorsOut})
async def rank_actors(call: Call, operator: Operator, query: RankActors) -> Response:
    """List the actors that stand out, highest first, a page at a time."""
    kinds = (*call.core.system.known_kinds(), "supervisor")  # of which none stands out, but the tree names it
    if query.kind is not None and query.kind not in kinds:
        raise InvalidInput(FieldError(("query", "kind"), f"is not known; there is {', '.join(kinds[:-1])}"))
    try:
        page = await call.core.system.rank(
            ActorQuery(
                sort=Sort(query.sort.value),
                limit=query.limit,
                kind=query.kind,
                state=None if query.state is None else query.state.value,
                key_prefix=query.key_prefix,
                cursor=query.cursor,
            )
        )
    except ValueError as exc:
        raise InvalidInput(
            FieldError(("query", "cursor"), "is not a next_cursor that this list returned")
        ) from exc
    return reply(200, ActorsOut.of(page))


@operations.serve(
    "GET",
    f"{ACTORS}/stream",
    answers={200: Answer(None, sse.MEDIA_TYPE, "Server-sent events, until either side closes")},
    opens_stream=True,
)
async def follow_actors(call: Call, operator: Operator, query: ReadActors) -> Response:
    """Follow what happens to actors (server-sent events).

    Once a second: tree tells which actors changed and which are gone, actor.* what happened to them (lagged says how
    much of that was left out), pulse how the event loop fares.
    """
    recheck = partial(
        authorize_operator,
        call.request,
        call.core.sign_in,
        call.settings,
        permission="operations:read",
        opens_stream=True,
    )
    events = await call.resources.enter_async_context(call.core.operating.follow())
    feed = OperatorFeed(call.core, events, depth=query.depth, children_max=query.children_max, recheck=recheck)
    return event_stream(encode_retry(RETRY_MS), feed.receive)


@operations.serve("GET", PATH, answers={200: ActorDetailOut}, refusals=[NotFound])
async def inspect_actor(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Read everything about one actor."""
    with _found():
        detail = call.core.system.inspect(_absolute(actor_path))
    return reply(200, ActorDetailOut.of(detail, call.core.system))


@operations.serve("GET", f"{PATH}/stack", answers={200: StackOut}, refusals=[NotFound])
async def read_actor_stack(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Read where an actor's task stands now."""
    path = _absolute(actor_path)
    with _found():
        frames = call.core.system.stack(path)
    return reply(200, StackOut(path=path, frames=list(frames)))


@operations.serve("POST", f"{PATH}/restart", answers={204: DONE}, refusals=[NotFound, Conflict])
async def restart_actor(
    call: Call, operator: Operator, actor_path: ActorPath, body: ActOnActor | None
) -> Response:
    """Restart an actor after its current message; its mail is kept."""
    return await _act(call, operator, ActorAction.RESTART, actor_path, body)


@operations.serve("POST", f"{PATH}/stop", answers={204: DONE}, refusals=[NotFound, Conflict])
async def stop_actor(call: Call, operator: Operator, actor_path: ActorPath, body: ActOnActor | None) -> Response:
    """Stop an actor.

    One that is started on demand comes back with the next message to it; another stays stopped until it is restarted.
    """
    return await _act(call, operator, ActorAction.STOP, actor_path, body)


@operations.serve("POST", f"{PATH}/suspend", answers={204: DONE}, refusals=[NotFound, Conflict])
async def suspend_actor(
    call: Call, operator: Operator, actor_path: ActorPath, body: ActOnActor | None
) -> Response:
    """Have an actor handle no mail until it is resumed."""
    return await _act(call, operator, ActorAction.SUSPEND, actor_path, body)


@operations.serve("POST", f"{PATH}/resume", answers={204: DONE}, refusals=[NotFound, Conflict])
async def resume_actor(call: Call, operator: Operator, actor_path: ActorPath, body: ActOnActor | None) -> Response:
    """Have a suspended actor go on."""
    return await _act(call, operator, ActorAction.RESUME, actor_path, body)


@operations.serve("POST", f"{PATH}/passivate", answers={204: DONE}, refusals=[NotFound, Conflict])
async def passivate_actor(
    call: Call, operator: Operator, actor_path: ActorPath, body: ActOnActor | None
) -> Response:
    """Put an actor that is started on demand to sleep; the next message to it wakes it."""
    return await _act(call, operator, ActorAction.PASSIVATE, actor_path, body)


@operations.serve("GET", "/api/v1/admin/calls", answers={200: CallsOut})
async def read_calls(call: Call, operator: Operator, query: ReadCalls) -> Response:
    """List the messages that are being handled now, the longest first."""
    return reply(200, CallsOut.of(await call.core.system.longest_calls(limit=query.limit)))


@operations.serve("GET", "/api/v1/admin/dead-letters", answers={200: DeadLettersOut})
async def read_dead_letters(call: Call, operator: Operator, query: ReadDeadLetters) -> Response:
    """Read what could not be delivered, newest first; the last thousand are kept."""
    letters = call.core.system.dead_letters
    try:
        reason = None if query.reason is None else DeadLetterReason(query.reason)
    except ValueError as exc:
        known = ", ".join(each.value for each in DeadLetterReason)
        raise InvalidInput(FieldError(("query", "reason"), f"must be one of: {known}")) from exc
    asked = (letter for letter in reversed(list(letters)) if reason is None or letter.reason is reason)
    return reply(
        200,
        DeadLettersOut(
            total=letters.total,
            counts=dict(letters.counts),
            items=[DeadLetterOut.of(letter, call.core.system) for letter in islice(asked, query.limit)],
        ),
    )


@operations.serve("GET", "/api/v1/admin/loop", answers={200: LoopOut})
async def read_loop(call: Call, operator: Operator) -> Response:
    """Read how the event loop fared in the last minute."""
    return reply(
        200,
        LoopOut.of(call.core.loop.report(), call.site.watchdog, wall=system_wall_clock, now=perf_counter()),
    )


@operations.serve("POST", "/api/v1/admin/loop/steps", answers={204: DONE})
async def probe_steps(call: Call, operator: Operator, body: ProbeSteps) -> Response:
    """Measure every step of every task for some seconds; the loop's report then names the longest and whose they are.

    It slows the server down meanwhile. Asking again begins anew.
    """
    await call.core.operating.probe_steps(
        operator.name, call.core.loop, for_s=body.for_s, request_id=call.request.record.request_id
    )
    return reply(204)


@operations.serve("GET", "/api/v1/admin/audit", answers={200: AuditOut})
async def read_audit(call: Call, operator: Operator, query: ReadAudit) -> Response:
    """Read what operators did, newest first."""
    page = await call.core.operating.audit_page(limit=query.limit, cursor=query.cursor)
    items = [AuditEntryOut.of(entry, page.names.get(entry.operator)) for entry in page.items]
    return reply(200, AuditOut(items=items, next_cursor=page.next_cursor))


async def _act(
    call: Call, operator: Operator, action: ActorAction, actor_path: ActorPath, body: ActOnActor | None
) -> Response:
    await call.core.operating.act(
        operator.name,
        action,
        _absolute(actor_path),
        reason=None if body is None else body.reason,
        request_id=call.request.record.request_id,
    )
    return reply(204)


def _absolute(actor_path: ActorPath) -> str:
    return "/" + actor_path.strip("/")


@contextmanager
def _found() -> Iterator[None]:
    try:
        yield
    except NoSuchActor as exc:
        raise NotFound("There is no such actor.") from exc
