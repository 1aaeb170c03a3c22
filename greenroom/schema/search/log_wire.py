"""The shapes in which operators see searches, and what many of them come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

from pydantic import ConfigDict

from greenroom.schema.records import Role
from greenroom.schema.search.aggregates import (
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
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.diagnostics_wire import BudgetOut, DiagnosticsOut
from greenroom.schema.search.log import Click, ListedSearch, RecordedSearch, Searcher
from greenroom.schema.search.places import PlaceOutcome
from greenroom.schema.search.wire import LocationOut, ParsedOut, PartOut
from greenroom.schema.wire import Moment, Wire


class _FromRecord(Wire):
    """Read from a record by attribute, so that the two can't be mixed up field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class SearcherOut(_FromRecord):
    """Whoever searched, as they are called now."""

    display_name: str
    role: Role
    is_active: bool

    @classmethod
    def of(cls, by: Searcher) -> Self:
        return cls.model_validate(by)


class SearchLineOut(_FromRecord):
    """One search. ``tier`` is the one that decided the place, null if none did; ``region_id`` null unless it was ``resolved``.

    ``by`` is null where the account is gone, or the search was never written. ``parts`` are the pieces of the sentence that ask for
    something or deny it, ``excluded`` the regions where it must not be; both are kept for a week, and null afterwards.
    """

    query_id: str
    user_id: str
    at: Moment
    text: str
    city: str | None
    place_text: str | None
    place_outcome: PlaceOutcome
    region_id: str | None
    tier: int | None
    confidence: float
    cache: Literal["hit", "miss", "bypass"]
    is_degraded: bool
    limit_ms: float
    used_ms: float
    total: int
    by: SearcherOut | None = None
    parts: list[PartOut] | None = None
    excluded: list[str] | None = None

    @classmethod
    def of(cls, search: ListedSearch) -> Self:
        line = cls.model_validate(replace(search.line, used_ms=round(search.line.used_ms, 1)))
        return line.model_copy(
            update={
                "by": None if search.by is None else SearcherOut.of(search.by),
                "parts": None if search.gist is None else list(search.gist.parts),
                "excluded": None if search.gist is None else list(search.gist.excluded),
            }
        )


class SearchesOut(Wire):
    """Newest first; ``next_cursor`` is null on the last page."""

    items: list[SearchLineOut]
    next_cursor: str | None


class ClickOut(_FromRecord):
    """``position`` is where the result stood among all, from 0."""

    service_id: str
    position: int
    at: Moment

    @classmethod
    def of(cls, click: Click) -> Self:
        return cls.model_validate(click)


class SearchDetailsOut(Wire):
    """``shown`` are the results of the page, the first of which stood at ``position`` among all."""

    position: int
    shown: list[str]
    parsed: ParsedOut
    location: LocationOut
    budget: BudgetOut
    diagnostics: DiagnosticsOut


class RecordedSearchOut(Wire):
    """``details`` are kept for a week, and null afterwards."""

    search: SearchLineOut
    details: SearchDetailsOut | None
    clicks: list[ClickOut]

    @classmethod
    def of(cls, recorded: RecordedSearch) -> Self:
        details = recorded.details
        return cls(
            search=SearchLineOut.of(recorded.listed),
            details=None
            if details is None
            else SearchDetailsOut(
                position=details.position,
                shown=list(details.shown),
                parsed=details.parsed,
                location=details.location,
                budget=details.budget,
                diagnostics=details.diagnostics,
            ),
            clicks=[ClickOut.of(click) for click in recorded.clicks],
        )


class SpanOut(Wire):
    """What was counted: from ``since`` until before ``until``."""

    since: Moment
    until: Moment

    @classmethod
    def of(cls, span: Span) -> Self:
        return cls(since=span.begin, until=span.end)


class PercentilesOut(_FromRecord):
    """Milliseconds, exact (between two neighbours, in proportion); null of nothing."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None

    @classmethod
    def of(cls, took: Percentiles) -> Self:
        return cls(p50=_ms(took.p50), p95=_ms(took.p95), p99=_ms(took.p99), max=_ms(took.max))


class VolumeOut(_FromRecord):
    at: Moment
    searches: int
    degraded: int
    empty: int

    @classmethod
    def of(cls, volume: Volume) -> Self:
        return cls.model_validate(volume)


class SearchSummaryOut(Wire):
    """How much was searched for, by how many people, and what became of it.

    ``empty`` found nothing, ``cached`` were answered from the cache, of ``clicked`` a result was opened. ``volume`` goes by hours
    in up to four days, else by days of UTC (``stride_s``); those without any search are left out.
    """

    span: SpanOut
    searches: int
    searchers: int
    empty: int
    degraded: int
    cached: int
    clicked: int
    stride_s: int
    volume: list[VolumeOut]

    @classmethod
    def of(cls, span: Span, summary: Summary) -> Self:
        return cls(
            span=SpanOut.of(span),
            searches=summary.searches,
            searchers=summary.searchers,
            empty=summary.empty,
            degraded=summary.degraded,
            cached=summary.cached,
            clicked=summary.clicked,
            stride_s=round(span.stride.total_seconds()),
            volume=[VolumeOut.of(each) for each in summary.volume],
        )


class TextCountOut(_FromRecord):
    """``text`` is the sentence in normal form."""

    text: str
    searches: int
    searchers: int
    empty: int
    clicked: int

    @classmethod
    def of(cls, count: TextCount) -> Self:
        return cls.model_validate(count)


class SearchTextsOut(Wire):
    span: SpanOut
    items: list[TextCountOut]

    @classmethod
    def of(cls, span: Span, counts: list[TextCount]) -> Self:
        return cls(span=SpanOut.of(span), items=[TextCountOut.of(count) for count in counts])


class StageLatencyOut(Wire):
    stage: StageName
    searches: int
    took_ms: PercentilesOut

    @classmethod
    def of(cls, latency: StageLatency) -> Self:
        return cls(stage=latency.stage, searches=latency.searches, took_ms=PercentilesOut.of(latency.took))


class SearchLatencyOut(Wire):
    """How long the newest ``sampled`` searches took: answers from the cache and those found ``anew`` apart, and stages."""

    span: SpanOut
    cached_ms: PercentilesOut
    anew_ms: PercentilesOut
    sampled: int
    stages: list[StageLatencyOut]

    @classmethod
    def of(cls, span: Span, latency: Latency) -> Self:
        return cls(
            span=SpanOut.of(span),
            cached_ms=PercentilesOut.of(latency.cached),
            anew_ms=PercentilesOut.of(latency.anew),
            sampled=latency.sampled,
            stages=[StageLatencyOut.of(stage) for stage in latency.stages],
        )


class SkipCountOut(_FromRecord):
    stage: StageName
    reason: SkipReason
    searches: int

    @classmethod
    def of(cls, count: SkipCount) -> Self:
        return cls.model_validate(count)


class SearchDegradationOut(Wire):
    """In how many searches something was missing; ``skips`` are all stages left out, most frequent first, harmless ones too."""

    span: SpanOut
    searches: int
    degraded: int
    skips: list[SkipCountOut]

    @classmethod
    def of(cls, span: Span, degradation: Degradation) -> Self:
        return cls(
            span=SpanOut.of(span),
            searches=degradation.searches,
            degraded=degradation.degraded,
            skips=[SkipCountOut.of(skip) for skip in degradation.skips],
        )


class PositionOut(Wire):
    position: int
    clicks: int


class ClickThroughOut(Wire):
    """Of searches that ``found`` something, how many had a result opened, and where it stood.

    ``rate`` is null of nothing; ``first_click_position`` is the mean, from 0, of the topmost result opened. Clicks further down than
    position 50 are told with it.
    """

    span: SpanOut
    found: int
    clicked: int
    clicks: int
    rate: float | None
    first_click_position: float | None
    positions: list[PositionOut]

    @classmethod
    def of(cls, span: Span, clicks: ClickThrough) -> Self:
        mean = clicks.first_click_position
        return cls(
            span=SpanOut.of(span),
            found=clicks.found,
            clicked=clicks.clicked,
            clicks=clicks.clicks,
            rate=round(clicks.clicked / clicks.found, 4) if clicks.found else None,
            first_click_position=None if mean is None else round(mean, 2),
            positions=[PositionOut(position=place, clicks=count) for place, count in clicks.positions],
        )


class OutcomeCountOut(Wire):
    outcome: PlaceOutcome
    searches: int


class TierCountOut(Wire):
    """``tier`` 1 exact, 2 alias, 3 fuzzy, 4 embedding, 5 model. ``confidence`` is the mean of those it ``decided``."""

    tier: int
    tried: int
    decided: int
    confidence: float | None
    took_ms: PercentilesOut

    @classmethod
    def of(cls, count: TierCount) -> Self:
        return cls(
            tier=count.tier.value,
            tried=count.tried,
            decided=count.decided,
            confidence=None if count.confidence is None else round(count.confidence, 3),
            took_ms=PercentilesOut.of(count.took),
        )


class SearchTiersOut(Wire):
    """What became of places that searches named, and which tier found them; times of the newest 50,000 of these searches."""

    span: SpanOut
    outcomes: list[OutcomeCountOut]
    tiers: list[TierCountOut]

    @classmethod
    def of(cls, span: Span, tiers: Tiers) -> Self:
        return cls(
            span=SpanOut.of(span),
            outcomes=[OutcomeCountOut(outcome=outcome, searches=count) for outcome, count in tiers.outcomes],
            tiers=[TierCountOut.of(tier) for tier in tiers.tiers],
        )


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
