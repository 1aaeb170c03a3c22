"""What becomes of messages that were sent: reactions, other words, and none at all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor

pytestmark = pytest.mark.browser

STREAM = re.compile(r"/api/v1/events\?")
REACTION = re.compile(r"/reactions/")
ONE_MESSAGE = re.compile(r"/api/v1/messages/\w+$")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
REFUSED = r"status of 4\d\d"


def open_menu(someone: Visitor, content: str) -> Locator:
    """Open what can be done with a message."""
    someone.page.locator(".message", has_text=content).get_by_role("button", name=content).click()
    return someone.page.get_by_role("dialog", name="Message actions")


def edit(someone: Visitor, content: str, to: str) -> None:
    open_menu(someone, content).get_by_role("button", name="Edit", exact=True).click()
    field = someone.page.get_by_role("textbox", name="Edit message")
    expect(field).to_be_focused()
    field.fill(to)
    field.press("Enter")


@pytest.fixture
def maya(maya: Visitor, student: Account, talk: str) -> Visitor:
    """The student, with the conversation open, in which she has said one thing."""
    student.say(talk, "See you on Sunday")
    expect(maya.messages).to_have_count(1)
    return maya


@pytest.fixture
def tomas(maya: Visitor, tomas: Visitor) -> Visitor:
    """The instructor, looking at the same."""
    expect(tomas.messages).to_have_count(1)
    return tomas


def test_a_reaction_is_seen_by_both_with_who_gave_it_and_taken_back_by_pressing_it(
    maya: Visitor, tomas: Visitor
) -> None:
    open_menu(tomas, "See you on Sunday").get_by_role("button", name="React with 👍").click()
    seen = maya.page.get_by_role("button", name="👍 from Tomás Herrera")
    expect(seen).to_be_visible()
    expect(seen).to_have_attribute("aria-pressed", "false")

    seen.click()
    expect(tomas.page.get_by_role("button", name="👍 from You and Maya Lindqvist")).to_have_text("👍2")
    both = maya.page.get_by_role("button", name="👍 from You and Tomás Herrera")
    expect(both).to_have_attribute("aria-pressed", "true")
    expect(both).to_have_attribute("title", "You and Tomás Herrera")

    both.click()
    expect(tomas.page.get_by_role("button", name="👍 from You", exact=True)).to_have_text("👍1")
    tomas.page.get_by_role("button", name="👍 from You", exact=True).click()
    expect(maya.page.locator(".reaction")).to_have_count(0)
    assert maya.unexpected() == tomas.unexpected() == []


def test_any_emoji_can_be_chosen_from_more_or_typed(maya: Visitor, student: Account, talk: str) -> None:
    menu = open_menu(maya, "See you on Sunday")
    menu.get_by_role("button", name="More emoji").click()
    # It is shown before the server has heard of it.
    with maya.page.expect_response(REACTION):
        menu.get_by_role("button", name="React with 🎹").click()
    expect(maya.page.get_by_role("button", name="🎹 from You")).to_be_visible()

    menu = open_menu(maya, "See you on Sunday")
    menu.get_by_role("button", name="More emoji").click()
    field = menu.get_by_role("textbox", name="Type an emoji")
    field.fill("x")
    expect(menu).to_be_visible()
    with maya.page.expect_response(REACTION):
        field.fill("👩🏽‍🚀")
    expect(menu).to_be_hidden()
    expect(maya.page.get_by_role("button", name="👩🏽‍🚀 from You")).to_be_visible()
    stored = student.client.get(f"/api/v1/conversations/{talk}/messages").json()["items"][0]["reactions"]
    assert {reaction["emoji"] for reaction in stored} == {"🎹", "👩🏽‍🚀"}


def test_a_reaction_that_is_refused_goes_and_the_reason_is_told(maya: Visitor) -> None:
    problem = {
        "type": "x",
        "title": "No",
        "status": 409,
        "code": "too_many_reactions",
        "detail": "That is enough.",
    }
    maya.page.route(REACTION, lambda route: route.fulfill(status=409, json=problem))
    open_menu(maya, "See you on Sunday").get_by_role("button", name="React with 🎉").click()
    expect(maya.page.get_by_role("alert").filter(has_text="That is enough.")).to_be_visible()
    expect(maya.page.locator(".reaction")).to_have_count(0)


def test_an_edited_message_says_so_to_both_and_what_it_said_is_shown_on_demand(
    maya: Visitor, tomas: Visitor
) -> None:
    edit(maya, "See you on Sunday", "See you on Saturday")
    for someone, name in ((maya, "Tomás Herrera"), (tomas, "Maya Lindqvist")):
        expect(someone.messages).to_have_text(["See you on Saturday"])
        expect(someone.row(name)).to_contain_text("See you on Saturday")
        expect(someone.page.get_by_role("textbox", name="Edit message")).to_have_count(0)
    expect(maya.composer).to_be_focused()

    tomas.page.get_by_role("button", name="edited").click()
    history = tomas.page.get_by_role("dialog", name="What it said")
    expect(history.locator(".content")).to_have_text(["See you on Saturday", "See you on Sunday"])
    tomas.page.keyboard.press("Escape")
    expect(history).to_be_hidden()
    assert maya.unexpected() == tomas.unexpected() == []


def test_an_edit_that_is_refused_says_why_and_keeps_what_was_written(maya: Visitor) -> None:
    detail = "A message can be edited for 15 minutes after it was sent."
    problem = {"type": "x", "title": "Too late", "status": 409, "code": "edit_window_closed", "detail": detail}
    maya.page.route(ONE_MESSAGE, lambda route: route.fulfill(status=409, json=problem))

    edit(maya, "See you on Sunday", "See you on Saturday")

    expect(maya.page.get_by_role("alert").filter(has_text=detail)).to_be_visible()
    field = maya.page.get_by_role("textbox", name="Edit message")
    expect(field).to_have_value("See you on Saturday")
    field.press("Escape")
    expect(maya.messages).to_have_text(["See you on Sunday"])
    assert maya.unexpected(REFUSED) == []


def test_who_edits_what_was_changed_elsewhere_sees_that_before_replacing_it(
    maya: Visitor, student: Account, talk: str
) -> None:
    [message] = student.client.get(f"/api/v1/conversations/{talk}/messages").json()["items"]
    open_menu(maya, "See you on Sunday").get_by_role("button", name="Edit", exact=True).click()
    student.client.patch(f"/api/v1/messages/{message['id']}", json={"content": "See you on Monday"})

    alert = maya.page.get_by_role("alert").filter(has_text="changed elsewhere")
    expect(alert).to_contain_text("See you on Monday")
    field = maya.page.get_by_role("textbox", name="Edit message")
    expect(field).to_have_value("See you on Sunday")
    field.fill("See you on Saturday")
    field.press("Enter")
    expect(maya.messages).to_have_text(["See you on Saturday"])


def test_of_two_edits_of_the_same_version_the_second_is_shown_the_first(
    maya: Visitor, student: Account, talk: str
) -> None:
    """Without the stream, which would have told before."""
    maya.page.route(STREAM, lambda route: route.abort())
    maya.page.reload()
    expect(maya.messages).to_have_count(1)
    [message] = student.client.get(f"/api/v1/conversations/{talk}/messages").json()["items"]
    student.client.patch(f"/api/v1/messages/{message['id']}", json={"content": "See you on Monday"})

    edit(maya, "See you on Sunday", "See you on Saturday")

    expect(maya.page.get_by_role("alert").filter(has_text="changed elsewhere")).to_contain_text("Monday")
    maya.page.get_by_role("button", name="Save").click()
    expect(maya.messages).to_have_text(["See you on Saturday"])
    assert student.messages(talk) == ["See you on Saturday"]


def test_a_saved_edit_whose_answer_is_lost_is_no_conflict_with_itself(
    maya: Visitor, student: Account, talk: str
) -> None:
    maya.page.route(STREAM, lambda route: route.abort())
    maya.page.reload()
    expect(maya.messages).to_have_count(1)

    def lose(route: object) -> None:
        route.fetch()  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    maya.page.route(ONE_MESSAGE, lose, times=1)
    edit(maya, "See you on Sunday", "See you on Saturday")
    expect(maya.page.get_by_role("alert").filter(has_text="can't be reached")).to_be_visible()
    maya.page.get_by_role("button", name="Save").click()
    expect(maya.page.get_by_role("textbox", name="Edit message")).to_have_count(0)
    expect(maya.messages).to_have_text(["See you on Saturday"])


def test_a_message_is_deleted_for_both_once_that_was_confirmed(maya: Visitor, tomas: Visitor) -> None:
    open_menu(maya, "See you on Sunday").get_by_role("button", name="Delete").click()
    question = maya.page.get_by_role("dialog", name="Delete this message?")
    expect(question).to_contain_text("See you on Sunday")
    question.get_by_role("button", name="Keep it").click()
    expect(maya.messages).to_have_text(["See you on Sunday"])

    open_menu(maya, "See you on Sunday").get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    for someone, name in ((maya, "Tomás Herrera"), (tomas, "Maya Lindqvist")):
        expect(someone.messages).to_have_text(["This message was deleted."])
        expect(someone.row(name)).to_contain_text("Message deleted")
        expect(someone.page.locator(".message").get_by_role("button")).to_have_count(0)
    assert maya.unexpected() == tomas.unexpected() == []


def test_what_the_other_said_can_be_reacted_to_and_copied_only(tomas: Visitor) -> None:
    menu = open_menu(tomas, "See you on Sunday")
    expect(menu.get_by_role("button", name="Copy text")).to_be_visible()
    expect(menu.get_by_role("button", name=re.compile("Edit|Delete|history"))).to_have_count(0)


def test_all_of_it_is_reached_by_keyboard(maya: Visitor, student: Account, instructor: Account, talk: str) -> None:
    instructor.say(talk, "Which one?")
    student.say(talk, "The next one")
    expect(maya.messages).to_have_count(3)
    page = maya.page
    maya.composer.press("Shift+Tab")  # to the newest message
    expect(page.get_by_role("button", name="The next one")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("button", name="Which one?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="React with 👍")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="❤️ from You")).to_be_visible()
    expect(page.get_by_role("button", name="Which one?")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="❤️ from You")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".reaction")).to_have_count(0)

    maya.composer.focus()
    page.keyboard.press("ArrowUp")  # what one said last
    field = page.get_by_role("textbox", name="Edit message")
    expect(field).to_have_value("The next one")
    expect(field).to_be_focused()
    field.fill("The one after")
    field.press("Enter")
    expect(maya.messages.last).to_have_text("The one after")
    expect(maya.composer).to_be_focused()


def test_a_tap_on_a_message_shows_what_can_be_done_with_it(
    new_visitor: NewVisitor, student: Account, talk: str
) -> None:
    student.say(talk, "See you on Sunday")
    maya = new_visitor(**PHONE)
    maya.log_in(student)
    maya.row("Tomás Herrera").tap()
    maya.page.locator(".bubble").tap()
    menu = maya.page.get_by_role("dialog", name="Message actions")
    expect(menu).to_be_in_viewport(ratio=1)
    menu.get_by_role("button", name="React with 👍").tap()
    expect(maya.page.get_by_role("button", name="👍 from You")).to_be_visible()
    expect(menu).to_be_hidden()
    assert maya.unexpected() == []
