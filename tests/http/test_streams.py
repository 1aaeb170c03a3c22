"""Users' event streams over HTTP: live, resumed, as a log, by ticket, and at their end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from chaos.sockets import unread_bytes
from greenroom.actors.core_settings import CoreSettings
from tests.http.raw import read_to_end, read_until
from tests.http.world import PASSWORD, WAIT_S, Listener, World, a_world, assert_problem

EVENTS = "/api/v1/events"


class Streams:
    """Listeners in a nursery of the test's own."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    async def open(
        self, api: httpx.AsyncClient, path: str = EVENTS, *, headers: dict[str, str] | None = None
    ) -> Listener:
        listener = Listener()

        async def follow(*, task_status: trio.TaskStatus[None]) -> None:
            await listener.follow(api, path, headers=headers, task_status=task_status)

        with trio.fail_after(WAIT_S):
            await self._nursery.start(follow)
        return listener


@pytest.fixture
async def streams(world: World, nursery: trio.Nursery) -> Streams:
    return Streams(nursery)


def has_ended(listener: Listener) -> bool:
    return listener.has_ended


async def test_a_stream_begins_with_retry_and_ready(world: World, streams: Streams) -> None:
    listener = await streams.open(world.maya.api)

    first = listener.events[0]
    assert first.event == "ready"
    assert first.id == listener.data("ready")["cursor"] == listener.data("ready")["tail"]
    assert listener.data("ready")["user_id"] == world.maya.id
    assert listener.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert listener.headers["Cache-Control"] == "no-cache, no-transform"
    assert listener.headers["X-Accel-Buffering"] == "no"
    assert "X-Request-Id" in listener.headers


async def test_the_first_bytes_of_a_stream_are_its_retry(world: World) -> None:
    host, _, port = world.host.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(
            f"GET {EVENTS} HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.maya.token}\r\n\r\n".encode()
        )
        received = await read_until(stream, b"event: ready")

    body = received.partition(b"\r\n\r\n")[2].partition(b"\r\n")[2]  # behind the size of the first chunk
    retry = int(body.partition(b"retry: ")[2].partition(b"\n")[0])
    assert body.startswith(b"retry: ")
    assert 2_000 <= retry <= 6_000


async def test_two_people_see_forty_messages_in_the_same_order(world: World, streams: Streams) -> None:
    talk = await world.talk()
    hers, his = await streams.open(world.maya.api), await streams.open(world.tomas.api)

    async with trio.open_nursery() as senders:

        async def send(person: Any, name: str) -> None:
            for number in range(20):
                await world.say(talk, f"{name} {number}", by=person)

        senders.start_soon(send, world.maya, "maya")
        senders.start_soon(send, world.tomas, "tomas")
    for listener in (hers, his):
        await listener.until(lambda each: len(each.contents) == 40)

    assert hers.contents == his.contents
    for listener in (hers, his):
        seqs = [json.loads(event.data)["message"]["seq"] for event in listener.named("message.created")]
        assert seqs == list(range(1, 41))
        cursors = [int(event.id.rpartition(".")[2]) for event in listener.named("message.created")]
        assert cursors == list(range(cursors[0], cursors[0] + 40))
    assert [line for line in hers.contents if line.startswith("tomas")] == [f"tomas {n}" for n in range(20)]


@pytest.mark.parametrize("way", ["header", "last_event_id", "lastEventId", "header over query"])
async def test_a_resumed_stream_continues_exactly_after_the_cursor(
    world: World, streams: Streams, way: str
) -> None:
    talk = await world.talk()
    before = await streams.open(world.tomas.api)
    for number in range(5):
        await world.say(talk, str(number))
    await before.until(lambda each: len(each.contents) == 5)
    third = before.named("message.created")[2].id
    oldest = before.events[0].id
    given: dict[str, Any] = {
        "header": {"headers": {"Last-Event-ID": third}},
        "last_event_id": {"path": f"{EVENTS}?last_event_id={third}"},
        "lastEventId": {"path": f"{EVENTS}?lastEventId={third}"},
        "header over query": {"headers": {"Last-Event-ID": third}, "path": f"{EVENTS}?last_event_id={oldest}"},
    }[way]

    resumed = await streams.open(world.tomas.api, **given)
    await world.say(talk, "live")
    await resumed.until(lambda each: "live" in each.contents)

    assert resumed.contents == ["3", "4", "live"]
    assert resumed.data("ready")["cursor"] == third


async def test_a_stream_without_a_cursor_starts_at_the_tail(world: World, streams: Streams) -> None:
    talk = await world.talk()
    await world.say(talk, "past")

    listener = await streams.open(world.tomas.api)
    await world.say(talk, "present")
    await listener.until(lambda each: "present" in each.contents)

    assert listener.contents == ["present"]


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("nonsense", "malformed"),
        ("v1." + "x" * 200, "malformed"),
        ("v1.other.1", "epoch_changed"),
        ("ahead", "cursor_ahead"),
    ],
)
async def test_a_cursor_that_cannot_be_served_gets_a_reset_and_a_live_stream(
    world: World, streams: Streams, cursor: str, reason: str
) -> None:
    talk = await world.talk()
    tail = (await streams.open(world.tomas.api)).events[0].id
    if cursor == "ahead":
        cursor = tail.rpartition(".")[0] + ".999"

    listener = await streams.open(world.tomas.api, headers={"Last-Event-ID": cursor})
    await listener.until(lambda each: bool(each.named("reset")))
    await world.say(talk, "live")
    await listener.until(lambda each: each.contents == ["live"])

    reset = listener.data("reset")
    assert reset["reason"] == reason
    assert listener.named("reset")[0].id == reset["current"] == tail
    assert reset["sync_url"] == "/api/v1/sync"


async def test_typing_and_presence_carry_no_id(world: World, streams: Streams) -> None:
    talk = await world.talk()
    listener = await streams.open(world.tomas.api)

    await world.maya.api.post(f"/api/v1/conversations/{talk}/typing", json={"is_typing": True})
    await streams.open(world.maya.api)
    await listener.until(lambda each: bool(each.named("typing") and each.named("presence")))

    assert listener.data("typing")["user_id"] == world.maya.id
    assert listener.data("presence")["online"] is True
    assert listener.last_id == listener.events[0].id


async def test_the_log_reads_on_from_a_cursor(world: World) -> None:
    talk = await world.talk()
    start = (await world.tomas.api.get("/api/v1/sync")).json()["cursor"]
    for number in range(5):
        await world.say(talk, str(number))

    seen, cursor, has_more = [], start, True
    while has_more:
        params = {"after": cursor, "limit": 2}
        page = (await world.tomas.api.get(f"{EVENTS}/log", params=params)).json()
        seen += [event["data"]["message"]["content"] for event in page["events"]]
        cursor, has_more = page["cursor"], page["has_more"]

    assert seen == ["0", "1", "2", "3", "4"]
    assert set(page["events"][0]) == {"id", "event", "data", "at"}
    assert page["events"][-1]["id"] == cursor


async def test_a_long_poll_answers_as_soon_as_something_happens(world: World, nursery: trio.Nursery) -> None:
    talk = await world.talk()
    cursor = (await world.tomas.api.get("/api/v1/sync")).json()["cursor"]
    answers: list[httpx.Response] = []
    done = trio.Event()

    async def poll() -> None:
        params = {"after": cursor, "wait": 25}
        answers.append(await world.tomas.api.get(f"{EVENTS}/log", params=params, timeout=30))
        done.set()

    nursery.start_soon(poll)
    with trio.fail_after(WAIT_S):
        while world.core.open_streams == 0:
            await wait_all_tasks_blocked(0.005)
        await world.say(talk, "now")
        await done.wait()

    assert [event["data"]["message"]["content"] for event in answers[0].json()["events"]] == ["now"]


async def test_a_long_poll_with_nothing_to_tell_answers_empty(world: World) -> None:
    cursor = (await world.tomas.api.get("/api/v1/sync")).json()["cursor"]

    page = (await world.tomas.api.get(f"{EVENTS}/log", params={"after": cursor, "wait": "0.1"})).json()

    assert page == {"events": [], "cursor": cursor, "has_more": False}


async def test_a_cursor_the_log_cannot_serve_is_gone(world: World) -> None:
    answer = await world.tomas.api.get(f"{EVENTS}/log", params={"after": "v1.other.1"})

    problem = assert_problem(answer, 410, "cursor_expired")
    assert problem["reason"] == "epoch_changed"
    assert {"oldest", "current", "sync_url"} <= set(problem)


async def test_state_at_the_cursor_and_the_events_after_it_are_the_state_now(world: World) -> None:
    talk = await world.talk()
    await world.say(talk, "before")
    sync = (await world.tomas.api.get("/api/v1/sync")).json()
    await world.say(talk, "after")

    log = (await world.tomas.api.get(f"{EVENTS}/log", params={"after": sync["cursor"]})).json()

    assert set(sync) == {"conversations", "total_unread", "presence", "cursor"}
    assert sync["conversations"][0]["last_message"]["content"] == "before"
    assert sync["presence"] == [{"user_id": world.maya.id, "online": False, "last_active_at": None}]
    assert [event["data"]["message"]["content"] for event in log["events"]] == ["after"]
    assert log["events"][0]["data"]["total_unread"] == sync["total_unread"] + 1


async def test_a_ticket_opens_the_stream_again_and_again(world: World, streams: Streams) -> None:
    ticket = (await world.maya.api.post(f"{EVENTS}/ticket")).json()

    for _ in range(2):
        listener = await streams.open(world.nobody, f"{EVENTS}?ticket={ticket['ticket']}")
        assert listener.data("ready")["user_id"] == world.maya.id

    assert set(ticket) == {"ticket", "expires_at"}
    elsewhere = await world.nobody.get("/api/v1/sync", params={"ticket": ticket["ticket"]})
    assert elsewhere.status_code in {401, 422}


async def test_a_ticket_dies_with_its_session(world: World) -> None:
    ticket = (await world.maya.api.post(f"{EVENTS}/ticket")).json()["ticket"]
    await world.maya.api.post("/api/v1/auth/logout")

    answer = await world.nobody.get(EVENTS, params={"ticket": ticket})

    assert_problem(answer, 401, "not_authenticated")


@pytest.mark.parametrize("ticket", ["", "x", "a.b.c", "\u00e9", "9" * 300])
async def test_a_forged_ticket_opens_nothing(world: World, ticket: str) -> None:
    assert_problem(await world.nobody.get(EVENTS, params={"ticket": ticket}), 401, "not_authenticated")


async def test_signing_out_ends_the_sessions_streams_and_no_others(world: World, streams: Streams) -> None:
    login = {"email": world.maya.email, "password": PASSWORD}
    token = (await world.nobody.post("/api/v1/auth/login", json=login)).json()["access_token"]
    other = await world.client({"Authorization": f"Bearer {token}"})
    ended, unaffected = await streams.open(world.maya.api), await streams.open(other)

    await world.maya.api.post("/api/v1/auth/logout")
    await ended.until(has_ended)
    await unaffected.until(lambda each: bool(each.named("session.revoked")))

    assert ended.data("closing") == {"reason": "revoked", "reconnect": False}
    assert not has_ended(unaffected)
    assert_problem(await world.maya.api.get(EVENTS), 401)


async def test_a_session_that_expires_ends_its_stream(skipping_clock: MockClock) -> None:
    life = timedelta(hours=1)
    async with a_world(core_settings=CoreSettings(session_life=life)) as world, trio.open_nursery() as nursery:
        listener = await Streams(nursery).open(world.maya.api)

        skipping_clock.jump(life.total_seconds())

        await listener.until(has_ended)

        assert listener.data("closing")["reason"] == "expired"


async def test_draining_sends_streams_elsewhere_and_ends_in_time(world: World, streams: Streams) -> None:
    listeners = [await streams.open(world.maya.api) for _ in range(5)]

    world.core.draining.begin()
    with trio.fail_after(WAIT_S):
        await world.server.drain()
    for listener in listeners:
        await listener.until(has_ended)

    assert [each.data("closing") for each in listeners] == [{"reason": "draining", "reconnect": True}] * 5


async def test_a_stream_opened_while_draining_is_told_to_come_back(world: World, streams: Streams) -> None:
    world.core.draining.begin()

    listener = await streams.open(world.maya.api)
    await listener.until(has_ended)

    assert [event.event for event in listener.events] == ["closing"]
    assert listener.data("closing") == {"reason": "draining", "reconnect": True}


async def test_streams_opened_while_draining_are_not_told_to_come_back_together(world: World) -> None:
    world.core.draining.begin()

    answers = [await world.maya.api.get(EVENTS) for _ in range(8)]

    retries = [int(answer.text.partition("retry: ")[2].partition("\n")[0]) for answer in answers]
    assert len(set(retries)) > 1
    assert all(2_000 <= retry <= 6_000 for retry in retries)


async def test_a_client_that_leaves_is_forgotten_at_once(world: World) -> None:
    host, _, port = world.host.rpartition(":")
    stream = await trio.open_tcp_stream(host, int(port))
    await stream.send_all(
        f"GET {EVENTS} HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.maya.token}\r\n\r\n".encode()
    )
    await read_until(stream, b"event: ready")
    assert world.core.open_streams == 1

    await stream.aclose()

    with trio.fail_after(WAIT_S):
        while world.core.open_streams:
            await wait_all_tasks_blocked(0.005)


async def test_head_does_not_open_a_stream(world: World) -> None:
    answer = await world.maya.api.head(EVENTS)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"
    assert world.core.open_streams == 0


async def test_any_accept_header_gets_the_stream(world: World, streams: Streams) -> None:
    for accept in ("text/event-stream", "*/*", "application/json"):
        listener = await streams.open(world.maya.api, headers={"Accept": accept})
        assert listener.events[0].event == "ready"


async def test_one_user_holds_a_bounded_number_of_streams(world: World, streams: Streams) -> None:
    listeners = [await streams.open(world.maya.api) for _ in range(21)]

    await listeners[0].until(has_ended)

    assert listeners[0].data("closing")["reason"] == "evicted"
    assert not any(has_ended(each) for each in listeners[1:])


async def test_a_reader_that_stalls_harms_nobody(world: World, streams: Streams) -> None:
    host, _, port = world.host.rpartition(":")
    talk = await world.talk()
    healthy = await streams.open(world.tomas.api)
    stalled = await trio.open_tcp_stream(host, int(port))
    await stalled.send_all(
        f"GET {EVENTS} HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.tomas.token}\r\n\r\n".encode()
    )
    await read_until(stalled, b"event: ready")

    for number in range(50):
        await world.say(talk, f"{number} " + "x" * 4_000)
    await healthy.until(lambda each: len(each.contents) == 50)

    assert [line.split()[0] for line in healthy.contents] == [str(number) for number in range(50)]
    await trio.aclose_forcefully(stalled)


async def test_a_reader_that_never_reads_is_held_to_a_bound_and_the_others_get_everything(
    world: World, streams: Streams
) -> None:
    talk = await world.talk()
    healthy = await streams.open(world.tomas.api)
    host, _, port = world.host.rpartition(":")
    frozen = trio.socket.socket()
    frozen.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
    await frozen.connect((host, int(port)))
    await frozen.send(
        f"GET {EVENTS} HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.tomas.token}\r\n\r\n".encode()
    )
    with trio.fail_after(WAIT_S):
        while world.core.open_streams < 2:
            await wait_all_tasks_blocked(0.005)

    for number in range(100):  # some 500 KiB
        await world.say(talk, f"{number} " + "x" * 4_900)
    await healthy.until(lambda each: len(each.contents) == 100)

    assert [line.split()[0] for line in healthy.contents] == [str(number) for number in range(100)]
    assert 0 < max(unread_bytes(int(port))) <= 128 * 1024
    frozen.close()


async def test_read_to_end_of_a_refused_stream_closes(world: World) -> None:
    host, _, port = world.host.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(f"GET {EVENTS} HTTP/1.1\r\nHost: {world.host}\r\nConnection: close\r\n\r\n".encode())

        received = await read_to_end(stream)

    assert received.startswith(b"HTTP/1.1 401 ")
