"""The API about itself: its description, and its metrics."""

from __future__ import annotations

from greenroom.http import docs_page, metrics
from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.operations import Answer
from greenroom.http.operator_credentials import authorize_scraper
from greenroom.http.response import Response, json_reply, reply_with
from greenroom.http.signature import Access
from greenroom.schema.errors import NotAuthenticated, PermissionDenied, Unavailable

operations = Operations("Server")


@operations.serve("GET", "/openapi.json", answers={200: Answer(None, "application/json", "OpenAPI 3.1")})
async def openapi(call: Call) -> Response:
    """Read this API's description."""
    return json_reply(200, call.site.openapi)


@operations.serve("GET", "/docs", answers={200: Answer(None, "text/html; charset=utf-8", "A page")})
async def docs(call: Call) -> Response:
    """Read this API's description as a page."""
    return reply_with(call.site.docs, "text/html; charset=utf-8", content_security_policy=docs_page.POLICY)


@operations.serve(
    "GET",
    "/metrics",
    answers={200: Answer(None, metrics.MEDIA_TYPE, "Prometheus' text format")},
    refusals=[NotAuthenticated, PermissionDenied, Unavailable],
    access=Access.SCRAPER,
)
async def read_metrics(call: Call) -> Response:
    """Read the metrics of all workers.

    With several, every sample has a label worker, and greenroom_worker_up says which of them answered.
    For operators, unless the server is set to show them to anybody. The operator's key may also come as a bearer token.
    """
    if not call.settings.metrics_public:
        await authorize_scraper(call.request, call.core.sign_in, call.settings)
    return reply_with(metrics.render_metrics(call.site.registry), metrics.MEDIA_TYPE)
