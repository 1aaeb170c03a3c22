"""The last moment before requests are served: sparing the garbage collector, watching for stalls."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final

import structlog
import trio

from greenroom.actors.core import Core
from greenroom.actors.stall_watchdog import Stall, StallWatchdog
from greenroom.schema.settings import Settings

YOUNG_OBJECTS_MAX: Final = 5_000
"""Looked through for garbage when there are more: as many as a handful of searches have in use, in some 8 ms."""

_log = structlog.get_logger(__name__)


def spare_the_collector() -> None:
    """Have the garbage collector walk only what is made from now on, and only when there may be something to collect.

    What stands when a server begins to serve, stands until it ends: modules, models, routes. A full collection walks it
    every few seconds of load and stops everything meanwhile, for some 90 ms.

    By default it looks for garbage whenever 700 more objects stand than before. A single search has more than that while it
    runs, so under load it looked 55 times a second, at what was still in use: 6 % of a worker's time, 1.5 % now.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, *gc.get_threshold()[1:])


def stall_watchdog(core: Core, settings: Settings) -> StallWatchdog | None:
    """Make what logs whatever blocks the event loop; None if that is switched off."""
    if settings.stall_threshold_ms == 0:
        return None
    return StallWatchdog(core.loop, threshold_s=settings.stall_threshold_ms / 1000, report=_log_stall)


@asynccontextmanager
async def settled(watchdog: StallWatchdog | None) -> AsyncIterator[None]:
    """Have the garbage collector spare what stands by now, and watch for stalls during the block.

    Nobody is served yet, so what the collector takes is no stall: the turn in which it ran is over before the watch begins.
    """
    spare_the_collector()
    await trio.lowlevel.checkpoint()
    with nullcontext() if watchdog is None else watchdog.watching():
        yield


def _log_stall(stall: Stall) -> None:
    _log.warning("loop_blocked", task=stall.owner, for_ms=round(stall.for_ms), at=list(stall.stack[-12:]))
