"""What all connections of one server share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from greenroom.http.serving.body_room import BodyRoom
from greenroom.http.serving.door import Door
from greenroom.http.serving.forwarded import TrustedProxies
from greenroom.http.serving.hang_ups import HangUps
from greenroom.http.serving.limits import Limits
from greenroom.http.serving.response_head import DateHeader, Refusal
from greenroom.http.serving.statistics import ServingCounters


@dataclass(frozen=True, slots=True)
class Shared:
    """See :class:`~greenroom.http.serving.server.Server` for what each is.

    Attributes:
        config: of the lifespan, which is Hypercorn's.
        drains: set once the server drains.
        state: what the application's lifespan left for its requests; each gets a copy.
    """

    app: ASGIFramework
    bodies: BodyRoom
    config: Config
    drains: trio.Event
    counters: ServingCounters
    date: DateHeader
    door: Door
    hang_ups: HangUps
    limits: Limits
    proxies: TrustedProxies
    refusal: Refusal
    state: dict[str, Any]
    websocket_paths: frozenset[bytes]

    @property
    def is_draining(self) -> bool:
        return self.drains.is_set()
