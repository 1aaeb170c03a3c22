"""The search in the operators' console: trying one, reading what was searched for, changing how is searched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import Account, Visitor, problem, registered, visitor
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
    """Who runs the server, on the pages of the search as they are at first: with nothing chosen."""
    signed_in.page.goto(f"{signed_in.url}/admin#/search")
    signed_in.page.reload()
    expect(signed_in.page.get_by_role("link", name="Search", exact=True)).to_be_visible()
    signed_in.complaints.clear()
    yield signed_in
    signed_in.page.unroute_all()


def part(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Search").get_by_role("link", name=name).click()


def test_what_was_searched_for_is_listed_and_shown_in_full(operator: Visitor, searched: str) -> None:
    page = operator.page
    row = page.get_by_role("row").filter(has_text=searched).first
    expect(row).to_contain_text("Zoe Adler")
    expect(row).to_contain_text("lesson piano · price under $80 · age for my 8 year old")
    row.get_by_role("button", name=searched).click()

    detail = page.get_by_role("complementary")
    expect(detail.get_by_text("Zoe Adler, student", exact=True)).to_be_visible()
    expect(detail.get_by_role("heading", name=searched)).to_be_focused()
    expect(detail.get_by_role("region", name="Understood")).to_contain_text("Up to $80")
    expect(detail.get_by_role("region", name="Stages")).to_contain_text("parse")
    expect(detail.get_by_role("region", name="Candidates")).to_contain_text("ranked")
    assert nameless(page) == []

    page.keyboard.press("Escape")
    expect(detail.get_by_role("heading", name=searched)).to_be_hidden()
    expect(row.get_by_role("button", name=searched)).to_be_focused()
    assert operator.unexpected() == []


def a_line(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "query_id": f"Q{number}",
        "user_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "at": "2026-03-01T10:00:00Z",
        "text": f"sentence {number}",
        "city": None,
        "place_text": None,
        "place_outcome": "not_asked",
        "region_id": None,
        "tier": None,
        "confidence": 0,
        "cache": "miss",
        "is_degraded": False,
        "limit_ms": 500,
        "used_ms": 12,
        "total": 3,
        "by": {"display_name": "Zoe Adler", "role": "student", "is_active": True},
        "parts": [],
        "excluded": [],
        **changes,
    }


def a_region(region_id: str, name: str) -> dict[str, Any]:
    return {"id": region_id, "name": name, "city": "nyc", "kind": "neighbourhood", "lat": 40.7, "lng": -73.9}


def a_part(kind: str, text: str) -> dict[str, Any]:
    return {"kind": kind, "text": text, "start": 0, "end": len(text)}


def test_the_list_says_what_was_denied_and_what_was_not_understood(operator: Visitor) -> None:
    page = operator.page
    denied = a_line(1, parts=[a_part("denied", "not in brooklyn")], excluded=["nyc/brooklyn"])
    place = {"place_text": "queens", "place_outcome": "resolved", "region_id": "nyc/queens"}
    within = a_line(2, **place, parts=[a_part("online", "in person")], excluded=["nyc/queens/astoria"])
    dropped = a_line(4, parts=None, excluded=None)
    page.route(
        "**/api/v1/admin/search/queries?**",
        lambda route: route.fulfill(json={"items": [denied, within, a_line(3), dropped], "next_cursor": None}),
    )
    page.get_by_role("button", name="degraded").click()

    def row(number: int) -> Any:
        return page.get_by_role("row").filter(has_text=f"sentence {number}")

    expect(row(1)).to_contain_text("not in brooklyn")
    expect(row(1).get_by_role("cell", name="not nyc/brooklyn", exact=True)).to_be_visible()
    expect(row(2).get_by_role("cell", name="nyc/queens, not nyc/queens/astoria", exact=True)).to_be_visible()
    expect(row(2)).to_contain_text("in person")
    expect(row(3)).to_contain_text("nothing understood")
    expect(row(4)).not_to_contain_text("understood")


def test_who_has_no_account_any_more_is_told_by_the_end_of_its_id(operator: Visitor) -> None:
    page = operator.page
    gone = {"search": a_line(1, by=None), "details": None, "clicks": []}
    page.route(
        "**/api/v1/admin/search/queries?**",
        lambda route: route.fulfill(json={"items": [gone["search"]], "next_cursor": None}),
    )
    page.route("**/api/v1/admin/search/queries/Q1?**", lambda route: route.fulfill(json=gone))
    page.route("**/api/v1/admin/search/queries/Q1", lambda route: route.fulfill(json=gone))
    page.get_by_role("button", name="degraded").click()

    expect(page.get_by_role("cell", name="account …9G5FAV", exact=True)).to_be_visible()
    page.get_by_role("button", name="sentence 1").click()
    detail = page.get_by_role("complementary")
    expect(detail.get_by_text("account …9G5FAV", exact=True)).to_be_visible()
    expect(detail.get_by_text("01ARZ3NDEKTSV4RRFFQ69G5FAV", exact=True)).to_be_visible()


def test_what_could_not_be_heeded_and_what_was_left_out_is_told_of_a_search(admin: Visitor) -> None:
    page = admin.page
    excluded = [a_region("nyc/queens/astoria", "Astoria"), a_region("nyc/brooklyn", "Brooklyn")]
    notices = [{"kind": "not_heeded", "text": "no men"}, {"kind": "past", "text": "yesterday"}]
    answer = {**diagnosed(), **an_answer(a_result(), parsed={"notices": notices}, location={"excluded": excluded})}
    page.route("**/api/v1/search?**", lambda route: route.fulfill(json=answer))
    page.get_by_label("Sentence").fill("piano, no men")
    page.get_by_role("button", name="Search").click()

    understood = page.get_by_role("region", name="Understood")
    expect(understood.get_by_text("nyc/queens/astoria, nyc/brooklyn", exact=True)).to_be_visible()
    expect(understood.get_by_text("so it was left out. “yesterday” is over.")).to_be_visible()


def test_what_was_chosen_is_found_again(operator: Visitor) -> None:
    page = operator.page
    page.get_by_role("button", name="found nothing").click()
    part(page, "Names of places")
    page.get_by_label("Where from").select_option("operator")
    page.get_by_role("button", name="revoked", exact=True).click()
    with page.expect_response("**/api/v1/admin/location-aliases?*q=slope*"):
        page.get_by_role("searchbox", name="Look for a name or a place").fill("slope")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("link", name="Audit")).to_have_attribute("aria-current", "page")

    page.get_by_role("link", name="Search", exact=True).click()

    expect(page.get_by_role("button", name="found nothing")).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/api/v1/admin/location-aliases?*source=operator*"):
        part(page, "Names of places")
    expect(page.get_by_label("Where from")).to_have_value("operator")
    expect(page.get_by_role("button", name="revoked", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("searchbox", name="Look for a name or a place")).to_have_value("slope")


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
    expect(page.get_by_role("list", name="Searches by hour").get_by_role("listitem").last).to_contain_text(
        "search"
    )

    page.get_by_role("button", name="last 30 days").click()

    expect(page.get_by_role("list", name="Searches by day, UTC").get_by_role("listitem")).to_have_count(31)
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
    refused = problem(403, "permission_denied", "This is for admins.")
    page.route("**/api/v1/search?**", lambda route: route.fulfill(**refused))
    page.get_by_label("Sentence").fill("piano")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert").filter(has_text="This is for admins.")).to_be_visible()
    expect(page.get_by_label("Sentence")).to_be_visible()


def test_a_refused_trial_leaves_nothing_of_the_one_before(admin: Visitor) -> None:
    page = admin.page
    answers = [{"json": diagnosed()}, problem(503, "search_busy", "Too many searches are being answered.")]
    page.route("**/api/v1/search?**", lambda route: route.fulfill(**answers.pop(0)))
    page.get_by_label("Sentence").fill("piano")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Query Q1")).to_have_attribute("href", "#/search/queries/Q1")
    expect(page.get_by_role("region", name="Stages")).to_be_visible()

    page.get_by_role("button", name="Search").click()

    expect(page.get_by_role("alert").filter(has_text="Too many searches are being answered.")).to_be_visible()
    expect(page.get_by_role("region", name="Stages")).to_be_hidden()
    expect(page.get_by_role("link", name="Query Q1")).to_have_count(0)


def an_alias(**changes: Any) -> dict[str, Any]:
    return {
        "id": "7",
        "text": "the slope",
        "region_id": "nyc/brooklyn/park-slope",
        "source": "learned",
        "state": "proposed",
        "weight": 0.8,
        "created_at": "2026-03-01T10:00:00Z",
        "decided_at": None,
        "decided_by": None,
        **changes,
    }


def test_a_learned_name_is_approved(operator: Visitor) -> None:
    page = operator.page
    alias = an_alias()
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


def test_a_second_meaning_of_a_name_is_told_before_it_is_added(admin: Visitor) -> None:
    page = admin.page
    known = [an_alias(text="The Slope", state="active"), an_alias(text="the slopes", region_id="nyc/queens")]

    def answer(route: Any) -> None:
        is_asked = "q=the+slope&state=active" in route.request.url
        route.fulfill(json={"items": known if is_asked else [], "next_cursor": None})

    page.route("**/api/v1/admin/location-aliases**", answer)
    page.route("**/api/v1/regions?**", lambda route: route.fulfill(json={"items": []}))
    part(page, "Names of places")
    page.get_by_label("Name", exact=True).fill("the slope")
    page.get_by_label("Region", exact=True).fill("nyc/bronx")

    told = "It means nyc/brooklyn/park-slope already: with another meaning it may mean either"
    expect(page.get_by_text(told)).to_be_visible()
    expect(page.get_by_text("nyc/queens")).to_have_count(0)


def test_who_decided_is_told_shortly_and_a_key_as_it_is(operator: Visitor) -> None:
    page = operator.page
    by = {"state": "active", "decided_at": "2026-03-02T10:00:00Z"}
    decided = [
        an_alias(**by, decided_by="user:01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        an_alias(**by, id="8", text="slope", decided_by="key:0a1b2c3d"),
    ]
    page.route(
        "**/api/v1/admin/location-aliases**",
        lambda route: route.fulfill(json={"items": decided, "next_cursor": None}),
    )
    part(page, "Names of places")

    expect(page.get_by_role("cell", name="by account …9G5FAV, ")).to_be_visible()
    expect(page.get_by_role("cell", name="by key:0a1b2c3d, ")).to_be_visible()
    expect(page.get_by_text("01ARZ3NDEKTSV4RRFFQ69G5FAV")).to_have_count(0)


def test_a_region_that_there_is_none_of_is_told_beside_its_field(operator: Visitor) -> None:
    page = operator.page
    part(page, "Names of places")
    page.get_by_label("Name", exact=True).fill("banana corner")
    page.get_by_label("Region", exact=True).fill("nyc/atlantis")
    page.get_by_role("button", name="Add", exact=True).click()

    expect(page.get_by_label("Region", exact=True)).to_be_focused()
    expect(page.get_by_label("Region", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert").filter(has_text="No such region.")).to_be_visible()
    assert operator.unexpected("status of 404") == []
