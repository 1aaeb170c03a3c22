"""What all homes of limits do alike. Their clocks are their own, so windows are long where time must not matter."""

from __future__ import annotations

import pytest
import trio

from greenroom.schema.rate_limits import Policy, Standing
from greenroom.storage.limits import Claim, LimitHome

HOURLY = Policy("hourly", 5, 3600)
QUICK = Policy("quick", 1_000, 100)
HOUR_US = 3600 * 1_000_000
SLACK_US = 20_000_000
"""More than any test takes."""


async def claim(
    home: LimitHome, *, spent: int = 0, wanted: int = 0, subject: str = "maya", policy: Policy = HOURLY
) -> Standing:
    [standing] = await home.settle([Claim(policy, subject, spent=spent, wanted=wanted)])
    return standing


def owes(standing: Standing, units: int) -> bool:
    return 0 <= units * HOURLY.interval_us - standing.debt_us < SLACK_US


async def test_as_many_are_granted_as_there_are_and_no_more(home: LimitHome) -> None:
    assert [(await claim(home, wanted=1)).granted for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]


async def test_what_is_refused_costs_nothing(home: LimitHome) -> None:
    await claim(home, wanted=5)
    refused = await claim(home, wanted=3)

    assert refused.granted == 0
    assert owes(refused, 5)


async def test_of_several_wanted_at_once_as_many_are_granted_as_are_left(home: LimitHome) -> None:
    assert (await claim(home, wanted=3)).granted == 3
    assert (await claim(home, wanted=3)).granted == 2


async def test_what_was_spent_is_charged_before_anything_is_granted(home: LimitHome) -> None:
    standing = await claim(home, spent=4, wanted=2)

    assert standing.granted == 1
    assert owes(standing, 5)


async def test_more_can_be_spent_than_there_is_but_a_debt_has_an_end(home: LimitHome) -> None:
    assert owes(await claim(home, spent=7), 7)
    assert owes(await claim(home, spent=1000), 10)


async def test_what_is_given_back_can_be_had_again(home: LimitHome) -> None:
    await claim(home, wanted=5)

    assert (await claim(home, spent=-1, wanted=2)).granted == 1
    assert await claim(home, spent=-1000) == Standing(0, 0)


async def test_time_pays(home: LimitHome) -> None:
    assert (await claim(home, wanted=1_000, policy=QUICK)).granted == 1_000
    with trio.fail_after(20):
        granted = 0
        while not granted:
            await trio.sleep(0.05)
            granted = (await claim(home, wanted=1_000, policy=QUICK)).granted

    assert granted < 1_000


async def test_subjects_and_policies_do_not_touch_each_other(home: LimitHome) -> None:
    await claim(home, wanted=5)

    standings = await home.settle(
        [
            Claim(HOURLY, "tomas", wanted=1),
            Claim(HOURLY, "maya", wanted=1),
            Claim(Policy("other", 5, 3600), "maya", wanted=1),
            Claim(HOURLY, "ann", wanted=6),
        ]
    )

    assert [standing.granted for standing in standings] == [1, 0, 1, 5]


@pytest.mark.parametrize("policy", [Policy("a", 7, 60), Policy("b", 1, 86_400), Policy("c", 9_999_999, 60)])
async def test_every_limit_is_kept_to_the_unit(home: LimitHome, policy: Policy) -> None:
    standing = await claim(home, spent=policy.limit - 1, policy=policy)

    assert standing.debt_us == (policy.limit - 1) * policy.interval_us
    assert (await claim(home, wanted=2, policy=policy)).granted >= 1


async def test_forgetting_leaves_alone_who_still_owes(home: LimitHome) -> None:
    await claim(home, wanted=5)
    await claim(home, wanted=1, policy=Policy("brief", 1000, 1))

    await home.forget()

    assert (await claim(home, wanted=1)).granted == 0


async def test_many_settle_in_one_exchange(home: LimitHome) -> None:
    claims = [Claim(HOURLY, f"user-{n}", spent=n % 3, wanted=1) for n in range(256)]
    await home.settle(claims)

    standings = await home.settle(claims)

    assert all(owes(standing, (2, 4, 5)[n % 3]) for n, standing in enumerate(standings))
