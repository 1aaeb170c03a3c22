"""Coming in, and going."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import PASSWORD, Account, listen_for_complaints, stop_the_clock

pytestmark = pytest.mark.browser

REFUSED = r"the server responded with a status of 4"
"""The browser's own note in the console about an answer that was not 2xx."""


def test_a_new_person_registers_and_is_shown_where_to_begin(new_visitor: NewVisitor) -> None:
    someone = new_visitor()
    page = someone.page
    page.goto(someone.url)
    page.get_by_role("button", name="Create an account").click()
    page.get_by_label("Your name").fill("Noor Haddad")
    page.get_by_label("E-mail address").fill("noor@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_text("Learn", exact=True).click()
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_text("No conversations yet")).to_be_visible()
    expect(page.get_by_role("button", name="Find an instructor")).to_be_visible()
    expect(page.get_by_text("Noor Haddad")).to_be_visible()
    someone.wait_live()
    assert someone.unexpected() == []


def test_a_wrong_password_is_explained_and_can_be_mended(new_visitor: NewVisitor, student: Account) -> None:
    maya = new_visitor()
    page = maya.page
    page.goto(maya.url)
    page.get_by_label("E-mail address").fill(student.email)
    page.get_by_label("Password").fill("not my password")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    maya.wait_live()
    assert maya.unexpected(REFUSED) == []


def test_who_runs_the_server_is_led_to_the_operators_page(new_visitor: NewVisitor) -> None:
    someone = new_visitor()
    page = someone.page
    operator = {"id": "01HZZZZZZZZZZZZZZZZZZZZZZZ", "display_name": "Root", "role": "admin"}
    page.route("**/api/v1/auth/login", lambda route: route.fulfill(json={"user": operator}))
    page.goto(someone.url)
    page.get_by_label("E-mail address").fill("root@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_text("has no conversations of its own")).to_be_visible()
    page.get_by_role("link", name="Go to the operators' page").click()
    expect(page).to_have_url(f"{someone.url}/admin")


def test_faults_in_the_form_are_named_by_their_field(new_visitor: NewVisitor, student: Account) -> None:
    someone = new_visitor()
    page = someone.page
    page.goto(someone.url)
    page.get_by_role("button", name="Create an account").click()
    page.get_by_label("Your name").fill("Noor Haddad")
    page.get_by_label("E-mail address").fill(student.email)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("Password: must be at least 8 characters.")

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("address")


def test_a_wait_that_the_server_asks_for_is_counted_down(new_visitor: NewVisitor, student: Account) -> None:
    maya = new_visitor()
    page = maya.page
    problem = {
        "type": "about:blank",
        "title": "Locked",
        "status": 429,
        "code": "account_locked",
        "detail": "Too many tries.",
    }
    page.route(
        "**/auth/login",
        lambda route: route.fulfill(status=429, json=problem, headers={"Retry-After": "2"}),
        times=1,
    )
    page.clock.install()
    page.goto(maya.url)
    page.get_by_label("E-mail address").fill(student.email)
    page.get_by_label("Password").fill(PASSWORD)
    button = page.get_by_role("button", name="Log in")
    stop_the_clock(maya)
    button.click()

    expect(page.get_by_role("alert")).to_have_text("Too many tries. You can try again in 2 s.")
    expect(button).to_be_disabled()
    page.clock.run_for(2_250)
    expect(button).to_be_enabled()
    page.clock.resume()
    button.click()
    maya.wait_live()


def test_a_reload_stays_signed_in_and_in_the_same_conversation(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    student.say(talk, "Hello")
    maya = new_visitor()
    maya.log_in(student)
    maya.open_conversation("Tomás Herrera")
    maya.page.reload()
    expect(maya.messages).to_have_text(["Hello"])
    assert maya.unexpected() == []


def test_logging_out_ends_the_session_in_every_tab(new_visitor: NewVisitor, student: Account) -> None:
    maya = new_visitor()
    maya.log_in(student)
    second = maya.context.new_page()
    listen_for_complaints(maya, second)
    second.goto(maya.url)
    expect(second.get_by_text("Live", exact=True)).to_be_attached()
    cookies = maya.context.cookies()
    assert [cookie["httpOnly"] for cookie in cookies] == [True]

    maya.page.get_by_role("button", name="Log out").click()
    for page in (maya.page, second):
        expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()

    # The cookie of before is worth nothing now.
    maya.context.add_cookies([{key: cookies[0][key] for key in ("name", "value", "domain", "path")}])
    assert maya.page.request.get(f"{maya.url}/api/v1/auth/me").status == 401


def test_a_session_ended_elsewhere_leads_back_to_the_log_in_page_and_says_so(
    new_visitor: NewVisitor, student: Account
) -> None:
    maya = new_visitor()
    maya.log_in(student)
    (cookie,) = maya.context.cookies()
    headers = {"Authorization": f"Bearer {cookie['value']}"}
    student.client.post("/api/v1/auth/logout", headers=headers).raise_for_status()

    expect(maya.page.get_by_role("status").get_by_text("You were logged out.")).to_be_visible()
    expect(maya.page.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_signing_in_as_somebody_else_in_another_tab_changes_this_one(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    maya = new_visitor()
    maya.log_in(student)
    second = maya.context.new_page()
    second.goto(maya.url)
    second.get_by_role("button", name="Log out").click()
    second.get_by_label("E-mail address").fill(instructor.email)
    second.get_by_label("Password").fill(PASSWORD)
    second.get_by_role("button", name="Log in").click()

    expect(maya.page.locator(".me-name")).to_have_text("Tomás Herrera")
