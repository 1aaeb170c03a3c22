"""A captcha, where the server asks for one after wrong passwords."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import PASSWORD, Account, Visitor, registered, visitor
from tests.browser.server import ServerProcess, running_server
from tests.browser.turnstile import StandIn, stand_in
from tests.postgres import PostgresServer

pytestmark = pytest.mark.browser

REFUSED = r"the server responded with a status of 4"


@pytest.fixture(scope="module")
def turnstile() -> Iterator[StandIn]:
    with stand_in("site-key-1") as standing_in:
        yield standing_in


@pytest.fixture(scope="module")
def wary_server(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, turnstile: StandIn
) -> Iterator[ServerProcess]:
    settings = {
        **turnstile.environment,
        "GREENROOM_LOGIN_CAPTCHA_FAILURES": "1",
        "GREENROOM_LOGIN_LOCKOUT_FAILURES": "10",
    }
    with running_server(postgres_server, tmp_path_factory.mktemp("wary"), settings) as running:
        yield running


@pytest.fixture
def account(wary_server: ServerProcess) -> Iterator[Account]:
    with registered(wary_server.url, "Maya Lindqvist", "student") as account:
        yield account


@pytest.fixture
def someone(browser: Browser, wary_server: ServerProcess) -> Iterator[Visitor]:
    with visitor(browser, wary_server.url) as opened:
        yield opened


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)


def test_after_wrong_passwords_one_shows_that_one_is_a_person_and_gets_in(
    someone: Visitor, account: Account
) -> None:
    page = someone.page
    page.goto(someone.url)
    log_in, check = page.get_by_role("button", name="Log in"), page.get_by_role("button", name="I am a person")
    fill_in(page, account.email, "not my password")
    log_in.click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(check).to_have_count(0)

    log_in.click()
    expect(page.get_by_role("alert")).to_contain_text("Please confirm below that you are a person")
    log_in.click()
    expect(page.get_by_role("alert")).to_have_text("Please confirm first that you are a person.")
    check.click()
    log_in.click()
    # Its token is spent by a password that was wrong again.
    expect(check).to_be_enabled()

    check.click()
    fill_in(page, account.email, PASSWORD)
    log_in.click()
    someone.wait_live()
    assert someone.unexpected(REFUSED) == []


def test_an_operator_shows_it_as_well(someone: Visitor, account: Account) -> None:
    page = someone.page
    page.goto(f"{someone.url}/admin")
    sign_in, check = page.get_by_role("button", name="Sign in"), page.get_by_role("button", name="I am a person")
    fill_in(page, account.email, "not my password")
    sign_in.click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    sign_in.click()
    check.click()
    fill_in(page, account.email, PASSWORD)
    sign_in.click()

    expect(page.get_by_role("alert")).to_contain_text("This account is no operator")


def test_a_widget_that_can_not_be_loaded_is_told(someone: Visitor, account: Account) -> None:
    page = someone.page
    page.route("**/api.js?*", lambda route: route.abort())
    page.goto(someone.url)
    fill_in(page, account.email, "not my password")
    log_in = page.get_by_role("button", name="Log in")
    log_in.click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    log_in.click()

    expect(page.get_by_role("alert")).to_contain_text("can't be loaded")
    expect(log_in).to_be_enabled()
