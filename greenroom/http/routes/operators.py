"""What operators see and do: the actor tree, live; restart, stop, suspend and resume; dead letters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import trio
from quart.wrappers import Response

from greenroom.http import sse
from greenroom.http.credentials import authorize_operator
from greenroom.http.operations import ActorPath, Answer, Call, Operations, Operator, reply
from greenroom.http.operator_answers import (
    ActorDetailOut,
    ActorNodeOut,
    ActorOut,
    ActorsOut,
    DeadLetterOut,
    DeadLettersOut,
)
from greenroom.http.operator_feed import RETRY_MS, OperatorFeed
from greenroom.http.sse import encode_retry, event_stream
from greenroom.schema.errors import Conflict, NotFound, Unavailable
from greenroom.schema.requests import RankActors, ReadActors, ReadDeadLetters
from greenroom.supervisor import ActorDied, CallCycle, NoSuchActor, NotAnActor, Sort, StartFailed

operations = Operations("Operators")

ACTION_TIMEOUT_S: Final = 15.0
"""An actor has five seconds to stop by default, and as many to start."""

PATH: Final = "/api/v1/admin/actors/{actor_path}"
DONE: Final = Answer(description="Done")


@operations.serve("GET", "/api/v1/admin/actors", answers={200: ActorNodeOut})
async def read_actor_tree(call: Call, operator: Operator, query: ReadActors) -> Response:
    """Read the tree of actors."""
    return reply(200, ActorNodeOut.of(call.core.system.tree(query.depth, query.children_max)))


@operations.serve("GET", "/api/v1/admin/actors/top", answers={200: ActorsOut})
async def rank_actors(call: Call, operator: Operator, query: RankActors) -> Response:
    """List the actors that stand out, highest first."""
    page = call.core.system.top(sort=Sort(query.sort.value), limit=query.limit, kind=query.kind, state=query.state)
    return reply(200, ActorsOut(actors=[ActorOut.model_validate(node) for node in page.actors]))


@operations.serve(
    "GET",
    "/api/v1/admin/actors/stream",
    answers={200: Answer(None, sse.MEDIA_TYPE, "Server-sent events, until either side closes")},
    opens_stream=True,
)
async def follow_actors(call: Call, operator: Operator, query: ReadActors) -> Response:
    """Follow what happens to actors (server-sent events).

    actor.* events come as they happen; once a second, tree tells which actors changed and which are gone.
    """
    recheck = partial(
        authorize_operator,
        call.request,
        call.core.sign_in,
        call.settings,
        permission="operations:read",
        opens_stream=True,
    )
    events = await call.resources.enter_async_context(call.core.system.subscribe())
    feed = OperatorFeed(call.core, events, depth=query.depth, children_max=query.children_max, recheck=recheck)
    return event_stream(encode_retry(RETRY_MS), feed.receive)


@operations.serve("GET", PATH, answers={200: ActorDetailOut}, refusals=[NotFound])
async def inspect_actor(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Read everything about one actor."""
    with _kernel_errors():
        detail = call.core.system.inspect(_absolute(actor_path))
    return reply(200, ActorDetailOut.of(detail, call.core.system))


@operations.serve("POST", f"{PATH}/restart", answers={204: DONE}, refusals=[NotFound, Conflict])
async def restart_actor(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Restart an actor after its current message; its mail is kept."""
    return await _act(call.core.system.restart, actor_path)


@operations.serve("POST", f"{PATH}/stop", answers={204: DONE}, refusals=[NotFound, Conflict])
async def stop_actor(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Stop an actor.

    One that is started on demand comes back with the next message to it; another stays stopped until it is restarted.
    """
    return await _act(call.core.system.stop_child, actor_path)


@operations.serve("POST", f"{PATH}/suspend", answers={204: DONE}, refusals=[NotFound, Conflict])
async def suspend_actor(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Have an actor handle no mail until it is resumed."""
    return await _act(call.core.system.suspend, actor_path)


@operations.serve("POST", f"{PATH}/resume", answers={204: DONE}, refusals=[NotFound, Conflict])
async def resume_actor(call: Call, operator: Operator, actor_path: ActorPath) -> Response:
    """Have a suspended actor go on."""
    return await _act(call.core.system.resume, actor_path)


@operations.serve("GET", "/api/v1/admin/dead-letters", answers={200: DeadLettersOut})
async def read_dead_letters(call: Call, operator: Operator, query: ReadDeadLetters) -> Response:
    """Read what could not be delivered, newest first."""
    letters = call.core.system.dead_letters
    newest = list(letters)[: -query.limit - 1 : -1]
    return reply(
        200,
        DeadLettersOut(
            total=letters.total,
            counts=dict(letters.counts),
            items=[DeadLetterOut.of(letter, call.core.system) for letter in newest],
        ),
    )


async def _act(action: Callable[[str], Awaitable[None]], actor_path: ActorPath) -> Response:
    with _kernel_errors(), trio.move_on_after(ACTION_TIMEOUT_S):
        await action(_absolute(actor_path))
        return reply(204)
    raise Unavailable("It is taking long; look at the actor's state.")


def _absolute(actor_path: ActorPath) -> str:
    return "/" + actor_path.strip("/")


@contextmanager
def _kernel_errors() -> Iterator[None]:
    """Say in the domain's words what the kernel refused."""
    try:
        yield
    except NoSuchActor as exc:
        raise NotFound("There is no such actor.") from exc
    except NotAnActor as exc:
        raise Conflict("That is a supervisor; this can only be done to an actor.") from exc
    except StartFailed as exc:
        raise Conflict("It did not come back at once; its supervisor goes on trying.") from exc
    except (ActorDied, CallCycle) as exc:
        raise Unavailable("Its supervisor ended at the same time.") from exc
