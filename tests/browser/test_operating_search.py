"""The search in the operators' console: trying one, reading what was searched for, changing how is searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import Account, Visitor, registered, visitor
from tests.browser.server import ServerProcess
from tests.browser.test_looks import PHONE, fits, nameless
from tests.browser.test_operating import key_of, sign_in_with_key
from tests.browser.test_searching import PIANO, a_result, an_answer

pytestmark = pytest.mark.browser

REFUSED = r"status of 4(09|22)"


@pytest.fixture(scope="module")
def tomas(server: ServerProcess) -> Iterator[Account]:
    """An instructor who gives a piano lesson online."""
    with registered(server.url, "Tomás Herrera", "instructor") as account:
        offer = {"services": [PIANO], "areas": [], "availability": []}
        account.client.put("/api/v1/instructors/me", json=offer).raise_for_status()
        yield account


@pytest.fixture(scope="module")
def searched(server: ServerProcess, tomas: Account) -> str:
    """The sentence that somebody has searched for."""
    sentence = "piano under $80 for my 8 year old"
    with registered(server.url, "Zoe Adler", "student") as zoe:
        zoe.client.get("/api/v1/search", params={"q": sentence}).raise_for_status()
    return sentence


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: ServerProcess) -> Iterator[Visitor]:
    with visitor(browser, server.url) as someone:
        sign_in_with_key(someone.page, server.url, key_of(server))
        expect(someone.page.get_by_role("link", name="Search")).to_be_visible()
        yield someone


@pytest.fixture
def operator(signed_in: Visitor) -> Iterator[Visitor]:
    """Who runs the server, on the pages of the search as they are at first."""
    signed_in.complaints.clear()
    signed_in.page.goto(f"{signed_in.url}/admin#/audit")
    signed_in.page.goto(f"{signed_in.url}/admin#/search")
    yield signed_in
    signed_in.page.unroute_all()


def part(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Search").get_by_role("link", name=name).click()


def test_what_was_searched_for_is_listed_and_shown_in_full(operator: Visitor, searched: str) -> None:
    page = operator.page
    page.get_by_role("button", name=searched).first.click()

    detail = page.get_by_role("complementary")
    expect(detail.get_by_role("heading", name=searched)).to_be_focused()
    expect(detail.get_by_role("region", name="Understood")).to_contain_text("Up to $80")
    expect(detail.get_by_role("region", name="Stages")).to_contain_text("parse")
    expect(detail.get_by_role("region", name="Candidates")).to_contain_text("ranked")
    assert nameless(page) == []

    page.keyboard.press("Escape")
    expect(detail.get_by_role("heading", name=searched)).to_be_hidden()
    assert operator.unexpected() == []


def test_the_list_is_narrowed_to_what_went_wrong(operator: Visitor, searched: str) -> None:
    page = operator.page
    expect(page.get_by_role("button", name=searched).first).to_be_visible()
    page.get_by_role("button", name="found nothing").click()
    expect(page.get_by_role("button", name=searched)).to_have_count(0)


def test_many_searches_come_to_figures(operator: Visitor, searched: str) -> None:
    page = operator.page
    expect(page.get_by_role("button", name=searched).first).to_be_visible()
    part(page, "Figures")
    expect(page.get_by_role("region", name="Searched for most")).to_contain_text(searched)
    expect(page.get_by_role("region", name="How long it took")).to_contain_text("burst1")

    page.get_by_role("button", name="last 30 days").click()

    expect(page.get_by_role("region", name="Searched for most")).to_contain_text(searched)
    assert nameless(page) == []
    assert operator.unexpected() == []


def test_a_value_out_of_its_bounds_is_refused_beside_its_field(operator: Visitor) -> None:
    part(operator.page, "Configuration")
    budget = operator.page.get_by_label("Budget, ms", exact=True)
    budget.fill("1")
    operator.page.get_by_role("button", name="Change").click()

    expect(operator.page.get_by_text("Must be a whole number from 50 to 30000.")).to_be_visible()
    expect(budget).to_be_focused()
    assert operator.unexpected(REFUSED) == []


def test_a_change_is_made_once_it_is_known_what_it_changes(operator: Visitor, server: ServerProcess) -> None:
    """Two operators at the same form: the second is told, and nothing is changed until they have looked."""
    page = operator.page
    part(page, "Configuration")
    retries = page.get_by_label("Retries of a model call")
    expect(retries).to_have_value("2")
    headers = {"X-API-Key": key_of(server)}
    page.request.put(f"{server.url}/api/v1/admin/search-config", data={"max_retries": 3}, headers=headers)
    retries.fill("4")
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("Read it again before you change it.")).to_be_visible()

    page.get_by_role("button", name="Read again").click()
    expect(retries).to_have_value("3")
    retries.fill("")
    page.get_by_role("button", name="Change").click()

    expect(retries).to_have_value("2")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("row").filter(has_text="max_retries").first).to_be_visible()


def test_a_key_is_nobody_and_tries_no_search(operator: Visitor) -> None:
    part(operator.page, "Try a search")
    expect(operator.page.get_by_text("sign in as an admin to try one")).to_be_visible()
    expect(operator.page.get_by_label("Sentence")).to_have_count(0)


def diagnosed() -> dict[str, Any]:
    stages = [
        {"name": "parse", "start_ms": 0, "duration_ms": 1.2, "status": "ok"},
        {"name": "embedding", "start_ms": 1.2, "duration_ms": 300, "status": "timeout"},
    ]
    prompt = {"purpose": "parse", "model": "gpt", "request": "<b>Read</b>", "response": None, "error": "timeout"}
    skipped = [{"stage": "embedding", "reason": "timeout", "detail": "300 ms"}]
    budget = {"limit_ms": 250, "used_ms": 301, "degraded": True, "skipped": skipped}
    return {
        **an_answer(a_result(), budget=budget),
        "diagnostics": {
            "stages": stages,
            "tiers": [{"tier": 3, "tried": True, "confidence": 0.79, "duration_ms": 1.5, "result": "resolved"}],
            "funnel": {"text": 12, "vector": 0, "fused": 12, "filtered": 9, "final": 9},
            "prompts": [prompt],
        },
    }


@pytest.fixture
def admin(browser: Browser, server: ServerProcess) -> Iterator[Visitor]:
    """One who signed in with a name, on a phone; what they are answered is made up."""
    account = {"id": "A", "email": "a@example.com", "display_name": "Ada", "role": "admin"}
    with visitor(browser, server.url, **PHONE) as someone:
        page = someone.page
        kept = {"kind": "token", "secret": "none", "name": account["display_name"]}
        page.goto(f"{server.url}/admin")
        page.evaluate("async (kept) => (await import('/static/admin/credentials.js')).keepCredentials(kept)", kept)
        page.route("**/api/v1/admin/workers**", lambda route: route.fulfill(json={"workers": []}))
        page.route("**/api/v1/admin/actors/**", lambda route: route.abort())
        page.goto(f"{server.url}/admin#/search/try")
        page.reload()
        yield someone


def test_a_search_is_tried_with_parts_left_out_and_all_is_told_of_it(admin: Visitor) -> None:
    page = admin.page
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(json=diagnosed())

    page.route("**/api/v1/search?**", answer)
    page.get_by_label("Sentence").fill("piano in harlem")
    page.get_by_label("without tier 5").check()
    page.get_by_label("as under high load").check()
    page.get_by_role("button", name="Search").click()

    expect(page.get_by_role("region", name="Stages")).to_contain_text("300 ms, timeout")
    expect(page.get_by_role("region", name="Budget", exact=True)).to_contain_text("degraded")
    expect(page.get_by_role("region", name="Left out", exact=True)).to_contain_text("embedding")
    expect(page.get_by_role("region", name="Prompts")).to_contain_text("parse, gpt")
    assert "skip=tier5" in asked[0]
    assert "simulate_high_load=true" in asked[0]
    assert "debug=true" in asked[0]
    assert fits(page)
    assert nameless(page) == []


def test_a_refused_trial_is_told_and_signs_nobody_out(admin: Visitor) -> None:
    page = admin.page
    problem = {"code": "permission_denied", "title": "Not permitted", "detail": "This is for admins."}
    page.route("**/api/v1/search?**", lambda route: route.fulfill(status=403, json=problem))
    page.get_by_label("Sentence").fill("piano")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert").filter(has_text="This is for admins.")).to_be_visible()
    expect(page.get_by_label("Sentence")).to_be_visible()


def test_a_learned_name_is_approved(operator: Visitor) -> None:
    page = operator.page
    alias = {
        "id": "7",
        "text": "the slope",
        "region_id": "nyc/brooklyn/park-slope",
        "source": "learned",
        "state": "proposed",
        "weight": 0.8,
        "created_at": "2026-03-01T10:00:00Z",
        "decided_at": None,
        "decided_by": None,
    }
    decided: list[Any] = []

    def answer(route: Any) -> None:
        if route.request.method == "POST":
            decided.append(route.request.post_data_json)
            route.fulfill(json={**alias, "state": "active"})
        else:
            route.fulfill(json={"items": [] if decided else [alias], "next_cursor": None})

    page.route("**/api/v1/admin/location-aliases**", answer)
    part(page, "Names of places")
    page.get_by_role("button", name="Approve the slope").click()

    expect(page.get_by_text("There are none.")).to_be_visible()
    assert decided == [{"text": "the slope", "region_id": "nyc/brooklyn/park-slope", "action": "approve"}]
    assert operator.unexpected() == []


def test_a_name_that_a_place_has_itself_is_told_before_it_is_added(admin: Visitor) -> None:
    page = admin.page
    brooklyn = {"id": "nyc/brooklyn", "name": "Brooklyn", "kind": "borough", "within": ["New York City"]}
    none = {"items": [], "next_cursor": None}
    page.route("**/api/v1/admin/location-aliases**", lambda route: route.fulfill(json=none))
    page.route("**/api/v1/regions?**", lambda route: route.fulfill(json={"items": [brooklyn]}))
    part(page, "Names of places")
    page.get_by_label("Name", exact=True).fill("brooklyn")
    page.get_by_label("Region", exact=True).fill("brookl")

    expect(page.get_by_text("nyc/brooklyn has that name itself")).to_be_visible()
    expect(page.locator("#alias-regions option")).to_have_attribute("value", "nyc/brooklyn")
    assert nameless(page) == []
