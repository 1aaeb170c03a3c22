"""What was written and has not arrived yet is not lost with its tab, and not sent twice."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import Account, Visitor, problem

pytestmark = pytest.mark.browser

SEND = re.compile(r"/messages$")
KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('greenroom.kept.')).length"


@pytest.fixture
def maya(maya: Visitor) -> Visitor:
    """The student, with the conversation open, whose messages do not reach the server."""
    maya.context.route(SEND, lambda route: route.abort())
    return maya


def test_a_message_whose_tab_was_closed_is_sent_from_the_next_one(
    maya: Visitor, student: Account, talk: str
) -> None:
    address = maya.page.url
    maya.say("Keep this")
    maya.say("And this")
    expect(maya.page.get_by_text("Sending …")).to_have_count(2)
    maya.page.close()
    maya.context.unroute(SEND)

    maya.page = maya.context.new_page()
    maya.page.goto(address)
    expect(maya.page.get_by_role("img", name="Sent")).to_have_count(2)
    assert student.messages(talk) == ["Keep this", "And this"]
    assert maya.page.evaluate(KEPT) == 0


def test_two_tabs_that_have_the_same_message_on_its_way_send_it_once(
    maya: Visitor, student: Account, talk: str
) -> None:
    maya.say("Only once")
    second = maya.context.new_page()
    second.goto(maya.page.url)
    for page in (maya.page, second):
        expect(page.get_by_text("Sending …")).to_be_visible()
    maya.context.unroute(SEND)

    for page in (maya.page, second):
        expect(page.get_by_role("img", name="Sent")).to_be_visible()
        expect(page.locator(".message .content")).to_have_text(["Only once"])
    assert student.messages(talk) == ["Only once"]


def test_what_one_tab_discards_no_other_sends(maya: Visitor, student: Account, talk: str) -> None:
    refusal = problem(403, "blocked", "Not at this hour.")
    maya.context.unroute(SEND)
    maya.context.route(SEND, lambda route: route.fulfill(**refusal))
    maya.say("Never mind")
    second = maya.context.new_page()
    second.goto(maya.page.url)
    for page in (maya.page, second):
        expect(page.get_by_role("alert").filter(has_text="Not at this hour.")).to_be_visible()

    maya.page.get_by_role("button", name="Discard").click()
    expect(second.get_by_text("Never mind")).to_have_count(0)
    assert maya.page.evaluate(KEPT) == 0
    assert student.messages(talk) == []


def test_a_message_of_days_ago_is_not_sent_unasked(maya: Visitor, student: Account, talk: str) -> None:
    maya.say("See you at ten!")
    expect(maya.page.get_by_text("Sending …")).to_be_visible()
    maya.page.evaluate(
        """() => {
            const [name] = Object.keys(localStorage).filter((key) => key.startsWith("greenroom.kept.unsent."));
            const entry = JSON.parse(localStorage.getItem(name));
            localStorage.setItem(name, JSON.stringify({ ...entry, at: entry.at - 25 * 3_600_000 }));
        }"""
    )
    maya.context.unroute(SEND)
    maya.page.reload()
    alert = maya.page.get_by_role("alert").filter(has_text="written a while ago")
    expect(alert).to_be_visible()
    assert student.messages(talk) == []

    alert.get_by_role("button", name="Try again").click()
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert student.messages(talk) == ["See you at ten!"]


def test_who_logs_out_with_something_unsent_is_warned_and_leaves_nothing_behind(maya: Visitor) -> None:
    maya.say("On its way")
    maya.composer.fill("Half a thought")
    log_out = maya.page.get_by_role("button", name="Log out")
    log_out.click()
    warning = maya.page.get_by_role("dialog", name="Log out all the same?")
    expect(warning).to_contain_text("1 message and 1 draft have not been sent")
    warning.get_by_role("button", name="Stay").click()
    expect(maya.composer).to_have_value("Half a thought")
    assert maya.page.evaluate(KEPT) == 2

    log_out.click()
    warning.get_by_role("button", name="Log out").click()
    expect(maya.page.get_by_role("button", name="Log in")).to_be_visible()
    assert maya.page.evaluate(KEPT) == 0


def test_what_waits_when_a_session_ends_by_itself_is_sent_after_the_next_log_in(
    maya: Visitor, student: Account, talk: str
) -> None:
    maya.say("On its way")
    expect(maya.page.get_by_text("Sending …")).to_be_visible()
    maya.context.clear_cookies()
    maya.page.reload()
    expect(maya.page.get_by_text("Your session has ended.")).to_be_visible()

    maya.context.unroute(SEND)
    maya.log_in(student)
    maya.open_conversation("Tomás Herrera")
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert student.messages(talk) == ["On its way"]


def test_a_draft_is_still_there_after_a_reload_and_gone_once_it_is_sent(maya: Visitor) -> None:
    maya.composer.fill("Half a thought")
    maya.page.reload()
    expect(maya.composer).to_have_value("Half a thought")

    maya.context.unroute(SEND)
    maya.composer.press("Enter")
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    maya.page.reload()
    expect(maya.messages).to_have_text(["Half a thought"])
    expect(maya.composer).to_have_value("")


def test_what_is_kept_is_bounded_in_number_and_age_and_told_apart_by_whose_it_is(maya: Visitor) -> None:
    kept = maya.page.evaluate(
        """async () => {
            const { createShelf } = await import("/static/shelf.js");
            const day = 24 * 3_600_000;
            let time = 100 * day;
            const shelf = (owner) => createShelf({ kind: "test", owner, countMax: 3, now: () => time });
            const [mine, theirs] = [shelf("me"), shelf("them")];
            theirs.put("x", "theirs");
            for (const id of ["a", "b", "c", "d"]) { time += day; mine.put(id, id.toUpperCase()); }
            localStorage.setItem("greenroom.kept.test.me.broken", "{");
            const ids = (one) => one.entries().map(([id, record]) => `${id}${record}`).join();
            const soon = [ids(mine), ids(theirs), mine.get("a"), mine.get("d")];
            time += 28 * day;
            const late = [ids(mine), ids(theirs)];
            mine.clear();
            return [soon, late, ids(mine)];
        }"""
    )
    assert kept == [["bB,cC,dD", "xtheirs", None, "D"], ["cC,dD", ""], ""], json.dumps(kept)
