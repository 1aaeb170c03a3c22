"""The arithmetic by itself, with the moments written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenroom.schema.rate_limits import Policy, decide, settle

policies = st.builds(Policy, st.just("p"), st.integers(1, 10_000), st.integers(1, 86_400))


@given(policies, st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 50)), max_size=60))
def test_no_stretch_of_time_sees_more_than_the_limit_and_what_grew_back(
    policy: Policy, arrivals: list[tuple[int, int]]
) -> None:
    now_us = debt_us = 0
    granted: list[tuple[int, int]] = []
    for pause_us, wanted in arrivals:
        now_us += pause_us
        standing = settle(policy, debt_us - pause_us, wanted=wanted)
        debt_us = standing.debt_us
        granted.append((now_us, standing.granted))

    for start, (from_us, _) in enumerate(granted):
        total = 0
        for at_us, units in granted[start:]:
            total += units
            assert total <= policy.limit + (at_us - from_us) / policy.interval_us


@given(policies, st.integers(0, 10**9))
def test_who_waits_as_long_as_told_is_allowed_and_not_a_moment_before(policy: Policy, pause_us: int) -> None:
    standing = settle(policy, 0, wanted=policy.limit)
    standing = settle(policy, standing.debt_us - pause_us % policy.interval_us, wanted=1)
    wait_us = round(decide(policy, is_allowed=False, debt_us=standing.debt_us).retry_after_s * 1_000_000)

    assert settle(policy, standing.debt_us - wait_us, wanted=1).granted == 1
    assert settle(policy, standing.debt_us - wait_us + 1, wanted=1).granted == 0


def test_a_decision_says_what_is_left() -> None:
    policy = Policy("sends", 60, 60)

    full, half, none = (decide(policy, is_allowed=True, debt_us=s * 1_000_000) for s in (0, 30, 60))

    assert (full.remaining, half.remaining, none.remaining) == (60, 30, 0)
    assert (full.retry_after_s, half.retry_after_s, none.retry_after_s) == (0, 0, 1)


@pytest.mark.parametrize(("limit", "window_s"), [(0, 60), (-1, 60), (10_000_001, 60), (1, 0)])
def test_a_limit_that_can_not_be_kept_is_no_policy(limit: int, window_s: int) -> None:
    with pytest.raises(ValueError, match="can't be kept"):
        Policy("p", limit, window_s)
