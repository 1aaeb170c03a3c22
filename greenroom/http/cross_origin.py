"""Which other origins' pages may read our answers: those an operator listed, and no other (CORS).

The origin is never reflected; it is compared with the list. Without a list nothing is added to any response.
Source: Fetch Standard, 3.3 "CORS protocol".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from greenroom.http.request import Request
from greenroom.http.response import Header

ALLOWED_HEADERS: Final = "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, X-Request-Id"
EXPOSED_HEADERS: Final = "Idempotency-Replayed, Retry-After, X-Request-Id"
PREFLIGHT_AGE_S: Final = 600


class CrossOrigin:
    """Args:
    allowed: origins such as ``https://app.example``.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    @property
    def is_in_use(self) -> bool:
        """Whether any origin is allowed: without, every answer is the same for all."""
        return bool(self._allowed)

    def is_preflight(self, request: Request) -> bool:
        """Whether a browser asks, for a page of an allowed origin, what that page may send."""
        return (
            request.method == "OPTIONS"
            and request.header(b"access-control-request-method") is not None
            and self.allowed_origin(request) is not None
        )

    def allowed_origin(self, request: Request) -> str | None:
        """The origin of the page that asks, if it is an allowed one."""
        origin = request.header(b"origin") if self._allowed else None
        return origin if origin in self._allowed else None

    def permission(self, methods: Iterable[str]) -> list[Header]:
        """The answer to a preflight: what the page may send."""
        return [
            (b"access-control-allow-methods", ", ".join(sorted(methods)).encode()),
            (b"access-control-allow-headers", ALLOWED_HEADERS.encode()),
            (b"access-control-max-age", b"%d" % PREFLIGHT_AGE_S),
        ]

    def annotation(self, request: Request) -> list[Header]:
        """Let a page of an allowed origin read this answer."""
        if not self._allowed:
            return []
        origin = self.allowed_origin(request)
        if origin is None:
            return [(b"vary", b"Origin")]
        return [
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
            (b"cross-origin-resource-policy", b"cross-origin"),
        ]
