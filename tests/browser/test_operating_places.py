"""The names of places in the operators' console, with a whole city's in the database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio
from playwright.sync_api import Browser, Page, expect

from greenroom.actors.search.places.loading import load_gazetteer
from greenroom.storage.postgres import PostgresOptions, open_pool
from greenroom.storage.postgres.search.gazetteer import PostgresGazetteer
from tests.browser.people import Visitor, visitor
from tests.browser.server import ServerProcess, running_server
from tests.browser.test_looks import PHONE, fits, nameless
from tests.browser.test_operating import key_of, sign_in_with_key
from tests.postgres import PostgresServer
from tests.storage.builders import NOW

pytestmark = pytest.mark.browser

ALIASES = "/api/v1/admin/location-aliases"


async def load_places(server: ServerProcess) -> None:
    async with open_pool(PostgresOptions(server.database_url, pool_size=1)) as pool:
        await load_gazetteer(PostgresGazetteer(pool), now=NOW)


@pytest.fixture(scope="module")
def mapped_server(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server of its own that knows the gazetteer."""
    with running_server(postgres_server, tmp_path_factory.mktemp("server")) as server:
        # In a thread of its own: where a browser is open, an event loop counts as running in this one.
        with ThreadPoolExecutor(1) as threads:
            threads.submit(trio.run, load_places, server).result()
        yield server


@pytest.fixture
def operator(browser: Browser, mapped_server: ServerProcess) -> Iterator[Visitor]:
    """Who looks at the names of places."""
    with visitor(browser, mapped_server.url) as someone:
        open_names(someone, mapped_server)
        yield someone


def open_names(someone: Visitor, server: ServerProcess) -> None:
    sign_in_with_key(someone.page, server.url, key_of(server))
    expect(someone.page.get_by_role("link", name="Search")).to_be_visible()
    someone.page.goto(f"{someone.url}/admin#/search/aliases")
    choose(someone.page, "active")


def choose(page: Page, state: str) -> None:
    page.get_by_role("group", name="Which").get_by_role("button", name=state, exact=True).click()


def searchbox(page: Page) -> Any:
    return page.get_by_role("searchbox", name="Look for a name or a place")


def cell(page: Page, words: str) -> Any:
    return page.get_by_role("cell", name=words, exact=True)


def test_a_name_is_found_by_its_text_and_so_are_all_of_a_place(operator: Visitor) -> None:
    page = operator.page
    searchbox(page).fill("11215")
    expect(cell(page, "nyc/brooklyn/park-slope")).to_have_count(1)

    searchbox(page).fill("park slope")
    expect(cell(page, "11215")).to_be_visible()
    expect(cell(page, "The Slope")).to_be_visible()

    searchbox(page).fill("atlantis")
    expect(page.get_by_text("None of them fits.")).to_be_visible()
    assert nameless(page) == []
    assert operator.unexpected() == []


def test_what_operators_added_is_told_from_the_gazetteers_by_keyboard_alone(operator: Visitor) -> None:
    page = operator.page
    page.get_by_label("Name", exact=True).fill("Banana Corner")
    page.get_by_label("Region", exact=True).fill("nyc/brooklyn/park-slope")
    page.get_by_label("Region", exact=True).press("Enter")
    expect(cell(page, "Banana Corner")).to_be_visible()

    searchbox(page).press_sequentially("slope")
    expect(cell(page, "11215")).to_be_visible()
    searchbox(page).press("Tab")
    page.keyboard.press("ArrowDown")

    expect(page.get_by_label("Where from")).to_have_value("operator")
    expect(cell(page, "11215")).to_have_count(0)
    expect(cell(page, "Banana Corner")).to_be_visible()


def test_names_in_any_state_say_which(operator: Visitor) -> None:
    page = operator.page
    searchbox(page).fill("11217")
    page.get_by_role("button", name="Revoke 11217").click()
    expect(page.get_by_text("None of them fits.")).to_be_visible()

    choose(page, "all")

    expect(cell(page, "revoked")).to_be_visible()
    expect(page.get_by_role("button", name="Approve 11217")).to_be_visible()


def test_an_answer_that_comes_late_does_not_replace_what_was_asked_since(operator: Visitor) -> None:
    page = operator.page
    held: list[Any] = []
    page.route(f"**{ALIASES}?*q=11211*", lambda route: held.append(route))
    with page.expect_request(f"**{ALIASES}?*q=11211*"):
        searchbox(page).fill("11211")
    searchbox(page).fill("11215")
    expect(cell(page, "11215")).to_be_visible()

    with page.expect_response(f"**{ALIASES}?*q=11211*"):
        held[0].continue_()

    expect(cell(page, "11215")).to_be_visible()
    expect(cell(page, "11211")).to_have_count(0)


def test_what_can_not_be_looked_for_is_said_in_place_of_names(operator: Visitor) -> None:
    page = operator.page
    searchbox(page).fill("!!!")

    expect(page.get_by_text("Must have a letter or a digit.")).to_be_visible()
    expect(cell(page, "11215")).to_have_count(0)
    assert operator.unexpected("status of 422") == []


def test_names_of_places_fit_on_a_phone(browser: Browser, mapped_server: ServerProcess) -> None:
    with visitor(browser, mapped_server.url, **PHONE) as someone:
        open_names(someone, mapped_server)
        searchbox(someone.page).fill("slope")
        expect(someone.page.get_by_role("row").filter(has_text="11215")).to_be_visible()

        assert fits(someone.page)
