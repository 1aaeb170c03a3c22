"""How the event loop fared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.actors.loop_watch import LoopReport


class LoopCollector(Collector):
    """How the event loop fared in the last minute."""

    def __init__(self, report: Callable[[], LoopReport]) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        now = self._report()
        lag = GaugeMetricFamily(
            "greenroom_loop_lag_seconds",
            "How long what happens at a random moment waits for the event loop, over the last minute.",
            labels=["quantile"],
        )
        for quantile, lag_ms in (("0.5", now.lag_ms.p50), ("0.95", now.lag_ms.p95), ("0.99", now.lag_ms.p99)):
            lag.add_metric([quantile], lag_ms / 1000)
        yield lag
        yield GaugeMetricFamily(
            "greenroom_loop_longest_turn_seconds",
            "The longest the event loop was busy without a look at its sockets, over the last minute.",
            now.longest_turn_ms / 1000,
        )
        yield GaugeMetricFamily(
            "greenroom_loop_busy_ratio", "Share of the last minute that the event loop was busy.", now.busy_share
        )
        yield GaugeMetricFamily("greenroom_loop_tasks", "Trio tasks that live.", now.tasks_living)
        yield GaugeMetricFamily(
            "greenroom_gc_longest_pause_seconds",
            "The longest garbage collection of the last minute.",
            now.gc.longest_ms / 1000,
        )
