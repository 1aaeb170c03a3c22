"""One request through Quart: the body is read first, bounded in size and time; resources outlive the handler.

Quart-Trio runs two tasks in a nursery for each request, one of which waits for the client to leave. Here a request
takes no task of its own: bodies are small, so they are read before the handler starts, and a client that leaves is
noticed by its connection, which cancels this.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, cast

import quart
import structlog
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart_trio.asgi import TrioASGIHTTPConnection
from quart_trio.wrappers import TrioRequest

from greenroom.http.access import RequestRecord
from greenroom.http.faults import HttpFault
from greenroom.http.request_body import read_body
from greenroom.supervisor import origin

if TYPE_CHECKING:
    from greenroom.http.app import Application


class ReceivedRequest(TrioRequest):
    """A request whose body was read already.

    Attributes:
        payload: the body, if it was accepted.
        body_fault: why it was not.
        resources: what the answer needs until its last byte is written; closed afterwards, or when the client leaves.
        record: what is logged and counted of this request.
    """

    payload: bytes
    body_fault: HttpFault | None
    resources: AsyncExitStack
    record: RequestRecord


def current_request() -> ReceivedRequest:
    """Return the request that is being served in this task."""
    return cast(ReceivedRequest, quart.request._get_current_object())  # type: ignore[attr-defined]


class RequestCycle(TrioASGIHTTPConnection):
    """Serves one HTTP scope. The server must cancel it when the client leaves."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        app = cast("Application", self.app)
        request = cast(ReceivedRequest, self._create_request_from_scope(send))
        request.record = app.recorder.begin(request.method, request.headers.get("X-Request-Id"))
        try:
            request.payload, request.body_fault = b"", None
            try:
                if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers:
                    request.payload = await read_body(receive, request.headers.get("Content-Length"))
            except HttpFault as fault:
                request.body_fault = fault
            async with AsyncExitStack() as request.resources:
                request_id = request.record.request_id
                # What it asks of actors carries the request's id as its trace, and so does every line it logs.
                with origin(request_id), structlog.contextvars.bound_contextvars(request_id=request_id):
                    response = await app.handle_request(request)
                    request.record.status = response.status_code
                    request.record.is_stream = getattr(response, "timeout", ...) is None
                    await self._send_response(send, response)
        finally:
            app.recorder.end(request.record)
