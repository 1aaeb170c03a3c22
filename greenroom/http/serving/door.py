"""Who is turned away before the application is asked."""

from __future__ import annotations

from collections.abc import Callable

from greenroom.http.serving.request_head import RequestHead

Door = Callable[[RequestHead], bytes | None]
"""The whole answer, head and body, to a request that is turned away; None for all others. It is asked of requests without a body on
connections that go on afterwards, so the answer must not end one. It neither waits nor raises."""


def let_in(head: RequestHead) -> bytes | None:
    """Turn nobody away."""
    return None
