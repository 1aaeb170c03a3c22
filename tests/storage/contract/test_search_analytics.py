from datetime import timedelta

import pytest

from greenroom.schema.search.aggregates import (
    ClickThrough,
    Degradation,
    Percentiles,
    SkipCount,
    Span,
    Summary,
    TextCount,
    Volume,
)
from greenroom.schema.search.diagnostics import Skip, SkipReason, StageName
from greenroom.schema.search.places import PlaceOutcome, Tier, TierTrial
from greenroom.storage.ports import Storage
from tests.storage.builders import BEN, NOW
from tests.storage.search_builders import PIANO, VIOLIN, a_click, a_search, in_park_slope, nowhere

HOUR = timedelta(hours=1)
DAY = Span(NOW, NOW + 24 * HOUR)
LATE = Skip(StageName.EMBEDDING, SkipReason.TIMEOUT)
STRONG = Skip(StageName.VECTOR, SkipReason.TEXT_STRONG)


async def test_a_summary_counts_searches_people_and_what_became_of_them(storage: Storage) -> None:
    await storage.search_log.add_searches(
        [
            a_search(1),
            a_search(2, at=NOW + HOUR, skipped=[LATE]),
            a_search(3, at=NOW + HOUR, user_id=BEN, shown=(), cache="hit"),
            a_search(4, at=NOW + 24 * HOUR),
            a_search(5, at=NOW - HOUR),
        ]
    )
    await storage.search_log.add_clicks([a_click(1), a_click(1, VIOLIN)])

    summary = await storage.search_analytics.summary(DAY)

    half = timedelta(minutes=30)
    assert summary == Summary(
        searches=3,
        searchers=2,
        empty=1,
        degraded=1,
        cached=1,
        clicked=1,
        volume=(Volume(NOW - half, 1, 0, 0), Volume(NOW + half, 2, 1, 1)),
    )


async def test_further_pages_and_trials_of_operators_are_not_counted(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(1, position=20), a_search(2, cache="bypass")])
    await storage.search_log.add_clicks([a_click(1)])

    assert await storage.search_analytics.summary(DAY) == Summary(0, 0, 0, 0, 0, 0, ())


async def test_a_long_span_is_told_by_days(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(1), a_search(2, at=NOW + 3 * HOUR)])

    summary = await storage.search_analytics.summary(Span(NOW, NOW + timedelta(days=30)))

    assert summary.volume == (Volume(NOW.replace(hour=0, minute=0), 2, 0, 0),)


async def test_popular_is_what_was_searched_for_most_often(storage: Storage) -> None:
    await storage.search_log.add_searches(
        [
            a_search(1, text="violin"),
            a_search(2, text="piano", user_id=BEN),
            a_search(3, text="piano", shown=()),
            a_search(4, text="drums"),
        ]
    )
    await storage.search_log.add_clicks([a_click(2, user_id=BEN)])

    popular = await storage.search_analytics.popular(DAY, limit=10)

    assert popular == [
        TextCount("piano", searches=2, searchers=2, empty=1, clicked=1),
        TextCount("drums", searches=1, searchers=1, empty=0, clicked=0),
        TextCount("violin", searches=1, searchers=1, empty=0, clicked=0),
    ]
    assert len(await storage.search_analytics.popular(DAY, limit=1)) == 1


async def test_what_found_nothing_is_counted_apart(storage: Storage) -> None:
    await storage.search_log.add_searches(
        [a_search(1, text="piano"), a_search(2, text="lute", shown=()), a_search(3, text="lute", shown=())]
    )

    assert await storage.search_analytics.without_results(DAY, limit=10) == [
        TextCount("lute", searches=2, searchers=1, empty=2, clicked=0)
    ]


async def test_percentiles_lie_between_neighbours(storage: Storage) -> None:
    await storage.search_log.add_searches(
        [a_search(number, used_ms=10.0 * number) for number in range(1, 5)]
        + [a_search(9, cache="hit", used_ms=1.0)]
    )

    latency = await storage.search_analytics.latency(DAY)

    assert latency.anew.p50 == pytest.approx(25.0)
    assert latency.anew.p95 == pytest.approx(38.5)
    assert latency.anew.max == pytest.approx(40.0)
    assert latency.cached == Percentiles(1.0, 1.0, 1.0, 1.0)
    assert latency.sampled == 5
    assert [(each.stage, each.searches, each.took.p50) for each in latency.stages] == [(StageName.PARSE, 5, 1.0)]


async def test_of_nothing_there_are_no_percentiles(storage: Storage) -> None:
    latency = await storage.search_analytics.latency(DAY)

    assert (latency.anew, latency.sampled, latency.stages) == (Percentiles(None, None, None, None), 0, ())


async def test_degradation_says_what_was_left_out_and_why(storage: Storage) -> None:
    await storage.search_log.add_searches(
        [a_search(1, skipped=[LATE, STRONG]), a_search(2, skipped=[STRONG]), a_search(3)]
    )

    assert await storage.search_analytics.degradation(DAY) == Degradation(
        searches=3,
        degraded=1,
        skips=(
            SkipCount(StageName.VECTOR, SkipReason.TEXT_STRONG, 2),
            SkipCount(StageName.EMBEDDING, SkipReason.TIMEOUT, 1),
        ),
    )


async def test_click_through_says_how_far_down_people_look(storage: Storage) -> None:
    await storage.search_log.add_searches([a_search(1), a_search(2), a_search(3), a_search(4, shown=())])
    await storage.search_log.add_clicks([a_click(1, PIANO), a_click(1, VIOLIN), a_click(2, VIOLIN)])

    assert await storage.search_analytics.click_through(DAY) == ClickThrough(
        found=3, clicked=2, clicks=3, first_click_position=0.5, positions=((0, 1), (1, 2))
    )


async def test_tiers_say_how_often_each_was_tried_and_decided(storage: Storage) -> None:
    exact = TierTrial(Tier.EXACT, True, 1.0, 1.0, "resolved")
    miss, fuzzy = TierTrial(Tier.EXACT, True, None, 3.0, "miss"), TierTrial(Tier.FUZZY, True, 0.5, 2.0, "resolved")
    skipped = TierTrial(Tier.MODEL, False, None, 0.0, "skipped: budget")
    await storage.search_log.add_searches(
        [
            a_search(1, place=in_park_slope(), trials=[exact]),
            a_search(2, place=in_park_slope(tier=Tier.FUZZY, confidence=0.5), trials=[miss, fuzzy, skipped]),
            a_search(3, place=nowhere("narnia")),
            a_search(4),
        ]
    )

    tiers = await storage.search_analytics.tiers(DAY)

    assert tiers.outcomes == ((PlaceOutcome.RESOLVED, 2), (PlaceOutcome.UNKNOWN, 1))
    by_tier = {each.tier: each for each in tiers.tiers}
    assert [(tier, each.tried, each.decided, each.confidence) for tier, each in by_tier.items()] == [
        (Tier.EXACT, 2, 1, 1.0),
        (Tier.ALIAS, 0, 0, None),
        (Tier.FUZZY, 1, 1, 0.5),
        (Tier.EMBEDDING, 0, 0, None),
        (Tier.MODEL, 0, 0, None),
    ]
    assert by_tier[Tier.EXACT].took.p50 == pytest.approx(2.0)


async def test_counts_of_nobody_are_nothing(storage: Storage) -> None:
    assert await storage.search_analytics.popular(DAY, limit=10) == []
    assert await storage.search_analytics.click_through(DAY) == ClickThrough(0, 0, 0, None, ())
    assert (await storage.search_analytics.summary(DAY)).searchers == 0
