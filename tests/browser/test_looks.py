"""Readable, reachable and whole at every width, in light and dark."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

CONTRAST_MIN = 4.5
"""WCAG 2.2, 1.4.3 "Contrast (Minimum)", for text of ordinary size."""

ON = {
    "--ink": "--paper --surface --sunken",
    "--ink-soft": "--paper --surface --sunken",
    "--ink-faint": "--paper --surface",
    "--accent": "--paper --surface --accent-soft",
    "--on-accent": "--accent",
    "--own-ink": "--own",
    "--danger": "--danger-soft --surface",
    "--warn": "--warn-soft",
}
"""Colours of text, and what they are written on."""


def test_on_a_phone_the_list_and_the_thread_take_turns(
    new_visitor: NewVisitor, student: Account, instructor: Account, tmp_path: Path
) -> None:
    talk = student.open_conversation(instructor)
    student.say(talk, "Hello " * 60)
    maya = new_visitor(**PHONE)
    maya.log_in(student)
    expect(maya.composer).to_be_hidden()
    maya.row("Tomás Herrera").tap()
    expect(maya.composer).to_be_visible()
    expect(maya.row("Tomás Herrera")).to_be_hidden()
    assert fits(maya.page)
    assert size_of(maya.page.screenshot(path=tmp_path / "phone.png")) == (390, 844)

    maya.page.get_by_role("link", name="All conversations").tap()
    expect(maya.row("Tomás Herrera")).to_be_visible()
    maya.page.go_back()
    expect(maya.composer).to_be_visible()
    assert maya.unexpected() == []


@pytest.mark.parametrize("width", [320, 600, 768, 1024, 2560])
def test_nothing_sticks_out_at_any_width(
    new_visitor: NewVisitor, student: Account, instructor: Account, width: int
) -> None:
    talk = student.open_conversation(instructor)
    student.say(talk, "x" * 500)
    maya = new_visitor(viewport={"width": width, "height": 700})
    maya.page.goto(maya.url)
    assert fits(maya.page)
    maya.log_in(student)
    assert fits(maya.page)
    maya.row("Tomás Herrera").click()
    expect(maya.messages).to_have_count(1)
    assert fits(maya.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_it_is_written_on(new_visitor: NewVisitor, scheme: str) -> None:
    someone = new_visitor(color_scheme=scheme)
    someone.page.goto(someone.url)
    pairs = [(ink, ground) for ink, grounds in ON.items() for ground in grounds.split()]
    colours = someone.page.evaluate(
        """(names) => {
            const style = getComputedStyle(document.documentElement);
            return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name).trim()]));
        }""",
        sorted({name for pair in pairs for name in pair}),
    )
    weak = [(ink, ground) for ink, ground in pairs if contrast(colours[ink], colours[ground]) < CONTRAST_MIN]
    assert weak == []


def test_light_and_dark_follow_the_reader(new_visitor: NewVisitor) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        someone = new_visitor(color_scheme=scheme)
        someone.page.goto(someone.url)
        grounds.append(someone.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(set(grounds)) == 2


def test_every_control_has_a_name_and_is_reached_by_keyboard(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    student.open_conversation(instructor)
    maya = new_visitor()
    maya.page.goto(maya.url)
    assert nameless(maya.page) == []
    # By keyboard alone: the e-mail field has focus when the page opens.
    expect(maya.page.get_by_label("E-mail address")).to_be_focused()
    maya.page.keyboard.type(student.email)
    maya.page.keyboard.press("Tab")
    maya.page.keyboard.type("correct horse battery")
    maya.page.keyboard.press("Enter")
    maya.wait_live()
    maya.row("Tomás Herrera").focus()
    maya.page.keyboard.press("Enter")
    expect(maya.composer).to_be_focused()
    assert nameless(maya.page) == []

    maya.page.get_by_role("button", name="New conversation").press("Enter")
    expect(maya.page.get_by_role("searchbox")).to_be_focused()
    assert nameless(maya.page) == []
    maya.page.keyboard.press("Escape")
    expect(maya.page.get_by_role("dialog")).to_be_hidden()
    expect(maya.page.get_by_role("button", name="New conversation")).to_be_focused()


def test_what_arrives_is_announced_to_who_can_not_see_it(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    tomas = new_visitor()
    tomas.log_in(instructor)
    student.say(talk, "Hello")
    expect(tomas.page.locator("[aria-live=polite]").get_by_text("Maya Lindqvist: Hello")).to_be_attached()


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def nameless(page: Page) -> list[str]:
    """Visible controls that a screen reader could not name."""
    script = """() => [...document.querySelectorAll('button, input, textarea, a')]
        .filter((control) => control.checkVisibility())
        .filter((control) => !(control.ariaLabel || control.labels?.length || control.textContent.trim()))
        .map((control) => control.outerHTML)"""
    return list(page.evaluate(script))


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, from 1 to 21 (WCAG 2.2, definition of "contrast ratio")."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, from 0 to 1 (WCAG 2.2, definition of "relative luminance")."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
