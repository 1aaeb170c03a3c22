"""What the serving loop counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.http.serving import ServingStatistics


class ServingCollector(Collector):
    """Connections, and what became of them."""

    def __init__(self, statistics: Callable[[], ServingStatistics]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterator[Metric]:
        now = self._statistics()
        yield GaugeMetricFamily("greenroom_http_connections", "Open connections.", now.connections_open)
        yield GaugeMetricFamily(
            "greenroom_http_requests_in_flight", "Requests being answered.", now.requests_in_flight
        )
        yield CounterMetricFamily(
            "greenroom_http_connections_accepted", "Connections accepted.", now.connections_accepted
        )
        yield CounterMetricFamily(
            "greenroom_http_accept_failures", "Accepts the kernel refused.", now.accept_failures
        )
        faults = CounterMetricFamily(
            "greenroom_http_connection_faults", "Connections that ended badly, by reason.", labels=["reason"]
        )
        for fault, count in now.faults.items():
            faults.add_metric([fault.value], count)
        yield faults
