"""Two people talk; whatever happens in between, each stream has every event once and in order."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.feeds import FEED_EVENTS_MAX, FEEDS_PER_USER_MAX, Feed
from greenroom.actors.ring import RING_EVENTS
from greenroom.schema.events import ClosingReason
from greenroom.schema.ids import SessionId, UserId
from greenroom.schema.records import Role
from greenroom.storage.ports import BusNote, Hint
from tests.actors.world import Listener, a_world, data, listening, seqs


async def test_forty_messages_arrive_live_and_in_order_on_both_streams(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.maya) as maya, listening(world, world.tomas) as tomas:
            for n in range(40):
                await world.say(talk, f"line {n}", world.maya if n % 2 else world.tomas)
            for client in (maya, tomas):
                await client.until(lambda c: len(c.contents) == 40)

            assert maya.contents == tomas.contents == [f"line {n}" for n in range(40)]
            for client in (maya, tomas):
                assert seqs(client.durable) == list(range(2, 42))  # 1 was the conversation's creation


async def test_a_client_that_resumes_gets_each_missed_event_once_and_in_order(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as before:
            await world.say(talk, "one")
            await before.until(lambda c: c.contents == ["one"])
        for n in range(RING_EVENTS * 4):
            await world.say(talk, f"missed {n}")
        async with listening(world, world.tomas, before.cursor) as after:
            await world.say(talk, "live again")
            await after.until(lambda c: c.contents[-1:] == ["live again"])

        assert after.contents == [*(f"missed {n}" for n in range(RING_EVENTS * 4)), "live again"]
        first = seqs(before.durable)[-1] + 1
        assert seqs(after.durable) == list(range(first, first + RING_EVENTS * 4 + 1))


async def test_a_quick_reconnect_is_served_from_memory(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as before:
            await world.say(talk, "one")
            await before.until(lambda c: c.contents == ["one"])
            async with listening(world, world.tomas):
                for n in range(5):
                    await world.say(talk, f"more {n}")
                await before.until(lambda c: len(c.contents) == 6)
                reads = _count_reads(world.database)
                async with listening(world, world.tomas, before.named("message.created")[0].id) as again:
                    await again.until(lambda c: len(c.contents) == 5)

        assert "streams.events_after" not in reads


async def test_an_event_that_comes_while_a_resumed_client_catches_up_is_not_lost(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as before:
            for n in range(10):
                await world.say(talk, f"line {n}")
            await before.until(lambda c: len(c.contents) == 10)
            cursor = before.named("message.created")[4].id
            async with world.core.streams.open(world.tomas, cursor) as connection:
                resumed = Listener()
                resumed.see(await connection.receive())
                await world.say(talk, "meanwhile")
                await before.until(lambda c: len(c.contents) == 11)
                with trio.fail_after(5):
                    while len(resumed.contents) < 6:
                        resumed.see(await connection.receive())

        assert resumed.contents == [*(f"line {n}" for n in range(5, 10)), "meanwhile"]


async def test_lost_hints_are_found_by_the_next_hint_or_by_the_sweep(autojump_clock: MockClock) -> None:
    rng = Random(7)

    def arrives(note: BusNote) -> bool:
        return not isinstance(note, Hint) or rng.random() < 0.5

    async with a_world(arrives=arrives) as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            for n in range(60):
                await world.say(talk, f"line {n}")
                await trio.sleep(rng.random())
            await tomas.until(lambda c: len(c.contents) == 60)

            assert tomas.contents == [f"line {n}" for n in range(60)]
            assert seqs(tomas.durable) == list(range(2, 62))


async def test_with_a_dead_bus_delivery_is_only_late(autojump_clock: MockClock) -> None:
    async with a_world(arrives=lambda note: False) as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            sent_at = trio.current_time()
            await world.say(talk, "anybody there?")
            await tomas.until(lambda c: c.contents == ["anybody there?"])

            assert trio.current_time() - sent_at <= 10


async def test_a_reader_that_was_slow_is_served_from_the_database_without_loss(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with world.core.streams.open(world.tomas, None) as connection:
            slow = Listener()
            slow.see(await connection.receive())
            for n in range(FEED_EVENTS_MAX * 2):
                await world.say(talk, f"line {n}")
            with trio.fail_after(60):
                while len(slow.contents) < FEED_EVENTS_MAX * 2:
                    slow.see(await connection.receive())

            assert slow.contents == [f"line {n}" for n in range(FEED_EVENTS_MAX * 2)]


async def test_a_frozen_reader_is_closed_as_a_slow_consumer_and_delays_nobody(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with world.core.streams.open(world.tomas, None) as frozen, listening(world, world.tomas) as healthy:
            await frozen.receive()
            sent_at = trio.current_time()
            await world.say(talk, "hello")
            await healthy.until(lambda c: c.contents == ["hello"])
            assert trio.current_time() == sent_at
            await trio.sleep(11)

            (closing,) = await frozen.receive()

            assert closing.event == "closing"
            assert data(closing) == {"reason": "slow_consumer", "reconnect": True}
            assert await frozen.receive() == ()


async def test_a_quiet_stream_beats_every_fifteen_seconds_with_the_cursor_as_id(autojump_clock: MockClock) -> None:
    async with a_world() as world, listening(world, world.tomas) as tomas:
        started = trio.current_time()
        await tomas.until(lambda c: len(c.named("heartbeat")) == 3)

        assert trio.current_time() - started == 45
        beat = tomas.named("heartbeat")[-1]
        assert beat.id == data(beat)["cursor"] == data(beat)["tail"]


async def test_a_new_stream_starts_at_the_tail_with_a_cursor(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        await world.say(talk, "before")
        async with listening(world, world.tomas) as tomas:
            await world.say(talk, "after")
            await tomas.until(lambda c: bool(c.contents))

            ready = tomas.frames[0]
            assert ready.event == "ready"
            assert data(ready) == {"user_id": world.tomas.user.id, "cursor": ready.id, "tail": ready.id}
            assert tomas.contents == ["after"]


async def test_the_oldest_of_too_many_streams_is_evicted(autojump_clock: MockClock) -> None:
    async with a_world() as world, trio.open_nursery() as nursery:
        listeners = [Listener() for _ in range(FEEDS_PER_USER_MAX + 1)]
        for listener in listeners:
            await nursery.start(listener.run, world.core, world.tomas)
        await listeners[0].until(lambda c: bool(c.named("closing")))

        assert data(listeners[0].frames[-1]) == {"reason": "evicted", "reconnect": False}
        assert not any(listener.named("closing") for listener in listeners[1:])
        nursery.cancel_scope.cancel()


async def test_logging_out_closes_that_session_s_streams_and_no_others(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        other = await world.core.sign_in.login(email="tomas@example.com", password="correct horse battery")
        async with listening(world, world.tomas) as leaving, listening(world, other.identity) as staying:
            await world.core.sign_in.logout(world.tomas)
            await leaving.until(lambda c: bool(c.named("closing")))
            await staying.until(lambda c: bool(c.named("session.revoked")))

            assert data(leaving.frames[-1]) == {"reason": "revoked", "reconnect": False}
            assert not staying.named("closing")


async def test_a_stream_ends_when_its_session_expires(autojump_clock: MockClock) -> None:
    async with a_world(settings=CoreSettings(session_life=timedelta(hours=1))) as world:
        listener = Listener()
        await listener.run(world.core, world.tomas)

        assert data(listener.frames[-1]) == {"reason": "expired", "reconnect": False}
        assert abs(trio.current_time() - 3600) < 1


async def test_draining_tells_every_stream_to_come_back(autojump_clock: MockClock) -> None:
    async with a_world() as world, listening(world, world.tomas) as tomas, listening(world, world.maya) as maya:
        world.core.draining.begin()
        for client in (tomas, maya):
            await client.until(lambda c: bool(c.named("closing")))
            assert data(client.frames[-1]) == {"reason": "draining", "reconnect": True}


@pytest.mark.parametrize(("count", "within_s"), [(4_000, 5.1), (30, 0.2)])
async def test_draining_closes_many_streams_over_seconds_and_few_at_once(
    autojump_clock: MockClock, count: int, within_s: float
) -> None:
    async with a_world() as world, trio.open_nursery() as nursery:
        feeds = [Feed(SessionId(f"session {number}")) for number in range(count)]
        for number, feed in enumerate(feeds):
            world.core.feeds.add(UserId(f"user {number}"), feed)
        closed = []

        nursery.start_soon(world.core.draining.begin_gently)
        for _ in range(10):
            await trio.sleep(within_s / 10)
            closed.append(sum(feed.closing is not None for feed in feeds))

        assert closed[-1] == count
        assert max(after - before for before, after in pairwise([0, *closed])) <= count / 2
        late = Feed(SessionId("late"))
        world.core.feeds.add(UserId("late"), late)
        assert late.closing is ClosingReason.DRAINING
        for number, feed in enumerate(feeds):
            world.core.feeds.remove(UserId(f"user {number}"), feed)


async def test_typing_reaches_the_peer_only_and_lapses(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas, listening(world, world.maya) as maya:
            await world.core.messaging.set_typing(world.maya, talk, is_typing=True)
            await tomas.until(lambda c: len(c.named("typing")) == 2)

            assert [data(f)["is_typing"] for f in tomas.named("typing")] == [True, False]
            assert all(f.id is None for f in tomas.named("typing"))
            assert not maya.named("typing")


async def test_a_mark_that_may_have_been_renewed_on_another_worker_runs_out_unsaid(
    autojump_clock: MockClock,
) -> None:
    async with a_world(settings=CoreSettings(worker="one of several")) as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            await world.core.messaging.set_typing(world.maya, talk, is_typing=True)
            await trio.sleep(20)
            assert [data(f)["is_typing"] for f in tomas.named("typing")] == [True]

            await world.core.messaging.set_typing(world.maya, talk, is_typing=True)
            await world.core.messaging.set_typing(world.maya, talk, is_typing=False)
            # The latest of a mark wins, so that the one before may have been left out.
            await tomas.until(lambda c: not data(c.named("typing")[-1])["is_typing"])


async def test_sending_ends_typing(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            await world.core.messaging.set_typing(world.maya, talk, is_typing=True)
            await world.say(talk, "done")
            await tomas.until(lambda c: bool(c.contents) and len(c.named("typing")) >= 1)
            await trio.sleep(1)

            assert data(tomas.named("typing")[-1])["is_typing"] is False


async def test_many_who_leave_at_once_cost_one_timer(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        people = [await world.join(f"student{n}", Role.STUDENT) for n in range(50)]
        async with trio.open_nursery() as nursery:
            for person in people:
                await nursery.start(Listener().run, world.core, person)
            await trio.sleep(1)
            timers = world.core.system.statistics().timers
            nursery.cancel_scope.cancel()
        await trio.sleep(1)
        # And one of each event worker, which has polled.
        assert world.core.system.statistics().timers <= timers + 4
        await trio.sleep(20)

        assert not any(world.core.board.is_online(person.user.id) for person in people)


async def test_a_reconnect_within_the_linger_does_not_flap_presence(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        await world.talk()
        async with listening(world, world.maya) as maya:
            async with listening(world, world.tomas):
                await maya.until(lambda c: len(c.named("presence")) == 1)
            await trio.sleep(5)
            async with listening(world, world.tomas):
                await trio.sleep(20)
            await maya.until(lambda c: len(c.named("presence")) == 2)

            assert [data(f)["online"] for f in maya.named("presence")] == [True, False]
            assert data(maya.named("presence")[-1])["last_active_at"] is not None


async def test_an_idle_stream_actor_goes_away_after_its_last_connection(autojump_clock: MockClock) -> None:
    async with a_world(settings=CoreSettings(stream_idle_s=30)) as world:
        async with listening(world, world.tomas):
            await trio.sleep(300)
            assert _live(world.core, "streams") == 1
        await trio.sleep(100)
        assert _live(world.core, "streams") == 0


async def test_an_idle_conversation_is_passivated_and_comes_back_with_the_next_message(
    autojump_clock: MockClock,
) -> None:
    async with a_world(settings=CoreSettings(conversation_idle_s=60)) as world:
        talk = await world.talk()
        await world.say(talk, "one")
        assert _live(world.core, "conversations") == 1
        await trio.sleep(200)
        assert _live(world.core, "conversations") == 0

        assert await world.say(talk, "two") == 2


async def test_ephemeral_events_are_never_stored(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas):
            await world.core.messaging.set_typing(world.maya, talk, is_typing=True)
            await trio.sleep(10)
        log = await world.core.streams.log(world.tomas, after=None, limit=100, wait_s=0)

        assert log.events == []


def _live(core: object, branch: str) -> int:
    tree = core.system.tree()  # type: ignore[attr-defined]
    (node,) = [child for child in tree.children if child.path.endswith("/" + branch)]
    return len(node.children)


def _count_reads(database: object) -> list[str]:
    reads: list[str] = []
    before = database.faults  # type: ignore[attr-defined]

    async def noting(point: object) -> None:
        reads.append(point.operation)  # type: ignore[attr-defined]
        await before(point)

    database.faults = noting  # type: ignore[attr-defined]
    return reads
