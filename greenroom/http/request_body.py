"""Reading a request's body whole, bounded in size and time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio

from greenroom.http.faults import BodyTimeout, BodyTooLarge

BODY_BYTES_MAX: Final = 64 * 1024
"""Thirteen times the longest message, escaped; nothing we accept is larger."""

BODY_TIMEOUT_S: Final = 10.0
BODY_BEGIN_TIMEOUT_S: Final = 5.0
BODY_BYTES_PER_S_MIN: Final = 1024
"""A body has five seconds, and one more for each KiB that came of it, up to ten: who drips holds a connection no longer
than who says nothing. (The rule of Apache's RequestReadTimeout, with its MinRate.)"""


async def read_body(receive: Callable[[], Awaitable[Any]], content_length: str | None) -> bytes:
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
            event = await receive()
            body += event.get("body", b"")
            if len(body) > BODY_BYTES_MAX:
                raise BodyTooLarge(f"A body may have {BODY_BYTES_MAX} bytes.")
            if not event.get("more_body", False):
                return bytes(body)
    raise BodyTimeout(f"The body came too slowly, or not within {BODY_TIMEOUT_S:.0f} s.")
