"""``Idempotency-Key`` on what changes something."""

from __future__ import annotations

import httpx
import pytest
import trio

from greenroom.http.app import OPERATIONS
from greenroom.http.idempotency import METHODS
from greenroom.schema.errors import StorageUnavailable
from greenroom.storage.memory import FaultPoint, Phase
from tests.http.world import PASSWORD, WAIT_S, World, assert_problem

KEY = {"Idempotency-Key": "a-key"}


async def contents(world: World, talk: str) -> list[str]:
    page = (await world.maya.api.get(f"/api/v1/conversations/{talk}/messages")).json()
    return [message["content"] for message in page["items"]]


async def test_a_message_sent_again_under_its_key_is_answered_as_the_first_time(world: World) -> None:
    talk = await world.talk()
    path = f"/api/v1/conversations/{talk}/messages"

    first = await world.maya.api.post(path, json={"content": "Once"}, headers=KEY)
    second = await world.maya.api.post(path, json={"content": "Once"}, headers=KEY)

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await contents(world, talk) == ["Once"]


async def test_a_key_is_good_for_one_request(world: World) -> None:
    path = f"/api/v1/conversations/{await world.talk()}/messages"
    await world.maya.api.post(path, json={"content": "a"}, headers=KEY)

    problem = assert_problem(await world.maya.api.post(path, json={"content": "b"}, headers=KEY), 422)

    assert problem["errors"][0]["loc"] == ["header", "Idempotency-Key"]
    assert (await world.tomas.api.post(path, json={"content": "b"}, headers=KEY)).status_code == 201


async def test_a_refusal_is_decided_anew(world: World) -> None:
    talk = await world.talk()
    read = f"/api/v1/conversations/{talk}/read"
    assert_problem(await world.tomas.api.post(read, json={"seq": 1}, headers=KEY), 422)

    await world.say(talk, "now there is one")

    assert (await world.tomas.api.post(read, json={"seq": 1}, headers=KEY)).status_code == 200


async def test_the_same_request_at_the_same_time_is_told_to_come_back(world: World) -> None:
    path = f"/api/v1/conversations/{await world.talk()}/messages"
    entered, go_on = trio.Event(), trio.Event()

    async def hold(point: FaultPoint) -> None:
        if (point.operation, point.phase) == ("writes.commit", Phase.BEFORE):
            entered.set()
            await go_on.wait()

    world.database.faults = hold
    answers: list[httpx.Response] = []

    async def send() -> None:
        answers.append(await world.maya.api.post(path, json={"content": "Once"}, headers=KEY))

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await entered.wait()
            answer = await world.maya.api.post(path, json={"content": "Once"}, headers=KEY)
            problem = assert_problem(answer, 409, "request_in_progress")
            assert answer.headers["Retry-After"] == "1"
            assert problem["status"] == 409
            go_on.set()

    assert answers[0].status_code == 201


async def test_a_message_whose_answer_was_never_written_down_is_still_sent_once(world: World) -> None:
    talk = await world.talk()
    path = f"/api/v1/conversations/{talk}/messages"

    first = await world.maya.api.post(path, json={"content": "Once"}, headers=KEY)
    world.database.tables.idempotency_keys.clear()  # as if the server had ended before it could
    second = await world.maya.api.post(path, json={"content": "Once"}, headers=KEY)

    assert second.json()["id"] == first.json()["id"]
    assert await contents(world, talk) == ["Once"]


async def test_an_edit_whose_commit_was_never_heard_of_is_answered_as_done(world: World) -> None:
    message = await world.say(await world.talk(), "a")
    lost: list[FaultPoint] = []

    async def lose_the_first_commit(point: FaultPoint) -> None:
        if (point.operation, point.phase) == ("writes.commit", Phase.AFTER) and not lost:
            lost.append(point)
            raise StorageUnavailable("The connection was lost while committing.")

    world.database.faults = lose_the_first_commit
    path, headers = f"/api/v1/messages/{message['id']}", {**KEY, "If-Match": '"1"'}
    assert_problem(await world.maya.api.patch(path, json={"content": "b"}, headers=headers), 503)

    answer = await world.maya.api.patch(path, json={"content": "b"}, headers=headers)

    assert (answer.status_code, answer.json()["content"], answer.json()["version"]) == (200, "b", 2)


async def test_an_answer_without_a_body_is_repeated_too(world: World) -> None:
    path = f"/api/v1/conversations/{await world.talk()}/typing"

    for _ in range(2):
        answer = await world.maya.api.post(path, json={"is_typing": True}, headers=KEY)
        assert (answer.status_code, answer.content) == (204, b"")
        assert "Content-Type" not in answer.headers


async def test_an_operators_action_is_taken_once(world: World) -> None:
    path = "/api/v1/admin/actors/greenroom/retention/restart"
    for _ in range(2):
        assert (await world.operator.post(path, headers=KEY)).is_success

    audit = (await world.operator.get("/api/v1/admin/audit")).json()["items"]
    assert len(audit) == 1


async def test_registering_again_under_a_key_signs_in_whoever_knows_the_password(world: World) -> None:
    newcomer = {"email": "zoe@example.com", "password": PASSWORD, "display_name": "Zoe", "role": "student"}
    first = await world.nobody.post("/api/v1/auth/register", json=newcomer, headers=KEY)

    second = await world.nobody.post("/api/v1/auth/register", json=newcomer, headers=KEY)

    assert second.status_code == 201
    assert second.json()["user"] == first.json()["user"]
    assert second.json()["access_token"] != first.json()["access_token"]
    assert_problem(await world.nobody.post("/api/v1/auth/register", json=newcomer), 409, "email_taken")
    guess = {**newcomer, "password": "something else"}
    assert_problem(await world.nobody.post("/api/v1/auth/register", json=guess, headers=KEY), 409, "email_taken")


async def test_an_answer_with_a_secret_in_it_is_not_kept(world: World) -> None:
    tickets = [(await world.maya.api.post("/api/v1/events/ticket", headers=KEY)).json() for _ in range(2)]

    assert all("ticket" in ticket for ticket in tickets)
    assert world.database.tables.idempotency_keys == {}


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "é", '"'])
async def test_a_key_of_another_form_is_refused_by_name(world: World, key: str) -> None:
    path = f"/api/v1/conversations/{await world.talk()}/messages"

    answer = await world.maya.api.post(path, json={"content": "a"}, headers={b"Idempotency-Key": key.encode()})

    assert assert_problem(answer, 422)["errors"][0]["loc"] == ["header", "Idempotency-Key"]


async def test_a_quoted_key_is_the_same_key(world: World) -> None:
    talk = await world.talk()
    for key in ("a-key", '"a-key"'):
        path = f"/api/v1/conversations/{talk}/messages"
        await world.maya.api.post(path, json={"content": "Once"}, headers={"Idempotency-Key": key})

    assert await contents(world, talk) == ["Once"]


def test_everything_that_changes_something_by_post_or_patch_takes_a_key() -> None:
    without = {o.path for o in OPERATIONS if o.method in METHODS and not o.is_keyed}

    assert without == {"/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/events/ticket"}
