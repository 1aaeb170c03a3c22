"""Agreeing to go on with WebSocket: what a request has to say, and the answer.

No extension and no subprotocol is ever agreed to. With ``permessage-deflate`` an inflated message has no bound before it
is inflated, and each connection keeps a compression context of 100 KiB.

Source: RFC 6455, 4.2.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from wsproto.utilities import generate_accept_token

from greenroom.http.serving.request_head import Headers, Malformed, RequestHead

VERSION: Final = b"13"
KEY_BYTES: Final = 16

VERSIONS: Final[Headers] = [(b"sec-websocket-version", VERSION)]
"""Belongs to a refusal with 426, so that a client may try again with a version we speak (RFC 6455, 4.4)."""

_BREAKS: Final = b"\r\n\0"


def accept_token(head: RequestHead) -> bytes:
    """Check a request to go on with WebSocket and return the token that agrees to it.

    Raises:
        Malformed: it is none (400), or of another version (426: answer with :data:`VERSIONS`).
    """
    if [value for name, value in head.headers if name == b"sec-websocket-version"] != [VERSION]:
        raise Malformed(426, "another version of WebSocket")
    match [value for name, value in head.headers if name == b"sec-websocket-key"]:
        case [key] if _is_key(key):
            return generate_accept_token(key)
        case _:
            raise Malformed(400, "bad Sec-WebSocket-Key")


def render_switch(token: bytes, headers: Iterable[tuple[bytes, bytes]], *, date: bytes) -> bytes:
    """Render the answer that agrees.

    Raises:
        ValueError: a header would end its line: a bug of the application. Nothing was sent.
    """
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"upgrade: websocket",
        b"connection: Upgrade",
        b"sec-websocket-accept: " + token,
        b"date: " + date,
    ]
    for name, value in headers:
        line = name + b": " + value
        if line != line.translate(None, _BREAKS):
            raise ValueError("a header with a line break in it")
        lines.append(line)
    return b"\r\n".join([*lines, b"", b""])


def _is_key(key: bytes) -> bool:
    try:
        return len(b64decode(key, validate=True)) == KEY_BYTES
    except binascii.Error:
        return False
