"""What is logged and counted of each request: id, method, route, status, duration. Never a query string or a body.

Request lines have a level of their own: ``warning`` for what failed on our side, ``debug`` for what machines ask every
few seconds, else ``info``. What was turned away at the door did not fail: who is overloaded has no time to say so each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from logging import CRITICAL, DEBUG, ERROR, INFO, WARNING
from typing import Final

import structlog
import trio

from greenroom.http.metrics import RequestMetrics
from greenroom.schema.ids import Ids

UNMATCHED: Final = "(unmatched)"
"""The route of requests that match none: paths are chosen by clients, so they are no label."""

OTHER_METHOD: Final = "(other)"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

ABANDONED: Final = "abandoned"
"""Instead of a status: the client left before it was answered."""

QUIET_ROUTES: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Asked by machines every few seconds; logged at level debug."""

_LEVELS: Final = {"debug": DEBUG, "info": INFO, "warning": WARNING, "error": ERROR, "critical": CRITICAL}

# An id may come from a proxy in front of us; anything that could break a log line or a header may not.
_SANE_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(slots=True)
class RequestRecord:
    """One request while it is served; ``status`` stays None until an answer begins, ``is_shed`` says that it was turned away."""

    request_id: str
    method: str
    started_at: float
    route: str = UNMATCHED
    status: int | None = None
    is_stream: bool = False
    is_shed: bool = False


class AccessRecorder:
    """Begins and ends records."""

    def __init__(self, ids: Ids, metrics: RequestMetrics, *, level: str) -> None:
        """
        Args:
            level: least severe request line that is written, whatever the level of other lines.
        """
        self._ids = ids
        self._metrics = metrics
        self._log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(level))
        self._level = _LEVELS[level]

    def begin(self, method: str, given_id: str | None) -> RequestRecord:
        """Begin a record; ``given_id`` is the client's X-Request-Id, which is kept if it is sane."""
        is_sane = given_id is not None and _SANE_REQUEST_ID.fullmatch(given_id) is not None
        return RequestRecord(
            request_id=given_id if is_sane and given_id is not None else self._ids.ulid(),
            method=method if method in METHODS else OTHER_METHOD,
            started_at=trio.current_time(),
        )

    def end(self, record: RequestRecord) -> None:
        duration_s = trio.current_time() - record.started_at
        status = ABANDONED if record.status is None else str(record.status)
        self._metrics.observe(record.method, record.route, status, duration_s, is_stream=record.is_stream)
        is_ours = record.status is not None and record.status >= 500 and not record.is_shed
        level = WARNING if is_ours else DEBUG if record.route in QUIET_ROUTES else INFO
        if level < self._level:
            return  # finding that out is half of what a line costs
        self._log.log(
            level,
            "request",
            request_id=record.request_id,
            method=record.method,
            route=record.route,
            status=record.status or ABANDONED,
            duration_ms=round(duration_s * 1000, 1),
            is_stream=record.is_stream,
        )
