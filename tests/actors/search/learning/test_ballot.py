"""What it takes for a name to be learned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from greenroom.actors.search.learning.ballot import LearningRules, Proposal, count, may_be_name
from greenroom.schema.ids import UserId
from greenroom.schema.search.learning import Vote
from greenroom.schema.search.places import RegionId
from tests.storage.builders import NOW

SLOPE, GOWANUS, BROOKLYN, ASTORIA = (
    RegionId(name)
    for name in ("nyc/brooklyn/park-slope", "nyc/brooklyn/gowanus", "nyc/brooklyn", "nyc/queens/astoria")
)
RULES = LearningRules(users_min=3, clicks_min=4.0, share_min=0.7)


def a_vote(user: int, *regions: RegionId, name: str = "the slope", days: float = 0) -> Vote:
    return Vote(name, UserId(f"user{user}"), NOW - timedelta(days=days), regions or (SLOPE,))


def learned(votes: Sequence[Vote], rules: LearningRules = RULES) -> list[RegionId]:
    return [proposal.region_id for proposal in count(votes, rules, now=NOW)]


def test_a_name_is_learned_once_enough_people_agree() -> None:
    votes = [a_vote(1), a_vote(2), a_vote(3), a_vote(3)]

    assert count(votes, RULES, now=NOW) == [Proposal("the slope", SLOPE, users=3, clicks=4.0, share=1.0)]


def test_one_who_clicks_often_is_still_one() -> None:
    assert learned([a_vote(1) for _ in range(100)] + [a_vote(2)]) == []


def test_a_few_clicks_are_not_enough() -> None:
    assert learned([a_vote(1), a_vote(2), a_vote(3)]) == []


def test_a_crowd_outvotes_one_who_clicks_a_hundred_times_elsewhere() -> None:
    votes = [a_vote(user) for user in (1, 2, 3, 4)] + [a_vote(5, ASTORIA) for _ in range(100)]

    assert learned(votes) == [SLOPE]


def test_a_name_with_a_rival_is_not_learned() -> None:
    votes = [a_vote(user) for user in (1, 2, 3, 4)] + [a_vote(user, ASTORIA) for user in (5, 6)]

    assert learned(votes) == []


def test_instructors_who_teach_elsewhere_too_agree_on_what_they_share() -> None:
    others = [RegionId(f"nyc/queens/other-{number}") for number in range(5)]

    assert learned([a_vote(user, SLOPE, other) for user, other in enumerate(others)]) == [SLOPE]


def test_what_a_region_lies_in_is_no_rival_to_it() -> None:
    assert learned([a_vote(user, SLOPE, BROOKLYN) for user in range(4)]) == [SLOPE]


def test_a_borough_is_learned_where_its_neighbourhoods_share_the_voices() -> None:
    votes = [a_vote(user, BROOKLYN, (SLOPE, GOWANUS)[user % 2]) for user in range(4)]

    assert learned(votes) == [BROOKLYN]


def test_votes_lose_half_their_weight_in_a_half_life() -> None:
    young, old = [a_vote(user) for user in range(5)], [a_vote(user, days=30) for user in range(5)]

    assert learned(young) == [SLOPE]
    assert learned(old) == []
    assert learned(old * 2) == [SLOPE]


def test_a_vote_from_the_future_counts_as_one_of_now() -> None:
    (proposal,) = count([a_vote(user, days=-3) for user in range(4)], RULES, now=NOW)

    assert proposal.clicks == 4.0


@pytest.mark.parametrize(
    ("name", "is_name"),
    [("les", True), ("le", False), ("l e", False), ("11215", False), ("bk 11215", True), ("", False)],
)
def test_what_is_too_short_or_a_number_is_no_name(name: str, is_name: bool) -> None:
    assert may_be_name(name) is is_name
    assert bool(learned([a_vote(user, name=name) for user in range(4)])) is is_name


def test_what_most_agree_on_comes_first() -> None:
    votes = [a_vote(user, name="one") for user in range(4)] + [a_vote(user, name="two") for user in range(6)]

    assert [proposal.name for proposal in count(votes, RULES, now=NOW)] == ["two", "one"]


def test_a_learned_name_never_weighs_as_much_as_a_written_one() -> None:
    (proposal,) = count([a_vote(user) for user in range(9)], RULES, now=NOW)

    assert proposal.weight == 0.95
