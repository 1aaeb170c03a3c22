"""Instructors: finding one to talk to, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Sequence

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.actors.teaching import Teacher
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.response import Response, reply
from greenroom.schema.answers import (
    AreaOut,
    CategoriesOut,
    CategoryOut,
    FreeTimeOut,
    InstructorOut,
    InstructorProfileOut,
    InstructorsOut,
    RegionOut,
    RegionsOut,
)
from greenroom.schema.errors import Conflict, PermissionDenied, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.schema.lessons import OfferLessons
from greenroom.schema.records import Service, User
from greenroom.schema.requests import FindRegions, ListInstructors
from greenroom.schema.search.taxonomy import load_taxonomy
from greenroom.schema.wire import ServiceOut

operations = Operations("Instructors")


@operations.serve("GET", "/api/v1/instructors", answers={200: InstructorsOut})
async def list_instructors(call: Call, identity: Identity, query: ListInstructors) -> Response:
    """List instructors by name."""
    page = await call.core.directory.instructors(identity, limit=query.limit, cursor=query.cursor, name=query.name)
    items = [_render(call.core, profile.user, profile.services) for profile in page.items]
    return reply(200, InstructorsOut(items=items, next_cursor=page.next_cursor))


@operations.serve(
    "GET", "/api/v1/instructors/{instructor_id}", answers={200: InstructorProfileOut}, refusals=[UserNotFound]
)
async def get_instructor(call: Call, identity: Identity, instructor_id: UserId) -> Response:
    """Read one instructor's profile."""
    return reply(200, _render_teacher(call.core, await call.core.teaching.teacher(identity, instructor_id)))


@operations.serve(
    "PUT",
    "/api/v1/instructors/me",
    answers={200: InstructorProfileOut},
    refusals=[PermissionDenied, UserNotFound, Conflict],
)
async def offer_lessons(call: Call, identity: Identity, body: OfferLessons) -> Response:
    """Offer lessons, in the place of all that one offered before.

    A service that is left out is offered no more; lessons that were booked stay booked. The search knows of the change within
    seconds.
    """
    return reply(200, _render_teacher(call.core, await call.core.teaching.replace(identity, body)))


@operations.serve("GET", "/api/v1/regions", answers={200: RegionsOut})
async def find_regions(call: Call, identity: Identity, query: FindRegions) -> Response:
    """Find regions by name, as areas where lessons are given; a typing error or a nickname does no harm."""
    found = await call.core.teaching.regions_named(identity, query.name, limit=query.limit)
    items = [
        RegionOut(id=named.region.id, name=named.region.name, kind=named.region.kind, within=list(named.within))
        for named in found
    ]
    return reply(200, RegionsOut(items=items))


@operations.serve("GET", "/api/v1/categories", answers={200: CategoriesOut})
async def list_categories(call: Call, identity: Identity) -> Response:
    """List the kinds of lessons that are known here."""
    kinds = load_taxonomy().kinds.values()
    items = [CategoryOut(slug=kind.slug, name=kind.name, group=kind.group) for kind in kinds]
    return reply(200, CategoriesOut(items=items))


def _render_teacher(core: Core, teacher: Teacher) -> InstructorProfileOut:
    told, regions = teacher.told, teacher.regions
    return InstructorProfileOut(
        **dict(_render(core, teacher.listed.user, teacher.listed.services)),
        bio=told.bio,
        rating=told.rating if told.rating_count else None,
        rating_count=told.rating_count,
        response_minutes=told.response_minutes,
        home_city=told.home_city,
        timezone=told.timezone,
        areas=[AreaOut(id=area, name=regions[area].name if area in regions else area) for area in told.areas],
        availability=[FreeTimeOut.of(slot) for slot in told.availability],
    )


def _render(core: Core, user: User, services: Sequence[Service]) -> InstructorOut:
    return InstructorOut(
        id=user.id,
        display_name=user.display_name,
        online=core.board.is_online(user.id),
        services=[ServiceOut.of(service) for service in services],
    )
