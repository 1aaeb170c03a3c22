"""Actors by key: activated by their first message, stopped when idle, never two of one key."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    NO_BACKOFF,
    ActorDied,
    ActorRestarting,
    Backoff,
    ChildSpec,
    DynamicSpec,
    ExitReason,
    NoSuchActor,
    Overloaded,
    Refusal,
    Restart,
    RootExited,
    TellOutcome,
    open_system,
)
from tests.supervisor.behaviours import Crash, Do, Echo, Journal, Script, Work, script, tree


class Room(Script):
    """Counts how many of it live per key, and takes its time to start and to stop."""

    living: ClassVar[Counter[str]] = Counter()

    def __init__(self, key: str, journal: Journal) -> None:
        super().__init__(journal)
        self.key = key

    async def init(self) -> None:
        self.living[self.key] += 1
        assert self.living[self.key] == 1, "two incarnations of one key"
        await trio.sleep(0.1)
        await super().init()

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(0.1)
        await super().terminate(reason)
        self.living[self.key] -= 1


@pytest.fixture(autouse=True)
def nobody_lives() -> None:
    Room.living.clear()


def rooms(journal: Journal | None = None, **options: Any) -> DynamicSpec:
    kept = Journal() if journal is None else journal
    options.setdefault("backoff", NO_BACKOFF)
    return DynamicSpec("rooms", "room", lambda key: Room(key, kept), **options)


async def test_the_first_message_activates_and_many_at_once_activate_once(autojump_clock: MockClock) -> None:
    journal = Journal()
    answers: set[object] = set()
    async with open_system(tree(rooms(journal))) as system:

        async def ask(value: int) -> None:
            answers.add(await system.virtual("room", "a").ask(Echo(value), timeout=1))

        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                for value in range(10):
                    nursery.start_soon(ask, value)
        assert answers == set(range(10))
        assert journal == ["init a"]


async def test_a_virtual_address_and_its_path_are_the_same(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms())) as system:
        assert system.virtual("room", "a") == system.address("/root/rooms/a")
        assert await system.address("/root/rooms/b").ask(Do(lambda actor: actor.ctx.key), timeout=1) == "b"
        with pytest.raises(NoSuchActor):
            system.virtual("hall", "a")
        with pytest.raises(ValueError, match="segment"):
            system.virtual("room", "a/b")


async def test_an_idle_actor_is_passivated_and_forgotten(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(rooms(journal, passivate_after_s=10))) as system:
        address = system.virtual("room", "a")
        await address.ask(Echo(), timeout=1)
        await trio.sleep(9)
        await address.ask(Echo(), timeout=1)
        await trio.sleep(9)
        assert journal == ["init a"]
        await trio.sleep(3)
        assert journal == ["init a", "terminate a shutdown"]
        assert system.statistics().actors == 0
        assert await address.ask(Echo("again"), timeout=1) == "again"


async def test_an_idle_actor_is_passivated_without_losing_a_message(autojump_clock: MockClock) -> None:
    """A message every 37 ms around a limit of 50 ms, with stops and starts of 100 ms: every phase gets its share."""
    journal = Journal()
    async with open_system(tree(rooms(journal, passivate_after_s=0.05))) as system:
        address = system.virtual("room", "a")
        for number in range(100):
            assert address.tell(number) is TellOutcome.ACCEPTED
            await trio.sleep(0.037 if number % 7 else 0.3)
        await trio.sleep(5)
        assert [entry for entry in journal if entry.startswith("told")] == [f"told {n}" for n in range(100)]
        assert journal.count("init a") > 5
        assert system.dead_letters.total == 0


async def test_timers_and_owed_replies_decide_differently_about_idleness(autojump_clock: MockClock) -> None:
    """An actor that only talks to itself is idle; one that owes somebody an answer is not."""

    class Ticking(Room):
        async def handle(self, message: object) -> object:
            if message == "tick":
                self.ctx.tell_after(1, "tick")
                return None
            return await super().handle(message)

    journal = Journal()
    spec = DynamicSpec("rooms", "room", lambda key: Ticking(key, journal), passivate_after_s=5)
    async with open_system(tree(spec)) as system:
        system.virtual("room", "ticks").tell("tick")
        with trio.move_on_after(20):
            await system.virtual("room", "owes").ask(Do(lambda actor: actor.ctx.defer()), timeout=60)
        assert "terminate ticks shutdown" in journal
        assert "terminate owes shutdown" not in journal
        await trio.sleep(20)
        assert "terminate owes shutdown" in journal


async def test_mail_that_came_while_an_actor_fell_idle_is_drained_when_it_is_stopped(
    autojump_clock: MockClock,
) -> None:
    journal = Journal()
    async with open_system(tree(rooms(journal))) as system:
        room = system.virtual("room", "a")
        await room.ask(Echo(), timeout=1)
        await system.passivate(room.path)  # none of these three waits before its effect is there
        assert room.tell("in time") is TellOutcome.ACCEPTED
        await system.stop_child(room.path)
    assert journal == ["init a", "told in time", "terminate a shutdown"]


async def test_an_actor_may_ask_to_be_passivated(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(rooms(journal))) as system:
        await system.virtual("room", "a").ask(Do(lambda actor: actor.ctx.passivate()), timeout=1)
        await trio.sleep(1)
        assert journal == ["init a", "terminate a shutdown"]


async def test_a_static_child_rests_and_comes_back_with_the_next_message(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, passivate_after_s=5))) as system:
        await trio.sleep(10)
        assert journal == ["init script", "terminate script shutdown"]
        assert system.inspect("/root/script").node.state == "stopped"
        assert await system.address("/root/script").ask(Echo(1), timeout=1) == 1
        assert system.tree().intensity_used == 0


async def test_a_crashed_actor_is_restarted_with_its_mail(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms())) as system:
        address = system.virtual("room", "a")
        address.tell(Crash())
        assert await address.ask(Echo("queued"), timeout=5) == "queued"
        assert system.inspect("/root/rooms/a").node.restarts == 1


async def test_an_activation_that_fails_tells_those_who_wait_and_is_tried_anew_by_the_next(
    autojump_clock: MockClock,
) -> None:
    broken = [True]

    class Fragile(Script):
        async def init(self) -> None:
            await trio.sleep(0.1)
            if broken[0]:
                raise RuntimeError("no database")

    async with open_system(tree(DynamicSpec("rooms", "room", lambda _key: Fragile()))) as system:
        address = system.virtual("room", "a")
        with pytest.raises(ActorDied) as caught:
            await address.ask(Echo(), timeout=60)
        assert isinstance(caught.value.__cause__, RuntimeError)
        broken[0] = False
        assert await address.ask(Echo(1), timeout=1) == 1


async def test_a_key_that_means_nothing_may_refuse_to_start(autojump_clock: MockClock) -> None:
    class NoSuchRoom(Refusal):
        pass

    class Picky(Script):
        async def init(self) -> None:
            raise NoSuchRoom

    async with open_system(tree(DynamicSpec("rooms", "room", lambda _key: Picky()))) as system:
        with pytest.raises(NoSuchRoom):
            await system.virtual("room", "a").ask(Echo(), timeout=60)
        assert system.statistics().actors == 0


async def test_one_child_too_many_is_refused(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms(max_children=2, passivate_after_s=5))) as system:
        for key in "ab":
            await system.virtual("room", key).ask(Echo(), timeout=1)
        assert system.virtual("room", "c").tell("hello") is TellOutcome.REJECTED
        with pytest.raises(Overloaded):
            await system.virtual("room", "c").ask(Echo(), timeout=60)
        await trio.sleep(10)
        assert await system.virtual("room", "c").ask(Echo(1), timeout=1) == 1


async def test_a_hopeless_key_is_let_go_and_its_neighbours_live_on(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms(consecutive_failures_max=3))) as system:
        await system.virtual("room", "good").ask(Echo(), timeout=1)
        for _ in range(4):
            system.virtual("room", "bad").tell(Crash())
        await trio.sleep(3)
        with pytest.raises(NoSuchActor):
            system.inspect("/root/rooms/bad")
        assert system.inspect("/root/rooms/good").node.incarnation == 1
        assert system.statistics().escalations == 0


async def test_a_partition_that_crashes_too_often_goes_alone(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms(intensity=2, partitions=4))) as system:
        keys = [f"k{number}" for number in range(40)]
        for key in keys:
            await system.virtual("room", key).ask(Echo(), timeout=1)
        for _ in range(3):
            system.virtual("room", "k0").tell(Crash())
        await trio.sleep(3)
        lost = [key for key in keys if system.registry.living_cell(f"/root/rooms/{key}") is None]
        assert "k0" in lost
        assert 0 < len(lost) < 25
        assert system.inspect("/root/rooms").node.incarnation == 1


async def test_too_many_crashes_in_one_undivided_population_escalate(autojump_clock: MockClock) -> None:
    async def run() -> None:
        async with open_system(tree(rooms(intensity=2), intensity=0)) as system:
            for _ in range(3):
                system.virtual("room", "a").tell(Crash())
            await trio.sleep(60)

    with pytest.raises(RootExited, match="more than 2 restarts"):
        await run()


async def test_a_temporary_child_is_forgotten_after_a_crash(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms(restart=Restart.TEMPORARY))) as system:
        address = system.virtual("room", "a")
        with pytest.raises(ActorDied):
            await address.ask(Crash(), timeout=1)
        await wait_all_tasks_blocked()
        assert system.statistics().actors == 0
        assert await address.ask(Echo(1), timeout=1) == 1


async def test_a_key_in_backoff_fails_fast_and_its_neighbours_answer(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms(backoff=Backoff(free=0, initial_s=30, jitter=0)))) as system:
        address = system.virtual("room", "a")
        with pytest.raises(ActorDied):
            await address.ask(Crash(), timeout=1)
        await trio.sleep(0.5)
        with pytest.raises(ActorRestarting):
            await address.ask(Echo(), timeout=5)
        assert await system.virtual("room", "b").ask(Echo(1), timeout=1) == 1
        assert await address.ask(Echo(2), timeout=60) == 2


async def test_an_operator_may_restart_and_stop_a_virtual_actor(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms())) as system:
        address = system.virtual("room", "a")
        await address.ask(Echo(), timeout=1)
        await system.restart("/root/rooms/a")
        assert system.inspect("/root/rooms/a").node.incarnation == 2
        await system.stop_child("/root/rooms/a")
        with pytest.raises(NoSuchActor):
            system.inspect("/root/rooms/a")
        assert await address.ask(Echo(1), timeout=1) == 1


async def test_many_idle_actors_cost_no_wakeups(autojump_clock: MockClock) -> None:
    """A thousand idle actors with an idle limit of an hour: the clock jumps an hour at once."""
    async with open_system(tree(rooms(passivate_after_s=3600))) as system:
        for number in range(1000):
            system.virtual("room", str(number)).tell("hello")
        await trio.sleep(1)
        steps = 0

        class Steps(trio.abc.Instrument):
            def before_task_step(self, task: trio.lowlevel.Task) -> None:
                nonlocal steps
                steps += 1

        instrument = Steps()
        trio.lowlevel.add_instrument(instrument)
        await trio.sleep(3000)
        trio.lowlevel.remove_instrument(instrument)
        assert steps < 10


async def test_the_supervisor_of_a_static_child_may_be_dynamic_or_not(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        await system.start_child("/root", rooms())
        assert await system.virtual("room", "a").ask(Echo(1), timeout=1) == 1
        await system.stop_child("/root/rooms")
        with pytest.raises(NoSuchActor):
            await system.virtual("room", "a").ask(Echo(1), timeout=60)
        await system.restart("/root/rooms")
        assert await system.virtual("room", "a").ask(Echo(1), timeout=1) == 1
        with pytest.raises(ValueError, match="two dynamic supervisors"):
            await system.start_child("/root", DynamicSpec("others", "room", lambda _key: Script()))


async def test_messages_that_come_while_an_actor_stops_for_good_are_refused(autojump_clock: MockClock) -> None:
    async with open_system(tree(rooms())) as system, trio.open_nursery() as nursery:
        address = system.virtual("room", "a")
        address.tell(Work(1))
        await trio.sleep(0.5)
        nursery.start_soon(system.stop_child, "/root/rooms/a")
        await wait_all_tasks_blocked()
        assert address.tell("late") is TellOutcome.DEAD
        await trio.sleep(5)
        assert await address.ask(Echo(1), timeout=1) == 1


def test_a_dynamic_supervisor_names_its_kind() -> None:
    with pytest.raises(ValueError, match="kind"):
        DynamicSpec("rooms", "", lambda _key: Script())
    assert ChildSpec("a", Script).kind == "a"
