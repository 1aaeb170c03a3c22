"""One bound on a stop as a whole: connections, actors, the bus, the pool, Postgres. What holds it up is not waited for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Final

import structlog

STOP_MORE_S: Final = 5.0
"""Beyond the bound on draining: for actors to commit, and to close what they wrote to."""

EXIT_FAILURE: Final = 1

_log = structlog.get_logger(__name__)


@contextmanager
def bounding_stop(within_s: float) -> Iterator[Callable[[], None]]:
    """Yield what starts the clock: if the block is not left ``within_s`` seconds later, the process ends as it is.

    By a thread, because an event loop that is stuck may be what holds the stop up. Nothing depends on an orderly stop.
    """

    def give_up() -> None:
        _log.error("stop_cut_short", after_s=within_s)
        os._exit(EXIT_FAILURE)

    timer = Timer(within_s, give_up)
    timer.name, timer.daemon = "stop-bound", True
    try:
        yield lambda: None if timer.is_alive() else timer.start()
    finally:
        timer.cancel()
