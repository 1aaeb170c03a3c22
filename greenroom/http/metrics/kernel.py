"""What the actors did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.supervisor import MessageStatistics, SystemStatistics


class KernelCollector(Collector):
    """What the actors did, by kind and message type."""

    def __init__(self, statistics: Callable[[], SystemStatistics]) -> None:
        self._statistics = statistics

    def collect(self) -> Iterator[Metric]:
        now = self._statistics()
        yield from self._by_kind(now)
        yield from self._by_message(now)
        letters = CounterMetricFamily(
            "greenroom_dead_letters", "Messages that could not be delivered, by reason.", labels=["reason"]
        )
        for reason, count in now.dead_letters.items():
            letters.add_metric([reason], count)
        yield letters
        yield CounterMetricFamily("greenroom_actor_restarts", "Actors restarted.", now.restarts)
        yield CounterMetricFamily("greenroom_supervisor_escalations", "Supervisors that gave up.", now.escalations)
        yield GaugeMetricFamily("greenroom_actors_wedged", "Actors found wedged.", now.wedged)
        yield CounterMetricFamily(
            "greenroom_late_replies", "Replies to askers who had given up.", now.late_replies
        )

    def _by_kind(self, now: SystemStatistics) -> Iterator[Metric]:
        live = GaugeMetricFamily("greenroom_actors", "Actors that live, by kind.", labels=["kind"])
        passivations = CounterMetricFamily(
            "greenroom_actor_passivations", "Actors stopped for idleness, by kind.", labels=["kind"]
        )
        for kind in now.kinds:
            live.add_metric([kind.kind], kind.live)
            passivations.add_metric([kind.kind], kind.passivations)
        yield live
        yield passivations

    def _by_message(self, now: SystemStatistics) -> Iterator[Metric]:
        labels = ["kind", "message"]
        handled = HistogramMetricFamily(
            "greenroom_actor_handler_seconds", "Time in the handler, by kind and message type.", labels=labels
        )
        queued = CounterMetricFamily(
            "greenroom_actor_queue_seconds", "Time spent in mailboxes, by kind and message type.", labels=labels
        )
        failures = CounterMetricFamily(
            "greenroom_actor_failures", "Messages whose handler crashed, by kind and message type.", labels=labels
        )
        expired = CounterMetricFamily(
            "greenroom_actor_expired", "Messages whose deadline passed in the mailbox.", labels=labels
        )
        for kind in now.kinds:
            for message in kind.messages:
                names = [kind.kind, message.message]
                handled.add_metric(names, _buckets(message), message.handler_s)
                queued.add_metric(names, message.queue_s)
                failures.add_metric(names, message.failures)
                expired.add_metric(names, message.expired)
        yield from (handled, queued, failures, expired)


def _buckets(message: MessageStatistics) -> list[tuple[str, float]]:
    """Cumulative counts at every second of the kernel's bounds (powers of four), from 16 us to 17 s."""
    rows: list[tuple[str, float]] = []
    seen = 0
    for index, (bound_s, count) in enumerate(zip(message.bounds_s, message.buckets, strict=True)):
        seen += count
        if 4 <= index <= 24 and index % 2 == 0:
            rows.append((f"{bound_s:.6g}", seen))
    return [*rows, ("+Inf", seen)]
