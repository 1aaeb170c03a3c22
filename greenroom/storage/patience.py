"""Trying again what the database could not do just now, for those whom nobody waits for: loading and filling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import trio

from greenroom.schema.errors import Conflict, EmailTaken, Unavailable

TRIES: Final = 8

PAUSE_S_FIRST: Final = 0.1
PAUSE_S_MAX: Final = 5.0
"""Between two tries, doubling from the first: some fifteen seconds in all, in which a database is started again."""

T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Return what ``call`` returns; if something was in its way that passes, call it again, after a pause.

    Args:
        call: may be done twice: one that was given up may have happened all the same.

    Raises:
        Conflict, EmailTaken, Unavailable: what the last try raised.
    """
    pause_s = PAUSE_S_FIRST
    for tries_left in reversed(range(TRIES)):
        try:
            return await call()
        except (Conflict, EmailTaken, Unavailable) as exc:
            if not tries_left:
                raise
            if isinstance(exc, Unavailable):
                await trio.sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_S_MAX)
    raise AssertionError("unreachable: the last try returns or raises")
