"""The names that places go by: for operators."""

from __future__ import annotations

from typing import assert_never

from greenroom.http.call import Call, Operator
from greenroom.http.declaring import Operations
from greenroom.http.response import Response, reply
from greenroom.schema.errors import AliasNotFound, RegionNotFound
from greenroom.schema.search.alias_wire import AliasesOut, AliasOut
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import AliasFilter, RegionId
from greenroom.schema.search.requests import AliasDecision, DecideAlias, ReadAliases

operations = Operations("Operators")

PATH = "/api/v1/admin/location-aliases"


@operations.serve("GET", PATH, answers={200: AliasesOut})
async def list_location_aliases(call: Call, operator: Operator, query: ReadAliases) -> Response:
    """List names of places besides their own, newest first: ``proposed`` are those that were learned and wait for a decision.

    Those of the ``gazetteer`` came with a city, its postcodes among them; those of an ``operator`` were imported or added here.
    """
    text = None if query.q is None else normal_place_name(query.q)
    wanted = AliasFilter(state=query.state, source=query.source, text=text)
    page = await call.core.alias_review.page(wanted, limit=query.limit, cursor=query.cursor)
    items = [AliasOut.of(alias) for alias in page.items]
    return reply(200, AliasesOut(items=items, next_cursor=page.next_cursor))


@operations.serve("POST", PATH, answers={200: AliasOut}, refusals=[AliasNotFound, RegionNotFound])
async def decide_location_alias(call: Call, operator: Operator, body: DecideAlias) -> Response:
    """Have a text mean a region, or no longer, on all workers within seconds; on the record.

    ``approve`` makes an alias where there is none. What was revoked is not learned again. A region whose own name is the text
    is always found before any alias.
    """
    review, region_id = call.core.alias_review, RegionId(body.region_id)
    request_id = call.request.record.request_id
    match body.action:
        case AliasDecision.APPROVE:
            alias = await review.approve(operator.name, body.text, region_id, request_id=request_id)
        case AliasDecision.REVOKE:
            alias = await review.revoke(operator.name, body.text, region_id, request_id=request_id)
        case _:
            assert_never(body.action)
    return reply(200, AliasOut.of(alias))
