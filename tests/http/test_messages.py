"""What becomes of a message after it was sent, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import trio

from greenroom.schema.emoji import is_emoji
from greenroom.schema.records import Role
from tests.http.world import ULID, WAIT_S, Listener, World, assert_problem, some_settings

LIKE = "\U0001f44d"


def at(message: dict[str, Any], *rest: str) -> str:
    return "/".join(("/api/v1/messages", message["id"], *rest))


async def after(api: httpx.AsyncClient, cursor: str) -> list[tuple[str, dict[str, Any]]]:
    log = (await api.get("/api/v1/events/log", params={"after": cursor})).json()
    return [(event["event"], event["data"]) for event in log["events"]]


async def start(
    nursery: trio.Nursery, listener: Listener, world: World, headers: dict[str, str] | None = None
) -> None:
    """Have Tomás listen."""

    async def follow(*, task_status: trio.TaskStatus[None]) -> None:
        await listener.follow(world.tomas.api, headers=headers, task_status=task_status)

    with trio.fail_after(WAIT_S):
        await nursery.start(follow)


async def cursor_of(api: httpx.AsyncClient) -> str:
    return str((await api.get("/api/v1/sync")).json()["cursor"])


async def test_an_edited_message_shows_its_new_words_to_both_and_keeps_the_old(world: World) -> None:
    message = await world.say(await world.talk(), "See you on Sunday")
    cursor = await cursor_of(world.tomas.api)

    answer = await world.maya.api.patch(at(message), json={"content": "See you on Saturday"})

    assert answer.status_code == 200
    edited = answer.json()
    assert (edited["content"], edited["version"], edited["seq"]) == ("See you on Saturday", 2, message["seq"])
    assert edited["edited_at"] is not None
    [(name, data)] = await after(world.tomas.api, cursor)
    assert (name, data["message"]) == ("message.updated", edited)
    versions = (await world.tomas.api.get(at(message, "edits"))).json()["items"]
    assert [(v["version"], v["content"]) for v in versions] == [
        (1, "See you on Sunday"),
        (2, "See you on Saturday"),
    ]
    assert versions[0]["written_at"] == message["created_at"]


async def test_of_two_edits_of_the_same_version_the_second_is_refused(world: World) -> None:
    message = await world.say(await world.talk(), "a")
    first = {"If-Match": '"1"'}
    assert (await world.maya.api.patch(at(message), json={"content": "b"}, headers=first)).status_code == 200

    problem = assert_problem(
        await world.maya.api.patch(at(message), json={"content": "c"}, headers=first), 412, "version_mismatch"
    )

    assert "version 2" in problem["detail"]
    assert problem["current_version"] == 2


@pytest.mark.parametrize("given", ["1", 'W/"1"', '"1", "2"', '""', '"0"', "nonsense"])
async def test_a_version_that_is_none_is_refused_by_name(world: World, given: str) -> None:
    message = await world.say(await world.talk(), "a")

    answer = await world.maya.api.patch(at(message), json={"content": "b"}, headers={"If-Match": given})

    problem = assert_problem(answer, 422)
    assert problem["errors"][0]["loc"] == ["header", "If-Match"]


async def test_only_the_sender_changes_a_message_and_a_stranger_finds_none(world: World) -> None:
    message = await world.say(await world.talk(), "a")
    zoe = await world.join("zoe", Role.STUDENT)

    assert_problem(await world.tomas.api.patch(at(message), json={"content": "b"}), 403, "permission_denied")
    assert_problem(await world.tomas.api.delete(at(message)), 403, "permission_denied")
    for answer in (
        await zoe.api.patch(at(message), json={"content": "b"}),
        await zoe.api.delete(at(message)),
        await zoe.api.get(at(message, "edits")),
        await zoe.api.put(at(message, "reactions", LIKE)),
        await world.maya.api.patch(f"/api/v1/messages/{ULID}", json={"content": "b"}),
    ):
        assert_problem(answer, 404, "message_not_found")


async def test_a_deleted_message_keeps_its_place_and_nothing_else(world: World) -> None:
    talk = await world.talk()
    first, second = await world.say(talk, "a"), await world.say(talk, "b")
    await world.maya.api.patch(at(first), json={"content": "aa"})
    await world.tomas.api.put(at(first, "reactions", LIKE))
    unread = (await world.tomas.api.get("/api/v1/unread")).json()
    cursor = await cursor_of(world.tomas.api)

    assert (await world.maya.api.delete(at(first))).status_code == 204
    assert (await world.maya.api.delete(at(first))).status_code == 204

    items = (await world.tomas.api.get(f"/api/v1/conversations/{talk}/messages")).json()["items"]
    assert [(m["seq"], m["content"], m["reactions"]) for m in items] == [(1, "", []), (2, "b", [])]
    assert items[0]["deleted_at"] is not None
    assert (await world.tomas.api.get(at(first, "edits"))).json()["items"] == []
    assert (await world.tomas.api.get("/api/v1/unread")).json() == unread
    assert [name for name, _ in await after(world.tomas.api, cursor)] == ["message.deleted"]
    assert_problem(await world.maya.api.patch(at(first), json={"content": "x"}), 409, "message_deleted")
    assert second["seq"] == 2


async def test_nobody_who_comes_later_is_told_what_a_deleted_message_said(world: World) -> None:
    talk = await world.talk()
    cursor = await cursor_of(world.tomas.api)
    message = await world.say(talk, "my PIN is 1234")
    await world.maya.api.patch(at(message), json={"content": "my PIN was 1234"})
    await world.tomas.api.patch(f"/api/v1/conversations/{talk}", json={"state": "archived"})
    await world.maya.api.delete(at(message))
    await world.say(talk, "sorry")

    told = await after(world.tomas.api, cursor)

    assert [name for name, _ in told] == [
        "message.created", "message.updated", "conversation.updated", "message.deleted", "conversation.updated",
        "message.created",
    ]  # fmt: skip
    assert "1234" not in str(told)
    first, changed, filed = (told[n][1] for n in range(3))
    for shown in (first["message"], changed["message"], filed["conversation"]["last_message"]):
        assert (shown["id"], shown["content"]) == (message["id"], "")
        assert shown["deleted_at"] is not None


async def test_a_client_that_was_away_for_a_moment_is_not_told_either(world: World, nursery: trio.Nursery) -> None:
    talk = await world.talk()
    cursor = await cursor_of(world.tomas.api)
    stays = Listener()
    await start(nursery, stays, world)
    message = await world.say(talk, "my PIN is 1234")
    await world.maya.api.delete(at(message))
    await stays.until(lambda listener: bool(listener.named("message.deleted")))

    comes_back = Listener()
    await start(nursery, comes_back, world, {"Last-Event-ID": cursor})
    await comes_back.until(lambda listener: bool(listener.named("message.deleted")))

    assert comes_back.contents == [""]
    nursery.cancel_scope.cancel()


async def test_reactions_come_and_go_for_both(world: World) -> None:
    talk = await world.talk()
    message = await world.say(talk, "a")
    cursor = await cursor_of(world.maya.api)

    for _ in range(2):
        assert (await world.tomas.api.put(at(message, "reactions", LIKE))).status_code == 204
    shown = (await world.maya.api.get(f"/api/v1/conversations/{talk}/messages")).json()["items"][0]["reactions"]
    assert shown == [{"emoji": LIKE, "user_ids": [world.tomas.id]}]
    for _ in range(2):
        assert (await world.tomas.api.delete(at(message, "reactions", LIKE))).status_code == 204

    told = await after(world.maya.api, cursor)
    assert [(name, data["added"], data["reactions"]) for name, data in told] == [
        ("reaction.changed", True, shown),
        ("reaction.changed", False, []),
    ]


async def test_what_is_no_emoji_is_refused_by_name(world: World) -> None:
    message = await world.say(await world.talk(), "a")

    problem = assert_problem(await world.maya.api.put(at(message, "reactions", "ok")), 422)

    assert problem["errors"] == [{"loc": ["path", "emoji"], "msg": "must be one emoji"}]


def test_the_edit_window_is_a_setting() -> None:
    assert some_settings(edit_window_minutes=0).edit_window_minutes == 0


@pytest.mark.parametrize(
    "text",
    ["\U0001f44d", "\U0001f44d\U0001f3fd", "\u2764\ufe0f", "1\ufe0f\u20e3", "#\ufe0f\u20e3", "\u203c\ufe0f", "\u2194\ufe0f",
     "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f1e9\U0001f1ea",
     "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"],
)  # fmt: skip
def test_emoji_of_every_make_are_emoji(text: str) -> None:
    assert is_emoji(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "ok",
        "1",
        "12\u20e3",
        " ",
        "\n",
        "\x00",
        "\u200d",
        "\ufe0f",
        "!",
        "\U0001f44da",
        "\U0001f44d" * 17,
        "<b>",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_emoji(text)
