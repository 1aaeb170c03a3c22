"""Looking for lessons from the page: in one's own words, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor, registered, visitor
from tests.browser.server import ServerProcess
from tests.browser.test_looks import PHONE, fits, nameless

pytestmark = pytest.mark.browser

SEARCH = re.compile(r"/api/v1/search\?")
CLICK = re.compile(r"/api/v1/search/[^/]+/click$")
Json = dict[str, Any]

PIANO = {
    "title": "Piano for children",
    "description": "First pieces, reading and rhythm.",
    "price_cents": 7_000,
    "currency": "USD",
    "duration_minutes": 45,
    "category": "piano",
    "levels": ["beginner"],
    "ages": {"min": 6, "max": 12},
    "online": True,
}


@pytest.fixture
def piano(instructor: Account) -> Json:
    """A lesson that the instructor gives online, as the API tells of it."""
    answer = instructor.client.put(
        "/api/v1/instructors/me", json={"services": [PIANO], "areas": [], "availability": []}
    ).raise_for_status()
    service: Json = answer.json()["services"][0]
    return service


@pytest.fixture
def maya(new_visitor: NewVisitor, student: Account) -> Visitor:
    """The student, who knows nobody yet."""
    someone = new_visitor(locale="en-US")
    someone.log_in(student)
    expect(field(someone.page)).to_be_visible()
    return someone


def field(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="What are you looking for?")


def look(page: Page, sentence: str) -> None:
    field(page).fill(sentence)
    field(page).press("Enter")


def count_of(page: Page) -> Locator:
    return page.locator(".search-count")


# Answers as the server gives them, for what is hard to have it do.


def region(region_id: str, name: str) -> Json:
    return {"id": region_id, "name": name, "city": "nyc", "kind": "neighbourhood", "lat": 40.7, "lng": -74.0}


def a_result(number: int = 1, **changes: Any) -> Json:
    instructor = {
        "id": f"I{number}",
        "display_name": "Ada Byron",
        "rating": 4.9,
        "response_minutes": 45,
        "areas": ["Harlem"],
    }
    return {
        "service_id": f"S{number}",
        "instructor": instructor,
        "title": f"Piano {number}",
        "description": "For all.",
        "price_cents": 6_000,
        "currency": "USD",
        "duration_minutes": 45,
        "levels": ["beginner", "advanced"],
        "ages": {"min": 6, "max": 12},
        "online": False,
        "in_person": True,
        "distance_km": 2.52,
        "score": 0.9,
        "matched": {"text": 0.8, "vector": None},
        **changes,
    }


def an_answer(
    *results: Json,
    parts: list[Json] | None = None,
    parsed: Json | None = None,
    location: Json | None = None,
    budget: Json | None = None,
    next_cursor: str | None = None,
    total: int | None = None,
) -> Json:
    nowhere = {"text": None, "outcome": "not_asked", "region": None, "regions": [], "tier": None}
    understood = {
        "text": "piano",
        "service": "piano",
        "services": [],
        "place": None,
        "near": False,
        "denied_places": [],
        "near_me": False,
        "price": None,
        "age": None,
        "only_ages": None,
        "levels": [],
        "when": None,
        "times": [],
        "online": None,
        "notices": [],
        "parts": parts or [{"kind": "service", "text": "piano", "start": 0, "end": 5}],
        "source": "rules",
        **(parsed or {}),
    }
    whole = {"limit_ms": 500, "used_ms": 12, "degraded": False, "skipped": []}
    return {
        "query_id": "Q1",
        "results": list(results),
        "next_cursor": next_cursor,
        "meta": {
            "parsed": understood,
            "location": {**nowhere, "confidence": 0, "candidates": [], "excluded": [], **(location or {})},
            "budget": budget or whole,
            "cache": "miss",
            "total_candidates": len(results) if total is None else total,
        },
        "diagnostics": None,
    }


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: ServerProcess) -> Iterator[Visitor]:
    """A student for all tests in which the server's own answers don't matter: signing in takes longer than they do."""
    with registered(server.url, "Zoe Adler", "student") as zoe, visitor(browser, server.url) as someone:
        someone.log_in(zoe)
        yield someone


@pytest.fixture
def zoe(signed_in: Visitor) -> Iterator[Visitor]:
    """She, on a page that knows of no earlier search."""
    signed_in.page.goto(f"{signed_in.url}/#/search")
    signed_in.page.reload()
    signed_in.complaints.clear()
    yield signed_in
    signed_in.page.unroute_all()
    signed_in.context.clear_permissions()


@pytest.fixture
def answering(zoe: Visitor) -> Callable[..., list[dict[str, str]]]:
    """Have searches answered with these, one after the other; returns what is asked meanwhile."""

    def answer_with(*answers: Json | tuple[int, dict[str, str]]) -> list[dict[str, str]]:
        asked: list[dict[str, str]] = []
        left = list(answers)

        def fulfil(route: Route) -> None:
            asked.append({name: values[0] for name, values in parse_qs(urlsplit(route.request.url).query).items()})
            answer = left.pop(0)
            if isinstance(answer, dict):
                route.fulfill(json=answer)
            else:
                status, headers = answer
                route.fulfill(status=status, headers=headers, json={"code": "searches_busy", "title": "Busy"})

        zoe.page.route(SEARCH, fulfil)
        zoe.page.route(CLICK, lambda route: route.fulfill(status=204))
        return asked

    return answer_with


# With the server's own answers.


def test_who_knows_nobody_looks_for_a_lesson_and_writes_to_who_gives_it(
    maya: Visitor, instructor: Account, piano: Json
) -> None:
    page = maya.page
    look(page, "piano for my 8 year old under $80")

    card = page.get_by_role("article").filter(has_text="Tomás Herrera").filter(has_text="Piano for children").first
    expect(card).to_contain_text("Piano for children")
    expect(card).to_contain_text("$70 · 45 min")
    expect(card).to_contain_text("Ages 6 to 12")
    assert nameless(page) == []
    with page.expect_request(CLICK) as clicked:
        card.get_by_role("button", name="Message Tomás Herrera").click()

    assert clicked.value.post_data_json["service_id"]
    expect(maya.composer).to_be_visible()
    expect(page.get_by_role("heading", name="Tomás Herrera")).to_be_visible()
    expect(maya.composer).to_have_value("About Piano for children: ")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    assert maya.page.url.split("#/")[1].startswith("c/")

    page.go_back()
    expect(page.get_by_role("article").first).to_be_visible()
    expect(field(page)).to_have_value("piano for my 8 year old under $80")
    assert maya.unexpected("click") == []


def test_what_was_understood_is_taken_out_piece_by_piece_and_comes_back_with_the_browsers_way_back(
    maya: Visitor, piano: Json
) -> None:
    page = maya.page
    look(page, "piano under $80 online")
    understood = page.get_by_role("list", name="Understood as")
    expect(understood).to_contain_text("Up to $80")
    expect(understood).to_contain_text("Online")

    page.get_by_role("button", name="Search without price: Up to $80").click()

    expect(field(page)).to_have_value("piano online")
    expect(understood).not_to_contain_text("$80")
    page.go_back()
    expect(field(page)).to_have_value("piano under $80 online")
    expect(understood).to_contain_text("Up to $80")


def test_what_is_not_wanted_has_a_piece_of_its_own_and_what_could_not_be_heeded_is_told(
    maya: Visitor, piano: Json
) -> None:
    page = maya.page
    look(page, "piano not in brooklyn, no vegetarians")
    understood = page.get_by_role("list", name="Understood as")
    expect(understood).to_contain_text("not in brooklyn")
    expect(understood).not_to_contain_text("Not wanted")
    expect(page.get_by_text("“no vegetarians” can")).to_be_visible()

    page.get_by_role("button", name="Search without not in brooklyn").click()

    expect(field(page)).to_have_value("piano, no vegetarians")
    expect(understood).not_to_contain_text("brooklyn")


def test_whom_it_must_not_be_for_is_told_with_whom_it_is_for(maya: Visitor) -> None:
    told = maya.page.evaluate(
        """async () => {
          const { understoodOf } = await import("/static/search_words.js");
          const told = (age, only_ages) => {
            const parsed = { parts: [{ kind: "age", text: "so" }], levels: [], times: [], price: null, online: null, age, only_ages };
            return understoodOf({ parsed, location: { outcome: "not_asked" } })[0].label;
          };
          const adults = { min: 18, max: null }, kids = { min: 3, max: 12 };
          return [told(adults, null), told(adults, adults), told(kids, { min: 0, max: 17 }), told(kids, { min: 2, max: 13 })];
        }"""
    )

    assert told == [
        "18 and up",
        "18 and up only",
        "3 to 12, nobody older than 17",
        "3 to 12, nobody younger than 2 or older than 13",
    ]


def test_each_piece_of_a_sentence_is_told_in_clear_words(maya: Visitor) -> None:
    any_time = {"relative": None, "on": None, "until": None, "from_minute": None, "to_minute": None}
    no_friday = [{**any_time, "weekdays": ["mon", "tue", "wed", "thu", "sat", "sun"]}]
    to_friday = [{**any_time, "weekdays": ["mon", "tue", "wed", "thu", "fri"]}]
    grown = {"min": 45, "max": 45}
    told = maya.page.evaluate(
        """async (sentences) => {
          const { understoodOf } = await import("/static/search_words.js");
          const whole = { levels: [], times: [], denied_times: [], price: null, online: null, age: null, only_ages: null };
          const labels = (parsed) => understoodOf({ parsed, location: { outcome: "not_asked" } }).map(({ label }) => label);
          return sentences.map(({ kind, texts, ...more }) =>
            labels({ ...whole, ...more, parts: texts.map((text) => ({ kind, text })) }));
        }""",
        [
            {"kind": "when", "texts": ["not on friday"], "times": no_friday},
            {"kind": "when", "texts": ["busy fri"], "times": no_friday},
            {"kind": "when", "texts": ["mon-fri"], "times": to_friday},
            {"kind": "age", "texts": ["no kids", "i'm 45"], "age": grown},
            {"kind": "age", "texts": ["no kids"], "age": {"min": 18, "max": None}},
            {"kind": "age", "texts": ["my son 7", "my daughter 9"], "age": {"min": 7, "max": 9}},
            {"kind": "online", "texts": ["not online"], "online": False},
        ],
    )

    assert told == [
        ["Not on friday"],
        ["Any day but Friday"],
        ["Monday to Friday"],
        ["No kids", "45"],
        ["18 and up"],
        ["My son 7", "My daughter 9"],
        ["In person"],
    ]


def test_what_leaving_places_out_comes_to_is_told(maya: Visitor) -> None:
    told = maya.page.evaluate(
        """async () => {
          const { deniedNote } = await import("/static/search_words.js");
          const told = (online, names) =>
            deniedNote({ parsed: { online }, location: { excluded: names.map((name) => ({ name })) } });
          return [told(null, []), told(null, ["Soho"]), told(false, ["Soho", "Dumbo"])];
        }"""
    )

    assert told == [
        None,
        "Left out is what can only be had in Soho; who comes elsewhere too, or teaches online, stays.",
        "Left out is what can only be had in Soho or Dumbo; who comes elsewhere too stays.",
    ]


def test_who_says_nothing_of_what_to_learn_is_told_why_all_is_shown(maya: Visitor, piano: Json) -> None:
    look(maya.page, "hello")

    expect(maya.page.get_by_text("“hello” does not say what you would like to learn")).to_be_visible()
    expect(maya.page.get_by_role("article").first).to_be_visible()


def test_where_nothing_fits_the_page_offers_what_to_leave_out(maya: Visitor, piano: Json) -> None:
    page = maya.page
    look(page, "piano under $1")
    expect(page.get_by_text("Nothing fits all of that")).to_be_visible()
    expect(count_of(page)).to_have_text("No lessons found")

    page.get_by_role("button", name="Without price: Up to $1", exact=True).press("Enter")

    expect(page.get_by_role("article").first).to_be_visible()
    expect(count_of(page)).to_be_focused()


def test_a_lesson_that_was_found_is_the_one_that_is_booked(maya: Visitor, piano: Json) -> None:
    maya.page.get_by_role("link", name="Find lessons").click()
    look(maya.page, "piano")
    card = (
        maya.page.get_by_role("article")
        .filter(has_text="Tomás Herrera")
        .filter(has_text="Piano for children")
        .first
    )
    card.get_by_role("button", name="Book Piano for children with Tomás Herrera").click()

    dialog = maya.page.get_by_role("dialog", name="Book with Tomás Herrera")
    expect(dialog.get_by_label("Lesson")).to_contain_text("Piano for children")
    dialog.get_by_role("button", name="Book for $70").click()

    expect(maya.page.get_by_role("alert").filter(has_text="Booked: Piano for children")).to_be_visible()


def test_an_example_is_a_search_and_an_address_is_one_too(maya: Visitor) -> None:
    maya.page.get_by_role("link", name="spanish online after 6pm").click()
    expect(field(maya.page)).to_have_value("spanish online after 6pm")

    maya.page.goto(f"{maya.url}/#/search?q=organ+lessons")
    expect(field(maya.page)).to_have_value("organ lessons")


def test_an_instructor_is_not_sent_looking(new_visitor: NewVisitor, instructor: Account) -> None:
    tomas = new_visitor()
    tomas.log_in(instructor)
    expect(tomas.page.get_by_text("No conversations yet")).to_be_visible()
    expect(tomas.page.get_by_role("link", name="Find lessons")).to_have_count(0)


def test_on_a_phone_the_search_fits_and_leads_back(new_visitor: NewVisitor, student: Account, piano: Json) -> None:
    maya = new_visitor(**PHONE, color_scheme="dark")
    maya.log_in(student)
    look(maya.page, "piano for my 8 year old on weekends under $80")
    expect(maya.page.get_by_role("article").first.or_(maya.page.get_by_text("Nothing fits"))).to_be_visible()
    assert fits(maya.page)
    assert nameless(maya.page) == []

    maya.page.get_by_role("link", name="All conversations").first.click()
    expect(maya.page.get_by_role("link", name="Find lessons")).to_be_visible()


# With answers that are made up.


def test_a_place_that_may_be_several_is_chosen_from_them(zoe: Visitor, answering: Callable[..., Any]) -> None:
    names = [
        ("nyc/manhattan/chinatown", "Chinatown"),
        ("nyc/queens/chinatown", "Chinatown"),
        ("nyc/nolita", "Nolita"),
    ]
    regions = [region(*each) for each in names]
    candidates = [{"region": each, "tier": 1, "confidence": 1, "matched_name": each["name"]} for each in regions]
    location = {
        "text": "chinatown",
        "outcome": "ambiguous",
        "regions": regions,
        "tier": 1,
        "candidates": candidates,
    }
    parts = [
        {"kind": "service", "text": "piano", "start": 0, "end": 5},
        {"kind": "place", "text": "in chinatown", "start": 6, "end": 18},
    ]
    one = {
        "text": "chinatown queens",
        "outcome": "resolved",
        "region": regions[1],
        "regions": [regions[1]],
        "tier": 1,
    }
    asked = answering(
        an_answer(a_result(), parts=parts, location=location), an_answer(a_result(), parts=parts, location=one)
    )
    look(zoe.page, "piano in chinatown, please")
    expect(zoe.page.get_by_text("“chinatown” may mean several places")).to_be_visible()

    zoe.page.get_by_role("button", name=re.compile("^Chinatown Queens")).press("Enter")

    expect(field(zoe.page)).to_have_value("piano in Chinatown queens, please")
    expect(zoe.page.get_by_role("button", name=re.compile("^Search without place"))).to_be_focused()
    assert asked[-1]["q"] == "piano in Chinatown queens, please"


def test_the_keyboard_stays_where_a_piece_was_taken_out(zoe: Visitor, answering: Callable[..., Any]) -> None:
    parts = [
        {"kind": "service", "text": "piano", "start": 0, "end": 5},
        {"kind": "price", "text": "under $80", "start": 6, "end": 15},
        {"kind": "online", "text": "online", "start": 16, "end": 22},
    ]
    left = [parts[0], {"kind": "online", "text": "online", "start": 6, "end": 12}]
    answering(an_answer(a_result(), parts=parts), an_answer(a_result(), parts=left), an_answer(a_result()))
    look(zoe.page, "piano under $80 online")

    zoe.page.get_by_role("button", name="Search without price: under $80").press("Enter")

    online = zoe.page.get_by_role("button", name="Search without how: online")
    expect(zoe.page.get_by_role("button", name="Search without price")).to_have_count(0)
    expect(online).to_be_focused()
    online.press("Enter")
    expect(online).to_have_count(0)
    expect(zoe.page.get_by_role("button", name="Search without lesson: piano")).to_be_focused()


def test_an_example_that_is_gone_leaves_the_keyboard_at_what_was_found(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    answering(an_answer(a_result()))
    zoe.page.get_by_role("link", name="spanish online after 6pm").press("Enter")
    expect(zoe.page.get_by_role("article")).to_be_visible()
    expect(count_of(zoe.page)).to_be_focused()


def test_an_answer_in_a_hurry_says_what_it_lacks(zoe: Visitor, answering: Callable[..., Any]) -> None:
    skipped = [
        {"stage": "embedding", "reason": "high_load", "detail": ""},
        {"stage": "vector", "reason": "high_load", "detail": ""},
        {"stage": "tier5", "reason": "not_needed", "detail": ""},
    ]
    budget = {"limit_ms": 250, "used_ms": 249, "degraded": True, "skipped": skipped}
    answering(an_answer(a_result(), budget=budget))

    look(zoe.page, "piano")

    note = "Many people are searching just now, so lessons were found by their words and not by their meaning."
    expect(zoe.page.get_by_text(note, exact=True)).to_be_visible()


def test_where_there_was_no_time_to_look_nobody_is_told_that_nothing_fits(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    skipped = [{"stage": "burst2", "reason": "timeout", "detail": ""}]
    budget = {"limit_ms": 250, "used_ms": 250, "degraded": True, "skipped": skipped}
    answering(an_answer(budget=budget), an_answer(a_result()))
    look(zoe.page, "piano")
    expect(zoe.page.get_by_text("There was no time to look")).to_be_visible()
    expect(zoe.page.get_by_text("Nothing fits")).to_have_count(0)

    zoe.page.get_by_role("button", name="Search again").click()

    expect(zoe.page.get_by_role("article")).to_be_visible()


def test_a_place_without_time_to_look_it_up_is_not_called_unknown(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    skipped = [{"stage": "burst1", "reason": "timeout", "detail": "it was not done in time"}]
    budget = {"limit_ms": 50, "used_ms": 50, "degraded": True, "skipped": skipped}
    location = {"text": "harlem", "outcome": "not_looked_up"}
    answering(an_answer(budget=budget, location=location))

    look(zoe.page, "cello in harlem")

    expect(zoe.page.get_by_text("There was no time to look up where “harlem” is")).to_be_visible()
    expect(zoe.page.get_by_role("button", name="Search again")).to_be_visible()
    expect(zoe.page.get_by_text("No place called")).to_have_count(0)


def test_a_word_that_was_corrected_is_told_and_searched_for_as_written_at_a_press(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    sentence = "Shibri and lulabies on sunday"
    parts = [
        {"kind": "service", "text": "Shibri and lulabies", "start": 0, "end": 19},
        {"kind": "when", "text": "on sunday", "start": 20, "end": 29},
    ]
    notices = [
        {"kind": "corrected", "text": "Shibri", "taken": "shibori"},
        {"kind": "corrected", "text": "lulabies", "taken": "lullabies"},
    ]
    asked = answering(an_answer(a_result(), parts=parts, parsed={"notices": notices}), an_answer())

    look(zoe.page, sentence)

    understood = zoe.page.get_by_role("region", name="What was understood")
    expect(understood).to_contain_text("Searched for shibori, lullabies; no lesson has Shibri, lulabies.")
    expect(zoe.page.get_by_role("list", name="Understood as")).to_contain_text("shibori and lullabies")
    assert nameless(zoe.page) == []
    zoe.page.get_by_role("button", name="Search for “Shibri”, “lulabies” as written").click()

    expect(understood).not_to_contain_text("Searched for")
    expect(field(zoe.page)).to_have_value('"Shibri" and "lulabies" on sunday')
    assert [each["q"] for each in asked] == [sentence, '"Shibri" and "lulabies" on sunday']


def test_who_asked_for_nothing_is_not_told_that_a_lesson_fits(zoe: Visitor, answering: Callable[..., Any]) -> None:
    parts = [{"kind": "filler", "text": "hello", "start": 0, "end": 5}]
    parsed = {"service": "", "notices": [{"kind": "nothing_understood", "text": "hello"}]}
    answering(an_answer(a_result(matched={"text": 0, "vector": 0}), parts=parts, parsed=parsed))

    look(zoe.page, "hello")

    expect(zoe.page.get_by_role("article")).to_contain_text("One of all lessons")


def test_a_denied_day_is_a_piece_that_can_be_taken_out(maya: Visitor, piano: Json) -> None:
    page = maya.page
    look(page, "piano not next week")
    understood = page.get_by_role("list", name="Understood as")
    expect(understood).to_contain_text("Not next week")

    page.get_by_role("button", name="Search without time: Not next week").click()

    expect(field(page)).to_have_value("piano")
    expect(understood).not_to_contain_text("week")


def test_when_somebody_would_like_a_lesson_and_when_not_is_told_in_words(zoe: Visitor) -> None:
    any_day = {"weekdays": [], "relative": None, "on": None, "until": None, "from_minute": None, "to_minute": None}
    told = zoe.page.evaluate(
        """async (times) => {
             const { timesInWords } = await import("/static/search_words.js");
             return times.map(timesInWords);
           }""",
        [
            {"times": []},
            {"times": [{**any_day, "weekdays": ["sat"]}], "denied_times": [{**any_day, "on": "2026-12-05"}]},
            {"times": [], "denied_times": [{**any_day, "relative": day} for day in ("today", "tomorrow")]},
        ],
    )

    assert told == ["", "Saturday, not Dec 5, 2026", "Not today or tomorrow"]


def test_what_is_left_of_no_day_is_told(zoe: Visitor, answering: Callable[..., Any]) -> None:
    answering(an_answer(parsed={"notices": [{"kind": "no_time_left", "text": "friday, not dec 4"}]}))

    look(zoe.page, "piano this friday, not dec 4")

    expect(zoe.page.get_by_text("“friday, not dec 4” leaves no time at all.")).to_be_visible()


def test_on_a_phone_what_was_found_begins_on_the_first_screen_however_much_is_to_be_told(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    zoe.page.set_viewport_size({"width": 390, "height": 844})
    pieces = [
        ("service", "piano"),
        ("place", "in chinatown"),
        ("price", "under $80"),
        ("age", "for my 8 year old"),
        ("when", "on saturday"),
        ("online", "in person"),
        ("denied", "no beginners"),
    ]
    sentence = " ".join(text for _, text in pieces)
    parts = [
        {"kind": kind, "text": text, "start": sentence.index(text), "end": sentence.index(text) + len(text)}
        for kind, text in pieces
    ]
    names = [
        "nyc/manhattan/chinatown",
        "nyc/queens/chinatown",
        "nyc/brooklyn/chinatown",
        "chicago/south/chinatown",
    ]
    regions = [region(each, "Chinatown") for each in names]
    candidates = [{"region": each, "tier": 1, "confidence": 1, "matched_name": "Chinatown"} for each in regions]
    location = {"text": "chinatown", "outcome": "ambiguous", "regions": regions, "tier": 1}
    skipped = [{"stage": "vector", "reason": "high_load", "detail": ""}]
    answering(
        an_answer(
            a_result(),
            parts=parts,
            parsed={"notices": [{"kind": "not_heeded", "text": "no men"}, {"kind": "past", "text": "31.10."}]},
            location={**location, "candidates": candidates},
            budget={"limit_ms": 250, "used_ms": 249, "degraded": True, "skipped": skipped},
        )
    )

    look(zoe.page, sentence)

    found = zoe.page.get_by_role("article")
    expect(found).to_be_visible()
    box = found.bounding_box()
    assert box is not None
    assert box["y"] < 844 * 0.7
    assert fits(zoe.page)


def test_a_row_that_is_cut_off_on_a_phone_shows_on_which_side_it_goes_on(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    zoe.page.set_viewport_size({"width": 375, "height": 812})
    sentence = "piano in chinatown for my 8 year old on saturday afternoon"
    texts = {"service": "piano", "age": "for my 8 year old", "when": "on saturday afternoon"}
    parts = [{"kind": kind, "text": text, "start": 0, "end": 1} for kind, text in texts.items()]
    answering(an_answer(a_result(), parts=parts))
    look(zoe.page, sentence)

    row = zoe.page.get_by_role("list", name="Understood as")
    expect(row).to_have_class("pieces goes-on-right")
    row.evaluate("(row) => row.scrollTo({ left: row.scrollWidth })")
    expect(row).to_have_class("pieces goes-on-left")
    zoe.page.set_viewport_size({"width": 1280, "height": 800})
    expect(row).to_have_class("pieces")


@pytest.fixture
def cities(zoe: Visitor) -> list[Json]:
    """Those that the page is told of."""
    told = [{"id": "nyc", "name": "New York City"}, {"id": "london", "name": "London"}]
    zoe.page.route("**/api/v1/cities", lambda route: route.fulfill(json={"items": told}))
    zoe.page.reload()
    expect(zoe.page.get_by_role("combobox", name="City")).to_be_visible()
    return told


def test_who_names_no_place_is_told_so_and_chooses_a_city_with_one_press(
    zoe: Visitor, answering: Callable[..., Any], cities: list[Json]
) -> None:
    asked = answering(an_answer(a_result(), a_result(2, currency="GBP")), an_answer(a_result()))
    look(zoe.page, "piano")
    told = zoe.page.get_by_text("No place was named, so lessons of any city are shown.")
    expect(told).to_be_visible()
    expect(zoe.page.get_by_role("combobox", name="City")).to_have_value("")

    zoe.page.get_by_role("button", name="London", exact=True).click()

    expect(zoe.page.get_by_role("combobox", name="City")).to_have_value("london")
    expect(count_of(zoe.page)).to_have_text("1 lesson found")
    expect(told).to_be_hidden()
    assert [each.get("city") for each in asked] == [None, "london"]


def test_who_looks_for_lessons_online_is_not_asked_for_a_city(
    zoe: Visitor, answering: Callable[..., Any], cities: list[Json]
) -> None:
    answering(an_answer(a_result(online=True), parsed={"online": True}))
    look(zoe.page, "piano online")
    expect(count_of(zoe.page)).to_have_text("1 lesson found")
    expect(zoe.page.get_by_text("No place was named")).to_be_hidden()


HARLEM = {"id": "nyc/manhattan/harlem", "name": "Harlem", "city": "nyc", "kind": "neighbourhood"}
LONDON = {"id": "london", "name": "London", "city": "london", "kind": "city"}


@pytest.mark.parametrize(
    ("asked", "is_near", "is_position_known", "areas", "km", "told"),
    [
        ([LONDON], False, False, ["Hounslow"], 12.96, None),
        ([HARLEM], False, False, ["New York City"], 4.7, None),
        ([HARLEM], True, False, ["New York City"], 4.7, None),
        ([HARLEM], True, False, ["Manhattan"], 4.7, None),
        ([HARLEM], True, True, ["Inwood"], 4.68, "Nearest area 4.7 km from Harlem"),
        ([], False, False, ["Inwood"], None, None),
        ([], False, True, ["Inwood"], 12.96, "Nearest area 13 km from you"),
        ([], False, True, ["New York City"], 4.7, None),
        ([], False, True, ["New York City"], 5818.2, "Nearest area 5,818 km from you"),
    ],
)
def test_a_distance_says_from_what_to_what_it_is_and_is_left_out_where_it_says_nothing(
    zoe: Visitor,
    asked: list[Json],
    is_near: bool,
    is_position_known: bool,
    areas: list[str],
    km: float | None,
    told: str | None,
) -> None:
    given = {"distance_km": km, "instructor": {"areas": areas}}
    meta = {"parsed": {"near": is_near}, "location": {"regions": asked}}
    where = {
        "isPositionKnown": is_position_known,
        "cities": [{"id": "nyc", "name": "New York City"}, {"id": "london", "name": "London"}],
    }
    words = zoe.page.evaluate(
        """async ([given, meta, where]) => {
            const { wayTo } = await import("/static/search_words.js");
            return wayTo(given, meta, where);
        }""",
        [given, meta, where],
    )
    assert words == told


def test_a_busy_server_is_asked_once_more_when_it_said(zoe: Visitor, answering: Callable[..., Any]) -> None:
    asked = answering((503, {"Retry-After": "1"}), an_answer(a_result()))
    # It is said for a second, which whoever looks only now and then may miss.
    zoe.page.evaluate(
        """() => {
            const count = document.querySelector(".search-count");
            window.said = [];
            new MutationObserver(() => said.push(count.textContent))
                .observe(count, { childList: true, characterData: true, subtree: true });
        }"""
    )

    look(zoe.page, "piano")

    expect(zoe.page.get_by_role("article")).to_contain_text("Piano 1")
    assert any("Trying again in 1 s" in said for said in zoe.page.evaluate("said"))
    assert len(asked) == 2


def test_a_server_that_stays_busy_is_asked_again_by_hand(zoe: Visitor, answering: Callable[..., Any]) -> None:
    asked = answering((503, {"Retry-After": "0"}), (503, {"Retry-After": "0"}), an_answer(a_result()))
    look(zoe.page, "piano")
    alert = zoe.page.get_by_role("alert").filter(has_text="Try again")
    expect(alert).to_be_visible()
    assert len(asked) == 2

    alert.get_by_role("button", name="Try again").click()

    expect(zoe.page.get_by_role("article")).to_be_visible()
    expect(alert).to_be_hidden()


def test_the_next_page_follows_and_what_is_on_both_is_shown_once(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    first = an_answer(a_result(1), a_result(2), next_cursor="s1.next", total=3)
    asked = answering(first, an_answer(a_result(2), a_result(3), total=3))
    look(zoe.page, "piano")
    expect(count_of(zoe.page)).to_have_text("3 lessons found, 2 shown")

    zoe.page.get_by_role("button", name="Show more").click()

    expect(zoe.page.get_by_role("article")).to_have_count(3)
    expect(count_of(zoe.page)).to_have_text("3 lessons found")
    expect(zoe.page.get_by_role("heading", name="Piano 3")).to_be_focused()
    expect(zoe.page.get_by_role("button", name="Show more")).to_be_hidden()
    assert asked[-1]["cursor"] == "s1.next"


def test_who_reads_to_the_end_of_very_many_is_told_that_these_were_the_best(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    answering(an_answer(a_result(1), a_result(2), total=310))
    look(zoe.page, "music")
    expect(count_of(zoe.page)).to_have_text("310 lessons found, the best 2 shown")


def test_many_lessons_are_counted_in_the_readers_way_of_writing_numbers(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    answering(an_answer(a_result(1), total=5_128))
    look(zoe.page, "music")
    expect(count_of(zoe.page)).to_have_text(f"{5_128:,} lessons found, the best 1 shown")


def test_a_word_of_any_length_stays_within_what_is_told_of_it(zoe: Visitor, answering: Callable[..., Any]) -> None:
    notices = [{"kind": "not_understood", "text": 290 * "a"}]
    answering(an_answer(parsed={"notices": notices}))
    look(zoe.page, 290 * "a")
    note = zoe.page.get_by_text("was not understood: no lesson has it.")
    expect(note).to_be_visible()
    assert note.evaluate("(note) => note.scrollWidth <= note.clientWidth")


def test_nothing_found_is_not_taken_for_the_answer_to_the_next_search(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    page = zoe.page
    answering(an_answer())
    look(page, "sitar")
    nothing = page.locator(".list-empty", has_text="Nothing fits all of that")
    expect(nothing).to_have_css("opacity", "1")
    page.route(SEARCH, lambda route: None)  # not answered while the page is looked at

    look(page, "sitar in harlem")

    expect(count_of(page)).to_have_text("Searching …")
    expect(nothing).to_have_css("opacity", "0.55")
    expect(page.get_by_role("region", name="What was understood")).to_have_css("opacity", "0.55")


def test_what_others_call_their_lessons_is_text(zoe: Visitor, answering: Callable[..., Any]) -> None:
    title = "<img src=x onerror=alert(1)>"
    answering(an_answer(a_result(title=title)))
    look(zoe.page, "piano")
    expect(zoe.page.get_by_role("heading", name=title)).to_be_visible()
    assert zoe.unexpected() == []


def test_what_could_not_be_read_in_time_is_left_out(zoe: Visitor, answering: Callable[..., Any]) -> None:
    bare = a_result(title=None, description=None, currency=None, online=None, in_person=None, ages=None, levels=[])
    nobody = {"id": "I1", "display_name": None, "rating": None, "response_minutes": None, "areas": []}
    answering(an_answer({**bare, "instructor": nobody}))
    look(zoe.page, "piano")
    expect(zoe.page.get_by_role("heading", name="A lesson")).to_be_visible()
    assert zoe.unexpected() == []


def test_where_one_is_is_asked_for_only_when_one_says_so(zoe: Visitor, answering: Callable[..., Any]) -> None:
    asked = answering(an_answer(a_result()), an_answer(a_result()), an_answer(a_result()))
    zoe.context.grant_permissions(["geolocation"])
    zoe.context.set_geolocation({"latitude": 40.668123, "longitude": -73.980456})
    look(zoe.page, "piano")
    expect(zoe.page.get_by_role("article")).to_be_visible()
    assert "lat" not in asked[0]

    near = zoe.page.get_by_role("button", name="Near me")
    with zoe.page.expect_response(SEARCH):
        near.click()

    expect(near).to_have_attribute("aria-pressed", "true")
    expect(count_of(zoe.page)).to_have_text("1 lesson found")
    assert (asked[-1]["lat"], asked[-1]["lng"]) == ("40.668", "-73.98")


def test_a_browser_that_does_not_tell_where_it_is_is_no_dead_end(zoe: Visitor) -> None:
    zoe.page.get_by_role("button", name="Near me").click()
    expect(zoe.page.get_by_text("Name the place instead.")).to_be_visible()


def test_near_me_offers_to_say_where_that_is_and_tells_that_everybody_is_far(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    parts = [
        {"kind": "service", "text": "drums", "start": 0, "end": 5},
        {"kind": "filler", "text": "near me", "start": 6, "end": 13},
    ]
    far = [a_result(1, distance_km=5818.2), a_result(2, distance_km=None), a_result(3, distance_km=6652)]
    parsed = {"near_me": True}
    asked = answering(
        an_answer(a_result(distance_km=None), parts=parts, parsed=parsed),
        an_answer(*far, parts=parts, parsed=parsed),
    )
    zoe.context.grant_permissions(["geolocation"])
    zoe.context.set_geolocation({"latitude": 48.85, "longitude": 2.35})
    look(zoe.page, "drums near me")
    expect(zoe.page.get_by_text("This page does not know where you are")).to_be_visible()

    zoe.page.get_by_role("button", name="Use where I am").press("Enter")

    expect(zoe.page.get_by_text("Nobody near you: the nearest in person is 5,818 km away.")).to_be_visible()
    expect(zoe.page.get_by_text("This page does not know where you are")).to_be_hidden()
    expect(count_of(zoe.page)).to_be_focused()
    assert asked[-1]["lat"] == "48.85"


def test_what_the_browser_did_not_tell_is_not_held_against_the_next_search(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    answering(an_answer(a_result()))
    zoe.page.get_by_role("button", name="Near me").click()
    expect(zoe.page.get_by_text("Name the place instead.")).to_be_visible()

    look(zoe.page, "piano in harlem")

    expect(zoe.page.get_by_role("article")).to_be_visible()
    expect(zoe.page.get_by_text("Name the place instead.")).to_be_hidden()


def test_every_place_that_is_meant_is_in_its_piece(zoe: Visitor, answering: Callable[..., Any]) -> None:
    regions = [region("nyc/manhattan/soho", "SoHo"), region("nyc/manhattan/tribeca", "Tribeca")]
    location = {
        "text": "soho or tribeca",
        "outcome": "resolved",
        "region": regions[0],
        "regions": regions,
        "tier": 1,
    }
    parts = [{"kind": "place", "text": "in soho or tribeca", "start": 6, "end": 24}]
    answering(an_answer(a_result(), parts=parts, location=location))
    look(zoe.page, "piano in soho or tribeca")
    expect(zoe.page.get_by_role("list", name="Understood as")).to_contain_text("SoHo or Tribeca")


WISHES = {"weekdays": [], "relative": None, "on": None, "until": None, "from_minute": None, "to_minute": None}


def book_when(zoe: Visitor, answering: Callable[..., Any], times: list[Json], profile: Json) -> Locator:
    """The dialog in which a lesson is booked that was found for these times."""
    answer = an_answer(a_result(), parts=[{"kind": "when", "text": "on tues", "start": 6, "end": 13}])
    answer["meta"]["parsed"]["times"] = times
    answering(answer)
    told = {"id": "I1", "display_name": "Ada Byron", "services": [{**PIANO, "id": "S1"}], **profile}
    zoe.page.route("**/api/v1/instructors/I1", lambda route: route.fulfill(json=told))
    look(zoe.page, "piano on tues after school")
    zoe.page.get_by_role("button", name="Book Piano 1 with Ada Byron").click()
    dialog = zoe.page.get_by_role("dialog", name="Book with Ada Byron")
    expect(dialog.get_by_label("Lesson")).to_be_visible()
    return dialog


def test_who_looks_for_a_time_is_proposed_the_first_such_time_at_which_the_instructor_is_free(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    free = [
        {"weekday": "tue", "starts": "09:00", "ends": "12:00"},
        {"weekday": "tue", "starts": "16:00", "ends": "18:00"},
    ]
    times = [{**WISHES, "on": "2028-02-29", "from_minute": 900, "to_minute": 1080}]
    dialog = book_when(zoe, answering, times, {"timezone": "America/New_York", "availability": free})

    expect(dialog.get_by_label("Date")).to_have_value("2028-02-29")
    expect(dialog.get_by_label("Start time")).to_have_value("16:00")
    expect(dialog.get_by_text("clock in New York (America/New_York)")).to_be_visible()
    expect(dialog.get_by_text("Ada Byron is free every week: Tue 9:00")).to_be_visible()
    expect(dialog.get_by_text("usual hours. You may book it all the same")).to_be_hidden()

    dialog.get_by_label("Start time").fill("17:30")
    expect(dialog.get_by_text("usual hours. You may book it all the same")).to_be_visible()
    dialog.get_by_label("Start time").fill("17:15")
    expect(dialog.get_by_text("usual hours. You may book it all the same")).to_be_hidden()
    dialog.get_by_role("button", name="Close").click()


def test_who_looks_for_a_time_is_proposed_it_where_nobody_told_their_hours(
    zoe: Visitor, answering: Callable[..., Any]
) -> None:
    times = [{**WISHES, "on": "2028-02-29", "from_minute": 900, "to_minute": 1080}]
    dialog = book_when(zoe, answering, times, {"timezone": "UTC", "availability": []})

    expect(dialog.get_by_text("You looked for: Feb 29, 2028, 3:00")).to_be_visible()
    expect(dialog.get_by_label("Date")).to_have_value("2028-02-29")
    expect(dialog.get_by_label("Start time")).to_have_value("15:00")
    dialog.get_by_role("button", name="Close").click()


NEW_YORK = {
    "timezone": "America/New_York",
    "availability": [{"weekday": "sat", "starts": "09:30", "ends": "13:00"}],
}
UNTOLD: Json = {"timezone": "America/New_York", "availability": []}


@pytest.mark.parametrize(
    ("profile", "times", "denied", "moment"),
    [
        # It is Wednesday, 7 p.m. in New York, where clocks go forward in the night to Sunday.
        (NEW_YORK, [], [], "2027-03-13T14:30:00.000Z"),
        (UNTOLD, [], [], "2027-03-11T15:00:00.000Z"),
        (NEW_YORK, [{"weekdays": ["sat"], "from_minute": 720}], [], "2027-03-13T17:00:00.000Z"),
        (NEW_YORK, [{"weekdays": ["sat"], "from_minute": 750}], [], "2027-03-13T17:30:00.000Z"),
        (NEW_YORK, [{"relative": "this_weekend", "from_minute": 660}], [], "2027-03-13T16:00:00.000Z"),
        (NEW_YORK, [{"weekdays": ["sat"]}], [{"on": "2027-03-13"}], "2027-03-20T13:30:00.000Z"),
        (NEW_YORK, [{"weekdays": ["sun"], "from_minute": 150}], [], "2027-03-14T07:00:00.000Z"),
        (UNTOLD, [{"relative": "today"}], [], "2027-03-11T00:15:00.000Z"),
        (UNTOLD, [{"relative": "next_week", "weekdays": ["tue"]}], [], "2027-03-16T14:00:00.000Z"),
        (
            UNTOLD,
            [{"on": "2027-03-12", "until": "2027-03-14", "from_minute": 900}],
            [],
            "2027-03-12T20:00:00.000Z",
        ),
        (UNTOLD, [{"on": "2027-03-01"}], [], None),
    ],
)
def test_the_first_time_that_was_asked_for_and_is_free(
    zoe: Visitor, profile: Json, times: list[Json], denied: list[Json], moment: str | None
) -> None:
    found = zoe.page.evaluate(
        """async ([profile, times, denied_times]) => {
            const { firstMoment } = await import("/static/free_times.js");
            const now = new Date("2027-03-11T00:05:00Z");
            return firstMoment(profile, { times, denied_times }, 60, now)?.toISOString() ?? null;
        }""",
        [profile, [{**WISHES, **each} for each in times], [{**WISHES, **each} for each in denied]],
    )
    assert found == moment


# The sentence itself.


@pytest.fixture(scope="module")
def sentence(browser: Browser, server: ServerProcess) -> Any:
    with visitor(browser, server.url) as someone:
        someone.page.goto(server.url)
        yield lambda script: someone.page.evaluate(
            f"""async () => {{
                const {{ addressOfSearch, parentName, searchOf, without, withPlace }} = await import("/static/sentence.js");
                return {script};
            }}"""
        )


@pytest.mark.parametrize(
    ("text", "start", "end", "left"),
    [
        ("piano in harlem", 6, 15, "piano"),
        ("🎹 piano in harlem", 8, 17, "🎹 piano"),
        ("piano, in harlem, on saturday", 7, 16, "piano, on saturday"),
        ("under $80 piano", 0, 9, "piano"),
        ("piano", 0, 5, ""),
    ],
)
def test_a_piece_is_cut_out_of_the_sentence(sentence: Any, text: str, start: int, end: int, left: str) -> None:
    assert sentence(f"without({text!r}, [{{ start: {start}, end: {end} }}])") == left


@pytest.mark.parametrize("text", ["piano & organ", "100% online?", "C# + F♯", "クラシック", "a=b&city=x"])
def test_an_address_says_what_was_asked_whatever_it_was(sentence: Any, text: str) -> None:
    asked = {"text": text, "city": "nyc"}
    assert sentence(f"searchOf(addressOfSearch({asked!r}))") == asked


def test_other_addresses_are_no_search(sentence: Any) -> None:
    assert sentence('["", "#/", "#/c/search", "#/lessons", "#/searching"].map(searchOf)') == [None] * 5


@pytest.mark.parametrize(
    ("region_id", "name"),
    [
        ("london/kensington-and-chelsea/kensington", "Kensington and Chelsea"),
        ("nyc/brooklyn", ""),
        ("nyc/staten-island/new-dorp", "Staten Island"),
    ],
)
def test_what_a_place_lies_in_is_written_as_people_do(sentence: Any, region_id: str, name: str) -> None:
    assert sentence(f"parentName({region_id!r})") == name
