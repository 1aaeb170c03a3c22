"""What operators see and do over HTTP, and who may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import trio

from greenroom.app.collectors import BUS_COUNTERS, POOL_GAUGES
from greenroom.http.metrics import OWN_COUNTS
from greenroom.schema.records import Role
from tests.http.world import API_KEY, WAIT_S, Listener, Person, World, a_world, assert_problem, some_settings

ACTORS = "/api/v1/admin/actors"
COMMITTER = f"{ACTORS}/greenroom/committer"
NODE = {
    "path", "kind", "key", "state", "mailbox", "handled", "failed", "restarts", "started_at", "idle_ms", "current",
    "latency_ms", "children",
}  # fmt: skip


def flatten(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {node["path"]: node}
    for child in node["children"]:
        found |= flatten(child)
    return found


async def test_the_tree_shows_every_actor(world: World) -> None:
    talk = await world.talk()
    await world.say(talk, "hello")

    tree = (await world.operator.get(ACTORS)).json()

    nodes = flatten(tree)
    assert tree["path"] == "/greenroom"
    assert set(tree) >= NODE
    conversation = nodes[f"/greenroom/conversations/{talk}"]
    assert (conversation["kind"], conversation["key"]) == ("conversation", talk)
    assert conversation["state"] == "running"
    assert conversation["handled"] == 1
    assert set(conversation["mailbox"]) >= {"depth", "capacity", "policy"}
    assert conversation["latency_ms"]["p50"] > 0
    assert (await world.operator.get(ACTORS, params={"depth": 0})).json()["children"] == []


async def test_one_actor_is_shown_in_detail_without_bodies(world: World) -> None:
    await world.say(await world.talk(), "canary-content")

    answer = await world.operator.get(COMMITTER)

    detail = answer.json()
    assert detail["node"]["path"] == "/greenroom/committer"
    assert "SendMessage" in {header["message"] for header in detail["messages"]}
    assert "canary" not in answer.text
    assert_problem(await world.operator.get(f"{ACTORS}/greenroom/nobody"), 404, "not_found")
    assert_problem(await world.operator.get(f"{ACTORS}/%00"), 404, "not_found")


async def test_actors_are_ranked(world: World) -> None:
    await world.say(await world.talk(), "hello")

    actors = (await world.operator.get(f"{ACTORS}/top", params={"sort": "handled", "limit": 2})).json()["actors"]

    assert len(actors) == 2
    assert actors[0]["handled"] >= actors[1]["handled"]
    only = (await world.operator.get(f"{ACTORS}/top", params={"kind": "committer"})).json()["actors"]
    assert [actor["kind"] for actor in only] == ["committer"]
    assert_problem(await world.operator.get(f"{ACTORS}/top", params={"sort": "beauty"}), 422)


async def test_a_restarted_actor_comes_back_and_serves(world: World) -> None:
    talk = await world.talk()

    answer = await world.operator.post(f"{COMMITTER}/restart")

    assert answer.status_code == 204
    node = (await world.operator.get(COMMITTER)).json()["node"]
    assert (node["state"], node["incarnation"]) == ("running", 2)
    await world.say(talk, "still works")


async def test_a_suspended_actor_does_nothing_until_it_is_resumed(world: World) -> None:
    talk = await world.talk()

    assert (await world.operator.post(f"{COMMITTER}/suspend")).status_code == 204
    assert (await world.operator.get(COMMITTER)).json()["node"]["state"] == "suspended"
    refused = await world.maya.api.post(f"/api/v1/conversations/{talk}/messages", json={"content": "too early"})
    assert_problem(refused, 503, "unavailable")

    assert (await world.operator.post(f"{COMMITTER}/resume")).status_code == 204
    await world.say(talk, "now")
    shown = (await world.maya.api.get(f"/api/v1/conversations/{talk}/messages")).json()["items"]
    assert [message["content"] for message in shown] == ["now"]


async def test_a_stopped_conversation_comes_back_with_the_next_message(world: World) -> None:
    talk = await world.talk()
    await world.say(talk, "one")

    answer = await world.operator.post(f"{ACTORS}/greenroom/conversations/{talk}/stop")

    assert answer.status_code == 204
    await world.say(talk, "two")


async def test_what_can_only_be_done_to_actors_is_refused_for_supervisors(world: World) -> None:
    assert_problem(await world.operator.post(f"{ACTORS}/greenroom/conversations/suspend"), 409, "conflict")
    assert_problem(await world.operator.post(f"{ACTORS}/greenroom/nobody/suspend"), 404, "not_found")
    assert_problem(await world.operator.post(f"{ACTORS}/greenroom/explode"), 405)


async def test_dead_letters_are_listed_newest_first(world: World) -> None:
    system = world.core.system
    for number in range(3):
        system.address(f"/greenroom/nobody-{number}").tell(object())

    letters = (await world.operator.get("/api/v1/admin/dead-letters", params={"limit": 2})).json()

    assert letters["total"] == 3
    assert letters["counts"]["no_such_actor"] == 3
    assert [item["path"] for item in letters["items"]] == ["/greenroom/nobody-2", "/greenroom/nobody-1"]


async def test_the_operators_stream_tells_what_happens_to_actors(world: World, nursery: trio.Nursery) -> None:
    listener = Listener()

    async def follow(*, task_status: trio.TaskStatus[None]) -> None:
        await listener.follow(world.operator, f"{ACTORS}/stream", task_status=task_status)

    with trio.fail_after(WAIT_S):
        await nursery.start(follow)
    await world.operator.post(f"{COMMITTER}/restart")
    await listener.until(lambda each: bool(each.named("actor.restarted")) and len(each.named("tree")) >= 2)

    assert listener.data("actor.restarted")["path"] == "/greenroom/committer"
    first, second = (event.json() for event in listener.named("tree")[:2])
    assert {"/greenroom", "/greenroom/committer"} <= {node["path"] for node in first["changed"]}
    assert "/greenroom/committer" in {node["path"] for node in second["changed"]}
    assert len(second["changed"]) < len(first["changed"])

    world.core.draining.begin()
    await listener.until(lambda each: bool(each.named("closing")))
    assert listener.data("closing") == {"reason": "draining", "reconnect": True}


def askers(world: World, admin: Person) -> dict[str, tuple[dict[str, str], int]]:
    """Who asks, with which headers, and what they get."""
    return {
        "nobody": ({}, 401),
        "the key": ({"X-API-Key": API_KEY}, 200),
        "a wrong key": ({"X-API-Key": "x" * len(API_KEY)}, 401),
        "an empty key": ({"X-API-Key": ""}, 401),
        "the key, cut": ({"X-API-Key": API_KEY[:-1]}, 401),
        "the key as token": ({"Authorization": f"Bearer {API_KEY}"}, 401),
        "a student": ({"Authorization": f"Bearer {world.maya.token}"}, 403),
        "an instructor": ({"Authorization": f"Bearer {world.tomas.token}"}, 403),
        "an admin": ({"Authorization": f"Bearer {admin.token}"}, 200),
        "a wrong key and an admin": ({"X-API-Key": "wrong", "Authorization": f"Bearer {admin.token}"}, 401),
    }


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.join("root", Role.ADMIN)


async def test_operators_are_the_key_and_admins_and_nobody_else(world: World, admin: Person) -> None:
    for name, (headers, status) in askers(world, admin).items():
        for path in (ACTORS, COMMITTER, f"{ACTORS}/top", "/api/v1/admin/dead-letters"):
            answer = await world.nobody.get(path, headers=headers)
            assert answer.status_code == status, (name, path)
        answer = await world.nobody.post(f"{COMMITTER}/resume", headers=headers)
        assert answer.status_code == (204 if status == 200 else status), name
        async with world.nobody.stream("GET", f"{ACTORS}/stream", headers=headers) as stream:
            assert stream.status_code == status, name


async def test_the_key_does_not_count_in_a_query_string(world: World) -> None:
    answer = await world.nobody.get(ACTORS, params={"X-API-Key": API_KEY})

    assert_problem(answer, 401, "not_authenticated")


async def test_an_admins_cookie_needs_our_own_page_to_act(world: World, admin: Person) -> None:
    cookie = {"Cookie": f"greenroom={admin.token}"}

    from_elsewhere = await world.nobody.post(
        f"{COMMITTER}/restart", headers=cookie | {"Sec-Fetch-Site": "cross-site"}
    )
    from_here = await world.nobody.post(f"{COMMITTER}/resume", headers=cookie | {"Sec-Fetch-Site": "same-origin"})

    assert_problem(from_elsewhere, 403, "cross_site_request")
    assert from_here.status_code == 204


@pytest.fixture
async def keyless() -> AsyncIterator[World]:
    async with a_world(settings=some_settings(admin_api_key=None)) as running:
        yield running


async def test_without_a_configured_key_no_key_is_accepted(keyless: World) -> None:
    for key in ("", "None", API_KEY):
        assert_problem(await keyless.nobody.get(ACTORS, headers={"X-API-Key": key}), 401)


async def test_an_admin_reads_nobodys_conversations(world: World, admin: Person) -> None:
    talk = await world.talk()

    answers: list[httpx.Response] = [
        await admin.api.get(f"/api/v1/conversations/{talk}"),
        await admin.api.get(f"/api/v1/conversations/{talk}/messages"),
        await admin.api.get("/api/v1/sync"),
        await admin.api.get("/api/v1/events"),
    ]

    for answer in answers:
        assert_problem(answer, 403, "permission_denied")


def test_no_two_collectors_tell_the_same_metric() -> None:
    own = [name for counts in OWN_COUNTS.values() for name, _ in counts.values()]
    names = [*own, *(f"greenroom_bus_{n}" for n in BUS_COUNTERS), *(f"greenroom_pool_{n}" for n in POOL_GAUGES)]

    assert sorted(set(names)) == sorted(names)


async def test_metrics_count_by_kind_route_and_reason(world: World) -> None:
    await world.say(await world.talk(), "hello")
    await world.maya.api.get("/nowhere")

    text = (await world.operator.get("/metrics")).text

    for line in (
        'greenroom_http_requests_total{method="POST",route="/api/v1/conversations/{conversation_id}/messages",status="201"} 1.0',
        'greenroom_http_requests_total{method="GET",route="(unmatched)",status="404"} 1.0',
        'greenroom_actors{kind="conversation"} 1.0',
        'greenroom_actor_handler_seconds_count{kind="conversation",message="SendMessage"} 1.0',
        'greenroom_dead_letters_total{reason="no_such_actor"} 0.0',
        'greenroom_http_connection_faults_total{reason="malformed"} 0.0',
    ):
        assert line in text
    assert text.count("\ngreenroom_http_connections ") == 1


async def test_what_a_request_asks_of_actors_can_be_traced_by_its_id(world: World) -> None:
    talk = await world.talk()

    sent = await world.maya.api.post(
        f"/api/v1/conversations/{talk}/messages",
        json={"content": "x"},
        headers={"X-Request-Id": "trace-me-please"},
    )

    assert sent.status_code == 201
    for path in (COMMITTER, f"{ACTORS}/greenroom/conversations/{talk}"):
        messages = (await world.operator.get(path)).json()["messages"]
        assert messages[-1]["trace_id"] == "trace-me-please"
