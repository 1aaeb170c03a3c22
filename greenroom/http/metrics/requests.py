"""Requests and refusals, counted as they happen."""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

DURATION_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestMetrics:
    """Counts requests by method, route and status, and measures them by route."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "greenroom_http_requests",
            "Requests by method, route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._durations = Histogram(
            "greenroom_http_request_seconds",
            "From the request's head to the last byte of the answer; streams are not in it.",
            ["route"],
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )

        # Looking a child up by its labels costs as much as counting. There are as many as there are label sets, which
        # are closed.
        self._counters = cache(self._requests.labels)
        self._histograms = cache(self._durations.labels)

    def observe(self, method: str, route: str, status: str, duration_s: float, *, is_stream: bool) -> None:
        self._counters(method, route, status).inc()
        if not is_stream:
            self._histograms(route).observe(duration_s)


class RefusalMetrics:
    """Counts refusals by the code that clients see too, which is from a closed list."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "greenroom_http_refusals", "Requests that were refused, by code.", ["code"], registry=registry
        )
        self._counters = cache(self._refusals.labels)  # as above

    def count(self, code: str) -> None:
        self._counters(code).inc()
