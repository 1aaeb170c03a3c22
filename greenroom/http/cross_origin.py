"""Which other origins' pages may read our answers: those an operator listed, and no other (CORS).

The origin is never reflected; it is compared with the list. Without a list nothing is added to any response.
Source: Fetch Standard, 3.3 "CORS protocol".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from quart.wrappers import Request
from werkzeug.datastructures import Headers

ALLOWED_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, X-Request-Id"
EXPOSED_HEADERS: Final = "Idempotency-Replayed, Retry-After, X-Request-Id"
PREFLIGHT_AGE_S: Final = 600


class CrossOrigin:
    """Args:
    allowed: origins such as ``https://app.example``.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def is_preflight(self, request: Request) -> bool:
        """Whether a browser asks, for a page of an allowed origin, what that page may send."""
        return (
            request.method == "OPTIONS"
            and "Access-Control-Request-Method" in request.headers
            and request.headers.get("Origin") in self._allowed
        )

    def allow(self, headers: Headers, *, methods: Iterable[str]) -> None:
        """Answer a preflight: what the page may send."""
        headers["Access-Control-Allow-Methods"] = ", ".join(sorted(methods))
        headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_AGE_S)

    def annotate(self, request: Request, headers: Headers) -> None:
        """Let a page of an allowed origin read this answer."""
        if not self._allowed:
            return
        headers.add("Vary", "Origin")
        origin = request.headers.get("Origin")
        if origin in self._allowed:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
            headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
