"""A request's head as we accept it: llhttp decides what it says, and what others may read differently is refused.

llhttp is the parser of Node.js, used strictly (none of its leniencies is switched on). A head is handed to it whole and
alone. Rules on top of its own, all of which only narrow what is accepted:

1. Content-Length together with Transfer-Encoding is refused, and so is Transfer-Encoding in HTTP/1.0, or any other than
   exactly ``chunked``: the classic request smuggling ambiguity (RFC 9112, 6.1 and 6.3).
2. Lines end in CRLF, headers are not folded, no byte is a control character (RFC 9112, 2.2 and 5.2; RFC 9110, 5.5).
3. The version is 1.0 or 1.1. There is no HTTP/2 here, neither by preface nor by upgrade: end it at a proxy.
4. The target is a path or an absolute URI, the Host is a plausible one and there is exactly one.
5. An upgrade to WebSocket is complete: nothing of it is beyond ASCII, and it has no body.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import httptools

HEAD_END: Final = b"\r\n\r\n"

Headers = list[tuple[bytes, bytes]]

_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])\r\n")

# RFC 3986 reg-name, IPv4 or bracketed IPv6, with an optional port; empty is allowed by RFC 9112, 3.2.
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")

# More digits than any length we could serve have no meaning two parsers must agree on.
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")

_ALLOWED_BYTES: Final = b"\t\r\n" + bytes(byte for byte in range(0x20, 0x100) if byte != 0x7F)


class Malformed(Exception):
    """These bytes are no request for us; ``status`` is what to answer before closing."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class RequestHead(NamedTuple):
    """A request line and its headers, valid once made. (A tuple: one is made for each request.)

    Attributes:
        target: as sent: a path with its query, or an absolute URI.
        headers: names in lower case, values without surrounding white space, in order.
        content_length: bytes of the body; 0 without a body and for a chunked one.
        keeps_alive: whether the client means to go on with this connection.
        expects_continue: whether it waits to be told before it sends the body.
        is_websocket: whether it asks to go on with the WebSocket protocol.
    """

    method: str
    target: bytes
    version: str
    headers: Headers
    content_length: int
    is_chunked: bool
    keeps_alive: bool
    expects_continue: bool
    is_websocket: bool

    @property
    def has_body(self) -> bool:
        return self.is_chunked or self.content_length > 0


def check_beginning(received: bytes, bytes_max: int) -> None:
    """Check what has arrived of a head whose end has not, so that nonsense need not be waited for.

    Raises:
        Malformed: no continuation could make it a head.
    """
    if len(received) > bytes_max:
        raise Malformed(431, "the head is too large")
    if received.translate(None, _ALLOWED_BYTES):
        raise Malformed(400, "a control character in the head")
    if received.count(b"\n") != received.count(b"\r\n"):
        raise Malformed(400, "a line of the head ends in a bare LF")


def parse_head(head: bytes, bytes_max: int) -> RequestHead:
    """Parse a whole head.

    Args:
        head: from the first byte of a request to the empty line, which is included.

    Raises:
        Malformed: it is none, or not for this server.
    """
    check_beginning(head, bytes_max)
    if b"\n " in head or b"\n\t" in head:
        raise Malformed(400, "a header is folded")
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise Malformed(400, "bad request line")
    if line[3] not in {b"1.0", b"1.1"}:
        raise Malformed(505, "neither HTTP/1.0 nor HTTP/1.1")
    method, target = line[1], line[2]
    if method == b"CONNECT" or not target.startswith((b"/", b"http://", b"https://")):
        raise Malformed(400, "not a target of this server")
    collected = _Collected()
    headers = collected.headers
    error: Exception | None = None
    try:
        httptools.HttpRequestParser(collected).feed_data(head)
    except httptools.HttpParserUpgrade:
        pass  # whether to follow it is our decision
    except httptools.HttpParserInvalidMethodError:
        raise Malformed(501, "unknown method") from None
    except httptools.HttpParserError as exc:
        error = exc
    return _check(method, target, line[3], headers, error)


class _Collected:
    """What llhttp found."""

    __slots__ = ("headers",)

    def __init__(self) -> None:
        self.headers: Headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))


def _check(method: bytes, target: bytes, version: bytes, headers: Headers, error: Exception | None) -> RequestHead:
    named = dict(headers)
    coding, length = named.get(b"transfer-encoding"), named.get(b"content-length")
    if coding is not None and (length is not None or version == b"1.0"):
        raise Malformed(400, "ambiguous body length")
    if coding is not None and coding.lower() != b"chunked":
        raise Malformed(501, "a transfer coding other than chunked")
    if error is not None:
        raise Malformed(400, str(error)) from error
    if length is not None and _LENGTH.fullmatch(length) is None:
        raise Malformed(400, "bad Content-Length")
    hosts = sum(name == b"host" for name, _ in headers)
    if hosts > 1 or (hosts == 0 and version == b"1.1") or _HOST.fullmatch(named.get(b"host", b"")) is None:
        raise Malformed(400, "bad Host")
    connection = b"" if b"connection" not in named else _listed(headers, b"connection")
    has_body = coding is not None or (length is not None and int(length) > 0)
    is_websocket = (
        version == b"1.1"
        and method == b"GET"
        and named.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in _tokens(connection)
    )
    if is_websocket and (has_body or any(not value.isascii() for _, value in headers)):
        raise Malformed(400, "bad upgrade")
    return RequestHead(
        method=method.decode("ascii"),
        target=target,
        version=version.decode("ascii"),
        headers=headers,
        content_length=0 if length is None else int(length),
        is_chunked=coding is not None,
        keeps_alive=version == b"1.1" and (not connection or b"close" not in _tokens(connection)),
        expects_continue=has_body and version == b"1.1" and named.get(b"expect", b"").lower() == b"100-continue",
        is_websocket=is_websocket,
    )


def _listed(headers: Headers, name: bytes) -> bytes:
    return b",".join(value for found, value in headers if found == name)


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip() for token in value.lower().split(b",")]
