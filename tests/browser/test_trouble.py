"""What people see when servers and networks fail, and that nothing they wrote is lost or doubled by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import WAIT_MS, Account, Visitor, problem, registered, stop_the_clock, visitor
from tests.browser.server import AWAY, ServerProcess

pytestmark = pytest.mark.browser


SEND = re.compile(r"/messages$")
STREAM = re.compile(r"/api/v1/events\?")


@pytest.mark.parametrize("end", [ServerProcess.stop, ServerProcess.kill])
def test_the_page_says_that_it_reconnects_and_shows_what_it_missed_exactly_once(
    browser: Browser, own_server: ServerProcess, end: Callable[[ServerProcess], None]
) -> None:
    url = own_server.url
    with (
        registered(url, "Maya Lindqvist", "student") as student,
        registered(url, "Tomás Herrera", "instructor") as instructor,
        visitor(browser, url) as maya,
    ):
        talk = student.open_conversation(instructor)
        instructor.say(talk, "Before")
        maya.log_in(student)
        maya.open_conversation("Tomás Herrera")
        expect(maya.messages).to_have_text(["Before"])
        expect(maya.banner).to_be_hidden()

        end(own_server)
        expect(maya.banner).to_contain_text("Reconnecting")
        expect(maya.banner).to_contain_text("Trying again")
        expect(maya.page.get_by_text("Not connected")).to_be_visible()

        # Its tries fail until the message is there, so that it can only come from what was kept.
        maya.page.route(STREAM, lambda route: route.abort())
        own_server.start()
        instructor.say(talk, "While you were away")
        maya.page.unroute(STREAM)
        maya.wait_live()
        expect(maya.banner).to_be_hidden()
        expect(maya.messages).to_have_text(["Before", "While you were away"])
        instructor.say(talk, "After")
        expect(maya.messages).to_have_text(["Before", "While you were away", "After"])
        assert maya.unexpected(AWAY) == []


def test_a_message_written_while_the_server_is_away_arrives_once_when_it_is_back(
    browser: Browser, own_server: ServerProcess
) -> None:
    url = own_server.url
    with (
        registered(url, "Maya Lindqvist", "student") as student,
        registered(url, "Tomás Herrera", "instructor") as instructor,
        visitor(browser, url) as maya,
    ):
        talk = student.open_conversation(instructor)
        maya.log_in(student)
        maya.open_conversation("Tomás Herrera")
        own_server.kill()
        maya.say("Can you hear me?")
        maya.say("Hello?")
        expect(maya.page.get_by_text("Sending …")).to_have_count(2)

        own_server.start()
        expect(maya.page.get_by_role("img", name="Sent")).to_have_count(2)
        expect(maya.messages).to_have_text(["Can you hear me?", "Hello?"])
        assert student.messages(talk) == ["Can you hear me?", "Hello?"]


def test_a_message_whose_answer_is_lost_is_sent_again_and_stored_once(
    maya: Visitor, student: Account, talk: str
) -> None:
    client_ids: list[str] = []

    def lose_first_answer(route: Route) -> None:
        client_ids.append(json.loads(route.request.post_data or "")["client_id"])
        if len(client_ids) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    # Without the stream, which would bring the message before the second try.
    maya.page.route(STREAM, lambda route: route.abort())
    maya.page.reload()
    maya.page.route(SEND, lose_first_answer)
    maya.say("Only once, please")

    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert len(client_ids) >= 2
    assert len(set(client_ids)) == 1
    assert student.messages(talk) == ["Only once, please"]
    expect(maya.messages).to_have_text(["Only once, please"])


def test_an_answer_that_is_not_greenrooms_counts_as_none(maya: Visitor, student: Account, talk: str) -> None:
    """As from the log-in page of a hotel's Wi-Fi."""
    maya.page.route(
        SEND, lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Welcome!</h1>"), times=1
    )
    maya.say("Hello")
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert student.messages(talk) == ["Hello"]


def test_a_page_opened_while_the_server_is_busy_opens_by_itself_once_it_is_not(
    new_visitor: NewVisitor, student: Account
) -> None:
    maya = new_visitor()
    maya.log_in(student)
    refusal = problem(503, "unavailable", "One moment.")
    maya.page.route("**/auth/me", lambda route: route.fulfill(**refusal), times=1)
    maya.page.clock.install()
    maya.page.reload()
    expect(maya.page.get_by_role("alert")).to_contain_text("One moment.")
    maya.page.clock.fast_forward(5_000)
    maya.wait_live()


def test_a_refused_message_is_marked_with_the_reason_and_can_be_tried_again_or_discarded(
    maya: Visitor, student: Account, talk: str
) -> None:
    refusal = problem(403, "blocked", "Not at this hour.")
    maya.page.route(SEND, lambda route: route.fulfill(**refusal), times=2)

    maya.say("First")
    maya.say("Second")
    failures = maya.page.get_by_role("alert").filter(has_text="Not at this hour.")
    expect(failures).to_have_count(2)
    expect(maya.page.get_by_text("Not sent")).to_have_count(3)  # twice in the thread, once in the list

    failures.nth(1).get_by_role("button", name="Discard").click()
    failures.first.get_by_role("button", name="Try again").click()
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    expect(maya.messages).to_have_text(["First"])
    assert student.messages(talk) == ["First"]


def test_what_was_not_sent_yet_survives_a_reload(maya: Visitor, student: Account, talk: str) -> None:
    maya.page.route(SEND, lambda route: route.abort())
    maya.say("Keep this")
    expect(maya.page.get_by_text("Sending …")).to_be_visible()

    maya.page.unroute(SEND)
    maya.page.reload()
    expect(maya.page.get_by_role("img", name="Sent")).to_be_visible()
    assert student.messages(talk) == ["Keep this"]


def test_a_stream_that_falls_silent_is_opened_again_at_its_cursor(
    new_visitor: NewVisitor, student: Account
) -> None:
    maya = new_visitor()
    maya.page.clock.install()
    maya.log_in(student)
    with maya.page.expect_request(STREAM) as reopened:
        maya.page.clock.fast_forward(41_000)
    assert re.search(r"last_event_id=v1\.\w+\.\d+$", reopened.value.url)
    maya.wait_live()


def test_a_cursor_that_the_server_can_not_serve_is_followed_by_a_snapshot(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    student.say(talk, "Hello")
    maya = new_visitor()
    maya.log_in(student)
    maya.open_conversation("Tomás Herrera")
    expect(maya.messages).to_have_text(["Hello"])
    maya.page.route(
        STREAM,
        lambda route: route.continue_(
            url=re.sub(r"last_event_id=.*", "last_event_id=v1.elsewhere.7", route.request.url)
        ),
        times=1,
    )

    maya.context.set_offline(True)
    expect(maya.banner).to_contain_text("You are offline")
    with maya.page.expect_request("**/api/v1/sync"):
        maya.context.set_offline(False)
    maya.wait_live()
    student.say(talk, "Still there?")
    expect(maya.messages).to_have_text(["Hello", "Still there?"])


def test_a_thread_that_can_not_be_read_says_why_and_can_be_tried_again(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    talk = student.open_conversation(instructor)
    student.say(talk, "Hello")
    maya = new_visitor()
    maya.log_in(student)
    refusal = problem(503, "unavailable", "The database rests.")
    maya.page.route(re.compile(r"/messages\?"), lambda route: route.fulfill(**refusal), times=1)
    maya.open_conversation("Tomás Herrera")

    alert = maya.page.get_by_role("alert").filter(has_text="The database rests.")
    alert.get_by_role("button", name="Try again").click()
    expect(maya.messages).to_have_text(["Hello"])
    expect(alert).to_be_hidden()


def test_who_does_not_want_to_wait_need_not(new_visitor: NewVisitor, student: Account) -> None:
    maya = new_visitor()
    maya.page.clock.install()
    maya.log_in(student)
    maya.page.route("**/health/ready", lambda route: route.fulfill(status=503))
    maya.page.route(STREAM, lambda route: route.abort())
    maya.page.clock.fast_forward(41_000)  # silence, which ends the stream
    expect(maya.banner).to_contain_text("Trying again in")
    # It would be tried by itself too.
    stop_the_clock(maya)
    expect(maya.banner).to_contain_text("Trying again in")
    maya.page.unroute(STREAM)
    with maya.page.expect_request(STREAM):
        maya.page.get_by_role("button", name="Try now").click()
    expect(maya.banner).to_be_hidden()


def test_who_was_online_is_greyed_out_while_that_can_not_be_known(
    browser: Browser, own_server: ServerProcess
) -> None:
    url = own_server.url
    with (
        registered(url, "Maya Lindqvist", "student") as student,
        registered(url, "Tomás Herrera", "instructor") as instructor,
        visitor(browser, url) as maya,
        visitor(browser, url) as tomas,
    ):
        student.open_conversation(instructor)
        tomas.log_in(instructor)
        maya.log_in(student)
        maya.open_conversation("Tomás Herrera")
        status = maya.page.locator(".thread-status")
        expect(status).to_have_text("Online")

        own_server.kill()
        expect(status).not_to_have_text("Online")
        row = maya.row("Tomás Herrera")
        expect(maya.page.locator(".presence-dot:visible")).to_have_count(2)
        expect(maya.page.locator(".presence-dot.is-unknown:visible")).to_have_count(2)
        expect(row).to_contain_text("Was online before the connection was lost.")

        own_server.start()
        expect(status).to_have_text("Online")
        expect(row.locator(".presence-dot:not(.is-unknown)")).to_be_visible()


def test_after_a_long_outage_a_tab_in_use_is_live_within_two_seconds_of_the_servers_return(
    browser: Browser, own_server: ServerProcess
) -> None:
    with (
        registered(own_server.url, "Maya Lindqvist", "student") as student,
        visitor(browser, own_server.url) as maya,
    ):
        maya.page.clock.install()
        maya.log_in(student)
        own_server.kill()
        expect(maya.banner).to_contain_text("Trying again")
        for _ in range(6):  # until it waits as long as it ever does
            with maya.page.expect_request(STREAM):
                maya.page.clock.fast_forward(20_000)
            expect(maya.banner).to_contain_text("Trying again in")

        stop_the_clock(maya)
        own_server.start()
        assert is_live_within(maya, seconds=2)


def test_a_request_that_succeeds_ends_the_wait_for_the_stream(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    student.open_conversation(instructor)
    maya = new_visitor()
    maya.page.clock.install()
    maya.log_in(student)
    maya.open_conversation("Tomás Herrera")
    maya.page.route("**/health/ready", lambda route: route.fulfill(status=503))
    maya.page.route(STREAM, lambda route: route.abort())
    maya.page.clock.fast_forward(41_000)  # silence, which ends the stream
    for _ in range(5):
        expect(maya.banner).to_contain_text("Trying again in")
        with maya.page.expect_request(STREAM):
            maya.page.clock.fast_forward(20_000)

    stop_the_clock(maya)
    expect(maya.banner).to_contain_text("Trying again in")
    maya.page.unroute(STREAM)
    maya.say("Hello")
    assert is_live_within(maya, seconds=2)


def is_live_within(someone: Visitor, *, seconds: int) -> bool:
    """Let time pass in steps; whatever is asked for in one is given all the time that a busy machine takes."""
    for _ in range(4 * seconds):
        someone.page.clock.run_for(250)
        if someone.is_live_after(1_000):
            return True
    # Time has stopped for the page: what comes in yet was asked for in time.
    return someone.is_live_after(WAIT_MS)


def test_a_server_that_is_ready_but_refuses_the_stream_is_not_asked_each_second(
    new_visitor: NewVisitor, student: Account
) -> None:
    maya = new_visitor()
    maya.page.clock.install()
    maya.log_in(student)
    stop_the_clock(maya)
    tries: list[str] = []

    def refuse(route: Route) -> None:
        tries.append(route.request.url)
        route.fulfill(status=503, body="")

    maya.page.route(STREAM, refuse)
    maya.page.clock.fast_forward(41_000)
    expect(maya.banner).to_contain_text("Trying again in")
    with maya.page.expect_request("**/health/ready"):
        maya.page.clock.run_for(2_000)
    maya.page.clock.run_for(15_000)
    assert len(tries) <= 6


def test_what_was_delivered_is_still_known_after_a_reload(
    new_visitor: NewVisitor, student: Account, instructor: Account
) -> None:
    student.open_conversation(instructor)
    maya, tomas = new_visitor(), new_visitor()
    tomas.log_in(instructor)
    maya.log_in(student)
    maya.open_conversation("Tomás Herrera")
    maya.say("Are you there?")
    expect(maya.page.get_by_role("img", name="Delivered")).to_be_visible()

    maya.page.reload()
    expect(maya.page.get_by_role("img", name="Delivered")).to_be_visible()
