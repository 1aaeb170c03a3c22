"""What was searched for, one by one and in sum: for operators."""

from __future__ import annotations

from greenroom.actors.search.log.reading import SearchNotFound
from greenroom.http.call import Call, Operator
from greenroom.http.declaring import Operations
from greenroom.http.response import Response, reply
from greenroom.schema.search.aggregates import Span
from greenroom.schema.search.log import QueryId, SearchesShown
from greenroom.schema.search.log_wire import (
    ClickThroughOut,
    RecordedSearchOut,
    SearchDegradationOut,
    SearchesOut,
    SearchLatencyOut,
    SearchLineOut,
    SearchSummaryOut,
    SearchTextsOut,
    SearchTiersOut,
)
from greenroom.schema.search.requests import ReadSearches, ReadSpan, ReadTexts

operations = Operations("Operators")

QUERIES = "/api/v1/admin/search/queries"
ANALYTICS = "/api/v1/analytics/search"


@operations.serve("GET", QUERIES, answers={200: SearchesOut})
async def list_searches(call: Call, operator: Operator, query: ReadSearches) -> Response:
    """List searches, newest first: all, or those that were degraded, found nothing (``zero``) or took long."""
    shown = SearchesShown(is_degraded=query.degraded, is_empty=query.zero, slow_ms=query.slow_ms)
    page = await call.core.searches.page(shown, limit=query.limit, cursor=query.cursor)
    items = [SearchLineOut.of(search) for search in page.items]
    return reply(200, SearchesOut(items=items, next_cursor=page.next_cursor))


@operations.serve("GET", QUERIES + "/{query_id}", answers={200: RecordedSearchOut}, refusals=[SearchNotFound])
async def read_search(call: Call, operator: Operator, query_id: QueryId) -> Response:
    """Read one search with its diagnostics: stages, tiers, funnel, budget, what models were asked, and what was opened.

    A search that was not recorded, because of load, can be read from the worker that answered it, among its last 200.
    """
    return reply(200, RecordedSearchOut.of(await call.core.searches.search(query_id)))


@operations.serve("GET", ANALYTICS + "/summary", answers={200: SearchSummaryOut})
async def summarise_searches(call: Call, operator: Operator, query: ReadSpan) -> Response:
    """Count searches, who searched, and what became of it.

    Further pages of a search, and operators' trials with overrides, are counted nowhere under this path.
    """
    span = _span(call, query)
    return reply(200, SearchSummaryOut.of(span, await call.core.searches.analytics.summary(span)))


@operations.serve("GET", ANALYTICS + "/popular", answers={200: SearchTextsOut})
async def list_popular_searches(call: Call, operator: Operator, query: ReadTexts) -> Response:
    """List what is searched for most often."""
    span = _span(call, query)
    return reply(200, SearchTextsOut.of(span, await call.core.searches.analytics.popular(span, limit=query.limit)))


@operations.serve("GET", ANALYTICS + "/zero-results", answers={200: SearchTextsOut})
async def list_searches_without_results(call: Call, operator: Operator, query: ReadTexts) -> Response:
    """List what is searched for in vain most often; only searches that found nothing are counted."""
    span = _span(call, query)
    found = await call.core.searches.analytics.without_results(span, limit=query.limit)
    return reply(200, SearchTextsOut.of(span, found))


@operations.serve("GET", ANALYTICS + "/latency", answers={200: SearchLatencyOut})
async def read_search_latency(call: Call, operator: Operator, query: ReadSpan) -> Response:
    """Read how long searches and their stages took."""
    span = _span(call, query)
    return reply(200, SearchLatencyOut.of(span, await call.core.searches.analytics.latency(span)))


@operations.serve("GET", ANALYTICS + "/degradation", answers={200: SearchDegradationOut})
async def read_search_degradation(call: Call, operator: Operator, query: ReadSpan) -> Response:
    """Read what searches had to leave out, and why."""
    span = _span(call, query)
    return reply(200, SearchDegradationOut.of(span, await call.core.searches.analytics.degradation(span)))


@operations.serve("GET", ANALYTICS + "/click-through", answers={200: ClickThroughOut})
async def read_click_through(call: Call, operator: Operator, query: ReadSpan) -> Response:
    """Read how often a result is opened, and where in the list it stood."""
    span = _span(call, query)
    return reply(200, ClickThroughOut.of(span, await call.core.searches.analytics.click_through(span)))


@operations.serve("GET", ANALYTICS + "/tiers", answers={200: SearchTiersOut})
async def read_search_tiers(call: Call, operator: Operator, query: ReadSpan) -> Response:
    """Read how places are found: how often each tier is tried, decides, how sure it is and how long it takes."""
    span = _span(call, query)
    return reply(200, SearchTiersOut.of(span, await call.core.searches.analytics.tiers(span)))


def _span(call: Call, query: ReadSpan) -> Span:
    return call.core.searches.span(query.since, query.until)
