"""What a reader that does not read may hold on to, and what it gets when it reads again."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.addresses import stream_of
from greenroom.actors.feeds import FEED_BYTES_MAX, FEED_EVENTS_MAX, Feed
from greenroom.actors.replay import REPLAY_PAGE
from greenroom.actors.ring import Placed
from greenroom.actors.stream_connection import WRITE_BYTES_MAX, StreamConnection
from greenroom.schema.events import Frame
from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import StoredEvent
from greenroom.storage.memory.faults import FaultPoint, Phase
from greenroom.storage.memory.streams import MemoryStreams
from tests.actors.world import Listener, World, a_world, listening

LONG = "x" * 4_900


def size_of(frames: list[Frame]) -> int:
    return sum(len(frame.data.encode()) for frame in frames)


async def read_everything(world: World, count: int, *, slow: Listener, connection: StreamConnection) -> list[int]:
    """Read until ``count`` messages came; returns the bytes of each write."""
    writes = []
    with trio.fail_after(60):
        while len(slow.contents) < count:
            frames = list(await connection.receive())
            writes.append(size_of(frames))
            slow.see(frames)
    return writes


def placed(seq: int, size: int) -> Placed:
    return Placed(seq, Frame(id=str(seq), event="x", data="{}"), size)


def test_a_feed_holds_a_bounded_number_of_events_and_of_bytes() -> None:
    for size in (1, 1_000, FEED_BYTES_MAX):
        fitting = min(FEED_EVENTS_MAX, FEED_BYTES_MAX // size)
        feed = Feed(SessionId("s"))
        for seq in range(fitting):
            feed.offer([placed(seq, size)])
        assert len(feed.take().events) == fitting

        for seq in range(fitting + 1):
            feed.offer([placed(seq, size)])
        arrived = feed.take()
        assert arrived.has_overflowed
        assert len(arrived.events) == 0


async def test_no_write_is_larger_than_its_bound_however_much_is_waiting(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with world.core.streams.open(world.tomas, None) as connection:
            slow = Listener()
            slow.see(await connection.receive())
            for n in range(120):
                await world.say(talk, f"{n} {LONG}")

            writes = await read_everything(world, 120, slow=slow, connection=connection)

            assert [line.split()[0] for line in slow.contents] == [str(n) for n in range(120)]
            assert max(writes) <= WRITE_BYTES_MAX + FEED_BYTES_MAX


async def test_a_burst_beyond_the_feed_is_read_from_memory(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with world.core.streams.open(world.tomas, None) as connection:
            slow = Listener()
            slow.see(await connection.receive())
            reads = 0
            before = world.database.faults

            async def count(point: FaultPoint) -> None:
                nonlocal reads
                reads += point.operation == "streams.events_after"
                await before(point)

            world.database.faults = count
            for n in range(30):  # more than a feed may hold, less than a ring does
                await world.say(talk, f"{n} {LONG}")

            await read_everything(world, 30, slow=slow, connection=connection)

            assert [line.split()[0] for line in slow.contents] == [str(n) for n in range(30)]
            assert reads == 0


async def test_long_events_are_read_in_short_pages(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        cursor = (await world.core.streams.sync(world.tomas)).cursor
        for n in range(300):
            await world.say(talk, f"{n} {LONG}")
        await trio.sleep(100)  # until nothing of it is in memory
        async with world.core.streams.open(world.tomas, cursor) as connection:
            late = Listener()
            late.see(await connection.receive())
            reads = 0
            before = world.database.faults

            async def count(point: FaultPoint) -> None:
                nonlocal reads
                reads += point == FaultPoint("streams.events_after", Phase.BEFORE)
                await before(point)

            world.database.faults = count

            writes = await read_everything(world, 300, slow=late, connection=connection)

        assert [line.split()[0] for line in late.contents] == [str(n) for n in range(300)]
        assert max(writes) <= WRITE_BYTES_MAX
        assert reads <= len(writes) + 1


async def test_a_slow_reader_loses_nothing_when_its_stream_actor_crashes_as_well(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with (
            world.core.streams.open(world.tomas, None) as connection,
            listening(world, world.tomas) as healthy,
        ):
            slow = Listener()
            slow.see(await connection.receive())
            for n in range(20):
                await world.say(talk, f"{n} {LONG}")
            await healthy.until(lambda c: len(c.contents) == 20)
            stream_of(world.core.system, world.tomas.user.id).tell("nobody handles this")
            await trio.sleep(1)
            for n in range(20, 60):
                await world.say(talk, f"{n} {LONG}")
            await healthy.until(lambda c: len(c.contents) == 60)

            await read_everything(world, 60, slow=slow, connection=connection)

            assert [line.split()[0] for line in slow.contents] == [str(n) for n in range(60)]
            assert [line.split()[0] for line in healthy.contents] == [str(n) for n in range(60)]


async def test_of_a_long_past_no_more_than_a_page_is_held(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        cursor = (await world.core.streams.sync(world.tomas)).cursor
        count = 10 * REPLAY_PAGE
        for n in range(count):
            await world.say(talk, str(n))
        await trio.sleep(100)  # until nothing of it is in memory
        read = 0
        events_after = MemoryStreams.events_after

        async def counting(self: MemoryStreams, user_id: UserId, after: int, *, limit: int) -> list[StoredEvent]:
            nonlocal read
            events = await events_after(self, user_id, after, limit=limit)
            read += len(events)
            return events

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MemoryStreams, "events_after", counting)
            async with world.core.streams.open(world.tomas, cursor) as connection:
                late = Listener()
                late.see(await connection.receive())
                held = []
                while len(late.contents) < count:
                    late.see(await connection.receive())
                    held.append(read - len(late.contents))

    # A row that is read and not yet written is one that a client which stops reading holds on to.
    assert max(held) == 0
    assert read == count
    assert len(held) == count / REPLAY_PAGE
