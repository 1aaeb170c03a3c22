"""The API about itself: its description, and its metrics."""

from __future__ import annotations

from quart.wrappers import Response

from greenroom.http import docs_page, metrics
from greenroom.http.operations import Answer, Call, Operations

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


@operations.serve("GET", "/metrics", answers={200: Answer(None, metrics.MEDIA_TYPE, "Prometheus' text format")})
async def read_metrics(call: Call) -> Response:
    """Read this worker's metrics."""
    return Response(metrics.render_metrics(call.site.registry), content_type=metrics.MEDIA_TYPE)
