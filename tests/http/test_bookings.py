"""Booking lessons over HTTP, and what follows from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import trio

from greenroom.schema.clock import rfc3339, system_wall_clock
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.outbox import JobState
from greenroom.schema.records import Role, Service
from tests.http.world import ULID, WAIT_S, Person, World, assert_problem

PATH = "/api/v1/bookings"
SERVICE = ServiceId("01HSERVKE00000000000000000")
FIELDS = {
    "id", "conversation_id", "student_id", "instructor_id", "service_id", "title", "starts_at", "ends_at",
    "duration_minutes", "status", "note", "price_cents", "currency", "version", "created_at", "updated_at", "closed_by",
    "cancel_reason",
}  # fmt: skip


def ahead(**amount: float) -> str:
    return rfc3339(system_wall_clock() + timedelta(**amount))


@pytest.fixture
async def world(world: World) -> World:
    """Tomás offers piano at 60 a lesson of 45 minutes."""
    offered = Service(SERVICE, UserId(world.tomas.id), "Piano", "For beginners.", 6_000, "USD", 45)
    await world.storage.directory.add_services([offered])
    return world


def wanted(world: World, **changes: Any) -> dict[str, Any]:
    body = {
        "instructor_id": world.tomas.id,
        "service_id": SERVICE,
        "starts_at": ahead(days=3),
        "duration_minutes": 60,
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


async def book(world: World, **changes: Any) -> dict[str, Any]:
    answer = await world.maya.api.post(PATH, json=wanted(world, **changes))
    assert answer.status_code == 201, answer.text
    booking: dict[str, Any] = answer.json()
    return booking


async def events(api: httpx.AsyncClient, cursor: str) -> list[tuple[str, dict[str, Any]]]:
    log = (await api.get("/api/v1/events/log", params={"after": cursor})).json()
    return [(event["event"], event["data"]) for event in log["events"]]


async def cursor_of(api: httpx.AsyncClient) -> str:
    return str((await api.get("/api/v1/sync")).json()["cursor"])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    with trio.fail_after(WAIT_S):
        while not await condition():  # noqa: ASYNC110 - over HTTP there is nothing else to wait for
            await trio.sleep(0.01)


async def system_messages(world: World, talk: str) -> list[dict[str, Any]]:
    page = (await world.maya.api.get(f"/api/v1/conversations/{talk}/messages")).json()
    return [message for message in page["items"] if message["kind"] == "system"]


async def test_a_lesson_is_booked_with_a_conversation_to_talk_in(world: World) -> None:
    starts_at = ahead(days=3)

    booking = await book(world, starts_at=starts_at, note="We have no piano.")

    assert set(booking) == FIELDS
    assert booking["starts_at"] == starts_at
    assert (booking["status"], booking["duration_minutes"], booking["price_cents"]) == ("booked", 60, 8_000)
    assert (booking["title"], booking["note"], booking["version"]) == ("Piano", "We have no piano.", 1)
    for person in (world.maya, world.tomas):
        [talk] = (await person.api.get("/api/v1/conversations")).json()["items"]
        assert talk["id"] == booking["conversation_id"]
        assert talk["upcoming_bookings"] == [booking]
        one = (await person.api.get(f"/api/v1/conversations/{talk['id']}")).json()
        assert one["upcoming_bookings"] == [booking]
        assert (await person.api.get("/api/v1/sync")).json()["conversations"][0]["upcoming_bookings"] == [booking]
        assert (await person.api.get(f"{PATH}/{booking['id']}")).json() == booking


async def test_both_are_told_in_the_commit_and_in_the_conversation(world: World) -> None:
    talk = await world.talk()
    cursor = await cursor_of(world.tomas.api)

    booking = await book(world)
    await until(lambda: _has(world, talk, 1))
    await world.tomas.api.post(f"{PATH}/{booking['id']}/reschedule", json={"starts_at": ahead(days=5)})
    await until(lambda: _has(world, talk, 2))
    await world.maya.api.post(f"{PATH}/{booking['id']}/cancel", json={"reason": "Elias is ill."})
    await until(lambda: _has(world, talk, 3))

    told = await events(world.tomas.api, cursor)
    assert [name for name, _ in told] == [
        "booking.created", "message.created", "booking.rescheduled", "message.created", "booking.cancelled",
        "message.created",
    ]  # fmt: skip
    assert told[0][1] == {"booking": booking}
    messages = await system_messages(world, talk)
    assert [m["booking_id"] for m in messages] == [booking["id"]] * 3
    assert [m["sender_id"] for m in messages] == [None] * 3
    first, second, third = (m["content"] for m in messages)
    assert first.startswith("Maya booked Piano for ")
    assert second.startswith("Tomas moved Piano from ")
    assert third.endswith("Reason: Elias is ill.")
    for person in (world.maya, world.tomas):
        assert (await person.api.get("/api/v1/unread")).json()["total_unread"] == 0


async def _has(world: World, talk: str, count: int) -> bool:
    return len(await system_messages(world, talk)) >= count


async def test_a_time_that_is_taken_is_refused_and_the_same_again_is_the_same(world: World) -> None:
    starts_at = ahead(days=3)
    booking = await book(world, starts_at=starts_at)
    zoe = await world.join("zoe", Role.STUDENT)

    again = await world.maya.api.post(PATH, json=wanted(world, starts_at=starts_at))
    assert (again.status_code, again.json()) == (200, booking)
    assert_problem(await zoe.api.post(PATH, json=wanted(world, starts_at=starts_at)), 409, "slot_taken")
    assert_problem(
        await world.maya.api.post(PATH, json=wanted(world, starts_at=starts_at, note="Another.")),
        409,
        "slot_taken",
    )
    assert (await world.maya.api.get(PATH)).json()["items"] == [booking]
    assert (await zoe.api.get(PATH)).json()["items"] == []


async def test_of_students_who_race_for_a_time_exactly_one_gets_it(world: World) -> None:
    people = [await world.join(f"student{n}", Role.STUDENT) for n in range(6)]
    body, statuses = wanted(world), []

    async def race(person: Person) -> None:
        statuses.append((await person.api.post(PATH, json=body)).status_code)

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for person in people:
                nursery.start_soon(race, person)

    assert sorted(statuses) == [201] + [409] * 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_at": None}, "starts_at"),
        ({"starts_at": "2026-12-01T10:00:00"}, "starts_at"),
        ({"starts_at": "2026-12-01"}, "starts_at"),
        ({"starts_at": 1_790_000_000}, "starts_at"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59Z"}, "starts_at"),
        ({"starts_at": "2099-12-31T23:59:59Z"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"duration_minutes": 14}, "duration_minutes"),
        ({"duration_minutes": 481}, "duration_minutes"),
        ({"duration_minutes": "60"}, "duration_minutes"),
        ({"duration_minutes": 60.5}, "duration_minutes"),
        ({"service_id": ULID}, "service_id"),
        ({"service_id": "x"}, "service_id"),
        ({"instructor_id": "x"}, "instructor_id"),
        ({"note": ""}, "note"),
        ({"note": " "}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"note": "a" * 1_001}, "note"),
        ({"price_cents": 1}, "price_cents"),
    ],
)
async def test_what_can_not_be_booked_is_refused_by_field(
    world: World, changes: dict[str, Any], field: str
) -> None:
    problem = assert_problem(await world.maya.api.post(PATH, json=wanted(world, **changes)), 422, "invalid_input")

    assert [fault["loc"] for fault in problem["errors"]] == [["body", field]]
    assert (await world.maya.api.get(PATH)).json()["items"] == []


async def test_only_students_book_and_only_with_instructors(world: World) -> None:
    assert_problem(await world.tomas.api.post(PATH, json=wanted(world)), 403, "permission_denied")
    for nobody in (ULID, world.maya.id):
        answer = await world.maya.api.post(PATH, json=wanted(world, instructor_id=nobody))
        assert_problem(answer, 404, "user_not_found")


async def test_a_stranger_finds_no_booking(world: World) -> None:
    booking = await book(world)
    zoe = await world.join("zoe", Role.STUDENT)
    path = f"{PATH}/{booking['id']}"

    for answer in (
        await zoe.api.get(path),
        await zoe.api.post(f"{path}/cancel"),
        await zoe.api.post(f"{path}/reschedule", json={"starts_at": ahead(days=9)}),
        await zoe.api.post(f"{path}/complete"),
        await world.maya.api.get(f"{PATH}/{ULID}"),
    ):
        assert_problem(answer, 404, "booking_not_found")
    assert (await world.maya.api.get(path)).json() == booking


async def test_a_cancelled_lesson_stays_cancelled_and_its_time_is_free(world: World) -> None:
    starts_at = ahead(days=3)
    booking = await book(world, starts_at=starts_at)
    path = f"{PATH}/{booking['id']}"

    cancelled = (await world.maya.api.post(f"{path}/cancel", json={"reason": "ill"})).json()
    again = await world.maya.api.post(f"{path}/cancel")

    assert (cancelled["status"], cancelled["closed_by"], cancelled["cancel_reason"]) == (
        "cancelled",
        world.maya.id,
        "ill",
    )
    assert (cancelled["version"], again.json()) == (2, cancelled)
    assert_problem(await world.tomas.api.post(f"{path}/cancel"), 409, "booking_closed")
    moved = await world.maya.api.post(f"{path}/reschedule", json={"starts_at": ahead(days=9)})
    assert_problem(moved, 409, "booking_closed")
    zoe = await world.join("zoe", Role.STUDENT)
    assert (await zoe.api.post(PATH, json=wanted(world, starts_at=starts_at))).status_code == 201


async def test_a_lesson_is_completed_by_its_instructor_once_it_has_begun(world: World) -> None:
    booking = await book(world)
    path = f"{PATH}/{booking['id']}"
    assert_problem(await world.tomas.api.post(f"{path}/complete"), 409, "booking_not_begun")
    assert_problem(await world.maya.api.post(f"{path}/complete"), 403, "permission_denied")
    _begin(world, booking)
    assert_problem(await world.maya.api.post(f"{path}/cancel"), 409, "booking_closed")
    moved = await world.maya.api.post(f"{path}/reschedule", json={"starts_at": ahead(days=9)})
    assert_problem(moved, 409, "booking_closed")

    completed = (await world.tomas.api.post(f"{path}/complete")).json()

    assert (completed["status"], completed["closed_by"]) == ("completed", world.tomas.id)
    assert (await world.tomas.api.post(f"{path}/complete")).json() == completed


def _begin(world: World, booking: dict[str, Any]) -> None:
    """Let the lesson have begun a minute ago."""
    rows = world.database.tables.bookings
    stored = rows[booking["id"]]
    begun = system_wall_clock() - timedelta(minutes=1)
    rows[stored.id] = replace(stored, starts_at=begun, ends_at=begun + (stored.ends_at - stored.starts_at))


async def test_lessons_are_listed_by_tense_page_by_page(world: World) -> None:
    bookings = [await book(world, starts_at=ahead(days=n)) for n in (1, 2, 3)]
    cancelled = (await world.maya.api.post(f"{PATH}/{bookings[1]['id']}/cancel")).json()

    async def listed(query: str) -> tuple[list[str], str | None]:
        page = (await world.tomas.api.get(f"{PATH}?{query}")).json()
        return [item["id"] for item in page["items"]], page["next_cursor"]

    ids = [booking["id"] for booking in bookings]
    assert await listed("state=upcoming") == ([ids[0], ids[2]], None)
    assert await listed("state=past") == ([cancelled["id"]], None)
    items, cursor = await listed("limit=2")
    assert items == [ids[2], ids[1]]
    assert await listed(f"limit=2&cursor={cursor}") == ([ids[0]], None)
    for query in (
        "state=now",
        "cursor=x",
        "cursor=1.x",
        "limit=0",
        "x=1",
    ):
        assert_problem(await world.tomas.api.get(f"{PATH}?{query}"), 422, "invalid_input")


async def test_a_message_can_be_about_a_booking_of_its_conversation_and_no_other(world: World) -> None:
    booking = await book(world)
    path = f"/api/v1/conversations/{booking['conversation_id']}/messages"
    zoe = await world.join("zoe", Role.STUDENT)
    elsewhere = (await zoe.api.post("/api/v1/conversations", json={"participant_id": world.tomas.id})).json()

    sent = await world.maya.api.post(path, json={"content": "About this one:", "booking_id": booking["id"]})

    assert sent.json()["booking_id"] == booking["id"]
    for api, where, booking_id in (
        (zoe.api, f"/api/v1/conversations/{elsewhere['conversation']['id']}/messages", booking["id"]),
        (world.maya.api, path, ULID),
    ):
        problem = assert_problem(await api.post(where, json={"content": "a", "booking_id": booking_id}), 422)
        assert problem["errors"][0]["loc"] == ["body", "booking_id"]


async def test_the_same_request_under_a_key_books_once(world: World) -> None:
    body, headers = wanted(world), {"Idempotency-Key": "k1"}

    first = await world.maya.api.post(PATH, json=body, headers=headers)
    second = await world.maya.api.post(PATH, json=body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


async def test_operators_see_how_much_is_to_be_done_and_what_a_job_is_about(world: World) -> None:
    booking = await book(world)
    await until(lambda: _has(world, booking["conversation_id"], 1))
    hour_ago = system_wall_clock() - timedelta(hours=1)
    rows = world.database.tables.outbox
    [mail] = [job for job in rows.values() if job.handler == "mail_student"]
    stuck = {
        "planned_at": hour_ago,
        "due_at": hour_ago,
        "claimed_by": "w",
        "claimed_until": hour_ago + timedelta(hours=2),
    }
    rows[mail.place] = replace(mail, state=JobState.PENDING, finished_at=None, **stuck)

    page = (await world.operator.get("/api/v1/admin/outbox?state=running")).json()
    detail = (await world.operator.get(f"/api/v1/admin/outbox/{mail.id}")).json()

    assert [job["id"] for job in page["items"]] == [mail.id]
    assert 'greenroom_outbox_jobs{state="dead"} 0.0' in (await world.operator.get("/metrics")).text
    figures = page["figures"]
    assert (figures["running"], figures["scheduled"], figures["dead"]) == (1, 1, 0)
    assert 3_600 <= figures["oldest_s"] < 3_700
    assert (detail["id"], detail["payload"]["booking"]["id"]) == (mail.id, booking["id"])
    assert_problem(await world.maya.api.get(f"/api/v1/admin/outbox/{mail.id}"), 403, "permission_denied")
    assert_problem(await world.operator.get(f"/api/v1/admin/outbox/{ULID}"), 404, "not_found")


async def test_operators_see_the_outbox_and_have_dead_jobs_tried_again_on_the_record(world: World) -> None:
    booking = await book(world)
    await until(lambda: _has(world, booking["conversation_id"], 1))
    items = (await world.operator.get("/api/v1/admin/outbox")).json()["items"]
    assert {job["handler"] for job in items} == {"system_message", "mail_student", "mail_instructor", "reminder"}
    assert {job["type"] for job in items} == {"BookingCreated"}
    reminder = next(job for job in items if job["handler"] == "reminder")
    assert reminder["state"] == "pending"
    rows = world.database.tables.outbox
    [stored] = [job for job in rows.values() if job.id == reminder["id"]]
    path = f"/api/v1/admin/outbox/{reminder['id']}/retry"
    assert_problem(await world.operator.post(path), 409, "conflict")
    rows[stored.place] = replace(stored, state=JobState.DEAD, attempts=8, finished_at=system_wall_clock())
    assert [j["id"] for j in (await world.operator.get("/api/v1/admin/outbox?state=dead")).json()["items"]] == [
        reminder["id"]
    ]

    retried = await world.operator.post(path, json={"reason": "it was the network"})

    assert (retried.status_code, retried.json()["state"], retried.json()["attempts"]) == (200, "pending", 0)
    entry = (await world.operator.get("/api/v1/admin/audit")).json()["items"][0]
    assert (entry["action"], entry["path"], entry["outcome"]) == ("retry", f"outbox/{reminder['id']}", "done")
    assert_problem(await world.maya.api.post(path), 403, "permission_denied")
    assert_problem(await world.operator.post(f"/api/v1/admin/outbox/{ULID}/retry"), 404, "not_found")
