"""The head of an answer, and how its body is framed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final, NamedTuple

import trio

from greenroom.schema.clock import WallClock

_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode()) for status in HTTPStatus
}

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_BODILESS: Final = frozenset({204, 304})
_ALLOWED_BYTES: Final = b"\t\r\n" + bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F)


class ResponseHead(NamedTuple):
    """An answer's head as it goes over the wire, and what follows it.

    Attributes:
        has_body: False for HEAD, 204 and 304: whatever the application gives as a body is not sent.
        content_length: bytes that must follow; None if it was not said.
        is_chunked: whether the body has to be sent in chunks.
        keeps_alive: whether another request may follow.
    """

    data: bytes
    has_body: bool
    content_length: int | None
    is_chunked: bool
    keeps_alive: bool


def render_head(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    *,
    date: bytes,
    method: str | None,
    version: str,
    keeps_alive: bool,
    whole_body_bytes: int | None = None,
) -> ResponseHead:
    """Render a head.

    Args:
        headers: as the application gave them; framing (Transfer-Encoding) and Connection are decided here.
        method: of the request; None if there was none.
        keeps_alive: whether we and the client want to go on; ``Connection: close`` among the headers overrules it.
        whole_body_bytes: the length of the body if all of it is known; then it is sent as Content-Length.

    Raises:
        ValueError: a header would end its line, or a length is no number: a bug of the application. Nothing was sent.
    """
    has_body = method != "HEAD" and status not in _BODILESS
    lines = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
    length: int | None = None
    for name, value in headers:
        match name.lower():
            case b"content-length":
                length = int(value)
                if status == 204:
                    continue  # RFC 9110, 8.6
            case b"connection":
                keeps_alive = keeps_alive and b"close" not in value.lower()
                continue
            case b"transfer-encoding":
                continue
        lines.append(b"%b: %b\r\n" % (name, value))
    if length is None and has_body and whole_body_bytes is not None:
        length = whole_body_bytes
        lines.append(b"content-length: %d\r\n" % length)
    is_chunked = has_body and length is None and version == "1.1"
    if is_chunked:
        lines.append(b"transfer-encoding: chunked\r\n")
    elif has_body and length is None:
        keeps_alive = False  # the end of the connection is the end of the body
    lines.append(b"date: %b\r\n" % date)
    if not keeps_alive:
        lines.append(b"connection: close\r\n")
    lines.append(b"\r\n")
    data = b"".join(lines)
    # Each line has one break, at its end, and nothing else that could be taken for one.
    breaks = {data.count(b"\r\n"), data.count(b"\n"), data.count(b"\r")}
    if breaks != {len(lines)} or data.translate(None, _ALLOWED_BYTES):
        raise ValueError("a header with a line break or a control character in it")
    return ResponseHead(data, has_body, length, is_chunked, keeps_alive)


class DateHeader:
    """The Date header's value, rendered once a second (RFC 9110, 6.6.1)."""

    def __init__(self, wall: WallClock) -> None:
        self._wall = wall
        self._rendered = b""
        self._good_until = -1.0

    def __call__(self) -> bytes:
        now = trio.current_time()
        if now >= self._good_until:
            self._rendered = format_datetime(self._wall(), usegmt=True).encode()
            self._good_until = now + 1
        return self._rendered


Refusal = Callable[[int], tuple[list[tuple[bytes, bytes]], bytes]]
"""Makes headers and body of the answer to a request that never became one; given the status."""


def bare_refusal(status: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Refuse without a body."""
    return [], b""
