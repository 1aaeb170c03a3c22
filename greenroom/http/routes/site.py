"""The API about itself: its description, and its metrics."""

from __future__ import annotations

import json
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from quart.wrappers import Response

from greenroom.http import docs_page, metrics
from greenroom.http.openapi import openapi_document, problem_kinds
from greenroom.http.operations import Answer, Call, Operation, Operations


def site_operations(
    operations: Sequence[Operation], *, cookie: str, registry: CollectorRegistry
) -> list[Operation]:
    """Make the operations that describe ``operations`` and themselves."""
    site = Operations("Server")

    @site.serve("GET", "/openapi.json", answers={200: Answer(None, "application/json", "OpenAPI 3.1")})
    async def openapi(call: Call) -> Response:
        """Read this API's description."""
        return Response(document, content_type="application/json")

    @site.serve("GET", "/docs", answers={200: Answer(None, "text/html; charset=utf-8", "A page")})
    async def docs(call: Call) -> Response:
        """Read this API's description as a page."""
        headers = {"Content-Security-Policy": docs_page.POLICY}
        return Response(page, headers=headers, content_type="text/html; charset=utf-8")

    @site.serve("GET", "/metrics", answers={200: Answer(None, metrics.MEDIA_TYPE, "Prometheus' text format")})
    async def read_metrics(call: Call) -> Response:
        """Read this worker's metrics."""
        return Response(metrics.render_metrics(registry), content_type=metrics.MEDIA_TYPE)

    everything = [*operations, *site.all]
    document = json.dumps(openapi_document(everything, cookie=cookie)).encode()
    page = docs_page.docs_page(everything, problem_kinds(everything))
    return site.all
