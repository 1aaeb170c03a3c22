"""Booking lessons from the page, and what may become of them, as both who take part see it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Locator, Route, expect

from greenroom.schema.clock import system_wall_clock
from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor
from tests.browser.server import ServerProcess
from tests.browser.test_looks import PHONE, fits, nameless

pytestmark = pytest.mark.browser


ZONE = ZoneInfo("America/New_York")
IN_ZONE = {"timezone_id": ZONE.key, "locale": "en-GB"}
BOOK = re.compile(r"/api/v1/bookings$")

_numbers = count(1)


@pytest.fixture
def piano(server: ServerProcess, instructor: Account) -> str:
    """The id of a lesson of 45 minutes that the instructor gives for 60 dollars."""
    service_id = f"01HSERVKE{next(_numbers):017d}"
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO services (id, instructor_id, title, description, price_cents, currency, duration_minutes)"
            " VALUES (%s, %s, 'Piano', 'For beginners.', 6000, 'USD', 45)",
            [service_id, instructor.id],
        )
    return service_id


@pytest.fixture
def maya(new_visitor: NewVisitor, student: Account, instructor: Account, piano: str) -> Visitor:
    """The student in New York, with the conversation open in which she may book."""
    student.open_conversation(instructor)
    someone = new_visitor(**IN_ZONE)
    someone.log_in(student)
    someone.open_conversation("Tomás Herrera")
    return someone


@pytest.fixture
def tomas(new_visitor: NewVisitor, instructor: Account, maya: Visitor) -> Iterator[Visitor]:
    """The instructor, with the same conversation open."""
    someone = new_visitor(**IN_ZONE)
    someone.log_in(instructor)
    someone.open_conversation("Maya Lindqvist")
    yield someone
    assert someone.unexpected("status of 4") == []


def in_days(days: int, hour: int = 10) -> datetime:
    """That hour in New York, some days ahead."""
    return (system_wall_clock().astimezone(ZONE) + timedelta(days=days)).replace(
        hour=hour, minute=0, second=0, microsecond=0
    )


def begin(server: ServerProcess, booking: dict[str, Any]) -> None:
    """Have a booking begin 20 minutes ago."""
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE bookings SET starts_at = now() - interval '20 min', ends_at = now() + interval '40 min' WHERE id = %s",
            [booking["id"]],
        )


def booking_dialog(someone: Visitor) -> Locator:
    someone.page.get_by_role("button", name="Book a lesson").click()
    dialog = someone.page.get_by_role("dialog", name="Book with Tomás Herrera")
    expect(dialog.get_by_label("Lesson")).to_be_focused()
    return dialog


def enter(dialog: Locator, moment: datetime) -> None:
    dialog.get_by_label("Date").fill(f"{moment:%Y-%m-%d}")
    dialog.get_by_label("Start time").fill(f"{moment:%H:%M}")


def lesson_dialog(someone: Visitor) -> Locator:
    """What opens from the next lesson of the conversation."""
    someone.page.get_by_role("button", name=re.compile("Next lesson|under way")).click()
    dialog = someone.page.get_by_role("dialog", name="Piano")
    expect(dialog).to_be_visible()
    return dialog


def shown(moment: datetime) -> re.Pattern[str]:
    return re.compile(rf"{moment.day}\b.*{moment:%H:%M}")


def test_a_student_sees_what_a_lesson_costs_books_it_once_and_both_see_it_at_once(
    maya: Visitor, tomas: Visitor, student: Account
) -> None:
    expect(tomas.page.get_by_role("button", name="Book a lesson")).to_be_hidden()
    keys: list[str | None] = []
    maya.page.on(
        "request", lambda asked: BOOK.search(asked.url) and keys.append(asked.headers.get("idempotency-key"))
    )
    moment = in_days(9)
    dialog = booking_dialog(maya)
    expect(dialog.get_by_text("In your time zone, America/New_York.")).to_be_visible()
    expect(dialog.get_by_label("Length in minutes")).to_have_value("45")
    expect(dialog.get_by_role("button", name="Book for US$60")).to_be_visible()
    enter(dialog, moment)
    dialog.get_by_label("Length in minutes").fill("60")
    dialog.get_by_label("Note").fill("For Elias.")
    expect(dialog.get_by_role("status").filter(has_text="US$80")).to_contain_text(
        re.compile("10:00.*11:00.*GMT|ET|ES")
    )

    dialog.get_by_role("button", name="Book for US$80").dblclick()
    expect(dialog).to_be_hidden()
    for someone in (maya, tomas):
        next_lesson = someone.page.get_by_role("button", name="Next lesson")
        expect(next_lesson).to_contain_text(shown(moment))
        expect(someone.page.locator(".system-text")).to_contain_text("Maya Lindqvist booked Piano")
    [booking] = student.bookings()
    assert datetime.fromisoformat(booking["starts_at"]) == moment
    assert (booking["duration_minutes"], booking["price_cents"], booking["note"]) == (60, 8_000, "For Elias.")
    assert len(keys) == 1
    assert re.fullmatch(r"[0-9a-f]{32}", keys[0] or "")
    assert maya.unexpected() == []


def test_a_booking_whose_answer_is_lost_is_tried_again_under_the_same_key(maya: Visitor, student: Account) -> None:
    keys: list[str | None] = []

    def lose_first_answer(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    maya.page.route(BOOK, lose_first_answer)
    dialog = booking_dialog(maya)
    enter(dialog, in_days(2))
    dialog.get_by_role("button", name="Book for").click()
    expect(dialog.get_by_role("alert").filter(has_text="can't be reached")).to_be_visible()

    dialog.get_by_role("button", name="Book for").click()
    expect(dialog).to_be_hidden()
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(student.bookings()) == 1


def test_what_is_refused_is_told_beside_the_field_that_caused_it(
    maya: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    student.book(instructor, piano, in_days(3))
    dialog = booking_dialog(maya)
    book = dialog.get_by_role("button", name=re.compile("^Book"))
    date, time, length = (dialog.get_by_label(label) for label in ("Date", "Start time", "Length in minutes"))

    def refused(field: Locator, words: str) -> None:
        book.click()
        expect(field).to_have_accessible_description(re.compile(words))
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()

    enter(dialog, in_days(3))
    refused(date, "The instructor has another lesson at that time.")
    enter(dialog, in_days(4))
    expect(date).to_have_attribute("aria-invalid", "false")
    enter(dialog, system_wall_clock().astimezone(ZONE).replace(hour=0, minute=0))
    refused(date, "Must be in the future.")
    enter(dialog, in_days(800))
    refused(date, "Must be within 730 days.")
    time.fill("")
    refused(time, "Please fill")
    enter(dialog, in_days(4))
    length.fill("500")
    refused(length, "480")
    assert len(student.bookings()) == 1
    assert maya.unexpected("status of 4") == []


def test_a_time_that_clocks_skip_is_told_from_one_that_is(maya: Visitor) -> None:
    """In New York clocks go forward on 14 March 2027, from 2:00 to 3:00."""
    moments = maya.page.evaluate(
        """async () => {
            const { momentOf, fieldsOf } = await import("/static/times.js");
            const at = (time) => momentOf({ date: "2027-03-14", time });
            return [at("01:30")?.toISOString(), at("02:30"), at("03:30")?.toISOString(), at(""),
                    fieldsOf(new Date("2027-03-14T07:30:00Z"))];
        }"""
    )
    assert moments == [
        "2027-03-14T06:30:00.000Z",
        None,
        "2027-03-14T07:30:00.000Z",
        None,
        {"date": "2027-03-14", "time": "03:30"},
    ]


def test_an_instructor_moves_a_lesson_and_a_student_calls_it_off_and_the_other_sees_it_without_reloading(
    maya: Visitor, tomas: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    student.book(instructor, piano, in_days(2))
    taken, moved = in_days(3), in_days(4, hour=16)
    student.book(instructor, piano, taken)

    dialog = lesson_dialog(tomas)
    expect(dialog.get_by_role("button", name="Mark as given")).to_be_hidden()
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.get_by_label("Start time")).to_have_value("10:00")
    enter(dialog, taken)
    dialog.get_by_role("button", name="Move the lesson").click()
    expect(dialog.get_by_label("Date")).to_have_accessible_description(re.compile("another lesson"))
    enter(dialog, moved)
    dialog.get_by_role("button", name="Move the lesson").click()
    expect(dialog).to_be_hidden()
    booked = maya.page.locator(".system-message").filter(has_text="Tomás Herrera moved Piano")
    expect(booked.get_by_role("button")).to_contain_text(shown(moved))

    booked.get_by_role("button").click()
    dialog = maya.page.get_by_role("dialog", name="Piano")
    expect(dialog).to_contain_text("16:00")
    dialog.get_by_role("button", name="Cancel lesson").click()
    dialog.get_by_label("Reason").fill("Elias is ill.")
    dialog.get_by_role("button", name="Cancel the lesson").click()
    expect(dialog).to_be_hidden()
    called_off = tomas.page.locator(".system-message").filter(has_text="Reason: Elias is ill.")
    expect(called_off).to_be_visible()
    expect(tomas.page.get_by_role("button", name="Next lesson")).to_contain_text(shown(taken))
    called_off.get_by_role("button").click()
    gone = tomas.page.get_by_role("dialog", name="Piano")
    expect(gone).to_contain_text("Cancelled by Maya Lindqvist")
    expect(gone.get_by_role("button", name="Move")).to_be_hidden()
    assert maya.unexpected() == []


def test_who_looks_at_a_lesson_while_the_other_calls_it_off_is_told(
    maya: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    booking = student.book(instructor, piano, in_days(2))
    dialog = lesson_dialog(maya)
    dialog.get_by_role("button", name="Move").click()

    instructor.client.post(
        f"/api/v1/bookings/{booking['id']}/cancel", json={"reason": "No piano."}
    ).raise_for_status()
    expect(dialog.get_by_role("status").filter(has_text="changed meanwhile")).to_be_visible()
    expect(dialog).to_contain_text("Cancelled by Tomás Herrera")
    expect(dialog).to_contain_text("No piano.")
    expect(dialog.get_by_role("button", name="Move the lesson")).to_be_hidden()


def test_an_instructor_notes_that_a_lesson_was_given_once_it_has_begun(
    new_visitor: NewVisitor, server: ServerProcess, student: Account, instructor: Account, piano: str
) -> None:
    begin(server, student.book(instructor, piano, in_days(2)))
    tomas = new_visitor(**IN_ZONE)
    tomas.log_in(instructor)
    tomas.open_conversation("Maya Lindqvist")
    dialog = lesson_dialog(tomas)
    expect(dialog).to_contain_text("Under way")
    expect(dialog.get_by_role("button", name="Move")).to_be_hidden()
    dialog.get_by_role("button", name="Mark as given").click()
    dialog.get_by_role("button", name="Yes, it was given").click()
    expect(dialog).to_be_hidden()
    completed = tomas.page.locator(".system-message").filter(has_text="completed Piano")
    expect(completed).to_be_visible()
    assert [booking["status"] for booking in student.bookings()] == ["completed"]


def test_my_lessons_lists_those_ahead_and_those_that_were_page_by_page_and_stays_up_to_date(
    maya: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    booked = [student.book(instructor, piano, in_days(day)) for day in range(1, 23)]
    maya.page.get_by_role("link", name="My lessons").click()
    expect(maya.page.get_by_role("heading", name="My lessons")).to_be_visible()
    expect(maya.page.get_by_text("Times in your zone, America/New_York")).to_be_visible()
    rows = maya.page.locator(".lesson-row")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("With Tomás Herrera · 60 min · US$80")
    maya.page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(22)
    expect(maya.page.get_by_role("button", name="Show more")).to_be_hidden()

    instructor.client.post(f"/api/v1/bookings/{booked[0]['id']}/cancel").raise_for_status()
    expect(rows).to_have_count(21)
    maya.page.get_by_role("link", name="Past").click()
    expect(rows).to_have_count(1)
    rows.first.click()
    expect(maya.page.get_by_role("dialog", name="Piano")).to_contain_text("Cancelled by Tomás Herrera")
    maya.page.keyboard.press("Escape")
    expect(rows.first).to_be_focused()
    assert maya.unexpected() == []


def test_a_booking_that_a_message_is_about_is_looked_up_however_long_ago_it_was(
    maya: Visitor, tomas: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    booking = student.book(instructor, piano, in_days(5))
    expect(maya.page.locator(".system-message")).to_have_count(1)
    instructor.client.post(f"/api/v1/bookings/{booking['id']}/cancel").raise_for_status()
    expect(maya.page.locator(".system-message")).to_have_count(2)
    maya.page.reload()  # no snapshot holds a booking that was cancelled
    expect(maya.page.locator(".booking.is-cancelled")).to_have_count(2)


def test_a_message_can_be_about_a_lesson(
    maya: Visitor, tomas: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    booking = student.book(instructor, piano, in_days(5))
    about = maya.page.get_by_text("About · Piano")
    lesson_dialog(maya).get_by_role("button", name="Write about it").click()
    expect(about).to_be_visible()
    maya.page.get_by_role("button", name="Not about this lesson").click()
    expect(about).to_be_hidden()
    lesson_dialog(maya).get_by_role("button", name="Write about it").click()
    expect(maya.composer).to_be_focused()
    maya.say("Shall I bring the book?")
    expect(about).to_be_hidden()
    row = tomas.page.locator(".message").filter(has_text="Shall I bring the book?")
    expect(row.locator(".booking")).to_contain_text("Piano")
    messages = student.client.get(f"/api/v1/conversations/{booking['conversation_id']}/messages").json()["items"]
    assert messages[-1]["booking_id"] == booking["id"]


def test_a_lesson_is_reached_from_the_thread_by_keyboard_and_what_was_written_about_it_stays_text(
    maya: Visitor, student: Account, instructor: Account, piano: str
) -> None:
    words = "<img src=x onerror='window.harmed = 1'>"
    booking = student.book(instructor, piano, in_days(5))
    expect(maya.page.locator(".system-message")).to_have_count(1)
    student.say(booking["conversation_id"], "See you then")
    path = f"/api/v1/bookings/{booking['id']}/cancel"
    instructor.client.post(path, json={"reason": words}).raise_for_status()
    expect(maya.page.locator(".booking.is-cancelled")).to_have_count(2)

    maya.composer.press("Shift+Tab")
    expect(maya.page.locator("button.booking").last).to_be_focused()
    for _ in range(2):
        maya.page.keyboard.press("ArrowUp")
    expect(maya.page.locator("button.booking").first).to_be_focused()
    maya.page.keyboard.press("Enter")
    expect(maya.page.get_by_role("dialog", name="Piano").get_by_text(words)).to_be_visible()
    maya.page.keyboard.press("Escape")
    expect(maya.page.locator("button.booking").first).to_be_focused()
    assert maya.page.locator("img").count() == 0
    assert maya.unexpected() == []


def test_a_reminder_is_told_and_leads_to_the_lesson(maya: Visitor, student: Account) -> None:
    soon = {
        "id": "01HB", "conversation_id": "01HC", "student_id": student.id, "instructor_id": "01HI", "service_id": "01HS",
        "title": "Piano", "starts_at": "2030-01-01T10:00:00.000Z", "ends_at": "2030-01-01T11:00:00.000Z",
        "duration_minutes": 60, "status": "booked", "note": None, "price_cents": 1, "currency": "USD", "version": 1,
        "created_at": "2026-01-01T10:00:00.000Z", "updated_at": "2026-01-01T10:00:00.000Z", "closed_by": None,
        "cancel_reason": None,
    }  # fmt: skip
    stream = (
        f"event: ready\ndata: {json.dumps({'user_id': student.id, 'cursor': 'v1.e.1', 'tail': 'v1.e.1'})}\nid: v1.e.1\n\n"
        f"event: booking.reminder\ndata: {json.dumps({'booking': soon})}\nid: v1.e.2\n\n"
    )
    maya.page.route(
        re.compile(r"/api/v1/events\?"),
        lambda route: route.fulfill(content_type="text/event-stream", body=stream),
        times=1,
    )
    maya.page.reload()
    notice = maya.page.get_by_role("alert").filter(has_text="Piano begins")
    notice.get_by_role("button", name="Show").click()
    expect(maya.page.get_by_role("dialog", name="Piano")).to_be_visible()


def test_lessons_are_booked_on_a_phone_by_who_hears_the_page(
    new_visitor: NewVisitor, student: Account, instructor: Account, piano: str
) -> None:
    student.book(instructor, piano, system_wall_clock() + timedelta(days=1))
    maya = new_visitor(**PHONE)
    maya.log_in(student)
    maya.row("Tomás Herrera").tap()
    expect(maya.page.get_by_role("button", name="Next lesson")).to_be_visible()
    assert fits(maya.page)
    dialog = booking_dialog(maya)
    expect(dialog).to_be_in_viewport(ratio=1)
    assert fits(maya.page)
    assert nameless(maya.page) == []
    maya.page.keyboard.press("Escape")
    expect(maya.page.get_by_role("button", name="Book a lesson")).to_be_focused()

    maya.page.get_by_role("link", name="All conversations").tap()
    maya.page.get_by_role("link", name="My lessons").tap()
    expect(maya.page.locator(".lesson-row")).to_have_count(1)
    assert fits(maya.page)
    assert nameless(maya.page) == []
    maya.page.get_by_role("link", name="All conversations").tap()
    expect(maya.row("Tomás Herrera")).to_be_visible()
