"""What no HTTP client sends: a fixed list of what has ended servers before, and good requests with bytes changed.

Sources: hypercorn#225 (bytes after an upgrade), #197 and #329 (data after an early answer); anycorn#68 (bytes of 0x80 and
above where ASCII belongs); h11#90 and RFC 9112, 6.1 (two framings at once); RFC 9113 for what opens HTTP/2.
"""

from __future__ import annotations

import base64
from random import Random
from typing import Final

UPGRADE: Final = (
    b"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(b"0123456789abcdef") + b"\r\nSec-WebSocket-Version: 13\r\n"
)
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2. Source: RFC 9113, 4.1."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _literal(name: bytes, value: bytes) -> bytes:
    """A header field without indexing. Source: RFC 7541, 6.2.2."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def _h2(*frames: bytes) -> bytes:
    return PREFACE + _frame(4, 0, 0, b"") + b"".join(frames)


def _h2_request(**pseudo: bytes) -> bytes:
    fields = {b"method": b"GET", b"scheme": b"http", b"authority": b"x", b"path": b"/"}
    fields |= {name.encode(): value for name, value in pseudo.items()}
    block = b"".join(_literal(b":" + name, value) for name, value in fields.items() if value)
    return _frame(1, 0x04, 1, block)


CORPUS: Final = (
    UPGRADE + b"\r\nX",
    UPGRADE + b"Sec-WebSocket-Protocol: \xff\xfe\r\n\r\n",
    UPGRADE + b"Origin: https://evil.example\r\n\r\n",
    UPGRADE + b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n\r\n\xc2\x7f\xff\xff",
    _h2(_h2_request(path=b"/\xff")),
    _h2(_h2_request(method=b"G\xc3\x8bT")),
    _h2(_h2_request(method=b"CONNECT", path=b"")),
    _h2(_h2_request(method=b"POST"), *(_frame(0, 0, 1, b"x" * 1_000) for _ in range(20))),
    _h2(*(_frame(2, 0, 2 * n + 1, b"\0\0\0\0\x10") for n in range(2_000))),
    _h2(*(_h2_request() + _frame(3, 0, 1, b"\0\0\0\x08") for _ in range(500))),
    _h2(*(_frame(6, 0, 0, b"pingping") for _ in range(200))),
    PREFACE + b"\xff" * 64,
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/auth/login HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 60,
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"",
    b"\r\n" * 50,
    b"\x00" * 100,
    b"\xff" * 4096,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: [\r\n\r\n",
    b"GET /%ff%00%zz?limit=%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n folded\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !!\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nCookie: greenroom=\xff\xfe\r\n\r\n",
    b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: \xf0\x9f\x92\xa9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200,
)
"""In what order does not matter; the first round sends each once."""

GOOD: Final = (
    b"GET /api/v1/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer nobody\r\n\r\n",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: v1.x.0\r\n\r\n",
    UPGRADE + b"\r\n",
    _h2(_h2_request()),
)
"""Requests to change bytes of."""


def mutate(random: Random, request: bytes) -> bytes:
    """Change some bytes of a good request: overwritten, cut out, repeated, or cut off."""
    changed = bytearray(request)
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(changed) or 1)
        match random.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                del changed[at : at + random.randint(1, 8)]
            case 2:
                changed[at:at] = changed[at : at + random.randint(1, 40)] * random.randint(1, 5)
            case _:
                del changed[max(1, at) :]
    return bytes(changed)
