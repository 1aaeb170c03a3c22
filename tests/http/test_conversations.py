"""Conversations and messages over HTTP."""

from __future__ import annotations

from typing import Any

from greenroom.schema.records import Role
from tests.http.world import World, assert_problem

CONVERSATION = {
    "id", "student_id", "instructor_id", "other", "state", "unread_count", "last_message", "last_seq",
    "last_read_seq", "other_last_read_seq", "upcoming_bookings", "created_at", "last_message_at",
}  # fmt: skip
MESSAGE = {
    "id", "conversation_id", "seq", "version", "kind", "sender_id", "content", "client_id", "booking_id",
    "reactions", "created_at", "edited_at", "deleted_at",
}  # fmt: skip


async def test_a_conversation_is_created_once_and_found_afterwards(world: World) -> None:
    body = {"participant_id": world.tomas.id, "message": {"content": "Hello", "client_id": "c-1"}}

    first = await world.maya.api.post("/api/v1/conversations", json=body)
    again = await world.maya.api.post("/api/v1/conversations", json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    conversation = first.json()["conversation"]
    assert set(conversation) == CONVERSATION
    assert set(first.json()["message"]) == MESSAGE
    assert conversation["other"] == {
        "id": world.tomas.id, "display_name": "Tomas", "role": "instructor", "online": False,
    }  # fmt: skip
    assert again.json()["conversation"]["id"] == conversation["id"]
    assert again.json()["message"]["id"] == first.json()["message"]["id"]


async def test_a_repeated_client_id_returns_the_first_message(world: World) -> None:
    path = f"/api/v1/conversations/{await world.talk()}/messages"

    first = await world.maya.api.post(path, json={"content": "one", "client_id": "same"})
    again = await world.maya.api.post(path, json={"content": "two", "client_id": "same"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert first.json()["content"] == "one"


async def test_messages_page_in_both_directions(world: World) -> None:
    talk = await world.talk()
    for number in range(7):
        await world.say(talk, str(number))
    path = f"/api/v1/conversations/{talk}/messages"

    async def page(**query: int) -> tuple[list[str], bool]:
        body: dict[str, Any] = (await world.tomas.api.get(path, params=query)).json()
        return [item["content"] for item in body["items"]], body["has_more"]

    assert await page(limit=3) == (["4", "5", "6"], True)
    assert await page(limit=3, before=5) == (["1", "2", "3"], True)
    assert await page(limit=3, before=2) == (["0"], False)
    assert await page(limit=3, after=2) == (["2", "3", "4"], True)
    assert await page(limit=3, after=5) == (["5", "6"], False)
    assert await page(after=7) == ([], False)


async def test_reading_lowers_the_unread_counts(world: World) -> None:
    talk = await world.talk()
    for number in range(3):
        await world.say(talk, str(number))
    path = f"/api/v1/conversations/{talk}"

    assert (await world.tomas.api.get("/api/v1/unread")).json()["total_unread"] == 3
    read = await world.tomas.api.post(f"{path}/read", json={"seq": 2})
    delivered = await world.tomas.api.post(f"{path}/delivered", json={"seq": 3})

    assert read.json() == {"unread_count": 1, "total_unread": 1}
    assert delivered.json() == {"unread_count": 1, "total_unread": 1}
    seen_by_maya = (await world.maya.api.get(path)).json()
    assert seen_by_maya["other_last_read_seq"] == 2


async def test_filing_a_conversation_is_ones_own_affair(world: World) -> None:
    talk = await world.talk()

    filed = await world.maya.api.patch(f"/api/v1/conversations/{talk}", json={"state": "archived"})

    assert filed.json()["state"] == "archived"
    assert (await world.maya.api.get("/api/v1/conversations")).json()["items"] == []
    archived = await world.maya.api.get("/api/v1/conversations", params={"state": "archived"})
    assert [item["id"] for item in archived.json()["items"]] == [talk]
    assert len((await world.tomas.api.get("/api/v1/conversations")).json()["items"]) == 1


async def test_conversations_page_newest_activity_first(world: World) -> None:
    talks = []
    for name in ("ada", "bea", "cleo"):
        person = await world.join(name, Role.INSTRUCTOR)
        body = {"participant_id": person.id, "message": {"content": name}}
        talks.append((await world.maya.api.post("/api/v1/conversations", json=body)).json()["conversation"]["id"])

    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await world.maya.api.get("/api/v1/conversations", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == talks[::-1]


async def test_other_peoples_conversations_do_not_exist(world: World) -> None:
    talk = await world.talk()
    stranger = (await world.join("eve", Role.STUDENT)).api
    path = f"/api/v1/conversations/{talk}"

    for answer in (
        await stranger.get(path),
        await stranger.patch(path, json={"state": "archived"}),
        await stranger.get(f"{path}/messages"),
        await stranger.post(f"{path}/messages", json={"content": "hi"}),
        await stranger.post(f"{path}/read", json={"seq": 1}),
        await stranger.post(f"{path}/delivered", json={"seq": 1}),
        await stranger.post(f"{path}/typing", json={"is_typing": True}),
    ):
        assert_problem(answer, 404, "conversation_not_found")


async def test_text_comes_back_as_it_was_sent(world: World) -> None:
    talk = await world.talk()
    text = '  <script>alert(1)</script> \u202e caf\u00e9 \U0001f3b9\r\n\u2028 "quoted" \\ \t end '

    sent = await world.say(talk, text)

    page = (await world.tomas.api.get(f"/api/v1/conversations/{talk}/messages")).json()
    assert sent["content"] == page["items"][0]["content"] == text


async def test_instructors_are_listed_and_shown(world: World) -> None:
    listed = (await world.maya.api.get("/api/v1/instructors")).json()

    shown = (await world.maya.api.get(f"/api/v1/instructors/{world.tomas.id}")).json()

    [item] = listed["items"]
    assert item.items() <= shown.items()
    assert listed["next_cursor"] is None
    assert item == {"id": world.tomas.id, "display_name": "Tomas", "online": False, "services": []}
    assert_problem(await world.maya.api.get(f"/api/v1/instructors/{world.maya.id}"), 404, "user_not_found")


async def test_an_instructor_is_found_by_a_part_of_the_name(world: World) -> None:
    async def named(name: str) -> list[str]:
        answer = await world.maya.api.get("/api/v1/instructors", params={"name": name})
        return [item["id"] for item in answer.json()["items"]]

    assert await named("tOM") == [world.tomas.id]
    assert await named("Tom%") == []
    assert_problem(await world.maya.api.get("/api/v1/instructors?name="), 422)
