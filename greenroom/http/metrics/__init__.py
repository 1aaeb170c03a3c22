"""Prometheus metrics, rendered on demand. Label sets are closed: kinds, routes, statuses and reasons, never ids.

Source: https://prometheus.io/docs/practices/naming/
"""

from greenroom.http.metrics.event_loop import LoopCollector
from greenroom.http.metrics.exposition import MEDIA_TYPE, render_metrics
from greenroom.http.metrics.kernel import KernelCollector
from greenroom.http.metrics.limits import LimitCollector
from greenroom.http.metrics.outbox import OutboxCollector
from greenroom.http.metrics.own_counts import OWN_COUNTS, OwnCountsCollector
from greenroom.http.metrics.requests import RefusalMetrics, RequestMetrics
from greenroom.http.metrics.search import SearchCollector, SearchLogCollector
from greenroom.http.metrics.serving import ServingCollector
from greenroom.http.metrics.single_numbers import CounterCollector, GaugeCollector

__all__ = [
    "MEDIA_TYPE",
    "OWN_COUNTS",
    "CounterCollector",
    "GaugeCollector",
    "KernelCollector",
    "LimitCollector",
    "LoopCollector",
    "OutboxCollector",
    "OwnCountsCollector",
    "RefusalMetrics",
    "RequestMetrics",
    "SearchCollector",
    "SearchLogCollector",
    "ServingCollector",
    "render_metrics",
]
