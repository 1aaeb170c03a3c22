"""What operators do is on the record, and what they look at is bounded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import trio

from greenroom.actors.operating import FOLLOWERS_MAX
from greenroom.http.operator_feed import WRITE_EVERY_S, select_events
from greenroom.http.serving import Limits
from greenroom.schema.audit import AuditOutcome
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.records import Role
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase
from greenroom.supervisor import LifecycleEvent
from tests.http.test_operators import ACTORS, COMMITTER
from tests.http.world import API_KEY, WAIT_S, Listener, World, a_world, assert_problem, some_settings

AUDIT = "/api/v1/admin/audit"
LOOP = "/api/v1/admin/loop"


async def audit(world: World) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.operator.get(AUDIT)).json()["items"]
    return items


def failing_at(operation: str) -> Callable[[FaultPoint], Awaitable[None]]:
    """Faults of a database that is away whenever ``operation`` begins."""

    async def fail(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point == FaultPoint(operation, Phase.BEFORE):
            raise StorageUnavailable("The database is away.")

    return fail


async def test_an_action_is_on_the_record_with_who_why_and_how_it_ended(world: World) -> None:
    answer = await world.operator.post(
        f"{COMMITTER}/restart", json={"reason": "it looked tired"}, headers={"X-Request-Id": "ticket-0007"}
    )
    assert answer.status_code == 204

    (entry,) = await audit(world)

    assert (entry["action"], entry["path"], entry["outcome"]) == ("restart", "/greenroom/committer", "done")
    assert (entry["reason"], entry["request_id"]) == ("it looked tired", "ticket-0007")
    assert (entry["operator_kind"], entry["operator_name"]) == ("key", None)
    assert API_KEY not in str(entry)
    assert entry["at"] <= entry["settled_at"]


async def test_an_action_is_in_the_log_as_a_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "greenroom.actors.audit_trail")
    await world.operator.post(f"{COMMITTER}/suspend")
    await world.operator.post(f"{ACTORS}/greenroom/nobody/stop")

    told = [record.getMessage() for record in caplog.records if record.name == "greenroom.actors.audit_trail"]
    assert [line.partition(": ")[2] for line in told] == [
        "suspend /greenroom/committer: done",
        "stop /greenroom/nobody: refused (There is no such actor.)",
    ]


async def test_an_admin_is_on_the_record_by_id_and_not_by_address(world: World) -> None:
    admin = await world.join("root", Role.ADMIN)

    await admin.api.post(f"{COMMITTER}/suspend")
    await admin.api.post(f"{COMMITTER}/resume", json={})

    resumed, suspended = await audit(world)
    assert [suspended["action"], resumed["action"]] == ["suspend", "resume"]
    assert (suspended["operator_kind"], suspended["operator_id"]) == ("user", admin.id)
    assert suspended["operator_name"] == "Root"
    assert suspended["reason"] is None
    assert admin.email not in str(suspended)


async def test_what_was_refused_is_on_the_record_too(world: World) -> None:
    assert_problem(await world.operator.post(f"{ACTORS}/greenroom/nobody/stop"), 404)
    assert_problem(await world.operator.post(f"{ACTORS}/greenroom/conversations/suspend"), 409)
    assert_problem(await world.operator.post(f"{ACTORS}/greenroom/restart"), 409)
    assert_problem(await world.operator.post(f"{COMMITTER}/passivate"), 409)

    assert [(e["outcome"], e["detail"] is not None) for e in await audit(world)] == [("refused", True)] * 4


async def test_who_can_not_be_recorded_can_not_act(world: World) -> None:
    world.database.faults = failing_at("audit.begin")

    assert_problem(await world.operator.post(f"{COMMITTER}/restart"), 503, "storage_unavailable")

    node = (await world.operator.get(COMMITTER)).json()["node"]
    assert node["incarnation"] == 1
    assert await audit(world) == []


async def test_an_action_whose_end_can_not_be_written_stays_begun(world: World) -> None:
    world.database.faults = failing_at("audit.settle")

    assert (await world.operator.post(f"{COMMITTER}/restart")).status_code == 204

    (entry,) = await audit(world)
    assert (entry["outcome"], entry["settled_at"]) == ("begun", None)
    assert (await world.operator.get(COMMITTER)).json()["node"]["incarnation"] == 2


async def test_an_operator_who_leaves_in_the_middle_is_still_on_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acting = trio.Event()

    async def take_for_ever(_path: str) -> None:
        acting.set()
        await trio.sleep_forever()

    limits = Limits(drain_s=2.0, drain_idle_s=0.1, abandoned_s=0.05)
    async with a_world(limits=limits) as world:
        monkeypatch.setattr(world.core.system, "restart", take_for_ever)
        with trio.fail_after(WAIT_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(world.operator.post, f"{COMMITTER}/restart")
                await acting.wait()
                nursery.cancel_scope.cancel()
            while (await audit(world))[0]["outcome"] == AuditOutcome.BEGUN:
                await trio.lowlevel.checkpoint()

        assert [entry["outcome"] for entry in await audit(world)] == ["unfinished"]


async def test_an_action_that_takes_too_long_is_said_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def take_for_ever(_path: str) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(world.core.system, "restart", take_for_ever)
    monkeypatch.setattr("greenroom.actors.operating.ACTION_TIMEOUT_S", 0.05)

    assert_problem(await world.operator.post(f"{COMMITTER}/restart"), 503, "unavailable")

    assert [entry["outcome"] for entry in await audit(world)] == ["unfinished"]


async def test_a_conversation_is_put_to_sleep_and_wakes(world: World) -> None:
    talk = await world.talk()
    await world.say(talk, "one")
    path = f"{ACTORS}/greenroom/conversations/{talk}"

    assert (await world.operator.post(f"{path}/passivate")).status_code == 204
    with trio.fail_after(WAIT_S):
        while (await world.operator.get(path)).status_code == 200:
            await trio.lowlevel.checkpoint()

    await world.say(talk, "two")


async def test_the_audit_is_read_page_by_page(world: World) -> None:
    for _ in range(5):
        await world.operator.post(f"{COMMITTER}/resume")

    seen, cursor = [], None
    for _ in range(3):
        page = (
            await world.operator.get(AUDIT, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += page["items"]
        cursor = page["next_cursor"]

    assert cursor is None
    assert len({entry["id"] for entry in seen}) == 5
    # By moment and not by id: two ids of one millisecond are in no order.
    assert [entry["at"] for entry in seen] == sorted((entry["at"] for entry in seen), reverse=True)
    assert seen == (await world.operator.get(AUDIT, params={"limit": 5})).json()["items"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"{AUDIT}?cursor=nonsense", "cursor"),
        (f"{AUDIT}?limit=101", "limit"),
        (f"{ACTORS}/top?cursor=nonsense", "cursor"),
        (f"{ACTORS}/top?cursor=nan|x", "cursor"),
        (f"{ACTORS}/top?state=happy", "state"),
        (f"{ACTORS}/top?limit=0", "limit"),
        (f"{ACTORS}/top?kind=nosuch", "kind"),
        (f"{ACTORS}/top?colour=red", "colour"),
        ("/api/v1/admin/dead-letters?reason=boredom", "reason"),
        ("/api/v1/admin/calls?limit=1000", "limit"),
        (f"{ACTORS}?depth=99", "depth"),
    ],
)
async def test_wrong_questions_are_refused_by_the_field(world: World, path: str, field: str) -> None:
    problem = assert_problem(await world.operator.get(path), 422)
    assert [error["loc"] for error in problem["errors"]] == [["query", field]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "two\nlines"}, "reason"),
        ({"reason": "\u001b[31m"}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": 7}, "reason"),
        ({"because": "x"}, "because"),
    ],
)
async def test_wrong_reasons_are_refused_and_nothing_is_done(
    world: World, body: dict[str, Any], field: str
) -> None:
    problem = assert_problem(await world.operator.post(f"{COMMITTER}/restart", json=body), 422)

    assert [error["loc"] for error in problem["errors"]] == [["body", field]]
    assert await audit(world) == []


async def test_those_that_stand_out_are_listed_page_by_page(world: World) -> None:
    talks = []
    for number in range(5):
        person = await world.join(f"student-{number}", Role.STUDENT)
        opened = await person.api.post("/api/v1/conversations", json={"participant_id": world.tomas.id})
        talks.append(opened.json()["conversation"]["id"])
        await world.say(talks[-1], "hello", person)

    seen: list[str] = []
    cursor = None
    while True:
        asked = {"kind": "conversation", "sort": "idle", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await world.operator.get(f"{ACTORS}/top", params=asked)).json()
        seen += [actor["key"] for actor in page["actors"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(seen) == sorted(talks)
    only = (await world.operator.get(f"{ACTORS}/top", params={"key_prefix": talks[2]})).json()["actors"]
    assert [actor["key"] for actor in only] == [talks[2]]


async def test_a_message_that_takes_long_is_among_the_calls_and_so_is_its_stack(
    world: World, nursery: trio.Nursery
) -> None:
    talk = await world.talk()
    stuck = trio.Event()

    async def hang(point: FaultPoint) -> None:
        await trio.lowlevel.checkpoint()
        if point == FaultPoint("writes.begin", Phase.BEFORE):
            stuck.set()
            await trio.sleep_forever()

    world.database.faults = hang
    nursery.start_soon(world.say, talk, "slowly")
    with trio.fail_after(WAIT_S):
        await stuck.wait()

    (call,) = (await world.operator.get("/api/v1/admin/calls")).json()["calls"]
    assert call["path"] == "/greenroom/committer"
    assert call["current"]["message"] == "SendMessage"
    stack = (await world.operator.get(f"{COMMITTER}/stack")).json()
    assert any("Committer.handle_batch" in frame for frame in stack["frames"])
    nursery.cancel_scope.cancel()


async def test_dead_letters_are_filtered_by_reason(world: World) -> None:
    world.core.system.address("/greenroom/nobody").tell(object())

    found = (await world.operator.get("/api/v1/admin/dead-letters", params={"reason": "no_such_actor"})).json()
    others = (await world.operator.get("/api/v1/admin/dead-letters", params={"reason": "expired"})).json()

    assert [item["path"] for item in found["items"]] == ["/greenroom/nobody"]
    assert others["items"] == []
    assert others["total"] == 1


async def test_the_loop_reports_and_measures_steps_when_asked(world: World) -> None:
    before = (await world.operator.get(LOOP)).json()
    assert before["steps"] is None
    assert before["stall_threshold_ms"] is None
    assert before["turns"] > 0

    assert (await world.operator.post(f"{LOOP}/steps", json={"for_s": 5})).status_code == 204
    await world.say(await world.talk(), "hello")
    during = (await world.operator.get(LOOP)).json()["steps"]

    assert during["is_attached"]
    assert "/greenroom/committer" in {step["owner"] for step in during["longest"]}
    assert_problem(await world.operator.post(f"{LOOP}/steps", json={"for_s": 61}), 422)


async def test_the_operators_stream_is_written_once_a_second(world: World, nursery: trio.Nursery) -> None:
    listener = Listener()

    async def follow(*, task_status: trio.TaskStatus[None]) -> None:
        await listener.follow(world.operator, f"{ACTORS}/stream", task_status=task_status)

    began = trio.current_time()
    with trio.fail_after(WAIT_S):
        await nursery.start(follow)
    for number in range(30):
        world.core.system.address("/greenroom/committer").tell(object())
        await world.maya.api.get("/api/v1/unread", params={"x": number})
    await listener.until(lambda each: len(each.named("pulse")) >= 3)

    assert trio.current_time() - began >= 2 * WRITE_EVERY_S
    assert len(listener.named("tree")) <= len(listener.named("pulse"))
    pulse = listener.data("pulse")
    assert pulse["actors"] >= 5
    assert pulse["lag_ms_p99"] >= 0


async def test_there_are_only_so_many_operators_streams(world: World, nursery: trio.Nursery) -> None:
    async def follow(*, task_status: trio.TaskStatus[None]) -> None:
        await Listener().follow(world.operator, f"{ACTORS}/stream", task_status=task_status)

    with trio.fail_after(WAIT_S):
        for _ in range(FOLLOWERS_MAX):
            await nursery.start(follow)
        refused = await world.operator.get(f"{ACTORS}/stream")
    assert_problem(refused, 503, "unavailable")
    assert refused.headers["Retry-After"] == "10"
    nursery.cancel_scope.cancel()


def event(name: str, number: int = 0, missed: int = 0) -> LifecycleEvent:
    return LifecycleEvent(name, float(number), path=f"/g/{number}", missed=missed)


def test_of_many_events_those_that_matter_are_told_first() -> None:
    events = [event("actor.started", n) for n in range(50)] + [event("actor.failed", 50)]
    events += [event("actor.stopped", n) for n in range(51, 100)]

    told, missed = select_events(events, 10)

    assert [e.at for e in told] == [50, *range(91, 100)]
    assert missed == 90


def test_what_a_slow_reader_missed_is_added_to_what_is_left_out() -> None:
    told, missed = select_events([event("lagged", missed=7), event("actor.failed", 1)], 10)
    assert ([e.event for e in told], missed) == (["actor.failed"], 7)


def test_more_that_matters_than_is_told_leaves_the_newest() -> None:
    told, missed = select_events([event("actor.failed", n) for n in range(20)], 5)
    assert ([e.at for e in told], missed) == ([15, 16, 17, 18, 19], 15)


OLD, NEW = "the-old-key-of-operators", "the-new-key-of-operators"


async def test_a_key_is_changed_without_a_refused_request() -> None:
    for settings, accepted in (
        (some_settings(admin_api_key=OLD), {OLD}),
        (some_settings(admin_api_key=OLD, admin_api_key_next=NEW), {OLD, NEW}),
        (some_settings(admin_api_key=NEW), {NEW}),
    ):
        async with a_world(settings=settings) as world:
            for key in (OLD, NEW):
                answer = await world.nobody.get(ACTORS, headers={"X-API-Key": key})
                assert answer.status_code == (200 if key in accepted else 401)


async def test_operators_with_different_keys_are_told_apart_on_the_record() -> None:
    database = MemoryDatabase()
    async with a_world(
        settings=some_settings(admin_api_key=OLD, admin_api_key_next=NEW), database=database
    ) as world:
        for key in (OLD, NEW):
            await world.nobody.post(f"{COMMITTER}/resume", headers={"X-API-Key": key})
    first, second = database.tables.audit.values()
    assert first.operator != second.operator
    assert len(first.operator.id) == 8


async def test_metrics_are_for_operators_unless_the_server_is_told_otherwise(world: World) -> None:
    by_token = httpx.Headers({"Authorization": f"Bearer {API_KEY}"})
    assert_problem(await world.nobody.get("/metrics"), 401)
    assert_problem(await world.nobody.get("/metrics", headers={"Authorization": "Bearer wrong-wrong-wrong"}), 401)
    assert_problem(await world.maya.api.get("/metrics"), 403)
    assert (await world.operator.get("/metrics")).status_code == 200
    assert (await world.nobody.get("/metrics", headers=by_token)).status_code == 200
    # Only here: a bearer token is a session's everywhere else.
    assert_problem(await world.nobody.get(ACTORS, headers=by_token), 401)

    async with a_world(settings=some_settings(metrics_public=True)) as open_world:
        assert (await open_world.nobody.get("/metrics")).status_code == 200


async def test_metrics_tell_of_the_loop_and_of_refusals_and_never_of_anybody(world: World) -> None:
    talk = await world.talk()
    await world.say(talk, "hello")
    await world.maya.api.get("/api/v1/conversations/01HZZZZZZZZZZZZZZZZZZZZZZZ")

    text = (await world.operator.get("/metrics")).text

    for line in (
        'greenroom_http_refusals_total{code="conversation_not_found"} 1.0',
        'greenroom_loop_lag_seconds{quantile="0.99"} ',
        "greenroom_loop_longest_turn_seconds ",
        "greenroom_loop_busy_ratio ",
        "greenroom_gc_longest_pause_seconds ",
        "greenroom_commits_total ",
        "greenroom_bus_notes_total ",
    ):
        assert line in text
    for secret in (talk, world.maya.id, world.tomas.id, "example.com"):
        assert secret not in text


async def test_measuring_every_step_is_on_the_record(world: World) -> None:
    asked = await world.operator.post("/api/v1/admin/loop/steps", json={"for_s": 1})

    assert asked.status_code == 204
    (entry,) = await audit(world)
    assert (entry["action"], entry["path"], entry["outcome"]) == ("probe_steps", "loop", "done")
    assert entry["request_id"] == asked.headers["X-Request-Id"]


async def test_what_can_not_be_recorded_is_not_measured(world: World) -> None:
    world.database.faults = failing_at("audit.begin")

    refused = await world.operator.post("/api/v1/admin/loop/steps", json={"for_s": 1})

    assert_problem(refused, 503)
    assert world.core.loop.report().steps is None
