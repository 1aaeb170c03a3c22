"""The API about itself: its description, and its metrics."""

from __future__ import annotations

from quart.wrappers import Response

from greenroom.http import docs_page, metrics
from greenroom.http.operations import Answer, Call, Operations
from greenroom.http.operator_credentials import authorize_scraper
from greenroom.schema.errors import NotAuthenticated, PermissionDenied, Unavailable

operations = Operations("Server")


@operations.serve("GET", "/openapi.json", answers={200: Answer(None, "application/json", "OpenAPI 3.1")})
async def openapi(call: Call) -> Response:
    """Read this API's description."""
    return Response(call.site.openapi, content_type="application/json")


@operations.serve("GET", "/docs", answers={200: Answer(None, "text/html; charset=utf-8", "A page")})
async def docs(call: Call) -> Response:
    """Read this API's description as a page."""
    headers = {"Content-Security-Policy": docs_page.POLICY}
    return Response(call.site.docs, headers=headers, content_type="text/html; charset=utf-8")


@operations.serve(
    "GET",
    "/metrics",
    answers={200: Answer(None, metrics.MEDIA_TYPE, "Prometheus' text format")},
    refusals=[NotAuthenticated, PermissionDenied, Unavailable],
)
async def read_metrics(call: Call) -> Response:
    """Read this worker's metrics.

    For operators, unless the server is set to show them to anybody. The operator's key may also come as a bearer token.
    """
    if not call.settings.metrics_public:
        await authorize_scraper(call.request, call.core.sign_in, call.settings)
    return Response(metrics.render_metrics(call.site.registry), content_type=metrics.MEDIA_TYPE)
