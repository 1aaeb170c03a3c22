"""What was refused for being too much."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.actors.limiting import Limiting
from greenroom.actors.sign_in import SignIn


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
