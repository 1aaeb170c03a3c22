"""Prometheus metrics, rendered on demand. Label sets are closed: kinds, routes, statuses and reasons, never ids.

Source: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from types import MappingProxyType
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from greenroom.actors.limiting import Limiting
from greenroom.actors.loop_watch import LoopReport
from greenroom.actors.search.log.writer import LogCounts
from greenroom.actors.sign_in import SignIn
from greenroom.http.serving import ServingStatistics
from greenroom.schema.outbox import OutboxFigures
from greenroom.supervisor import ActorDetail, MessageStatistics, NoSuchActor, SystemStatistics

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

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

    def count(self, code: str) -> None:
        self._refusals.labels(code).inc()


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


class ServingCollector(Collector):
    """What the serving loop counted."""

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


_JOB_COUNTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "done": ("greenroom_jobs_done", "Jobs of the outbox done."),
        "failed": ("greenroom_jobs_failed", "Tries of jobs that failed."),
        "dead": ("greenroom_jobs_dead", "Jobs that failed too often."),
        "lost": ("greenroom_jobs_lost", "Jobs whose claim was lost before they were settled."),
    }
)
_MAIL_COUNTS: Final = MappingProxyType(
    {
        "done": ("greenroom_mails_done", "Mails handed in."),
        "failed": ("greenroom_mails_failed", "Tries of mails that failed."),
        "dead": ("greenroom_mails_dead", "Mails that failed too often."),
        "lost": ("greenroom_mails_lost", "Mails whose claim was lost before they were settled."),
    }
)

OWN_COUNTS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = MappingProxyType(
    {
        "/greenroom/committer": {
            "commits": ("greenroom_commits", "Transactions committed."),
            "commands": ("greenroom_committed_commands", "Commands in them."),
            "split_batches": ("greenroom_split_batches", "Batches that failed on one of their commands."),
        },
        "/greenroom/event-worker": _JOB_COUNTS,
        "/greenroom/mail-worker": _MAIL_COUNTS,
        "/greenroom/bus-relay": {
            "notes": ("greenroom_bus_notes", "Notes received from the bus."),
        },
        "/greenroom/sweep": {
            "repaired": ("greenroom_streams_repaired", "Streams found behind by the sweep."),
        },
    }
)
"""What single actors count themselves, by path and name in their view: the metric and its meaning."""


class OwnCountsCollector(Collector):
    """What single actors count of themselves. A restart of one begins at 0 again, which Prometheus expects."""

    def __init__(self, inspect: Callable[[str], ActorDetail]) -> None:
        self._inspect = inspect

    def collect(self) -> Iterator[Metric]:
        for path, counts in OWN_COUNTS.items():
            try:
                view = self._inspect(path).view
            except NoSuchActor:
                continue  # the server is going down
            for name, (metric, meaning) in counts.items():
                value = view.get(name)
                if isinstance(value, int):
                    yield CounterMetricFamily(metric, meaning, value)


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


class LimitCollector(Collector):
    """What was refused for being too much, and how the limits are kept."""

    def __init__(self, limiting: Limiting, sign_in: SignIn) -> None:
        self._limiting = limiting
        self._sign_in = sign_in

    def collect(self) -> Iterator[Metric]:
        logins = CounterMetricFamily(
            "greenroom_logins", "Tries to sign in, by what became of them.", labels=["outcome"]
        )
        for outcome, count in self._sign_in.outcomes.items():
            logins.add_metric([outcome], count)
        yield logins
        refused = CounterMetricFamily(
            "greenroom_rate_limited", "What was refused for being too much, by limit.", labels=["policy"]
        )
        for policy, count in self._limiting.refused.items():
            refused.add_metric([policy], count)
        yield refused
        yield CounterMetricFamily(
            "greenroom_rate_unlimited", "Requests of load tests that were not limited.", self._limiting.unlimited
        )
        now = self._limiting.statistics()
        home = GaugeMetricFamily(
            "greenroom_rate_limit_home_up",
            "Whether what keeps the limits of all workers can be reached; if not, each keeps them for itself.",
            labels=["home"],
        )
        home.add_metric([now.home], now.is_up)
        yield home
        yield GaugeMetricFamily(
            "greenroom_rate_limit_subjects", "Whose standing under a limit is known here.", now.subjects
        )
        yield CounterMetricFamily(
            "greenroom_rate_limit_unconfirmed",
            "Decisions made by this worker alone, as the home was away or too slow.",
            now.unconfirmed,
        )
        yield CounterMetricFamily(
            "greenroom_rate_limit_exchanges", "Exchanges with the home of the limits.", now.exchanges
        )
        yield CounterMetricFamily(
            "greenroom_rate_limit_waits", "Requests that waited for the home of the limits.", now.waits
        )


class SearchLogCollector(Collector):
    """What became of searches and clicks that were to be recorded."""

    def __init__(self, counts: LogCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        log = CounterMetricFamily(
            "greenroom_search_log", "Searches and clicks, by what became of their record.", labels=["outcome"]
        )
        for outcome, count in asdict(self._counts).items():
            log.add_metric([outcome], count)
        yield log


class GaugeCollector(Collector):
    """Reads one number, which rises and falls, at each scrape."""

    def __init__(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        self._name = name
        self._documentation = documentation
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(self._name, self._documentation, self._read())


class CounterCollector(Collector):
    """Reads one number, which only rises, at each scrape."""

    def __init__(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        self._name = name
        self._documentation = documentation
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(self._name, self._documentation, self._read())


def render_metrics(registry: CollectorRegistry) -> bytes:
    """Render everything that is registered in Prometheus' text format."""
    return generate_latest(registry)
