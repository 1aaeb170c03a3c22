"""The client library against a server over real HTTP, on both event loops it supports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from random import Random
from typing import Any

import anyio
import httpx
import pytest
import trio

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.limiting import LimitPolicies
from greenroom.client import (
    Event,
    EventStream,
    Greenroom,
    NotGreenroom,
    RateLimited,
    Refused,
    StreamClosed,
    StreamState,
    Unreachable,
    connect,
)
from greenroom.client.pauses import PAUSE_MAX_S, jittered_pause_s
from greenroom.schema.events import ClosingReason, MessageCreated, Typing
from greenroom.schema.rate_limits import Policy
from greenroom.schema.records import ConversationState
from tests.client.flaky_wire import FlakyWire, flaky_wire
from tests.http.world import PASSWORD, WAIT_S, World, a_world

Json = dict[str, Any]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as running:
        yield running


@pytest.fixture
async def wire(world: World, nursery: trio.Nursery) -> FlakyWire:
    return await flaky_wire(nursery, world.host)


@pytest.fixture
async def maya(wire: FlakyWire, world: World) -> AsyncIterator[Greenroom]:
    async with connect(wire.url, token=world.maya.token, random=Random(1)) as client:
        yield client


async def next_event(stream: EventStream) -> Event:
    with trio.fail_after(WAIT_S):
        return await anext(stream)


def content(event: Event) -> str:
    assert isinstance(event.data, MessageCreated)
    return event.data.message.content


async def test_a_person_registers_talks_and_reads_the_conversation_back(world: World) -> None:
    async with connect(world.url) as client:
        signed_in = await client.register("zoe@example.com", PASSWORD, display_name="Zoe", role="student")
        assert client.token == signed_in.access_token

        [tomas] = (await client.instructors()).items
        opened = await client.open_conversation(tomas.id, first="Hello!")
        talk = opened.conversation.id
        second = await client.send(talk, "Are you free on Saturday?")

        assert [m.content for m in (await client.messages(talk)).items] == ["Hello!", "Are you free on Saturday?"]
        assert [c.id for c in (await client.conversations()).items] == [talk]
        assert (await client.conversation(talk)).last_seq == second.seq
        assert (await client.messages(talk, before=second.seq)).items[-1].content == "Hello!"
        assert (await client.me()).email == "zoe@example.com"

    async with connect(world.url) as other:
        await other.sign_in(world.tomas.email, PASSWORD)
        assert (await other.unread()).total_unread == 2
        assert (await other.mark_delivered(talk, second.seq)).unread_count == 2
        assert (await other.mark_read(talk, second.seq)).unread_count == 0
        assert (await other.set_state(talk, ConversationState.ARCHIVED)).state is ConversationState.ARCHIVED
        await other.sign_out()
        with pytest.raises(Refused, match="401"):
            await other.me()


async def test_a_message_is_edited_reacted_to_and_deleted(world: World, maya: Greenroom) -> None:
    message = await maya.send(await world.talk(), "a")

    edited = await maya.edit(message.id, "b", if_version=message.version)
    await maya.react(message.id, "\U0001f44d")

    assert [v.content for v in (await maya.versions(message.id)).items] == ["a", "b"]
    [shown] = (await maya.messages(message.conversation_id)).items
    assert (shown.version, [r.emoji for r in shown.reactions]) == (edited.version, ["\U0001f44d"])
    await maya.unreact(message.id, "\U0001f44d")
    await maya.delete(message.id)
    with pytest.raises(Refused, match="message_deleted"):
        await maya.edit(message.id, "c")


async def test_what_the_server_refuses_says_which_field_and_why(world: World, maya: Greenroom) -> None:
    with pytest.raises(Refused) as refused:
        await maya.send(await world.talk(), "x" * 5_001)

    assert refused.value.status == 422
    assert [where for where, _ in refused.value.fields] == ["body.content"]
    assert "5000" in str(refused.value)


async def test_a_server_that_is_no_greenroom_is_told_apart() -> None:
    pages = httpx.MockTransport(lambda _: httpx.Response(200, html="<h1>It works!</h1>"))
    async with connect("http://elsewhere.example", transport=pages) as client:
        with pytest.raises(NotGreenroom):
            await client.me()


async def test_nobody_listening_is_said_within_the_calls_time() -> None:
    async with connect("http://127.0.0.1:9", token="t", timeout_s=0.2) as client:
        with pytest.raises(Unreachable, match="can't be reached"):
            await client.me()


async def test_a_send_whose_answer_was_lost_is_sent_again_and_stored_once(
    world: World, maya: Greenroom, wire: FlakyWire
) -> None:
    talk = await world.talk()
    wire.lose_answers(1)

    sent = await maya.send(talk, "Once")

    assert wire.lost == 1
    assert [m.id for m in (await maya.messages(talk)).items] == [sent.id]


async def test_whatever_is_called_happens_once_when_an_answer_was_lost(
    world: World, maya: Greenroom, wire: FlakyWire
) -> None:
    talk = await world.talk()
    message = await maya.send(talk, "a")

    wire.lose_answers(1)
    edited = await maya.edit(message.id, "b", if_version=1)
    wire.lose_answers(1)
    await maya.set_typing(talk, True)
    wire.lose_answers(1)
    zoe = await maya.register("zoe@example.com", PASSWORD, display_name="Zoe", role="student")

    assert wire.lost == 3
    assert edited.version == 2
    assert (await maya.me()).id == zoe.user.id


async def test_the_log_is_read_in_pages_from_a_cursor_on(world: World, maya: Greenroom) -> None:
    talk = await world.talk()
    cursor = (await maya.sync()).cursor
    for text in ("a", "b", "c"):
        await world.say(talk, text, by=world.tomas)

    first = await maya.event_log(after=cursor, limit=2)
    rest = await maya.event_log(after=first.cursor)

    told = [event.data["message"] for page in (first, rest) for event in page.events]
    assert [message["content"] for message in told if isinstance(message, dict)] == ["a", "b", "c"]
    assert (first.has_more, rest.has_more) == (True, False)


async def test_events_arrive_typed(world: World, maya: Greenroom) -> None:
    talk = await world.talk()
    async with maya.events() as stream:
        await until_live(stream)
        await world.say(talk, "Hello", by=world.tomas)
        await world.tomas.api.post(f"/api/v1/conversations/{talk}/typing", json={"is_typing": True})

        created, typing = await next_event(stream), await next_event(stream)

    assert content(created) == "Hello"
    assert created.cursor == stream.cursor
    assert isinstance(typing.data, Typing)
    assert typing.cursor is None


async def test_a_stream_that_is_cut_again_and_again_loses_and_repeats_nothing(
    world: World, maya: Greenroom, wire: FlakyWire
) -> None:
    talk = await world.talk()
    states: list[StreamState] = []
    seen: list[str] = []
    async with maya.events(on_state=states.append) as stream:
        await until_live(stream)
        for n in range(30):
            if n % 10 == 5:
                wire.cut()
            await world.say(talk, str(n), by=world.tomas)
        while len(seen) < 30:
            seen.append(content(await next_event(stream)))

    assert seen == [str(n) for n in range(30)]
    assert StreamState.RECONNECTING in states
    assert states[-1] is StreamState.LIVE


async def test_another_stream_goes_on_where_one_was_left(world: World, maya: Greenroom) -> None:
    talk = await world.talk()
    async with maya.events() as first:
        await until_live(first)
        await world.say(talk, "seen", by=world.tomas)
        await world.say(talk, "not taken any more", by=world.tomas)
        assert content(await next_event(first)) == "seen"

    async with maya.events(first.cursor) as second:
        assert content(await next_event(second)) == "not taken any more"


async def test_a_session_that_ended_closes_the_stream_for_good(world: World, maya: Greenroom) -> None:
    async with maya.events() as stream:
        await until_live(stream)
        await world.maya.api.post("/api/v1/auth/logout")

        with pytest.raises(StreamClosed) as closed:
            await to_the_end(stream)

    assert closed.value.reason is ClosingReason.REVOKED


async def test_a_stream_without_a_session_is_refused(world: World) -> None:
    async with connect(world.url, token="made up") as client, client.events() as stream:
        with pytest.raises(Refused, match="401"):
            await next_event(stream)


async def test_all_of_it_works_on_asyncio_too(world: World, wire: FlakyWire) -> None:
    talk = await world.talk()

    async def talk_on_asyncio() -> list[str]:
        async with (
            connect(wire.url, token=world.maya.token, random=Random(1)) as client,
            client.events() as stream,
        ):
            await stream.wait_live()
            await client.send(talk, "before the cut")
            first = content(await anext(stream))
            trio.from_thread.run_sync(wire.cut)
            await client.send(talk, "after it")
            return [first, content(await anext(stream))]

    run = partial(anyio.run, talk_on_asyncio, backend="asyncio")
    with trio.fail_after(WAIT_S):
        seen = await trio.to_thread.run_sync(run)

    assert seen == ["before the cut", "after it"]


def test_pauses_grow_are_jittered_and_have_a_bound() -> None:
    drawn = [[jittered_pause_s(n, base_s=2.0, random=Random(seed)) for seed in range(200)] for n in (0, 1, 50)]

    assert max(drawn[0]) <= 2.0 < max(drawn[1]) <= 4.0
    assert max(drawn[2]) <= PAUSE_MAX_S
    assert min(drawn[2]) < 1.0


async def to_the_end(stream: EventStream) -> None:
    while True:
        await next_event(stream)


async def until_live(stream: EventStream) -> None:
    with trio.fail_after(WAIT_S):
        await stream.wait_live()


async def test_a_limit_is_an_error_of_its_own_that_says_when_to_come_back() -> None:
    policies = LimitPolicies(sends=Policy("sends", 1, 60))
    async with a_world(core_settings=CoreSettings(limits=policies)) as world:
        talk = await world.talk()
        async with connect(world.url, token=world.maya.token) as client:
            await client.send(talk, "one")

            with pytest.raises(RateLimited) as refused:
                await client.send(talk, "two")

    assert refused.value.policy == "sends"
    assert 60 - WAIT_S <= refused.value.retry_after_s <= 60  # some of it may have passed
