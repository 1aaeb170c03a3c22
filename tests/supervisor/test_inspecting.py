"""What an operator sees and does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    ActorDied,
    ActorQuery,
    ChildSpec,
    DynamicSpec,
    LifecycleEvent,
    NoSuchActor,
    NotAnActor,
    Sort,
    Subscription,
    open_system,
)
from greenroom.supervisor.lifecycle import BUFFER_MAX
from greenroom.supervisor.meter import percentile_s
from tests.supervisor.behaviours import Crash, Do, Echo, Journal, NotToday, Script, Work, script, tree

ROOMS = DynamicSpec("rooms", "room", lambda _key: Script(), passivate_after_s=5)


def drain(events: Subscription) -> list[LifecycleEvent]:
    drained = []
    while True:
        try:
            drained.append(events.receive_nowait())
        except IndexError:
            return drained


async def test_the_tree_shows_states_counters_and_limits(autojump_clock: MockClock) -> None:
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    async with open_system(tree(script("a"), ROOMS), wall=lambda: opened) as system:
        await trio.sleep(60)
        with pytest.raises(ActorDied):
            await system.address("/root/a").ask(Crash(), timeout=1)
        with pytest.raises(NotToday):
            await system.address("/root/a").ask(Crash(NotToday()), timeout=1)
        system.address("/root/a").tell(Work(10))
        system.address("/root/a").tell("queued")
        await trio.sleep(2)
        root = system.tree()
        assert (root.kind, root.strategy, root.intensity_used, root.intensity_allowed) == (
            "supervisor",
            "one_for_one",
            1,
            3,
        )
        a, rooms = root.children
        assert (a.path, a.kind, a.key, a.state) == ("/root/a", "a", None, "handling")
        assert (a.handled, a.failed, a.restarts) == (2, 2, 1)
        assert a.started_at == opened + timedelta(seconds=60)
        assert a.mailbox is not None
        assert (a.mailbox.depth, a.mailbox.capacity, a.mailbox.policy) == (1, 256, "reject")
        assert a.mailbox.oldest_ms == pytest.approx(2000)
        assert a.current is not None
        assert (a.current.message, a.current.for_ms) == ("Work", pytest.approx(2000))
        assert (rooms.kind, rooms.intensity_allowed) == ("supervisor", 100)


async def test_what_an_actor_says_it_is_at_is_shown_with_the_message_in_hand(autojump_clock: MockClock) -> None:
    async def work(actor: Script) -> None:
        actor.ctx.activity = "counting sheep"
        await trio.sleep(10)
        actor.ctx.activity = None

    async with open_system(tree(script("a"))) as system:
        system.address("/root/a").tell(Do(work))
        await trio.sleep(1)

        current = system.inspect("/root/a").node.current
        assert current is not None
        assert current.activity == "counting sheep"


async def test_the_tree_is_cut_by_depth_and_by_breadth(autojump_clock: MockClock) -> None:
    async with open_system(tree(ROOMS)) as system:
        for number in range(10):
            await system.virtual("room", str(number)).ask(Echo(), timeout=1)
        (rooms,) = system.tree(depth=1).children
        assert rooms.children == ()
        assert rooms.collapsed is not None
        assert rooms.collapsed.count == 10
        (rooms,) = system.tree(children_max=3).children
        assert len(rooms.children) == 3
        assert rooms.children_total == 10
        assert rooms.collapsed is not None
        assert rooms.collapsed.count == 7


async def test_inspect_tells_all_about_one_actor(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("a"), script("b"))) as system:
        address = system.address("/root/a")
        await address.ask(Echo(), timeout=1)
        address.tell(Crash())
        await wait_all_tasks_blocked()
        await address.ask(Do(lambda actor: actor.ctx.monitor(actor.ctx.system.address("/root/b"))), timeout=1)
        address.tell(Work(5))
        await wait_all_tasks_blocked()
        detail = system.inspect("/root/a")
        assert [header.message_type for header in detail.messages] == ["Echo", "Crash", "Do"]
        assert [header.failed for header in detail.messages] == [False, True, False]
        assert [record.reason for record in detail.exits] == ["error(ValueError: crashed on request)"]
        assert detail.exits[0].frames[-1].function == "Script.handle"
        assert detail.watching == ("/root/b",)
        assert detail.view == {"seen": 2}
        assert any("Script.handle" in frame for frame in detail.stack)
        assert {row.message: row.count for row in detail.statistics} == {"Echo": 1, "Crash": 1, "Do": 1}
        with pytest.raises(NoSuchActor):
            system.inspect("/root/c")


async def test_the_kernel_answers_for_an_actor_that_is_stuck(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        system.address("/root/script").tell(Work(3600))
        await trio.sleep(60)
        detail = system.inspect("/root/script")
        assert detail.node.state == "handling"
        assert detail.node.current is not None
        assert detail.node.current.for_ms == pytest.approx(60_000)
        assert [node.path for node in await system.longest_calls()] == ["/root/script"]


@pytest.mark.parametrize("kind", ["raises", "large"])
async def test_a_view_that_fails_or_is_too_large_is_replaced(autojump_clock: MockClock, kind: str) -> None:
    class Bad(Script):
        def view(self) -> Mapping[str, object]:
            if kind == "raises":
                raise RuntimeError("broken view")
            return {"everything": "x" * 100_000}

    async with open_system(tree(ChildSpec("bad", Bad))) as system:
        assert list(system.inspect("/root/bad").view) == ["error"]


async def test_a_suspended_actor_handles_nothing_until_resumed(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        await system.suspend("/root/script")
        system.address("/root/script").tell("hello")
        await trio.sleep(5)
        assert journal == ["init script"]
        assert system.inspect("/root/script").node.state == "suspended"
        await system.resume("/root/script")
        await wait_all_tasks_blocked()
        assert journal == ["init script", "told hello"]
        with pytest.raises(NotAnActor):
            await system.suspend("/root")


async def test_a_suspended_actor_still_stops(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        await system.suspend("/root/script")
        system.address("/root/script").tell("hello")
        await system.stop_child("/root/script")
        assert system.now() == 0
        assert system.dead_letters.counts["dead"] == 1


async def test_suspension_outlives_a_restart(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        await system.suspend("/root/script")
        await system.restart("/root/script")
        assert system.inspect("/root/script").node.state == "suspended"


async def test_lifecycle_events_tell_the_story(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("a"), ROOMS)) as system, system.subscribe() as events:
        await system.virtual("room", "x").ask(Echo(), timeout=1)
        system.address("/root/a").tell(Crash())
        await trio.sleep(10)
        await system.stop_child("/root/a")
        story = [(event.event, event.path) for event in drain(events)]
        assert story == [
            ("actor.started", "/root/rooms/x"),
            ("actor.failed", "/root/a"),
            ("actor.restarted", "/root/a"),
            ("actor.passivated", "/root/rooms/x"),
            ("actor.stopped", "/root/a"),
        ]


async def test_a_slow_subscriber_loses_the_oldest_and_is_told_how_many(autojump_clock: MockClock) -> None:
    async with open_system(tree(ROOMS)) as system, system.subscribe() as events:
        for number in range(BUFFER_MAX + 5):
            await system.virtual("room", str(number)).ask(Echo(), timeout=1)
        first = await events.receive()
        assert (first.event, first.missed) == ("lagged", 5)
        assert (await events.receive()).key == "5"


async def test_a_subscriber_waits_for_the_next_event(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system, system.subscribe() as events:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:

                async def crash_soon() -> None:
                    await trio.sleep(1)
                    system.address("/root/script").tell(Crash())

                nursery.start_soon(crash_soon)
                async for event in events:
                    assert event.event == "actor.failed"
                    break


async def test_a_traced_actor_publishes_its_messages_for_a_while(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system, system.subscribe() as events:
        address = system.address("/root/script")
        system.trace("/root/script", for_s=30)
        await address.ask(Echo(), timeout=1)
        assert system.inspect("/root/script").is_traced
        await trio.sleep(31)
        await address.ask(Echo(), timeout=1)
        (event,) = drain(events)
        assert event.event == "actor.message"
        assert event.header is not None
        assert event.header.message_type == "Echo"


async def test_a_supervisor_of_virtual_actors_shows_how_many_restarts_it_has_counted(
    autojump_clock: MockClock,
) -> None:
    async with open_system(tree(ROOMS)) as system:
        await system.virtual("room", "a").ask(Echo(), timeout=1)
        with pytest.raises(ActorDied):
            await system.virtual("room", "a").ask(Crash(), timeout=1)

        rooms = system.inspect("/root/rooms").node

        assert (rooms.intensity_used, rooms.intensity_allowed) == (1, ROOMS.intensity)


async def test_who_stands_out_is_listed_page_by_page(autojump_clock: MockClock) -> None:
    async with open_system(tree(ROOMS, script())) as system:
        for number in range(10):
            for _ in range(number + 1):
                await system.virtual("room", f"r{number}").ask(Echo(), timeout=1)
        most_handled = ActorQuery(sort=Sort.HANDLED, limit=4, kind="room")
        first = await system.rank(most_handled)
        assert [node.key for node in first.actors] == ["r9", "r8", "r7", "r6"]
        second = await system.rank(replace(most_handled, cursor=first.cursor))
        assert [node.key for node in second.actors] == ["r5", "r4", "r3", "r2"]
        last = await system.rank(replace(most_handled, cursor=second.cursor))
        assert [node.key for node in last.actors] == ["r1", "r0"]
        assert last.cursor is None
        assert (await system.rank(ActorQuery(key_prefix="r3"))).actors[0].key == "r3"
        assert (await system.rank(ActorQuery(state="suspended"))).actors == ()
        with pytest.raises(ValueError, match="float"):
            await system.rank(ActorQuery(cursor="nonsense"))


async def test_statistics_are_by_kind_and_message_type(autojump_clock: MockClock) -> None:
    async with open_system(tree(ROOMS)) as system:
        for key in "abc":
            await system.virtual("room", key).ask(Work(0.1), timeout=1)
        with pytest.raises(ActorDied):
            await system.virtual("room", "a").ask(Crash(), timeout=1)
        await wait_all_tasks_blocked()
        statistics = system.statistics()
        (room,) = statistics.kinds
        work, crash = room.messages
        assert (room.kind, room.live, room.activations) == ("room", 3, 3)
        assert (work.message, work.count, work.failures) == ("Work", 3, 0)
        assert work.handler_s == pytest.approx(0.3)
        assert sum(work.buckets) == 3
        assert (crash.count, crash.failures) == (1, 1)
        assert (statistics.restarts, statistics.actors) == (1, 3)


async def test_messages_of_a_turn_that_goes_on_are_counted_already(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        await system.suspend("/root/script")
        for message in [*["word"] * 20, Work(10), "word"]:
            system.address("/root/script").tell(message)
        await system.resume("/root/script")
        await wait_all_tasks_blocked()
        detail = system.inspect("/root/script")
        assert (detail.node.handled, detail.node.state) == (20, "handling")
        assert [header.message_type for header in detail.messages] == ["str"] * 8
        assert [(words.message, words.count) for words in system.statistics().kinds[0].messages] == [("str", 20)]
        await trio.sleep(11)
        assert system.inspect("/root/script").node.handled == 22


async def test_a_turn_of_messages_is_counted_as_they_would_be_one_by_one(autojump_clock: MockClock) -> None:
    async def seen(*, at_once: bool) -> tuple[object, ...]:
        async with open_system(tree(script(batch_max=100))) as system:
            if at_once:
                await system.suspend("/root/script")
            for number in range(30):
                message = Work(number % 3 / 100_000)
                if at_once:
                    system.address("/root/script").tell(message)
                else:
                    await system.address("/root/script").ask(message, timeout=1)
            await system.resume("/root/script")
            await trio.sleep(60)
            detail = system.inspect("/root/script")
            (work,) = detail.statistics
            return (
                work.count,
                work.buckets,
                pytest.approx(work.handler_s),
                detail.node.latency_ms,
                len(detail.messages),
            )

    assert await seen(at_once=True) == await seen(at_once=False)


async def test_a_percentile_is_at_most_twice_the_true_value(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        for _ in range(10):
            await system.address("/root/script").ask(Work(0.05), timeout=1)
        latency = system.inspect("/root/script").node.latency_ms
        assert latency is not None
        assert latency.p50 is not None
        assert 50 <= latency.p50 <= 100
        assert percentile_s(None, 0.5) is None


async def test_how_busy_an_actor_was_lately_fades(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        for _ in range(8):
            await system.address("/root/script").ask(Work(1), timeout=5)
        busy = system.inspect("/root/script").node.busy_share
        assert busy == pytest.approx(0.8)
        await trio.sleep(60)
        assert system.inspect("/root/script").node.busy_share == 0


async def test_an_actor_driven_by_its_timers_is_not_shown_as_idle(autojump_clock: MockClock) -> None:
    class Ticking(Script):
        async def init(self) -> None:
            self.ctx.tell_after(3, "tick")

        async def handle(self, message: object) -> object:
            self.ctx.tell_after(3, "tick")
            return None

    async with open_system(tree(ChildSpec("ticking", Ticking), script("idle"))) as system:
        await trio.sleep(61)
        ticking, idle = system.tree().children
        assert (ticking.handled, ticking.idle_ms) == (20, pytest.approx(1_000))
        assert idle.idle_ms == pytest.approx(61_000)
        longest_idle = await system.rank(ActorQuery(sort=Sort.IDLE))
        assert [node.name for node in longest_idle.actors] == ["idle", "ticking"]


@pytest.mark.parametrize("sort", [Sort.IDLE, Sort.OLDEST])
async def test_time_that_passes_between_two_pages_leaves_nobody_out(autojump_clock: MockClock, sort: Sort) -> None:
    names = ["a", "b", "c", "d", "e"]
    async with open_system(tree(*map(script, names))) as system:
        for name in names:
            address = system.address(f"/root/{name}")
            await address.ask(Echo(), timeout=1)
            await system.suspend(f"/root/{name}")
            address.tell(Echo())
            await trio.sleep(1)
        seen: list[str] = []
        cursor = None
        for _ in range(3):
            page = await system.rank(ActorQuery(sort=sort, limit=2, cursor=cursor))
            seen += [node.name for node in page.actors]
            cursor = page.cursor
            await trio.sleep(10)

    assert seen == names


async def test_idleness_is_counted_from_the_end_of_a_turn_of_many(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("a"))) as system:
        for _ in range(40):
            system.address("/root/a").tell("told")
        await wait_all_tasks_blocked()
        await trio.sleep(5)
        for _ in range(7):
            system.address("/root/a").tell("told")
        await trio.sleep(2)
        (a,) = system.tree().children
        assert (a.handled, a.idle_ms) == (47, pytest.approx(2_000))
