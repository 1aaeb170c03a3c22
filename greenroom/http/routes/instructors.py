"""Finding an instructor to talk to."""

from __future__ import annotations

from collections.abc import Sequence

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.http.operations import Call, Operations
from greenroom.http.response import Response, reply
from greenroom.schema.answers import InstructorOut, InstructorsOut
from greenroom.schema.errors import UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.records import Service, User
from greenroom.schema.requests import ListInstructors
from greenroom.schema.wire import ServiceOut

operations = Operations("Instructors")


@operations.serve("GET", "/api/v1/instructors", answers={200: InstructorsOut})
async def list_instructors(call: Call, identity: Identity, query: ListInstructors) -> Response:
    """List instructors by name."""
    page = await call.core.directory.instructors(identity, limit=query.limit, cursor=query.cursor)
    items = [_render(call.core, profile.user, profile.services) for profile in page.items]
    return reply(200, InstructorsOut(items=items, next_cursor=page.next_cursor))


@operations.serve(
    "GET", "/api/v1/instructors/{instructor_id}", answers={200: InstructorOut}, refusals=[UserNotFound]
)
async def get_instructor(call: Call, identity: Identity, instructor_id: UserId) -> Response:
    """Read one instructor's profile."""
    profile = await call.core.directory.instructor(identity, instructor_id)
    return reply(200, _render(call.core, profile.user, profile.services))


def _render(core: Core, user: User, services: Sequence[Service]) -> InstructorOut:
    return InstructorOut(
        id=user.id,
        display_name=user.display_name,
        online=core.board.is_online(user.id),
        services=[ServiceOut.of(service) for service in services],
    )
