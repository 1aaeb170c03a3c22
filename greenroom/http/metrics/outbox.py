"""How much is to be done after commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.schema.outbox import OutboxFigures


class OutboxCollector(Collector):
    """How much is to be done and how late it is: of all workers together, as each of them saw it lately.

    So it is the highest of what several workers say that counts, and not the sum. Nothing while it is not known.
    """

    def __init__(self, read: Callable[[], OutboxFigures | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily(
            "greenroom_outbox_jobs",
            "Jobs of the outbox by state, up to 10000; the same from every worker.",
            labels=["state"],
        )
        oldest = GaugeMetricFamily(
            "greenroom_outbox_oldest_seconds",
            "How long ago the oldest job that is pending was to be done; the same from every worker.",
        )
        now = self._read()
        if now is not None:
            jobs.add_metric(["waiting"], now.waiting)
            jobs.add_metric(["running"], now.running)
            jobs.add_metric(["scheduled"], now.scheduled)
            jobs.add_metric(["dead"], now.dead)
            oldest.add_metric([], now.oldest.total_seconds())
        yield from (jobs, oldest)
