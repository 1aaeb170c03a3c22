"""What clients and load balancers are told while the database is away, or this worker stops."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.schema.errors import StorageUnavailable
from greenroom.storage.memory import FaultPoint
from tests.http.raw import PATIENT, read_to_end, read_until
from tests.http.test_operators import ACTORS
from tests.http.test_streams import Streams
from tests.http.world import WAIT_S, World, assert_problem


async def is_away(_point: FaultPoint) -> None:
    await trio.lowlevel.checkpoint()
    raise StorageUnavailable("The database can't be reached.")


async def test_a_worker_is_live_and_ready(world: World) -> None:
    for path in ("/health/live", "/health/ready"):
        answer = await world.nobody.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_without_its_database_a_worker_is_live_but_not_ready(world: World) -> None:
    world.database.faults = is_away

    assert (await world.nobody.get("/health/live")).status_code == 200
    answer = await world.nobody.get("/health/ready")
    assert_problem(answer, 503, "storage_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_database_that_hangs_does_not_hang_the_probe(world: World) -> None:
    has_answered = trio.Event()

    async def hangs(_point: FaultPoint) -> None:
        await has_answered.wait()

    world.database.faults = hangs

    with trio.fail_after(WAIT_S):
        assert_problem(await world.nobody.get("/health/ready"), 503, "unavailable")
    # Or the stop would wait for it, as long as it may.
    has_answered.set()


async def test_while_draining_a_worker_is_not_ready(world: World) -> None:
    world.core.draining.begin()

    assert_problem(await world.nobody.get("/health/ready"), 503, "unavailable")
    assert (await world.nobody.get("/health/live")).status_code == 200


async def test_while_the_database_is_away_requests_get_503_and_streams_stay_open(
    world: World, nursery: trio.Nursery
) -> None:
    talk = await world.talk()
    listener = await Streams(nursery).open(world.tomas.api)
    healthy, world.database.faults = world.database.faults, is_away

    for answer in (
        await world.maya.api.get("/api/v1/conversations"),
        await world.maya.api.post(f"/api/v1/conversations/{talk}/messages", json={"content": "lost?"}),
        await world.nobody.post("/api/v1/auth/login", json={"email": "a@example.com", "password": "x"}),
        await world.nobody.get("/api/v1/auth/me", headers={"Authorization": "Bearer " + "0" * 64}),
    ):
        assert_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
    # A session that was seen lately needs no query.
    assert (await world.maya.api.get("/api/v1/auth/me")).status_code == 200

    world.database.faults = healthy
    with trio.fail_after(WAIT_S):
        await world.say(talk, "back")
        await listener.until(lambda each: "back" in each.contents)


async def test_connections_close_when_they_should_under_the_whole_application(
    world: World, skipping_clock: MockClock
) -> None:
    """Quart-Trio cancels itself when told that a request is over; closing must not be cancelled with it."""
    request = "GET /health/live HTTP/1.1\r\nHost: here\r\n{}\r\n"
    host, _, port = world.host.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(request.format("Connection: close\r\n").encode())

        assert (await read_to_end(stream)).endswith(b'{"status":"ok"}')

    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(request.format("").encode())
        await read_until(stream, b'{"status":"ok"}')
        await wait_all_tasks_blocked()  # it waits for the next request

        skipping_clock.jump(PATIENT.keep_alive_s)

        assert await read_to_end(stream) == b""


@pytest.mark.parametrize("part", ["committer", "sweep", "bus-relay", "streams", "conversations"])
async def test_a_worker_without_an_essential_part_is_not_ready_until_it_is_back(world: World, part: str) -> None:
    await world.operator.post(f"{ACTORS}/greenroom/{part}/stop")

    problem = assert_problem(await world.nobody.get("/health/ready"), 503, "unavailable")
    assert problem["detail"] == f"/greenroom/{part} is stopped."

    await world.operator.post(f"{ACTORS}/greenroom/{part}/restart")
    assert (await world.nobody.get("/health/ready")).status_code == 200


async def test_a_worker_without_what_it_can_do_without_is_ready(world: World) -> None:
    await world.operator.post(f"{ACTORS}/greenroom/retention/stop")

    assert (await world.nobody.get("/health/ready")).status_code == 200


@pytest.mark.parametrize(
    ("part", "action"),
    [("committer", "suspend"), ("committer", "stop"), ("conversations", "stop"), ("conversations/{talk}", "suspend")],
)  # fmt: skip
async def test_what_needs_a_part_that_does_not_work_is_refused_at_once(
    world: World, slow_clock: MockClock, part: str, action: str
) -> None:
    talk = await world.talk()
    await world.say(talk, "before")
    await world.operator.post(f"{ACTORS}/greenroom/{part.format(talk=talk)}/{action}")

    with trio.fail_after(2):
        refused = await world.maya.api.post(f"/api/v1/conversations/{talk}/messages", json={"content": "now"})

    assert_problem(refused, 503, "unavailable")
    assert refused.headers["Retry-After"] == "5"


async def test_a_stream_is_refused_at_once_while_there_can_be_none(world: World, slow_clock: MockClock) -> None:
    await world.operator.post(f"{ACTORS}/greenroom/streams/stop")

    with trio.fail_after(2):
        assert_problem(await world.maya.api.get("/api/v1/events"), 503, "unavailable")
