"""Metrics of the search. Label sets are closed: outcomes, stages and reasons, never what was searched for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from greenroom.actors.search.log.writer import LogCounts
from greenroom.actors.search.room import SearchRoom
from greenroom.actors.search.tally import BOUNDS_S, StageDurations
from greenroom.models.flown_vectors import FlownVectors
from greenroom.models.kept_vectors import KeptVectors


class SearchCollector(Collector):
    """What became of searches, what their stages took, and how models and caches served them."""

    def __init__(self, room: SearchRoom) -> None:
        self._room = room

    def collect(self) -> Iterator[Metric]:
        yield from self._searches()
        yield self._stages()
        yield from self._admission()
        yield from self._models()

    def _searches(self) -> Iterator[Metric]:
        tally = self._room.tally
        searches = CounterMetricFamily(
            "greenroom_searches", "Searches, by outcome and use of the cache.", labels=["outcome", "cache"]
        )
        for (outcome, cache), count in tally.outcomes.items():
            searches.add_metric([outcome.value, cache], count)
        yield searches
        skips = CounterMetricFamily(
            "greenroom_search_skips",
            "Stages that searches left out, or whose outcome they did not use, by reason.",
            labels=["stage", "reason"],
        )
        for (stage, reason), count in tally.skips.items():
            skips.add_metric([stage.value, reason.value], count)
        yield skips

    def _stages(self) -> Metric:
        stages = HistogramMetricFamily(
            "greenroom_search_stage_seconds", "What stages of searches took, by stage.", labels=["stage"]
        )
        for stage, durations in self._room.tally.stages.items():
            stages.add_metric([stage.value], _buckets(durations), durations.total_s)
        return stages

    def _admission(self) -> Iterator[Metric]:
        admission, answers = self._room.admission.statistics(), self._room.tools.answers.statistics()
        yield GaugeMetricFamily("greenroom_searches_in_flight", "Searches being answered.", admission.in_flight)
        yield GaugeMetricFamily(
            "greenroom_searches_waiting", "Those of them that wait for their turn.", admission.waiting
        )
        yield GaugeMetricFamily(
            "greenroom_searches_room",
            "How many searches may run at a time; half as many more may wait, others are refused.",
            admission.room,
        )
        yield CounterMetricFamily(
            "greenroom_searches_refused", "Searches refused as too many were in flight.", admission.refused
        )
        yield CounterMetricFamily(
            "greenroom_searches_reduced",
            "Searches that did without models, for the same reason.",
            admission.reduced,
        )
        yield GaugeMetricFamily(
            "greenroom_search_answers_kept", "Answers kept for who asks the same.", answers.kept
        )

    def _models(self) -> Iterator[Metric]:
        models = self._room.models
        calls = CounterMetricFamily(
            "greenroom_model_calls",
            "Calls of language models, by purpose and outcome.",
            labels=["purpose", "outcome"],
        )
        for (purpose, outcome), count in (models.calls.outcomes() if models.calls else {}).items():
            calls.add_metric([purpose, outcome], count)
        yield calls
        uses = CounterMetricFamily(
            "greenroom_query_vectors",
            "Texts to embed, by where the vector came from: kept, asked for, or followed while another asked.",
            labels=["model", "source"],
        )
        kept = GaugeMetricFamily("greenroom_query_vectors_kept", "Vectors kept.", labels=["model"])
        for embedder in models.embedders:
            # Those of tests and simulations count nothing.
            if isinstance(embedder, KeptVectors):
                now = embedder.statistics()
                for source, count in (("kept", now.hits), ("asked", now.misses), ("followed", now.followed)):
                    uses.add_metric([embedder.model, source], count)
                kept.add_metric([embedder.model], now.kept)
        yield from (uses, kept)
        if models.flown is not None:
            yield from _flights(models.flown)


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


def _flights(flown: FlownVectors) -> Iterator[Metric]:
    flights = CounterMetricFamily(
        "greenroom_embedding_flights",
        "Texts to embed over the network, by how that went with other workers: led, followed, failed (heard of another's "
        "failure), late, alone (others could not be seen), unreadable.",
        labels=["outcome"],
    )
    for outcome, count in flown.outcomes().items():
        flights.add_metric([outcome.value], count)
    yield flights
    yield GaugeMetricFamily(
        "greenroom_embedding_flights_seen", "Whether other workers' flights can be seen.", float(flown.sees_others)
    )


def _buckets(durations: StageDurations) -> list[tuple[str, float]]:
    bounds = [*(f"{bound_s:g}" for bound_s in BOUNDS_S), "+Inf"]
    return list(zip(bounds, accumulate(durations.counts), strict=True))
