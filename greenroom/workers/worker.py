"""One of several worker processes: what ``python -m greenroom.workers.worker`` runs.

It imports everything, waits for its parent's orders, serves, and drains when told to or when the parent is gone.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Final

import structlog
import trio

from greenroom.app import OpenServer, open_server, serve_until, serving_limits, with_admin_api_key
from greenroom.http.serving import adopt
from greenroom.logs import configure_logging
from greenroom.schema.environment import load_settings
from greenroom.schema.errors import Unavailable
from greenroom.schema.settings import BadSettings, Settings
from greenroom.stop_bound import EXIT_FAILURE, STOP_MORE_S, bounding_stop
from greenroom.storage.postgres import PostgresOptions, open_pool
from greenroom.workers.colleagues import Colleagues, LocalListener
from greenroom.workers.control import Beat, Control, Orders, Ready, Stop
from greenroom.workers.forwarding import Forwarding

BEAT_S: Final = 1.0

ORPHAN_GRACE_S: Final = 10.0
"""Beyond the bound on draining, before a worker without a parent ends itself even if its event loop is stuck."""

_log = structlog.get_logger(__name__)


async def run_worker(settings: Settings, sock: socket.socket) -> None:
    """Wait for orders, serve by them, and drain when it is time to; returns when all has stopped in order.

    Raises:
        Unavailable: the database can't be reached at the start.
    """
    control = Control(sock)
    orders = await control.receive()
    if not isinstance(orders, Orders):
        return  # the parent has no use for us, or is gone
    structlog.contextvars.bind_contextvars(worker=orders.name)
    settings = with_admin_api_key(settings)
    limits = serving_limits(settings)
    listeners = adopt([socket.socket(fileno=descriptor) for descriptor in orders.listeners], limits=limits)
    colleagues = Colleagues(Path(orders.run_dir), name=orders.name, size=orders.workers)
    local = LocalListener(colleagues.socket_path, limits=limits)
    options = PostgresOptions.from_settings(settings, orders.conninfo)
    with bounding_stop(settings.drain_timeout_s + STOP_MORE_S) as start_clock:
        async with (
            colleagues.connected(),
            open_pool(options) as pool,
            open_server(
                settings,
                pool=pool,
                listeners=[*listeners, local],
                limits=limits,
                workers=orders.workers,
                before=lambda app: Forwarding(app, colleagues),
            ) as opened,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(_beat, opened, control)
            await serve_until(opened, partial(_told_to_stop, control, start_clock))
            nursery.cancel_scope.cancel()
    _log.info("stopped")


async def _beat(opened: OpenServer, control: Control) -> None:
    while True:
        await control.send(Beat(opened.server.statistics().requests))
        await trio.sleep(BEAT_S)


async def _told_to_stop(control: Control, start_clock: Callable[[], None]) -> bool:
    """Say that we serve, and wait for the parent's word, its end, or a signal of anybody's.

    Returns:
        Whether other workers go on accepting connections.
    """
    has_successor = True
    async with trio.open_nursery() as nursery:

        async def by_signal() -> None:
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                await control.send(Ready())
                await signals.__anext__()
            nursery.cancel_scope.cancel()

        nursery.start_soon(by_signal)
        message = await control.receive()
        while message is not None and not isinstance(message, Stop):
            message = await control.receive()
        has_successor = message is not None and not message.is_last
        nursery.cancel_scope.cancel()
    start_clock()
    return has_successor


def end_with_parent(descriptor: int, *, within_s: float) -> None:
    """End this process some time after its parent did, whatever its event loop is doing."""

    def watch() -> None:
        poller = select.poll()
        # Nothing but the other end's closing, which poll(2) always reports.
        poller.register(descriptor, 0)
        poller.poll()
        Event().wait(within_s)
        os._exit(EXIT_FAILURE)

    Thread(target=watch, name="end-with-parent", daemon=True).start()


def main() -> None:
    """Run as ``python -m greenroom.workers.worker <descriptor of the control socket>``."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    try:
        settings = load_settings()
    except BadSettings as exc:
        sys.exit(str(exc))
    configure_logging(settings)
    end_with_parent(sock.fileno(), within_s=settings.drain_timeout_s + ORPHAN_GRACE_S)
    try:
        trio.run(run_worker, settings, sock)
    except* (Unavailable, BadSettings) as group:
        _log.error("worker_failed", reason=str(group.exceptions[0]))
        sys.exit(EXIT_FAILURE)


if __name__ == "__main__":
    main()
