"""Whether this worker lives, and whether it should be sent requests."""

from __future__ import annotations

import trio

from greenroom.http.call import Call
from greenroom.http.declaring import Operations
from greenroom.http.response import Response, reply
from greenroom.schema.answers import HealthOut
from greenroom.schema.errors import Unavailable

operations = Operations("Health")

READY_TIMEOUT_S = 2.0
"""Shorter than the interval at which anything probes."""


@operations.serve("GET", "/health/live", answers={200: HealthOut})
async def live(call: Call) -> Response:
    """Whether the process answers at all; if not, restart it."""
    return reply(200, HealthOut())


@operations.serve("GET", "/health/ready", answers={200: HealthOut}, refusals=[Unavailable])
async def ready(call: Call) -> Response:
    """Whether to send requests here: not while draining, nor while the database or an essential actor is out of service."""
    if call.core.draining.has_begun:
        raise Unavailable("This worker is draining.")
    with trio.move_on_after(READY_TIMEOUT_S):
        await call.core.ready()
        return reply(200, HealthOut(status="degraded" if call.core.is_degraded else "ok"))
    raise Unavailable("The database did not answer in time.")
