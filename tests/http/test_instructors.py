"""What instructors show of themselves, and how they change it."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from greenroom.schema.catalogue import ListedService, Listing
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import RandomIds
from tests.http.world import Person, World, assert_problem
from tests.storage.places_builders import a_region

ME = "/api/v1/instructors/me"

PIANO = {
    "title": "Piano for children",
    "description": "First pieces.",
    "price_cents": 7_000,
    "currency": "USD",
    "duration_minutes": 45,
    "category": "piano",
    "levels": ["intermediate", "beginner"],
    "ages": {"min": 6, "max": 12},
    "online": True,
}
OFFER: dict[str, Any] = {
    "services": [PIANO],
    "areas": ["nyc/brooklyn/park-slope", "nyc/manhattan/harlem"],
    "availability": [
        {"weekday": "sat", "starts": "11:00", "ends": "13:00"},
        {"weekday": "sat", "starts": "09:00", "ends": "11:00"},
        {"weekday": "sun", "starts": "20:00", "ends": "24:00"},
    ],
    "bio": "Plays and teaches.",
}


@pytest.fixture
async def world(world: World) -> World:
    """Two boroughs of New York, with a neighbourhood each."""
    await world.storage.gazetteer.upsert_regions(
        [
            a_region("nyc", "New York"),
            a_region("nyc/brooklyn", "Brooklyn"),
            a_region("nyc/manhattan", "Manhattan"),
            a_region("nyc/brooklyn/park-slope", "Park Slope"),
            a_region("nyc/manhattan/harlem", "Harlem"),
        ]
    )
    return world


async def offer(person: Person, **changes: Any) -> dict[str, Any]:
    answer = await person.api.put(ME, json=OFFER | changes)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def shown(world: World) -> dict[str, Any]:
    answer = await world.maya.api.get(f"/api/v1/instructors/{world.tomas.id}")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def test_an_offer_is_shown_to_others_as_it_was_made(world: World) -> None:
    told = await offer(world.tomas)

    assert told == await shown(world)
    [service] = told["services"]
    assert service == PIANO | {"id": service["id"], "levels": ["beginner", "intermediate"], "in_person": True}
    assert told["areas"] == [
        {"id": "nyc/brooklyn/park-slope", "name": "Park Slope"},
        {"id": "nyc/manhattan/harlem", "name": "Harlem"},
    ]
    assert told["availability"] == [
        {"weekday": "sat", "starts": "09:00", "ends": "13:00"},
        {"weekday": "sun", "starts": "20:00", "ends": "24:00"},
    ]
    assert (told["bio"], told["home_city"], told["timezone"]) == ("Plays and teaches.", "nyc", "America/New_York")
    assert (told["rating"], told["rating_count"], told["response_minutes"]) == (None, 0, None)


async def test_who_never_offered_anything_has_an_empty_profile(world: World) -> None:
    told = await shown(world)
    assert (told["services"], told["areas"], told["availability"], told["bio"]) == ([], [], [], "")
    assert (told["home_city"], told["timezone"]) == (None, "UTC")


async def test_the_same_offer_made_again_changes_nothing(world: World) -> None:
    first = await offer(world.tomas)
    assert await offer(world.tomas) == first


async def test_a_service_keeps_its_id_when_it_is_renamed_under_it(world: World) -> None:
    [before] = (await offer(world.tomas))["services"]
    drums = PIANO | {"title": "Drums", "online": False}

    services = (await offer(world.tomas, services=[PIANO | {"id": before["id"], "title": "Organ"}, drums]))[
        "services"
    ]

    assert [service["title"] for service in services] == ["Drums", "Organ"]
    assert services[1]["id"] == before["id"] != services[0]["id"]


async def test_bio_and_time_zone_stay_when_they_are_left_out(world: World) -> None:
    await offer(world.tomas, bio="Old.", timezone="Europe/Madrid")
    answer = await world.tomas.api.put(ME, json={"services": [], "areas": ["nyc"], "availability": []})
    assert (answer.json()["bio"], answer.json()["timezone"]) == ("Old.", "Europe/Madrid")


async def test_a_booked_lesson_stays_booked_when_its_service_is_offered_no_more(world: World) -> None:
    [service] = (await offer(world.tomas))["services"]
    booking = {
        "instructor_id": world.tomas.id,
        "service_id": service["id"],
        "starts_at": (system_wall_clock() + timedelta(days=2)).isoformat(),
        "duration_minutes": 45,
    }
    booked = await world.maya.api.post("/api/v1/bookings", json=booking)
    assert booked.status_code == 201

    assert (await offer(world.tomas, services=[]))["services"] == []

    kept = await world.maya.api.get(f"/api/v1/bookings/{booked.json()['id']}")
    assert kept.json()["status"] == "booked"
    assert_problem(await world.maya.api.post("/api/v1/bookings", json=booking), 422)


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"services": [PIANO | {"price_cents": -1}]}, ["body", "services", 0, "price_cents"]),
        ({"services": [PIANO | {"title": " "}]}, ["body", "services", 0, "title"]),
        ({"services": [PIANO | {"category": "piano-tuning"}]}, ["body", "services", 0, "category"]),
        ({"services": [PIANO | {"ages": {"min": 9, "max": 8}}]}, ["body", "services", 0, "ages"]),
        ({"services": [PIANO | {"levels": ["beginner", "beginner"]}]}, ["body", "services", 0, "levels"]),
        ({"services": [PIANO | {"online": False, "in_person": False}]}, ["body", "services", 0]),
        ({"services": [PIANO | {"id": "01HZZZZZZZZZZZZZZZZZZZZZZZ"}]}, ["body", "services", 0, "id"]),
        ({"services": [PIANO, PIANO]}, ["body", "services", 1, "title"]),
        ({"areas": ["nyc/brooklyn/park-slope", "nyc/atlantis"]}, ["body", "areas", 1]),
        ({"areas": ["Park Slope"]}, ["body", "areas", 0]),
        (
            {"availability": [{"weekday": "sat", "starts": "11:00", "ends": "11:00"}]},
            ["body", "availability", 0],
        ),
        (
            {"availability": [{"weekday": "sat", "starts": "9:00", "ends": "11:00"}]},
            ["body", "availability", 0, "starts"],
        ),
        ({"timezone": "America/Gotham"}, ["body", "timezone"]),
        ({"rating": 5}, ["body", "rating"]),
    ],
)
async def test_what_is_wrong_with_an_offer_is_named_and_nothing_is_changed(
    world: World, changes: dict[str, Any], loc: list[str | int]
) -> None:
    before = await offer(world.tomas)

    problem = assert_problem(await world.tomas.api.put(ME, json=OFFER | {"bio": "New."} | changes), 422)

    assert loc in [error["loc"] for error in problem["errors"]]
    assert await shown(world) == before


async def test_only_instructors_offer_lessons(world: World) -> None:
    assert_problem(await world.maya.api.put(ME, json=OFFER), 403, "permission_denied")
    assert_problem(await world.nobody.put(ME, json=OFFER), 401)


async def test_what_files_told_is_shown(world: World) -> None:
    lesson = ListedService(
        external_id="p",
        title="Piano",
        description="",
        price_cents=1,
        currency="USD",
        duration_minutes=30,
        age_min=6,
    )
    listing = Listing(
        external_id="1", display_name="Ida", rating=4.5, rating_count=8, response_minutes=3, services=(lesson,)
    )
    [listed] = await world.storage.catalogue.upsert(
        [listing], password_hash="-", ids=RandomIds(Random(2), system_wall_clock), now=system_wall_clock()
    )

    told = (await world.maya.api.get(f"/api/v1/instructors/{listed.user_id}")).json()

    assert (told["rating"], told["rating_count"], told["response_minutes"]) == (4.5, 8, 3)
    assert told["services"][0]["ages"] == {"min": 6, "max": None}


async def test_regions_are_found_by_name_with_what_they_lie_in(world: World) -> None:
    async def found(name: str) -> list[dict[str, Any]]:
        answer = await world.tomas.api.get("/api/v1/regions", params={"name": name})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    slope = {
        "id": "nyc/brooklyn/park-slope",
        "name": "Park Slope",
        "kind": "neighbourhood",
        "within": ["Brooklyn", "New York"],
    }
    assert await found("park slope") == [slope]
    assert await found("Park Slop") == [slope]
    assert await found("park slope brooklyn") == [slope]
    assert [item["within"] for item in await found("brooklyn")] == [["New York"]]
    assert await found("atlantis") == []
    assert_problem(await world.nobody.get("/api/v1/regions?name=x"), 401)


async def test_kinds_of_lessons_are_listed(world: World) -> None:
    items = (await world.tomas.api.get("/api/v1/categories")).json()["items"]
    assert {"slug": "piano", "name": "Piano", "group": "music"} in items
