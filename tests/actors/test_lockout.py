"""Guessing passwords: how far one gets, and that whoever knows it gets in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.limiting import LimitPolicies
from greenroom.actors.lockout import Ladder, Lockout
from greenroom.actors.sign_in import TRIES_WAITING_MAX, TRY_TIMEOUT_S
from greenroom.schema.errors import (
    AccountLocked,
    CaptchaUnavailable,
    DomainError,
    InvalidCredentials,
    LoginBusy,
    RateLimited,
)
from greenroom.schema.rate_limits import Policy
from greenroom.storage.captcha import Captcha
from greenroom.storage.limits import LocalLimits
from greenroom.storage.passwords import SimulatedPasswords
from tests.actors.world import PASSWORD, World, a_world

MAYA = "maya@example.com"
WRONG = "not the password"
DAY_S = 24 * 3600
LADDER = Ladder(first=5)
PER_ACCOUNT = LimitPolicies(
    account_logins_by_minute=Policy("account-logins-by-minute", 5, 60),
    account_logins_by_hour=Policy("account-logins-by-hour", 20, 3600),
)


@asynccontextmanager
async def guarded(
    *, failures: int = LADDER.first, limits: LimitPolicies | None = None, captcha: Captcha | None = None
) -> AsyncIterator[World]:
    settings = CoreSettings(lockout_failures=failures, limits=limits or LimitPolicies())
    async with a_world(settings=settings, captcha=captcha) as world:
        yield world


async def attempt(world: World, password: str = WRONG, email: str = MAYA) -> str:
    """Try to sign in; say in a word what became of it."""
    try:
        await world.core.sign_in.login(email=email, password=password)
    except InvalidCredentials:
        return "invalid"
    except AccountLocked:
        return "locked"
    except RateLimited:
        return "limited"
    except LoginBusy:
        return "busy"
    return "in"


async def attempts_at_once(world: World, passwords: list[str]) -> list[str]:
    outcomes: list[str] = []

    async def try_one(password: str) -> None:
        outcomes.append(await attempt(world, password))

    async with trio.open_nursery() as nursery:
        for password in passwords:
            nursery.start_soon(try_one, password)
    return outcomes


@pytest.mark.parametrize(
    ("failure", "lock_s"), [(1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1920), (12, 3600), (1000, 3600)]
)
def test_the_ladder(failure: int, lock_s: int) -> None:
    assert LADDER.lock_s(failure) == lock_s


async def test_the_fifth_wrong_password_locks_and_the_right_one_does_not_open(autojump_clock: MockClock) -> None:
    async with guarded() as world:
        assert [await attempt(world) for _ in range(5)] == ["invalid"] * 5

        with pytest.raises(AccountLocked) as locked:
            await world.core.sign_in.login(email=MAYA, password=PASSWORD)

        assert locked.value.retry_after_s == pytest.approx(30, abs=1)
        await trio.sleep(locked.value.retry_after_s)
        assert await attempt(world, PASSWORD) == "in"


async def test_a_success_takes_all_failures_back(autojump_clock: MockClock) -> None:
    async with guarded() as world:
        for _ in range(3):
            assert [await attempt(world) for _ in range(4)] == ["invalid"] * 4
            assert await attempt(world, PASSWORD) == "in"


async def test_a_day_of_patient_guessing_is_worth_three_dozen_guesses(autojump_clock: MockClock) -> None:
    lockout = Lockout(LocalLimits(), LADDER)
    guesses = 0
    while trio.current_time() < DAY_S:
        try:
            await lockout.check(MAYA)
            await lockout.begin(MAYA)
            guesses += 1
        except AccountLocked as locked:
            await trio.sleep(locked.retry_after_s)

    assert 30 <= guesses <= 36


async def test_of_many_guesses_at_once_no_more_are_looked_at(autojump_clock: MockClock) -> None:
    async with guarded() as world:
        outcomes = await attempts_at_once(world, [WRONG] * 500)

    assert outcomes.count("invalid") == LADDER.first
    assert set(outcomes) <= {"invalid", "locked", "busy"}
    assert outcomes.count("locked") >= TRIES_WAITING_MAX - LADDER.first


async def test_right_passwords_at_once_lock_nobody_out(autojump_clock: MockClock) -> None:
    async with guarded(limits=PER_ACCOUNT) as world:
        assert await attempts_at_once(world, [PASSWORD] * 20) == ["in"] * 20


async def test_right_passwords_at_once_after_wrong_ones_lock_nobody_out(autojump_clock: MockClock) -> None:
    async with guarded() as world:
        assert [await attempt(world) for _ in range(3)] == ["invalid"] * 3

        assert await attempts_at_once(world, [PASSWORD] * 5) == ["in"] * 5


async def test_whoever_waits_too_long_behind_other_tries_is_told_to_come_back_and_fails_nothing(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(self: SimulatedPasswords, password: str, encoded: str | None) -> bool:
        await trio.sleep(2 * TRY_TIMEOUT_S)
        return True

    async with guarded() as world:
        with monkeypatch.context() as patched:
            patched.setattr(SimulatedPasswords, "verify", slow)
            assert sorted(await attempts_at_once(world, [PASSWORD] * 8)) == ["busy"] * 7 + ["in"]

        assert [await attempt(world) for _ in range(5)] == ["invalid"] * 5


async def test_an_account_that_does_not_exist_is_locked_alike_however_its_name_is_written(
    autojump_clock: MockClock,
) -> None:
    async with guarded() as world:
        nobody = ["nobody@example.com", "Nobody@example.com", "NOBODY@EXAMPLE.COM"]
        outcomes = [await attempt(world, email=nobody[n % 3]) for n in range(7)]
        assert outcomes == [await attempt(world) for _ in range(7)]

    assert outcomes == ["invalid"] * 5 + ["locked"] * 2


async def test_one_locked_account_locks_nobody_else(autojump_clock: MockClock) -> None:
    async with guarded() as world:
        for _ in range(6):
            await attempt(world)

        assert await attempt(world, PASSWORD, email="tomas@example.com") == "in"


async def test_failures_are_forgotten_in_time(autojump_clock: MockClock) -> None:
    lockout = Lockout(LocalLimits(), LADDER)
    for _ in range(4):
        await lockout.begin("maya")
    await trio.sleep(DAY_S / 2)

    assert [(await lockout.begin("maya")).failure for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_a_try_that_was_never_looked_at_does_not_count(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(self: SimulatedPasswords, password: str, encoded: str | None) -> bool:
        raise LoginBusy(retry_after_s=1.0)

    async with guarded(limits=PER_ACCOUNT) as world:
        with monkeypatch.context() as patched:
            patched.setattr(SimulatedPasswords, "verify", busy)
            for _ in range(20):
                with pytest.raises(LoginBusy):
                    await world.core.sign_in.login(email=MAYA, password=PASSWORD)

        assert [await attempt(world) for _ in range(5)] == ["invalid"] * 5
        counted = {outcome: n for outcome, n in world.core.sign_in.outcomes.items() if n}
        assert counted == {"invalid": 5, "busy": 20}


async def test_tries_for_one_account_are_limited_by_minute_and_hour_until_one_succeeds(
    autojump_clock: MockClock,
) -> None:
    async with guarded(failures=0, limits=PER_ACCOUNT) as world:
        assert [await attempt(world) for _ in range(6)] == ["invalid"] * 5 + ["limited"]
        await trio.sleep(12)
        assert await attempt(world, PASSWORD) == "in"
        assert [await attempt(world) for _ in range(6)] == ["invalid"] * 5 + ["limited"]
        looked_at = 5
        until = trio.current_time() + 3600
        while trio.current_time() < until:
            looked_at += await attempt(world) == "invalid"
            await trio.sleep(12)

    assert 20 <= looked_at <= 40


async def test_nobody_is_locked_where_there_is_no_ladder(autojump_clock: MockClock) -> None:
    async with guarded(failures=0) as world:
        assert [await attempt(world) for _ in range(50)] == ["invalid"] * 50


class Asked:
    """Takes one token for good, and can be away."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.is_away = False

    async def check(self, token: str) -> bool:
        self.tokens.append(token)
        if self.is_away:
            raise CaptchaUnavailable("away")
        return token == "good"


async def outcome(world: World, password: str, token: str | None) -> str:
    try:
        await world.core.sign_in.login(email=MAYA, password=password, captcha_token=token)
    except DomainError as refusal:
        return refusal.code
    return "in"


async def test_after_three_wrong_passwords_a_person_has_to_show_to_be_one(autojump_clock: MockClock) -> None:
    captcha = Asked()
    async with guarded(captcha=captcha, limits=PER_ACCOUNT) as world:
        assert [await attempt(world) for _ in range(3)] == ["invalid"] * 3

        assert await outcome(world, PASSWORD, None) == "captcha_required"
        assert await outcome(world, PASSWORD, "bad") == "captcha_failed"
        assert await outcome(world, PASSWORD, "good") == "in"
        assert await outcome(world, PASSWORD, None) == "in"

    assert captcha.tokens == ["bad", "good"]


async def test_a_captcha_does_not_replace_the_ladder(autojump_clock: MockClock) -> None:
    async with guarded(captcha=Asked()) as world:
        assert [await outcome(world, WRONG, "good") for _ in range(6)] == ["invalid_credentials"] * 5 + [
            "account_locked"
        ]


async def test_a_captcha_is_asked_for_also_where_nobody_is_locked(autojump_clock: MockClock) -> None:
    async with guarded(failures=0, captcha=Asked()) as world:
        assert [await attempt(world) for _ in range(3)] == ["invalid"] * 3

        assert await outcome(world, PASSWORD, None) == "captcha_required"
        assert await outcome(world, PASSWORD, "good") == "in"


async def test_asking_for_a_captcha_again_and_again_locks_nobody(autojump_clock: MockClock) -> None:
    async with guarded(captcha=Asked(), limits=PER_ACCOUNT) as world:
        for _ in range(3):
            await attempt(world)
        assert {await outcome(world, PASSWORD, None) for _ in range(50)} == {"captcha_required"}

        assert await outcome(world, PASSWORD, "good") == "in"


async def test_without_anybody_to_check_a_captcha_nobody_who_needs_one_gets_in(autojump_clock: MockClock) -> None:
    captcha = Asked()
    captcha.is_away = True
    async with guarded(captcha=captcha) as world:
        assert await outcome(world, PASSWORD, None) == "in"
        for _ in range(3):
            await attempt(world)

        assert await outcome(world, PASSWORD, "good") == "captcha_unavailable"
        captcha.is_away = False
        assert await outcome(world, PASSWORD, "good") == "in"
        assert world.core.sign_in.outcomes["captcha_unavailable"] == 1
