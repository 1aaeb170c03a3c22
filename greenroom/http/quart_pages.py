"""What is left to Quart: the application's life, the pages, and requests for anything that nothing serves.

Pages want what a framework is good at (conditional requests, entity tags), and nobody asks for ten thousand of them a
second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import quart
from quart.utils import encode_headers
from quart.wrappers import Response as QuartResponse
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from quart_trio.wrappers import TrioRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from greenroom.http import faults
from greenroom.http.cross_origin import CrossOrigin
from greenroom.http.pages_site import PageFile, serve_page
from greenroom.http.refusing import Refusing
from greenroom.http.request import Request
from greenroom.http.response import Response


class PageRequest(TrioRequest):
    """Quart's request, which knows ours."""

    received: Request


class QuartPages:
    """Answers with pages, and says what is not served.

    Args:
        app: which gets the pages' routes and the error handler.
        policy: the pages' Content-Security-Policy.
    """

    def __init__(
        self,
        app: QuartTrio,
        pages: Mapping[str, PageFile],
        *,
        policy: str,
        cross_origin: CrossOrigin,
        refusing: Refusing,
    ) -> None:
        self._app = app
        self._policy = policy
        self._cross_origin = cross_origin
        self._refusing = refusing
        app.request_class = PageRequest
        app.url_map.merge_slashes = False  # a redirect would be one more spelling of every path
        app.register_error_handler(Exception, self._refuse)
        for path, page in pages.items():
            self._add(path, page)

    async def answer(self, request: Request) -> Response:
        """Have Quart answer."""
        # A request without push promises needs no way to send.
        asked = TrioASGIHTTPConnection(self._app, request.scope)._create_request_from_scope(None)  # type: ignore[arg-type]
        cast(PageRequest, asked).received = request
        answer = await self._app.handle_request(asked)
        if asked.url_rule is not None:
            request.record.route = asked.url_rule.rule
        body = await cast(QuartResponse, answer).get_data(as_text=False)
        headers = [header for header in encode_headers(answer.headers) if header[0] != b"content-length"]
        return Response(answer.status_code, body, headers)

    def _add(self, path: str, page: PageFile) -> None:
        async def view() -> QuartResponse:
            return serve_page(_current(), page, policy=self._policy)

        self._app.add_url_rule(path, f"GET {path}", view, methods=["GET"], provide_automatic_options=False)

    async def _refuse(self, error: Exception) -> QuartResponse:
        request = _current().received
        if isinstance(error, MethodNotAllowed) and self._cross_origin.is_preflight(request):
            return _to_quart(Response(204, headers=self._cross_origin.permission(error.valid_methods or ())))
        match error:
            case NotFound():
                error = faults.RouteNotFound("Nothing is served at this path.")
            case MethodNotAllowed():
                error = faults.MethodNotAllowed(tuple(sorted(error.valid_methods or ())))
            case HTTPException():
                return _to_quart(self._refusing.refuse_bare(error.code or 500, request.record.request_id))
        return _to_quart(self._refusing.refuse(error, request.record.request_id))


def _current() -> PageRequest:
    return cast(PageRequest, quart.request._get_current_object())  # type: ignore[attr-defined]


def _to_quart(response: Response) -> QuartResponse:
    made = QuartResponse(response.body, status=response.status)
    del made.headers["Content-Type"]
    for name, value in response.headers:
        made.headers.add(name.decode(), value.decode())
    return made
