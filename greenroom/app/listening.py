"""What a server listens on, and for how many connections there is room."""

from __future__ import annotations

from typing import Final

import structlog

from greenroom.app.errors import CannotStart
from greenroom.http.serving import Limits, Listener, listen, room_for_connections
from greenroom.http.serving.limits import LOCAL_CONNECTIONS_MAX
from greenroom.schema.settings import Settings

BUS_DESCRIPTORS_MAX: Final = 32
"""Connections that carry news between workers: a few, to each node of a cluster."""

_log = structlog.get_logger(__name__)


def serving_limits(settings: Settings) -> Limits:
    connections_max = room_for_connections(
        settings.connections_max,
        elsewhere=settings.database_pool_size + BUS_DESCRIPTORS_MAX + 2 * LOCAL_CONNECTIONS_MAX,
    )
    if connections_max < settings.connections_max:
        _log.warning(
            "fewer_connections", connections_max=connections_max, reason="the limit of open files (ulimit -n)"
        )
    return Limits(connections_max=connections_max, drain_s=settings.drain_timeout_s)


async def bind(settings: Settings, limits: Limits) -> list[Listener]:
    try:
        return await listen(settings.host, settings.port, limits=limits)
    except OSError as exc:
        raise CannotStart(f"GREENROOM_BIND: can't serve on {settings.bind}: {exc.strerror or exc}") from exc
