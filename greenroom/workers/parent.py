"""The parent's own life: sockets, database, signals; its workers are the crew's business."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from random import SystemRandom

import structlog
import trio

from greenroom.app import (
    CannotStart,
    Running,
    Seed,
    Steps,
    bind,
    bus_kind,
    make_data_dir,
    open_database,
    running,
    seed_marketplace,
    serving_limits,
    watched,
    with_admin_api_key,
)
from greenroom.schema.settings import Settings
from greenroom.stop_bound import STOP_MORE_S, bounding_stop
from greenroom.workers.control import Orders
from greenroom.workers.crew import KILL_TIMEOUT_S, STOP_GRACE_S, Crew, WorkersDoNotStart
from greenroom.workers.process import WorkerProcess

_log = structlog.get_logger(__name__)


async def serve_with_workers(
    settings: Settings, *, steps: Steps, announce: Callable[[Running], None], seed: Seed | None = None
) -> None:
    """Serve with several processes until SIGTERM or SIGINT, then drain; returns when all have stopped in order.

    SIGHUP replaces every worker in turn, by processes that read the settings and the code anew. A second SIGTERM or SIGINT ends
    everything at once.

    Args:
        announce: called once, when all workers serve.
        seed: fills the marketplace before that.

    Raises:
        Unavailable: the database can't be reached at the start.
        CannotStart: the address can't be bound, the data folder not be used, or no worker comes to serve.
        BadSettings: settings can't be used together.
    """
    make_data_dir(settings)
    settings = with_admin_api_key(settings)
    bus_kind(settings, workers=settings.workers)
    bound_s = settings.drain_timeout_s + STOP_GRACE_S + KILL_TIMEOUT_S + STOP_MORE_S
    with bounding_stop(bound_s) as start_clock:
        await _serve(settings, steps=steps, announce=announce, seed=seed, stopping=start_clock)
    _log.info("stopped")


async def _serve(
    settings: Settings,
    *,
    steps: Steps,
    announce: Callable[[Running], None],
    seed: Seed | None,
    stopping: Callable[[], None],
) -> None:
    async with watched(steps), AsyncExitStack() as stack:
        # Bound first: that the port is taken should be known before Postgres is started.
        listeners = await bind(settings, serving_limits(settings))
        for listener in listeners:
            stack.push_async_callback(listener.aclose)
        run_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-"))
        pool = await stack.enter_async_context(open_database(settings, steps))
        if seed is not None:
            await seed_marketplace(seed, pool.options, settings, steps)
        await pool.close()
        descriptors = tuple(listener.socket.fileno() for listener in listeners)
        conninfo = pool.options.conninfo

        def orders(name: str) -> Orders:
            return Orders(name, settings.workers, conninfo, descriptors, run_dir)

        crew = Crew(
            size=settings.workers,
            spawn=partial(WorkerProcess.spawn, descriptors),
            orders=orders,
            drain_s=settings.drain_timeout_s,
            requests_max=settings.worker_requests_max,
            rng=SystemRandom(),
        )
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_obey, crew, signals, stopping)
                with steps.step(f"Starting {settings.workers} workers"):
                    await nursery.start(_run, crew, nursery.cancel_scope)
                announce(running(settings, listeners[0].address))


async def _run(
    crew: Crew, scope: trio.CancelScope, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    try:
        await crew.run(task_status=task_status)
    except* WorkersDoNotStart as group:
        raise CannotStart("The workers end before they serve; the reason stands above.") from group
    scope.cancel()


async def _obey(crew: Crew, signals: AsyncIterator[int], stopping: Callable[[], None]) -> None:
    is_stopping = False
    async for number in signals:
        if number == signal.SIGHUP:
            _log.info("rolling_restart")
            crew.roll()
        elif not is_stopping:
            is_stopping = True
            _log.info("stopping")
            stopping()
            crew.stop()
        else:
            _log.warning("stopped at once by a second signal")
            crew.kill()
