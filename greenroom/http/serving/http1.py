"""HTTP/1.1 as we accept it: Hypercorn's protocol over an h11 that refuses what other parsers may read differently.

Rules, beyond h11's own:

1. Content-Length together with Transfer-Encoding is refused, and so is Transfer-Encoding in HTTP/1.0: the classic
   request smuggling ambiguity (RFC 9112, 6.1; https://github.com/python-hyper/h11/issues/90).
2. Lines end in CRLF, headers are not folded (RFC 9112, 2.2 and 5.2).
3. The version is 1.0 or 1.1. There is no HTTP/2 here, neither by preface nor by upgrade: end it at a proxy.
4. The target is a path or an absolute URI, the Host is a plausible one.
5. An upgrade is ignored, as RFC 9110, 7.8 allows; bytes sent before it was accepted, or headers of it that are not
   ASCII, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import h11
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import Request as StreamRequest
from hypercorn.protocol.events import Response as StreamResponse
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import HTTPStream

from greenroom.http.serving.limits import Limits

Refusal = Callable[[int], tuple[list[tuple[bytes, bytes]], bytes]]
"""Makes headers and body of the answer to a request that never became one; given the status."""

# RFC 3986 reg-name, IPv4 or bracketed IPv6, with an optional port; empty is allowed by RFC 9112, 3.2.
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


def pinned_config(limits: Limits) -> Config:
    """Return the Hypercorn configuration that the protocol runs with."""
    config = Config()
    config.h11_max_incomplete_size = limits.head_bytes_max
    config.keep_alive_max_requests = limits.keep_alive_requests_max
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    return config


class StrictConnection(h11.Connection):
    """An h11 server connection with the rules above.

    Attributes:
        request_method: of the request whose head was read last.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=limits.head_bytes_max)
        self._head_bytes_max = limits.head_bytes_max
        self.request_method: bytes | None = None

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            check_head(self.trailing_data[0], self._head_bytes_max)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.request_method = event.method
            check_request(event, self.trailing_data[0])
        return event


def check_head(received: bytes, bytes_max: int) -> None:
    """Refuse bare LF, folded headers and too many of them in what has arrived of a head; a body may follow it."""
    end = received.find(b"\r\n\r\n")
    head = received if end < 0 else received[: end + 4]
    if len(head) > bytes_max:
        raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)
    if head.count(b"\n") != head.count(b"\r\n"):
        raise h11.RemoteProtocolError("a line of the head ends in a bare LF", error_status_hint=400)
    if b"\n " in head or b"\n\t" in head:
        raise h11.RemoteProtocolError("a header is folded", error_status_hint=400)


def check_request(request: h11.Request, trailing: bytes) -> None:
    """Refuse a request that is well-formed but not one for this server."""
    headers = dict(request.headers)
    if request.http_version not in {b"1.0", b"1.1"}:
        raise h11.RemoteProtocolError("neither HTTP/1.0 nor HTTP/1.1", error_status_hint=505)
    if b"transfer-encoding" in headers and (b"content-length" in headers or request.http_version == b"1.0"):
        raise h11.RemoteProtocolError("ambiguous body length", error_status_hint=400)
    if request.method == b"CONNECT" or not request.target.startswith((b"/", b"http://", b"https://")):
        raise h11.RemoteProtocolError("not a target of this server", error_status_hint=400)
    if _HOST.fullmatch(headers.get(b"host", b"")) is None:
        raise h11.RemoteProtocolError("bad Host", error_status_hint=400)
    if b"upgrade" in headers and (trailing or any(not value.isascii() for value in headers.values())):
        raise h11.RemoteProtocolError("bad upgrade", error_status_hint=400)


class Exchange(HTTPStream):
    """One request and its answer, as ASGI sees them."""

    refusal: Refusal

    async def handle(self, event: StreamEvent) -> None:
        if isinstance(event, StreamClosed):
            # Hypercorn would tell the application `http.disconnect` now, from inside the application's own last
            # send. An application that cancels itself on hearing it (Quart-Trio does) thereby cancels the closing
            # or re-arming of the connection that this send is about to do, and the connection stays open for ever.
            # A client that left is the business of the connection, which cancels the exchange.
            self.closed = True
            return
        await super().handle(event)

    async def _send_error_response(self, status_code: int) -> None:
        headers, body = self.refusal(status_code)
        await self.app_send({"type": "http.response.start", "status": status_code, "headers": headers})
        await self.app_send({"type": "http.response.body", "body": body, "more_body": False})


class Http1(H11Protocol):
    """One connection's protocol: bytes in, exchanges out."""

    connection: StrictConnection

    def __init__(self, *args: Any, limits: Limits, refusal: Refusal, on_malformed: Callable[[], None]) -> None:
        super().__init__(*args)
        self.connection = StrictConnection(limits)
        self._refusal = refusal
        self._on_malformed = on_malformed
        self._held = b""  # the head of an answer, which is written together with what follows it

    @property
    def has_partial_head(self) -> bool:
        """Whether a request has begun to arrive."""
        return self.connection.their_state is h11.IDLE and bool(self.connection.trailing_data[0])

    @property
    def has_whole_request(self) -> bool:
        """Whether the request being answered, if any, was received to its end."""
        return self.connection.their_state not in {h11.IDLE, h11.SEND_BODY, h11.ERROR}

    @property
    def may_have_more_input(self) -> bool:
        """Whether bytes may be waiting, or on their way, that will never be read."""
        return self.connection.their_state in {h11.SEND_BODY, h11.ERROR} or bool(self.connection.trailing_data[0])

    @property
    def has_answered(self) -> bool:
        """Whether there is no request whose answer is still to be completed."""
        return self.stream is None

    async def refuse(self, status: int) -> None:
        """Answer instead of the application, and close."""
        await self._send_error_response(status)
        await self.send(Closed())

    async def stream_send(self, event: StreamEvent) -> None:
        if isinstance(event, StreamResponse) and self.context.terminated.is_set():
            event = StreamResponse(
                stream_id=event.stream_id,
                headers=[*event.headers, (b"connection", b"close")],
                status_code=event.status_code,
            )
        await super().stream_send(event)

    async def _send_h11_event(self, event: Any) -> None:
        """Write an event's bytes; a head waits for the first of its body, so that most answers are one packet."""
        try:
            data = self._held + self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        if isinstance(event, h11.Response):
            self._held = data
            return
        self._held = b""
        if data:
            await self.send(RawData(data=data))

    async def _check_protocol(self, event: h11.Request) -> None:
        """Do nothing: there is no other protocol to change to."""

    async def _create_stream(self, request: h11.Request) -> None:
        self.stream = Exchange(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )
        self.stream.refusal = self._refusal
        self.keep_alive_requests += 1
        await self.stream.handle(
            StreamRequest(
                stream_id=STREAM_ID,
                headers=list(request.headers),
                http_version=request.http_version.decode("ascii"),
                method=request.method.decode("ascii"),
                raw_path=request.target,
                state=self.connection_state,
            )
        )

    async def _send_error_response(self, status_code: int) -> None:
        if status_code != 408:  # counted as what it is by whoever watches the time
            self._on_malformed()
        headers, body = self._refusal(status_code)
        await self._send_h11_event(
            h11.Response(
                status_code=status_code,
                headers=[*headers, (b"connection", b"close"), *self.config.response_headers("h11")],
            )
        )
        if body and self.connection.request_method != b"HEAD":
            await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())
