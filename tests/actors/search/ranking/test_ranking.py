"""In which order candidates are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from greenroom.actors.search.ranking import rank
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.candidates import (
    RANKED_MAX,
    Candidate,
    Funnel,
    HardFilters,
    RetrievalQuery,
    Retrieved,
)
from greenroom.schema.search.places import Point
from greenroom.schema.search.understood import PriceBounds

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
QUERY = RetrievalQuery(
    text="piano",
    categories=(),
    filters=HardFilters(price=PriceBounds(None, 10_000)),
    vector=None,
    model=None,
    near=Point(40.7, -74.0),
    now=NOW,
)


def a_candidate(number: int, *, instructor: int | None = None, **changes: object) -> Candidate:
    candidate = Candidate(
        service_id=ServiceId(f"01SERVICE{number:017}"),
        instructor_id=UserId(f"01TEACHER{number if instructor is None else instructor:017}"),
        text_score=0.5,
        vector_score=None,
        fused_score=0.5,
        price_cents=8_000,
        duration_minutes=60,
        distance_km=2.0,
        rating=4.5,
        rating_count=10,
        response_minutes=60,
        updated_at=NOW - timedelta(days=30),
        next_free_at=NOW + timedelta(days=2),
    )
    return replace(candidate, **changes)  # type: ignore[arg-type]


def order(*candidates: Candidate, query: RetrievalQuery = QUERY) -> list[int]:
    best_first = tuple(sorted(candidates, key=lambda each: (-each.fused_score, each.service_id)))
    ranked = rank(Retrieved(best_first, len(best_first), Funnel()), query)
    return [int(one.candidate.service_id[-5:]) for one in ranked]


@pytest.mark.parametrize(
    "better",
    [
        {"fused_score": 0.6},
        {"distance_km": 0.5},
        {"rating": 4.9},
        {"rating_count": 100},
        {"response_minutes": 5},
        {"updated_at": NOW},
        {"next_free_at": NOW + timedelta(hours=3)},
        {"price_cents": 6_000},
    ],
)
def test_of_two_that_are_the_same_in_all_else_the_better_one_is_shown_first(better: dict[str, object]) -> None:
    assert order(a_candidate(1), a_candidate(2, **better)) == [2, 1]


def test_relevance_outweighs_everything_else_together() -> None:
    ideal = {
        "distance_km": 0.0,
        "rating": 5.0,
        "rating_count": 1_000,
        "response_minutes": 0,
        "next_free_at": NOW,
        "updated_at": NOW,
        "price_cents": 1,
    }
    worst = {
        "distance_km": 100.0,
        "rating": 1.0,
        "rating_count": 1_000,
        "response_minutes": 10_000,
        "next_free_at": None,
        "updated_at": NOW - timedelta(days=3_000),
        "price_cents": 10_000,
    }

    assert order(a_candidate(1, fused_score=0.0, **ideal), a_candidate(2, fused_score=1.0, **worst)) == [2, 1]


def test_one_rating_of_five_stars_does_not_beat_forty_of_almost_five() -> None:
    assert order(a_candidate(1, rating=5.0, rating_count=1), a_candidate(2, rating=4.8, rating_count=40)) == [2, 1]


def test_who_has_no_rating_yet_is_neither_first_nor_last() -> None:
    new = a_candidate(1, rating=0.0, rating_count=0)

    assert order(new, a_candidate(2, rating=4.9), a_candidate(3, rating=3.2)) == [2, 1, 3]


def test_a_distance_that_is_unknown_counts_as_the_mean_of_the_others() -> None:
    online = a_candidate(1, distance_km=None)

    assert order(online, a_candidate(2, distance_km=0.1), a_candidate(3, distance_km=30.0)) == [2, 1, 3]


def test_price_says_nothing_where_none_was_asked_for() -> None:
    query = replace(QUERY, filters=HardFilters())

    assert order(a_candidate(2, price_cents=1_000), a_candidate(1), query=query) == [1, 2]


def test_only_the_first_fifty_are_weighed_and_the_others_follow_in_their_order() -> None:
    best = [a_candidate(n, fused_score=0.9 - n / 1_000) for n in range(RANKED_MAX)]
    behind = [a_candidate(100 + n, fused_score=0.1 - n / 1_000, rating=5.0, rating_count=999) for n in range(5)]

    ranked = rank(Retrieved((*best, *behind), 55, Funnel()), QUERY)

    assert [one.candidate for one in ranked[RANKED_MAX:]] == behind
    scores = [one.score for one in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_of_any_ten_in_a_row_at_most_two_are_the_same_instructors() -> None:
    hers = [a_candidate(n, instructor=1, fused_score=0.9) for n in range(8)]
    others = [a_candidate(100 + n, fused_score=0.5) for n in range(30)]

    ranked = rank(Retrieved((*hers, *others), 38, Funnel()), QUERY)

    instructors = [one.candidate.instructor_id for one in ranked]
    assert len(ranked) == 38
    assert instructors[:2] == [hers[0].instructor_id] * 2
    assert all(instructors[i : i + 10].count(hers[0].instructor_id) <= 2 for i in range(len(instructors) - 10))


def test_one_instructor_alone_is_shown_with_everything() -> None:
    assert len(order(*(a_candidate(n, instructor=1) for n in range(8)))) == 8


def test_the_order_does_not_depend_on_the_order_of_equals() -> None:
    candidates = [a_candidate(n, instructor=n // 3) for n in range(40)]
    shuffled = Random(7).sample(candidates, len(candidates))

    first = rank(Retrieved(tuple(candidates), 40, Funnel()), QUERY)

    assert rank(Retrieved(tuple(shuffled), 40, Funnel()), QUERY) == first


def test_nothing_is_ranked_as_nothing() -> None:
    assert rank(Retrieved((), 0, Funnel()), QUERY) == ()


def test_where_no_lesson_was_described_it_is_nearness_that_decides_between_equals_whatever_their_likeness() -> (
    None
):
    like = a_candidate(1, fused_score=1.0, distance_km=9.0)
    near = a_candidate(2, fused_score=0.0, distance_km=0.5)

    assert order(like, near, query=replace(QUERY, text="")) == [2, 1]
