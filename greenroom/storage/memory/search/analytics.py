"""The twin of what many searches come to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from greenroom.schema.search.aggregates import (
    POSITIONS_MAX,
    SAMPLE,
    ClickThrough,
    Degradation,
    Latency,
    Percentiles,
    SkipCount,
    Span,
    StageLatency,
    Summary,
    TextCount,
    TierCount,
    Tiers,
    Volume,
)
from greenroom.schema.search.diagnostics import StageName
from greenroom.schema.search.log import SearchRecord
from greenroom.schema.search.places import PlaceOutcome, Tier
from greenroom.storage.memory.database import MemoryDatabase

_ORIGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)


class MemorySearchAnalytics:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def summary(self, span: Span) -> Summary:
        async with self._database.operation("search_analytics.summary"):
            counted = self._counted(span)
            by_stride: defaultdict[datetime, list[SearchRecord]] = defaultdict(list)
            for record in counted:
                by_stride[record.at - (record.at - _ORIGIN) % span.stride].append(record)
            return Summary(
                searches=len(counted),
                searchers=len({record.user_id for record in counted}),
                empty=_empty(counted),
                degraded=_degraded(counted),
                cached=sum(record.cache == "hit" for record in counted),
                clicked=self._clicked(counted),
                volume=tuple(
                    Volume(at, len(some), _degraded(some), _empty(some)) for at, some in sorted(by_stride.items())
                ),
            )

    async def popular(self, span: Span, *, limit: int) -> list[TextCount]:
        async with self._database.operation("search_analytics.popular"):
            return self._texts(self._counted(span), limit)

    async def without_results(self, span: Span, *, limit: int) -> list[TextCount]:
        async with self._database.operation("search_analytics.without_results"):
            return self._texts([record for record in self._counted(span) if record.total == 0], limit)

    async def latency(self, span: Span) -> Latency:
        async with self._database.operation("search_analytics.latency"):
            counted = self._counted(span)
            sample = sorted(counted, key=lambda record: record.at, reverse=True)[:SAMPLE]
            took: defaultdict[StageName, list[float]] = defaultdict(list)
            for record in sample:
                for timing in record.diagnostics.stages:
                    took[timing.name].append(timing.duration_ms)
            return Latency(
                cached=_percentiles(r.budget.used_ms for r in sample if r.cache == "hit"),
                anew=_percentiles(r.budget.used_ms for r in sample if r.cache != "hit"),
                sampled=len(sample),
                stages=tuple(
                    StageLatency(stage, len(took[stage]), _percentiles(took[stage]))
                    for stage in StageName
                    if stage in took
                ),
            )

    async def degradation(self, span: Span) -> Degradation:
        async with self._database.operation("search_analytics.degradation"):
            counted = self._counted(span)
            skips = Counter((skip.stage, skip.reason) for record in counted for skip in record.budget.skipped)
            ordered = sorted(skips.items(), key=lambda item: (-item[1], item[0]))
            return Degradation(
                searches=len(counted),
                degraded=_degraded(counted),
                skips=tuple(SkipCount(stage, reason, count) for (stage, reason), count in ordered),
            )

    async def click_through(self, span: Span) -> ClickThrough:
        async with self._database.operation("search_analytics.click_through"):
            counted = self._counted(span)
            clicks = [self._database.tables.search_clicks.get(record.query_id, []) for record in counted]
            topmost = [min(click.position for click in some) for some in clicks if some]
            positions = Counter(min(click.position, POSITIONS_MAX) for some in clicks for click in some)
            return ClickThrough(
                found=len(counted) - _empty(counted),
                clicked=len(topmost),
                clicks=sum(map(len, clicks)),
                first_click_position=sum(topmost) / len(topmost) if topmost else None,
                positions=tuple(sorted(positions.items())),
            )

    async def tiers(self, span: Span) -> Tiers:
        async with self._database.operation("search_analytics.tiers"):
            asked = [r for r in self._counted(span) if r.place.outcome is not PlaceOutcome.NOT_ASKED]
            outcomes = Counter(record.place.outcome for record in asked)
            return Tiers(
                outcomes=tuple(sorted(outcomes.items())), tiers=tuple(_tier_count(tier, asked) for tier in Tier)
            )

    def _counted(self, span: Span) -> list[SearchRecord]:
        searches = self._database.tables.searches.values()
        return [record for record in searches if record.is_counted and span.begin <= record.at < span.end]

    def _clicked(self, records: Iterable[SearchRecord]) -> int:
        return sum(bool(self._database.tables.search_clicks.get(record.query_id)) for record in records)

    def _texts(self, records: Sequence[SearchRecord], limit: int) -> list[TextCount]:
        by_text: defaultdict[str, list[SearchRecord]] = defaultdict(list)
        for record in records:
            by_text[record.understood.text].append(record)
        counts = [
            TextCount(text, len(some), len({r.user_id for r in some}), _empty(some), self._clicked(some))
            for text, some in by_text.items()
        ]
        return sorted(counts, key=lambda count: (-count.searches, count.text))[:limit]


def _empty(records: Iterable[SearchRecord]) -> int:
    return sum(record.total == 0 for record in records)


def _degraded(records: Iterable[SearchRecord]) -> int:
    return sum(record.budget.degraded for record in records)


def _tier_count(tier: Tier, asked: Sequence[SearchRecord]) -> TierCount:
    took = [t.duration_ms for record in asked for t in record.diagnostics.tiers if t.tier is tier and t.tried]
    sure = [record.place.confidence for record in asked if record.place.tier is tier]
    return TierCount(
        tier=tier,
        tried=len(took),
        decided=len(sure),
        confidence=sum(sure) / len(sure) if sure else None,
        took=_percentiles(took),
    )


def _percentiles(values: Iterable[float]) -> Percentiles:
    """As ``percentile_cont`` has them: between two neighbours, in proportion."""
    ordered = sorted(values)
    if not ordered:
        return Percentiles(None, None, None, None)

    def at(fraction: float) -> float:
        place = fraction * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (place - below)

    return Percentiles(at(0.5), at(0.95), at(0.99), ordered[-1])
