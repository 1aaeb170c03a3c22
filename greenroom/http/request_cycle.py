"""One request through Quart: the body is read first, bounded in size and time; resources outlive the handler.

Quart-Trio runs two tasks in a nursery for each request, one of which waits for the client to leave. Here a request
takes no task of its own: bodies are small, so they are read before the handler starts, and a client that leaves is
noticed by its connection, which cancels this.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, cast

import quart
import structlog
import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart_trio.asgi import TrioASGIHTTPConnection
from quart_trio.wrappers import TrioRequest

from greenroom.http.access import RequestRecord
from greenroom.http.faults import BodyTimeout, BodyTooLarge, HttpFault
from greenroom.supervisor import origin

if TYPE_CHECKING:
    from greenroom.http.app import Application

BODY_BYTES_MAX: Final = 64 * 1024
"""Thirteen times the longest message, escaped; nothing we accept is larger."""

BODY_TIMEOUT_S: Final = 10.0
BODY_BEGIN_TIMEOUT_S: Final = 5.0
BODY_BYTES_PER_S_MIN: Final = 1024
"""A body has five seconds, and one more for each KiB that came of it, up to ten: who drips holds a connection no longer
than who says nothing. (The rule of Apache's RequestReadTimeout, with its MinRate.)"""


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
                    request.payload = await _read_body(receive, request.headers.get("Content-Length"))
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


async def _read_body(receive: ASGIReceiveCallable, content_length: str | None) -> bytes:
    """Read the whole body.

    Raises:
        BodyTooLarge: it is, or says it will be, larger than BODY_BYTES_MAX.
        BodyTimeout: it did not come in time.
    """
    if content_length is not None and int(content_length) > BODY_BYTES_MAX:
        raise BodyTooLarge(f"A body may have {BODY_BYTES_MAX} bytes.")
    body = bytearray()
    began = trio.current_time()
    with trio.CancelScope() as patience:
        while True:
            earned_s = BODY_BEGIN_TIMEOUT_S + len(body) / BODY_BYTES_PER_S_MIN
            patience.deadline = began + min(earned_s, BODY_TIMEOUT_S)
            event: Any = await receive()
            body += event.get("body", b"")
            if len(body) > BODY_BYTES_MAX:
                raise BodyTooLarge(f"A body may have {BODY_BYTES_MAX} bytes.")
            if not event.get("more_body", False):
                return bytes(body)
    raise BodyTimeout(f"The body came too slowly, or not within {BODY_TIMEOUT_S:.0f} s.")
