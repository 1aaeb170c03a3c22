"""An instructor says what is taught, where and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import NewVisitor
from tests.browser.people import Account, Visitor
from tests.browser.server import ServerProcess

pytestmark = pytest.mark.browser

REGIONS = """
INSERT INTO region_boundaries (id, city, parent_id, kind, name, normal_name, compact_name, lat, lng, timezone, prior, source)
VALUES ('nyc', 'nyc', NULL, 'city', 'New York', 'new york', 'newyork', 40.7, -74, 'America/New_York', 0.5, 'import'),
       ('nyc/park-slope', 'nyc', 'nyc', 'neighbourhood', 'Park Slope', 'park slope', 'parkslope', 40.67, -73.98,
        'America/New_York', 0.5, 'import')
    ON CONFLICT (id) DO NOTHING
"""


@pytest.fixture
def tomas(server: ServerProcess, new_visitor: NewVisitor, instructor: Account) -> Visitor:
    """At the dialog, in a city with a neighbourhood."""
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute(REGIONS)
    tomas = new_visitor()
    tomas.log_in(instructor)
    open_dialog(tomas.page)
    return tomas


def open_dialog(page: Page) -> Locator:
    page.get_by_role("button", name="What I teach").click()
    dialog = page.get_by_role("dialog", name="What I teach")
    expect(dialog.get_by_label("About me")).to_be_visible()
    return dialog


def told(instructor: Account) -> dict[str, Any]:
    answer = instructor.client.get(f"/api/v1/instructors/{instructor.id}").raise_for_status()
    return dict(answer.json())


def fill(dialog: Locator) -> None:
    dialog.get_by_label("About me").fill("Plays and teaches.")
    dialog.get_by_role("button", name="Add a lesson").click()
    lesson = dialog.get_by_role("group", name="New lesson")
    lesson.get_by_label("Title").fill("Piano for children")
    lesson.get_by_label("Description").fill("First pieces.")
    lesson.get_by_label("Kind of lesson").select_option("Piano")
    lesson.get_by_label("Price in USD").fill("70.50")
    lesson.get_by_label("Minutes").fill("45")
    lesson.get_by_label("From age").fill("6")
    lesson.get_by_label("Beginners").check()
    lesson.get_by_label("Online").check()
    dialog.get_by_label("Where I give lessons").fill("park slop")
    dialog.get_by_role("button", name="Park Slope New York").click()
    dialog.get_by_role("button", name="Add a time").click()
    dialog.get_by_label("Until").fill("00:00")


def test_what_an_instructor_fills_in_is_offered_and_shown_again(
    tomas: Visitor, instructor: Account, tmp_path: Path
) -> None:
    dialog = tomas.page.get_by_role("dialog", name="What I teach")
    fill(dialog)
    tomas.page.screenshot(path=tmp_path / "offer.png")
    dialog.get_by_role("button", name="Save").click()
    expect(tomas.page.get_by_text("Students find it within seconds")).to_be_visible()

    profile = told(instructor)
    [service] = profile["services"]
    assert (
        service.items()
        >= {
            "title": "Piano for children",
            "description": "First pieces.",
            "price_cents": 7_050,
            "currency": "USD",
            "duration_minutes": 45,
            "category": "piano",
            "levels": ["beginner"],
            "ages": {"min": 6, "max": None},
            "online": True,
            "in_person": True,
        }.items()
    )
    assert profile["areas"] == [{"id": "nyc/park-slope", "name": "Park Slope"}]
    assert profile["availability"] == [{"weekday": "sat", "starts": "09:00", "ends": "24:00"}]
    assert (profile["bio"], profile["timezone"]) == ("Plays and teaches.", "America/New_York")

    dialog = open_dialog(tomas.page)
    expect(dialog.get_by_label("Title")).to_have_value("Piano for children")
    dialog.get_by_label("Title").fill("Organ")
    dialog.get_by_role("button", name="Remove Park Slope").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()

    profile = told(instructor)
    assert [(s["id"], s["title"]) for s in profile["services"]] == [(service["id"], "Organ")]
    assert profile["areas"] == []
    assert tomas.unexpected() == []


def test_what_is_missing_or_refused_is_told_beside_its_field(tomas: Visitor, instructor: Account) -> None:
    dialog = tomas.page.get_by_role("dialog", name="What I teach")
    fill(dialog)
    dialog.get_by_label("Title").fill("")
    dialog.get_by_label("To age").fill("4")

    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Title")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Title")).to_be_focused()

    dialog.get_by_label("Title").fill("Piano")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Must not have a min above the max.")).to_be_visible()
    assert told(instructor)["services"] == []


def test_a_phone_has_room_for_all_of_it(tomas: Visitor, tmp_path: Path) -> None:
    tomas.page.set_viewport_size({"width": 390, "height": 844})
    dialog = tomas.page.get_by_role("dialog", name="What I teach")
    fill(dialog)

    dialog.get_by_role("button", name="Save").scroll_into_view_if_needed()

    tomas.page.screenshot(path=tmp_path / "offer-phone.png")
    assert dialog.evaluate("element => element.scrollWidth <= element.clientWidth")
