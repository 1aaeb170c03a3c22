"""Two people, two browsers, one conversation."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor, listen_for_complaints, registered

pytestmark = pytest.mark.browser


def test_two_people_see_each_others_messages_as_they_are_sent(maya: Visitor, tomas: Visitor) -> None:
    maya.say("Do you teach eight-year-olds?")
    expect(tomas.messages).to_have_text(["Do you teach eight-year-olds?"])
    tomas.say("With pleasure.")
    expect(maya.messages).to_have_text(["Do you teach eight-year-olds?", "With pleasure."])

    assert maya.unexpected() == tomas.unexpected() == []


def test_a_message_is_shown_at_once_and_its_ticks_tell_how_far_it_has_come(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    student.open_conversation(instructor)
    maya, tomas = new_visitor(), new_visitor()
    maya.log_in(student)
    maya.open_conversation("Tomás Herrera")

    maya.say("Are you there?")
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    tomas.log_in(instructor)
    expect(maya.page.get_by_role("img", name="Delivered")).to_be_visible()
    tomas.open_conversation("Maya Lindqvist")
    expect(maya.page.get_by_role("img", name="Read")).to_be_visible()


def test_the_unread_count_rises_and_clears_when_the_conversation_is_opened(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    tomas = new_visitor()
    tomas.log_in(instructor)

    student.say(talk, "One")
    student.say(talk, "Two")
    row = tomas.row("Maya Lindqvist")
    expect(row.get_by_label("2 unread")).to_be_visible()
    expect(row).to_contain_text("Two")
    expect(tomas.page).to_have_title("(2) greenroom")

    tomas.open_conversation("Maya Lindqvist")
    expect(tomas.page.get_by_text("New", exact=True)).to_be_visible()
    expect(row.get_by_label("unread")).to_be_hidden()
    expect(tomas.page).to_have_title("greenroom")
    assert instructor.client.get("/api/v1/unread").json()["total_unread"] == 0


def test_typing_is_shown_to_the_other_until_the_message_is_there(maya: Visitor, tomas: Visitor) -> None:
    tomas.composer.press_sequentially("Saturday at ten")
    status = maya.page.locator(".thread-status")
    expect(status).to_have_text("typing …")
    tomas.composer.press("Enter")
    expect(maya.messages).to_have_text(["Saturday at ten"])
    expect(status).to_have_text("Online")

    tomas.composer.press_sequentially("Or")
    expect(status).to_have_text("typing …")
    tomas.composer.fill("")
    expect(status).to_have_text("Online")


def test_who_is_online_is_seen_when_they_come(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    student.open_conversation(instructor)
    maya, tomas = new_visitor(), new_visitor()
    maya.log_in(student)
    row = maya.row("Tomás Herrera")
    expect(row.get_by_text("Online")).to_have_count(0)

    tomas.log_in(instructor)
    expect(row.get_by_text("Online")).to_have_count(1)


def test_a_student_finds_an_instructor_and_says_the_first_words(new_visitor: NewVisitor, student: Account) -> None:
    maya = new_visitor()
    maya.log_in(student)
    with registered(maya.url, "Inés Álvarez", "instructor"):
        maya.page.get_by_role("button", name="New conversation").click()
    dialog = maya.page.get_by_role("dialog", name="Find an instructor")
    dialog.get_by_role("searchbox").fill("ines a")  # accents do not matter
    dialog.get_by_role("button", name="Inés Álvarez").click()
    maya.page.get_by_label("Your message").fill("Do you have room on Saturdays?")
    maya.page.get_by_role("button", name="Send").last.click()

    expect(maya.page.get_by_role("heading", name="Inés Álvarez")).to_be_visible()
    expect(maya.messages).to_have_text(["Do you have room on Saturdays?"])
    assert maya.unexpected() == []


def test_an_instructor_far_down_the_list_is_found_by_name(new_visitor: NewVisitor, student: Account) -> None:
    def answer(route: Route) -> None:
        sought = parse_qs(urlsplit(route.request.url).query).get("name", [""])[0]
        zoe = {"id": "01HZZZZZZZZZZZZZZZZZZZZZZZ", "display_name": "Zoë Zamora", "online": False, "services": []}
        route.fulfill(json={"items": [zoe] if sought == "zam" else [], "next_cursor": None if sought else "x"})

    maya = new_visitor()
    maya.page.route("**/api/v1/instructors?*", answer)
    maya.log_in(student)
    maya.page.get_by_role("button", name="New conversation").click()
    dialog = maya.page.get_by_role("dialog", name="Find an instructor")

    dialog.get_by_role("searchbox").fill("zam")

    expect(dialog.get_by_role("button", name="Zoë Zamora")).to_be_visible()


def test_an_instructor_is_not_asked_to_look_for_instructors(new_visitor: NewVisitor, instructor: Account) -> None:
    tomas = new_visitor()
    tomas.log_in(instructor)
    expect(tomas.page.get_by_text("When a student writes to you")).to_be_visible()
    expect(tomas.page.get_by_role("button", name="New conversation")).to_have_count(0)


def test_enter_sends_and_shift_enter_begins_a_new_line(maya: Visitor, student: Account, talk: str) -> None:
    maya.composer.press_sequentially("Dear Tomás,")
    maya.composer.press("Shift+Enter")
    maya.composer.press_sequentially("hello.")
    maya.composer.press("Enter")

    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert student.messages(talk) == ["Dear Tomás,\nhello."]
    expect(maya.composer).to_have_value("")


def test_nothing_is_sent_that_is_blank_or_too_long(maya: Visitor, student: Account, talk: str) -> None:
    maya.say("  \n ")
    maya.say("x" * 5_001)
    expect(maya.page.get_by_text("1 characters too long")).to_be_visible()
    expect(maya.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    # Characters are counted as the server counts them: one for an emoji, though it takes two units of UTF-16.
    maya.say("🎹" * 5_000)

    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert student.messages(talk) == ["🎹" * 5_000]


def test_earlier_messages_load_on_scrolling_up_and_what_is_read_stays_in_place(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    for number in range(120):
        student.say(talk, f"line {number}")
    tomas = new_visitor()
    tomas.log_in(instructor)
    tomas.open_conversation("Maya Lindqvist")
    expect(tomas.messages).to_have_count(50)
    expect(tomas.messages.last).to_be_in_viewport()

    first = tomas.page.get_by_label("Messages").get_by_text("line 70", exact=True).first
    scroller = tomas.page.get_by_role("region", name="Messages")
    # In one go: what is loaded must not move the line between scrolling and looking.
    before = first.evaluate(
        """(line) => {
            line.closest('[role=region]').scrollTop = 300;
            return line.getBoundingClientRect().top;
        }"""
    )
    expect(tomas.messages).to_have_count(100)
    after = first.evaluate("(element) => element.getBoundingClientRect().top")
    assert abs(after - before) < 2

    scroller.evaluate("(element) => { element.scrollTop = 0; }")
    expect(tomas.messages).to_have_text([f"line {number}" for number in range(120)])
    expect(tomas.page.get_by_role("button", name="Show earlier messages")).to_be_hidden()


def test_a_new_message_does_not_pull_away_who_reads_old_ones(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    for number in range(40):
        student.say(talk, f"line {number}")
    tomas = new_visitor()
    tomas.log_in(instructor)
    tomas.open_conversation("Maya Lindqvist")
    expect(tomas.messages).to_have_count(40)
    scroller = tomas.page.get_by_role("region", name="Messages")
    scroller.evaluate("(element) => { element.scrollTop = 100; }")

    student.say(talk, "and one more")
    jump = tomas.page.get_by_role("button", name="New messages")
    expect(jump).to_be_visible()
    assert scroller.evaluate("(element) => element.scrollTop") == 100
    expect(tomas.row("Maya Lindqvist").get_by_label("1 unread")).to_be_visible()

    jump.click()
    expect(tomas.messages.last).to_be_in_viewport()
    expect(tomas.row("Maya Lindqvist").get_by_label("unread")).to_be_hidden()


def test_an_archived_conversation_leaves_the_list_and_comes_back_with_a_new_message(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    student.say(talk, "Hello")
    tomas = new_visitor()
    tomas.log_in(instructor)
    tomas.open_conversation("Maya Lindqvist")

    tomas.page.get_by_role("button", name="Archive", exact=True).click()
    expect(tomas.row("Maya Lindqvist")).to_have_count(0)
    tomas.page.get_by_role("button", name="Archived").click()
    expect(tomas.row("Maya Lindqvist")).to_have_count(1)

    student.say(talk, "One more thing")
    expect(tomas.row("Maya Lindqvist")).to_have_count(0)
    tomas.page.get_by_role("button", name="Active").click()
    expect(tomas.row("Maya Lindqvist")).to_contain_text("One more thing")


def test_what_one_writes_appears_once_in_each_of_ones_tabs(maya: Visitor) -> None:
    second = maya.context.new_page()
    listen_for_complaints(maya, second)
    second.goto(maya.page.url)
    expect(second.get_by_role("heading", name="Tomás Herrera")).to_be_visible()

    for number in range(5):
        maya.say(f"line {number}")
    wanted = [f"line {number}" for number in range(5)]
    expect(maya.messages).to_have_text(wanted)
    expect(second.locator(".message .content")).to_have_text(wanted)
    expect(maya.page.get_by_role("img", name=re.compile("Sent|Delivered"))).to_have_count(5)
    assert maya.unexpected() == []


def test_a_draft_waits_with_its_conversation(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    maya = new_visitor()
    with registered(maya.url, "Ingrid Sørensen", "instructor") as other:
        student.open_conversation(instructor)
        student.open_conversation(other)
        maya.log_in(student)
        maya.open_conversation("Tomás Herrera")
        maya.composer.fill("Half a thought")

        maya.open_conversation("Ingrid Sørensen")
        expect(maya.composer).to_have_value("")
        maya.open_conversation("Tomás Herrera")
        expect(maya.composer).to_have_value("Half a thought")
