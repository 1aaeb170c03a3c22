"""Looking for lessons in one's own words, and how that is done."""

from __future__ import annotations

from greenroom.actors.core import Core
from greenroom.actors.identity import Identity
from greenroom.actors.search.admission import SearchesBusy
from greenroom.actors.search.answer import Hit, SearchAnswer
from greenroom.actors.search.request import Overrides, SearchRequest
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.operations import Answer
from greenroom.http.response import Response, reply
from greenroom.schema.search.diagnostics_wire import BudgetOut, DiagnosticsOut
from greenroom.schema.search.log import QueryId
from greenroom.schema.search.places import Point, RegionId
from greenroom.schema.search.requests import ClickResult, Search, SkippedStage
from greenroom.schema.search.wire import (
    CitiesOut,
    CityOut,
    LocationOut,
    MatchedOut,
    ParsedOut,
    ResultOut,
    SearchMetaOut,
    SearchOut,
)

operations = Operations("Search")


def _door(core: Core) -> None:
    core.search.check_door()


@operations.serve("GET", "/api/v1/search", answers={200: SearchOut}, refusals=[SearchesBusy], door=_door)
async def search(call: Call, identity: Identity, query: Search) -> Response:
    """Look for lessons in one's own words.

    What was understood is in ``meta.parsed``; what had to be left out to answer in time is in ``meta.budget``, and whatever
    was left out, no result breaks a bound that was understood. ``debug``, ``skip`` and ``simulate_high_load`` are for admins.
    """
    arrived_at = call.request.record.started_at
    answer = await call.core.search.search(
        identity,
        SearchRequest(
            user_id=identity.user.id,
            text=query.q,
            city=None if query.city is None else RegionId(query.city),
            near=None if query.lat is None or query.lng is None else Point(query.lat, query.lng),
            limit=query.limit,
            after=query.cursor,
            wants_diagnostics=query.debug,
            overrides=Overrides(
                skip_tier4=SkippedStage.TIER4 in query.skip,
                skip_tier5=SkippedStage.TIER5 in query.skip,
                skip_embedding=SkippedStage.EMBEDDING in query.skip,
                skip_vector=SkippedStage.VECTOR in query.skip,
                simulate_high_load=query.simulate_high_load,
            ),
        ),
        arrived_at=arrived_at,
    )
    response = reply(200, render(answer, with_diagnostics=query.debug))
    call.core.search.rendered(answer, arrived_at=arrived_at)
    return response


@operations.serve("GET", "/api/v1/cities", answers={200: CitiesOut})
async def list_cities(call: Call, identity: Identity) -> Response:
    """List the cities there are places of, by name."""
    cities = await call.core.cities.all(identity)
    return reply(200, CitiesOut(items=[CityOut(id=city.id, name=city.name) for city in cities]))


@operations.serve("POST", "/api/v1/search/{query_id}/click", answers={204: Answer(description="Noted")})
async def click_result(call: Call, identity: Identity, query_id: QueryId, body: ClickResult) -> Response:
    """Say that a result was opened.

    It is noted without being waited for. It counts, once, if the caller's own search with this id showed the lesson and was
    recorded; whether it does is not told.
    """
    call.core.search.recorder.clicked(identity, query_id, body.service_id)
    return reply(204)


def render(answer: SearchAnswer, *, with_diagnostics: bool) -> SearchOut:
    return SearchOut(
        query_id=answer.query_id,
        results=[_result(hit) for hit in answer.hits],
        next_cursor=answer.next_cursor,
        meta=SearchMetaOut(
            parsed=ParsedOut.of(answer.understood),
            location=LocationOut.of(answer.place),
            budget=BudgetOut.of(answer.budget, with_details=with_diagnostics),
            cache=answer.cache.value,
            total_candidates=answer.total,
        ),
        diagnostics=DiagnosticsOut.of(answer.diagnostics) if with_diagnostics else None,
    )


def _result(hit: Hit) -> ResultOut:
    candidate = hit.ranked.candidate
    return ResultOut.found(
        service_id=candidate.service_id,
        instructor_id=candidate.instructor_id,
        price_cents=candidate.price_cents,
        duration_minutes=candidate.duration_minutes,
        rating=round(candidate.rating, 2) if candidate.rating_count else None,
        response_minutes=candidate.response_minutes,
        distance_km=candidate.distance_km,
        score=hit.ranked.score,
        matched=MatchedOut(text=candidate.text_score, vector=candidate.vector_score),
        card=hit.card,
    )
