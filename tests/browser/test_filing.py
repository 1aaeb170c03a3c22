"""Conversations put away, taken back, and looked for where there is none."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor, registered

pytestmark = pytest.mark.browser


@pytest.fixture
def tomas(new_visitor: NewVisitor, student: Account, instructor: Account) -> Visitor:
    """The instructor, with the conversation open in which the student has written to him."""
    student.say(student.open_conversation(instructor), "Hello")
    someone = new_visitor()
    someone.log_in(instructor)
    someone.open_conversation("Maya Lindqvist")
    return someone


def test_archiving_is_taken_back_by_undo(tomas: Visitor) -> None:
    tomas.page.get_by_role("button", name="Archive", exact=True).click()
    expect(tomas.row("Maya Lindqvist")).to_have_count(0)
    expect(tomas.page.get_by_text("Pick a conversation")).to_be_visible()
    notice = tomas.page.get_by_role("alert").filter(has_text="Archived.")
    expect(notice).to_be_in_viewport(ratio=1)

    notice.get_by_role("button", name="Undo").click()
    expect(tomas.row("Maya Lindqvist")).to_have_count(1)
    expect(tomas.messages).to_have_text(["Hello"])
    expect(notice).to_be_hidden()
    assert tomas.unexpected() == []


def test_what_is_in_the_trash_is_found_there_and_can_be_restored(
    tomas: Visitor, student: Account, instructor: Account
) -> None:
    tomas.page.get_by_role("button", name="Move to trash").click()
    expect(tomas.row("Maya Lindqvist")).to_have_count(0)
    tomas.page.reload()  # no snapshot holds it
    tomas.page.get_by_role("button", name="Trash").click()
    tomas.open_conversation("Maya Lindqvist")
    expect(tomas.messages).to_have_text(["Hello"])
    expect(tomas.composer).to_be_hidden()

    student.say(student.open_conversation(instructor), "Are you there?")
    expect(tomas.messages).to_have_text(["Hello", "Are you there?"])
    expect(tomas.page).to_have_title("greenroom")

    tomas.page.get_by_role("button", name="Restore it to write").click()
    expect(tomas.composer).to_be_visible()
    box = tomas.composer.bounding_box()
    assert box is not None
    assert box["height"] > 20
    expect(tomas.row("Maya Lindqvist")).to_have_count(0)
    tomas.page.get_by_role("button", name="Active").click()
    expect(tomas.row("Maya Lindqvist")).to_have_count(1)
    assert tomas.unexpected() == []


def test_an_empty_trash_says_so(new_visitor: NewVisitor, instructor: Account) -> None:
    tomas = new_visitor()
    tomas.log_in(instructor)
    tomas.page.get_by_role("button", name="Trash").click()
    expect(tomas.page.get_by_text("The trash is empty")).to_be_visible()


@pytest.mark.parametrize("address", ["01HZZZZZZZZZZZZZZZZZZZZZZZ", "no-such-thing", "%20"])
def test_an_address_that_leads_nowhere_says_so(tomas: Visitor, address: str) -> None:
    tomas.page.goto(f"{tomas.url}/#/c/{address}")
    alert = tomas.page.get_by_role("alert").filter(has_text="can't be found")
    expect(alert).to_be_visible()
    alert.get_by_role("link", name="All conversations").click()
    expect(alert).to_have_count(0)
    tomas.open_conversation("Maya Lindqvist")
    assert tomas.unexpected("status of 404") == []


def test_the_address_of_somebody_elses_conversation_leads_nowhere(
    new_visitor: NewVisitor, tomas: Visitor, instructor: Account
) -> None:
    address = tomas.page.url
    zoe = new_visitor()
    with registered(zoe.url, "Zoë", "student") as account:
        zoe.log_in(account)
        zoe.page.goto(address)
        expect(zoe.page.get_by_role("alert").filter(has_text="can't be found")).to_be_visible()
