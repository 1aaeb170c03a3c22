"""Settings of the limits, by the names they have in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenroom.app import limit_policies
from greenroom.schema.environment import load_settings
from greenroom.schema.settings import BadSettings

TOKEN = "a-token-of-a-load-test"


@pytest.fixture(autouse=True)
def _nothing_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # where no .env is


def test_the_token_of_load_tests_goes_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOADTEST_BYPASS_TOKEN", TOKEN)

    token = load_settings().loadtest_bypass_token

    assert token is not None
    assert token.get_secret_value() == TOKEN


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("LOADTEST_BYPASS_TOKEN", "short", "LOADTEST_BYPASS_TOKEN: must have at least 16 characters"),
        (
            "GREENROOM_LOADTEST_BYPASS_TOKEN",
            TOKEN,
            "GREENROOM_LOADTEST_BYPASS_TOKEN: there is no such setting; did you mean LOADTEST_BYPASS_TOKEN?",
        ),
        ("GREENROOM_LIMIT_SENDS_PER_MINUTE", "-1", "GREENROOM_LIMIT_SENDS_PER_MINUTE: must be at least 0"),
        ("GREENROOM_TURNSTILE_URL", "ftp://x", "GREENROOM_TURNSTILE_URL: must begin with https://"),
    ],
)
def test_a_value_that_can_not_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as refused:
        load_settings()

    assert str(refused.value).splitlines() == [line]


def test_zero_switches_one_limit_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENROOM_LIMIT_SENDS_PER_MINUTE", "0")

    policies = limit_policies(load_settings())

    assert policies.sends is None
    assert policies.requests is not None
    assert (policies.requests.limit, policies.requests.window_s) == (1200, 60)
