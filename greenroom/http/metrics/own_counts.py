"""What single actors count themselves, and show in their view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.supervisor import ActorDetail, NoSuchActor

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
