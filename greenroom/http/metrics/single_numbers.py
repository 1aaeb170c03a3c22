"""Numbers that somebody else keeps, read one by one at each scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class _NumberCollector(Collector):
    _family: type[GaugeMetricFamily | CounterMetricFamily]

    def __init__(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        self._name = name
        self._documentation = documentation
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield self._family(self._name, self._documentation, self._read())


class GaugeCollector(_NumberCollector):
    """Reads one number, which rises and falls."""

    _family = GaugeMetricFamily


class CounterCollector(_NumberCollector):
    """Reads one number, which only rises."""

    _family = CounterMetricFamily
