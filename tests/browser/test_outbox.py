"""The outbox in the operators' console: how much is to be done, what became of a job, and having it tried again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from greenroom.schema.clock import system_wall_clock
from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor
from tests.browser.server import ServerProcess
from tests.browser.test_looks import fits, nameless
from tests.browser.test_operating import CUT, key_of, sign_in_with_key

pytestmark = pytest.mark.browser

SERVICE = "01HSERVKE00000000000000000"
EVIL = "<img src=x onerror=\"console.error('ran')\">"


@pytest.fixture
def reminder(server: ServerProcess, student: Account, instructor: Account) -> Iterator[str]:
    """The id of the job of reminding of a lesson that was booked; it is the only dead one."""
    with at_the_database(server) as database:
        database.execute(
            "INSERT INTO services VALUES (%s, %s, 'Piano', '', 6000, 'USD', 60) ON CONFLICT (id) DO UPDATE"
            " SET instructor_id = EXCLUDED.instructor_id",
            (SERVICE, instructor.id),
        )
        starts_at = (system_wall_clock() + timedelta(days=3)).isoformat()
        body = {
            "instructor_id": instructor.id,
            "service_id": SERVICE,
            "starts_at": starts_at,
            "duration_minutes": 60,
        }
        booked = student.client.post("/api/v1/bookings", json=body | {"note": EVIL}).raise_for_status().json()
        [(job_id,)] = database.execute(
            "UPDATE outbox SET state = 'dead', finished_at = now(), attempts = 8, last_error = 'Odd: it broke'"
            " WHERE aggregate_id = %s AND handler = 'reminder' RETURNING id",
            (booked["conversation_id"],),
        ).fetchall()
        yield str(job_id)
        database.execute("DELETE FROM outbox WHERE id = %s", (job_id,))


@contextmanager
def at_the_database(server: ServerProcess) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def operator(new_visitor: NewVisitor, server: ServerProcess) -> Visitor:
    return an_operator(new_visitor, server)


def an_operator(new_visitor: NewVisitor, server: ServerProcess, **profile: object) -> Visitor:
    someone = new_visitor(**profile)
    sign_in_with_key(someone.page, server.url, key_of(server))
    someone.page.get_by_role("link", name="Outbox").click()
    return someone


def jobs(page: Page) -> Locator:
    return page.get_by_role("region", name="Jobs").get_by_role("row")


def chip(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="By state").get_by_role("button", name=re.compile(rf"^{name}\b"))


def test_a_dead_job_is_seen_with_its_event_and_tried_again_with_a_reason(operator: Visitor, reminder: str) -> None:
    page = operator.page
    expect(chip(page, "dead")).to_contain_text("1")
    chip(page, "dead").click()
    row = jobs(page).filter(has=page.get_by_title(reminder))
    expect(row).to_contain_text("Odd: it broke")
    row.get_by_role("button", name="reminder").click()
    detail = page.get_by_role("region", name=f"Job {reminder}")
    expect(detail).to_contain_text("BookingCreated")
    expect(detail.get_by_label("Event")).to_contain_text(EVIL.replace('"', '\\"'))

    detail.get_by_role("button", name="Try again").click()
    page.get_by_label("Reason").fill("it was the network")
    page.get_by_role("dialog").get_by_role("button", name="Try again").click()

    # It is done at once, and no longer among the dead.
    expect(detail.locator(".state")).to_have_text("done")
    expect(chip(page, "dead")).to_contain_text("0")
    expect(row).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("#/outbox$"))
    page.get_by_role("link", name="Audit").click()
    record = page.get_by_role("row").filter(has_text="it was the network")
    expect(record).to_contain_text(f"outbox/{reminder}")
    expect(record).to_contain_text("done")
    assert operator.unexpected() == []


def test_what_is_written_elsewhere_appears_by_itself(
    operator: Visitor, server: ServerProcess, student: Account, instructor: Account, reminder: str
) -> None:
    page = operator.page
    expect(page.get_by_title(reminder)).to_be_visible()
    page.get_by_title(reminder).click()
    region = page.get_by_role("region", name=f"Job {reminder}")
    expect(region.locator(".state")).to_have_text("dead")

    with at_the_database(server) as database:
        database.execute(
            "UPDATE outbox SET state = 'pending', finished_at = NULL, attempts = 1, due_at = now() + interval '1 day',"
            " claimed_by = NULL, claimed_until = NULL WHERE id = %s",
            (reminder,),
        )

    expect(region.locator(".state")).to_have_text("scheduled")
    expect(jobs(page).filter(has=page.get_by_title(reminder))).to_contain_text("scheduled")
    assert operator.unexpected() == []


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_the_outbox_is_readable_at_any_width(
    new_visitor: NewVisitor, server: ServerProcess, reminder: str, size: tuple[int, int], tmp_path: Path
) -> None:
    someone = an_operator(new_visitor, server, viewport={"width": size[0], "height": size[1]})
    page = someone.page
    expect(page.get_by_title(reminder)).to_be_visible()
    page.screenshot(path=tmp_path / "outbox.png")
    assert page.evaluate(CUT) == []
    assert fits(page)
    page.get_by_title(reminder).click()
    expect(page.get_by_label("Event")).to_contain_text("starts_at")
    page.screenshot(path=tmp_path / "job.png")
    assert page.evaluate(CUT) == []
    assert fits(page)
    assert nameless(page) == []
    assert someone.unexpected() == []
