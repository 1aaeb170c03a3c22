"""One server in one process: started, announced, told to stop, and stopped in order."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import structlog
import trio

from greenroom.app.announcement import Running, running
from greenroom.app.data_folder import make_data_dir, with_admin_api_key
from greenroom.app.database import open_database
from greenroom.app.listening import bind, serving_limits
from greenroom.app.seeding import Seed, seed_marketplace
from greenroom.app.server import open_server, serve_until
from greenroom.app.steps import Steps, watched
from greenroom.schema.settings import Settings
from greenroom.stop_bound import STOP_MORE_S, bounding_stop

_log = structlog.get_logger(__name__)


async def run_server(
    settings: Settings,
    *,
    steps: Steps,
    announce: Callable[[Running], None],
    seed: Seed | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; returns when all has stopped in order.

    Args:
        announce: called once, when requests are served.
        seed: fills the marketplace before that.

    Raises:
        Unavailable: the database can't be reached at the start.
        CannotStart: the address can't be bound, or the data folder not be used.
    """
    make_data_dir(settings)
    settings = with_admin_api_key(settings)
    limits = serving_limits(settings)
    async with AsyncExitStack() as until_the_end:
        # Outside of everything that stops, so that a second signal and the bound hold until all has.
        watching = await until_the_end.enter_async_context(trio.open_nursery())
        until_the_end.callback(watching.cancel_scope.cancel)
        start_clock = until_the_end.enter_context(bounding_stop(settings.drain_timeout_s + STOP_MORE_S))
        async with watched(steps), AsyncExitStack() as stack:
            # Bound first: that the port is taken should be known before Postgres is started.
            listeners = await bind(settings, limits)
            for listener in listeners:
                stack.push_async_callback(listener.aclose)
            pool = await stack.enter_async_context(open_database(settings, steps))
            if seed is not None:
                await seed_marketplace(seed, pool.options, settings, steps)
            opened = await stack.enter_async_context(
                open_server(settings, pool=pool, listeners=listeners, limits=limits)
            )
            signals = until_the_end.enter_context(trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT))

            async def told_to_stop() -> bool:
                announce(running(settings, opened.server.addresses[0]))
                await signals.__anext__()
                start_clock()
                watching.start_soon(_exit_on_signal, signals)
                return False

            await serve_until(opened, told_to_stop)
    _log.info("stopped")


async def _exit_on_signal(signals: AsyncIterator[int]) -> None:
    await signals.__anext__()
    _log.warning("stopped at once by a second signal")
    os._exit(1)
