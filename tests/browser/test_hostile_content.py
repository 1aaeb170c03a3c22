"""What people write, and what they call themselves, stays text."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, registered

pytestmark = pytest.mark.browser

HOSTILE = (
    "<script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "<svg/onload=window.harmed=1>",
    '"><iframe srcdoc="<script>parent.harmed=1</script>">',
    "javascript:window.harmed=1",
    "<style>* { display: none }</style>",
    "{{constructor.constructor('window.harmed=1')()}} ${window.harmed=1}",
    "\u202etxt.exe drawkcab\u202c and \u2066isolated",
    "a" * 3_000,
    "line\n\n\n\n\nline",
    "Z" + "\u0335\u0321\u034e" * 60,
    "<a href='https://example.com'>press me</a>",
)
NAME = "<img src=x onerror=window.harmed=1><b>Eve"


def test_hostile_messages_and_names_are_shown_as_they_were_written_and_do_nothing(
    new_visitor: NewVisitor, instructor: Account
) -> None:
    tomas = new_visitor()
    with registered(tomas.url, NAME, "student") as eve:
        talk = eve.open_conversation(instructor)
        for content in HOSTILE[:-1]:
            eve.say(talk, content)
        tomas.log_in(instructor)
        expect(tomas.row("Eve")).to_be_visible()
        tomas.row("Eve").click()
        eve.say(talk, HOSTILE[-1])  # one by the stream, the others by the page

        expect(tomas.messages).to_have_count(len(HOSTILE))
        assert tomas.messages.all_text_contents() == list(HOSTILE)
        assert tomas.page.locator(".thread-name").text_content() == NAME
        # Nothing written became an element.
        foreign = "script:not([src]), img, iframe, b, style, a[href^='https']"
        assert tomas.page.locator("body").locator(foreign).count() == 0
        assert tomas.page.evaluate("window.harmed") is None
        assert tomas.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tomas.unexpected() == []


def test_the_page_runs_under_a_policy_that_allows_nothing_inline_or_foreign(new_visitor: NewVisitor) -> None:
    someone = new_visitor()
    answer = someone.page.goto(someone.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    with someone.page.expect_console_message(lambda message: "CSP" in message.text):
        someone.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.harmed = 1' }))"
        )
    assert someone.page.evaluate("window.harmed") is None
