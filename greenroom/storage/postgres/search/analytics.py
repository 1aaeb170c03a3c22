"""What many searches come to, in Postgres.

Each statement reads one index, and the table not at all where vacuum has been: measured over a million searches, with others
at work on both cores, each took less than a second. What would take longer is ended by the statement timeout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

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
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.places import PlaceOutcome, Tier
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.reading_many import reading_many

SUMMARY: Final = """
-- search_summary: by user first, as counting distinct users would sort them.
WITH by_user AS (
    SELECT user_id, count(*) AS searches, count(*) FILTER (WHERE total = 0) AS empty,
           count(*) FILTER (WHERE is_degraded) AS degraded, count(*) FILTER (WHERE cache = 'hit') AS cached
      FROM search_queries WHERE is_counted AND at >= %(begin)s AND at < %(end)s GROUP BY user_id)
SELECT COALESCE(sum(searches), 0)::bigint, count(*), COALESCE(sum(empty), 0)::bigint, COALESCE(sum(degraded), 0)::bigint,
       COALESCE(sum(cached), 0)::bigint,
       (SELECT count(DISTINCT query_id) FROM search_clicks
         WHERE is_counted AND searched_at >= %(begin)s AND searched_at < %(end)s)
  FROM by_user
"""

VOLUME: Final = """
-- search_volume: by hours or days of UTC.
SELECT date_bin(%(stride)s, at, '2000-01-01T00:00Z'), count(*), count(*) FILTER (WHERE is_degraded),
       count(*) FILTER (WHERE total = 0)
  FROM search_queries WHERE is_counted AND at >= %(begin)s AND at < %(end)s GROUP BY 1 ORDER BY 1
"""

POPULAR: Final = """
-- popular_searches: the texts are looked up once it is known which. That these are few is written out for the planner's sake.
WITH top AS MATERIALIZED (
    SELECT text_hash, count(*) AS searches, count(*) FILTER (WHERE total = 0) AS empty
      FROM search_queries WHERE is_counted AND at >= %(begin)s AND at < %(end)s
     GROUP BY text_hash ORDER BY 2 DESC, 1 LIMIT 100),
people AS (
    SELECT text_hash, count(*) AS searchers FROM (
        SELECT text_hash, user_id FROM search_queries
         WHERE is_counted AND at >= %(begin)s AND at < %(end)s AND text_hash IN (SELECT text_hash FROM top)
         GROUP BY text_hash, user_id) p GROUP BY text_hash),
clicks AS (
    SELECT text_hash, count(DISTINCT query_id) AS clicked FROM search_clicks
     WHERE is_counted AND searched_at >= %(begin)s AND searched_at < %(end)s
       AND text_hash IN (SELECT text_hash FROM top) GROUP BY text_hash)
SELECT t.text, top.searches, people.searchers, top.empty, COALESCE(clicks.clicked, 0)
  FROM top JOIN people USING (text_hash) LEFT JOIN clicks USING (text_hash)
 CROSS JOIN LATERAL (SELECT text FROM search_queries q WHERE q.is_counted AND q.text_hash = top.text_hash LIMIT 1) t
 ORDER BY 2 DESC, 1 LIMIT %(limit)s
"""

WITHOUT_RESULTS: Final = """
-- searches_without_results: nothing was shown, so nothing was clicked.
WITH top AS MATERIALIZED (
    SELECT text_hash, count(*) AS searches, count(DISTINCT user_id) AS searchers
      FROM search_queries WHERE is_counted AND total = 0 AND at >= %(begin)s AND at < %(end)s
     GROUP BY text_hash ORDER BY 2 DESC, 1 LIMIT 100)
SELECT t.text, top.searches, top.searchers, top.searches, 0
  FROM top CROSS JOIN LATERAL (SELECT text FROM search_queries q WHERE q.is_counted AND q.text_hash = top.text_hash LIMIT 1) t
 ORDER BY 2 DESC, 1 LIMIT %(limit)s
"""

LATENCY: Final = """
-- search_latency: of the newest searches; answers from the cache and others apart.
SELECT cache = 'hit', percentile_cont(ARRAY [0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY used_ms)
  FROM (SELECT cache, used_ms FROM search_queries WHERE is_counted AND at >= %(begin)s AND at < %(end)s
         ORDER BY at DESC LIMIT %(sample)s) s GROUP BY 1
"""

STAGES: Final = """
-- stage_latency: of the newest searches.
WITH sample AS MATERIALIZED (
    SELECT stages, stage_ms FROM search_queries WHERE is_counted AND at >= %(begin)s AND at < %(end)s
     ORDER BY at DESC LIMIT %(sample)s)
SELECT stage, count(*), percentile_cont(ARRAY [0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY ms), (SELECT count(*) FROM sample)
  FROM sample, unnest(stages, stage_ms) AS u (stage, ms) GROUP BY stage
"""

DEGRADATION: Final = """
-- degradation: how many, and of how many.
SELECT count(*), count(*) FILTER (WHERE is_degraded) FROM search_queries
 WHERE is_counted AND at >= %(begin)s AND at < %(end)s
"""

SKIPS: Final = """
-- skips: by stage and reason.
SELECT skip, count(*) FROM search_queries, unnest(skips) AS skip
 WHERE is_counted AND skips <> '{}' AND at >= %(begin)s AND at < %(end)s GROUP BY skip ORDER BY 2 DESC, 1 LIMIT 100
"""

FOUND: Final = """
-- searches_with_results
SELECT count(*) FROM search_queries WHERE is_counted AND total > 0 AND at >= %(begin)s AND at < %(end)s
"""

CLICKED: Final = """
-- clicked_searches: by their topmost click.
SELECT count(*), COALESCE(sum(clicks), 0)::bigint, avg(topmost)::double precision FROM (
    SELECT min(position) AS topmost, count(*) AS clicks FROM search_clicks
     WHERE is_counted AND searched_at >= %(begin)s AND searched_at < %(end)s GROUP BY query_id) f
"""

POSITIONS: Final = """
-- clicked_positions
SELECT LEAST(position, %(last)s), count(*) FROM search_clicks
 WHERE is_counted AND searched_at >= %(begin)s AND searched_at < %(end)s GROUP BY 1 ORDER BY 1
"""

OUTCOMES: Final = """
-- place_outcomes
SELECT place_outcome, count(*) FROM search_queries
 WHERE is_counted AND place_outcome <> 'not_asked' AND at >= %(begin)s AND at < %(end)s GROUP BY 1 ORDER BY 1
"""

DECIDED: Final = """
-- deciding_tiers
SELECT tier, count(*), avg(confidence) FROM search_queries
 WHERE is_counted AND place_outcome <> 'not_asked' AND tier IS NOT NULL AND at >= %(begin)s AND at < %(end)s GROUP BY tier
"""

TRIED: Final = """
-- tried_tiers: how often.
SELECT count(tier_ms[1]), count(tier_ms[2]), count(tier_ms[3]), count(tier_ms[4]), count(tier_ms[5]) FROM search_queries
 WHERE is_counted AND place_outcome <> 'not_asked' AND at >= %(begin)s AND at < %(end)s
"""

TIER_LATENCY: Final = """
-- tier_latency: of the newest searches.
SELECT tier, percentile_cont(ARRAY [0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY ms)
  FROM (SELECT tier_ms FROM search_queries
         WHERE is_counted AND place_outcome <> 'not_asked' AND at >= %(begin)s AND at < %(end)s
         ORDER BY at DESC LIMIT %(sample)s) s, unnest(tier_ms) WITH ORDINALITY AS u (ms, tier)
 WHERE ms IS NOT NULL GROUP BY tier
"""


class PostgresSearchAnalytics:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def summary(self, span: Span) -> Summary:
        async with reading_many(self._pool) as session:
            ((searches, searchers, empty, degraded, cached, clicked),) = await session.fetch(
                SUMMARY, _params(span), _columns
            )
            volume = await session.fetch(VOLUME, _params(span, stride=span.stride), Volume)
        return Summary(searches, searchers, empty, degraded, cached, clicked, tuple(volume))

    async def popular(self, span: Span, *, limit: int) -> list[TextCount]:
        async with reading_many(self._pool) as session:
            return await session.fetch(POPULAR, _params(span, limit=limit), TextCount)

    async def without_results(self, span: Span, *, limit: int) -> list[TextCount]:
        async with reading_many(self._pool) as session:
            return await session.fetch(WITHOUT_RESULTS, _params(span, limit=limit), TextCount)

    async def latency(self, span: Span) -> Latency:
        async with reading_many(self._pool) as session:
            by_cache = dict(await session.fetch(LATENCY, _params(span, sample=SAMPLE), _columns))
            stages = await session.fetch(STAGES, _params(span, sample=SAMPLE), _columns)
        found = {StageName(name): (count, took) for name, count, took, _ in stages}
        return Latency(
            cached=_percentiles(by_cache.get(True)),
            anew=_percentiles(by_cache.get(False)),
            sampled=stages[0][3] if stages else 0,
            stages=tuple(
                StageLatency(stage, found[stage][0], _percentiles(found[stage][1]))
                for stage in StageName
                if stage in found
            ),
        )

    async def degradation(self, span: Span) -> Degradation:
        async with reading_many(self._pool) as session:
            ((searches, degraded),) = await session.fetch(DEGRADATION, _params(span), _columns)
            return Degradation(searches, degraded, tuple(await session.fetch(SKIPS, _params(span), _skip)))

    async def click_through(self, span: Span) -> ClickThrough:
        async with reading_many(self._pool) as session:
            ((found,),) = await session.fetch(FOUND, _params(span), _columns)
            ((clicked, clicks, topmost),) = await session.fetch(CLICKED, _params(span), _columns)
            positions = await session.fetch(POSITIONS, _params(span, last=POSITIONS_MAX), _columns)
        return ClickThrough(found, clicked, clicks, topmost, tuple((place, count) for place, count in positions))

    async def tiers(self, span: Span) -> Tiers:
        async with reading_many(self._pool) as session:
            outcomes = await session.fetch(OUTCOMES, _params(span), _columns)
            deciding = await session.fetch(DECIDED, _params(span), _columns)
            (tried,) = await session.fetch(TRIED, _params(span), _columns)
            took = dict(await session.fetch(TIER_LATENCY, _params(span, sample=SAMPLE), _columns))
        decided = {tier: (count, confidence) for tier, count, confidence in deciding}
        return Tiers(
            outcomes=tuple((PlaceOutcome(outcome), count) for outcome, count in outcomes),
            tiers=tuple(
                TierCount(tier, tried[tier - 1], *decided.get(tier, (0, None)), _percentiles(took.get(tier)))
                for tier in Tier
            ),
        )


def _params(span: Span, **more: object) -> dict[str, Any]:
    return {"begin": span.begin, "end": span.end, **more}


def _columns(*columns: Any) -> tuple[Any, ...]:
    return columns


def _percentiles(found: Sequence[float] | None) -> Percentiles:
    return Percentiles(*found) if found else Percentiles(None, None, None, None)


def _skip(text: str, searches: int) -> SkipCount:
    stage, _, reason = text.partition(" ")
    return SkipCount(StageName(stage), SkipReason(reason), searches)
