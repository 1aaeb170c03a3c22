"""The log, the snapshot, and cursors that can't be served."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.replay import CursorRefused
from greenroom.schema.events import ResetReason
from tests.actors.world import a_world, data, listening


async def test_the_log_pages_through_everything_once(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        start = (await world.core.streams.log(world.tomas, after=None, limit=10, wait_s=0)).cursor
        for n in range(25):
            await world.say(talk, str(n))
        seen: list[str] = []
        cursor = start
        while True:
            log = await world.core.streams.log(world.tomas, after=cursor, limit=10, wait_s=0)
            seen += [cursor for cursor, _ in log.events]
            cursor = log.cursor
            if not log.has_more:
                break

        assert [int(c.rpartition(".")[2]) for c in seen] == list(range(2, 27))


async def test_a_long_poll_returns_as_soon_as_something_happens(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with trio.open_nursery() as nursery:

            async def say_later() -> None:
                await trio.sleep(7)
                await world.say(talk, "at last")

            nursery.start_soon(say_later)
            started = trio.current_time()
            log = await world.core.streams.log(world.tomas, after=None, limit=10, wait_s=25)

        assert trio.current_time() - started == 7
        assert [event.name for _, event in log.events] == ["message.created"]


async def test_a_long_poll_with_nothing_to_tell_returns_the_cursor_to_go_on_from(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        log = await world.core.streams.log(world.tomas, after=None, limit=10, wait_s=25)
        assert (log.events, log.has_more) == ([], False)
        assert trio.current_time() == pytest.approx(25)
        assert log.cursor.endswith(".0")


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("nonsense", ResetReason.MALFORMED),
        ("v1.memory.-1", ResetReason.MALFORMED),
        ("v1.memory.01", ResetReason.MALFORMED),
        ("v1.memory." + "9" * 40, ResetReason.MALFORMED),
        ("v2.memory.1", ResetReason.MALFORMED),
        ("v1.other.1", ResetReason.EPOCH_CHANGED),
        ("v1.memory.999", ResetReason.CURSOR_AHEAD),
    ],
)
async def test_a_cursor_that_cannot_be_served_is_named_by_its_reason(
    cursor: str, reason: ResetReason, autojump_clock: MockClock
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        with pytest.raises(CursorRefused) as refused:
            await world.core.streams.log(world.tomas, after=cursor, limit=10, wait_s=0)
        assert refused.value.reset.reason is reason

        async with listening(world, world.tomas, cursor) as tomas:
            await world.say(talk, "still live")
            await tomas.until(lambda c: bool(c.contents))

            assert [f.event for f in tomas.frames] == ["ready", "reset", "message.created"]
            reset = tomas.frames[1]
            assert data(reset)["reason"] == reason
            assert reset.id == data(reset)["current"]


async def test_a_cursor_older_than_what_is_kept_is_reset_once_and_the_stream_goes_on(
    autojump_clock: MockClock,
) -> None:
    async with a_world(
        settings=CoreSettings(event_retention=timedelta(days=7), session_life=timedelta(days=90))
    ) as world:
        talk = await world.talk()
        await world.say(talk, "long ago")
        autojump_clock.jump(timedelta(days=30).total_seconds())
        await trio.sleep(1)
        await world.say(talk, "today")
        with pytest.raises(CursorRefused) as refused:
            await world.core.streams.log(world.tomas, after="v1.memory.1", limit=10, wait_s=0)
        assert refused.value.reset.reason is ResetReason.CURSOR_EXPIRED

        async with listening(world, world.tomas, "v1.memory.1") as tomas:
            await world.say(talk, "live")
            await tomas.until(lambda c: bool(c.contents))
            assert [f.event for f in tomas.frames] == ["ready", "reset", "message.created"]

        kept = data(tomas.frames[1])["oldest"]
        log = await world.core.streams.log(world.tomas, after=kept, limit=10, wait_s=0)
        assert [event.name for _, event in log.events] == ["message.created", "message.created"]


async def test_a_snapshot_and_the_events_after_its_cursor_make_the_state_of_now(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        await world.say(talk, "one")
        sync = await world.core.streams.sync(world.tomas)
        await world.say(talk, "two")
        await world.core.messaging.mark_read(world.tomas, talk, 1)
        log = await world.core.streams.log(world.tomas, after=sync.cursor, limit=10, wait_s=0)

        assert (sync.total_unread, sync.conversations[0].me.unread_count) == (1, 1)
        assert [event.name for _, event in log.events] == ["message.created", "conversation.read"]
        assert (await world.core.messaging.unread(world.tomas)).total_unread == 1


async def test_a_snapshot_says_which_peers_are_connected(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        await world.talk()
        assert list((await world.core.streams.sync(world.tomas)).online) == []
        async with listening(world, world.maya):
            await trio.testing.wait_all_tasks_blocked()
            assert list((await world.core.streams.sync(world.tomas)).online) == [world.maya.user.id]
