"""What is told of children that can't work."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import Backoff, ChildSpec, DynamicSpec, Hindrance, SupervisorSpec, open_system
from tests.supervisor.behaviours import Crash, Echo, Script, Work, tree

ESSENTIAL = ChildSpec("a", Script, essential=True)
SLOW_BACKOFF = Backoff(free=0, initial_s=20.0, jitter=0.0)


async def test_a_child_that_works_sleeps_or_restarts_in_time_is_not_hindered(autojump_clock: MockClock) -> None:
    async with open_system(
        tree(ESSENTIAL, DynamicSpec("rooms", "room", lambda _key: Script(), essential=True))
    ) as system:
        system.address("/root/a").tell(Crash())
        await system.virtual("room", "1").ask(Echo(), timeout=1)
        await system.restart("/root/a")
        system.address("/root/a").tell(Work(9))
        await trio.sleep(5)

        assert system.hindered() == ()
        assert system.hindrance("/root/rooms/asleep") is None


async def test_what_an_operator_stops_or_suspends_is_hindered_at_once(autojump_clock: MockClock) -> None:
    async with open_system(tree(ESSENTIAL)) as system:
        await system.suspend("/root/a")
        assert system.hindered() == (("/root/a", Hindrance.SUSPENDED),)

        await system.resume("/root/a")
        assert system.hindered() == ()

        await system.stop_child("/root/a")
        assert system.hindered() == (("/root/a", Hindrance.STOPPED),)

        await system.restart("/root/a")
        assert system.hindered() == ()


async def test_a_child_that_drains_for_good_is_hindered_before_it_has_ended(autojump_clock: MockClock) -> None:
    async with open_system(tree(ESSENTIAL)) as system, trio.open_nursery() as nursery:
        system.address("/root/a").tell(Work(3))
        await wait_all_tasks_blocked()
        nursery.start_soon(system.stop_child, "/root/a")
        await wait_all_tasks_blocked()

        assert system.hindrance("/root/a") is Hindrance.STOPPING


async def test_a_message_in_hand_for_too_long_is_a_hindrance(autojump_clock: MockClock) -> None:
    async with open_system(tree(ESSENTIAL)) as system:
        system.address("/root/a").tell(Work(30))
        await trio.sleep(11)

        assert system.hindered() == (("/root/a", Hindrance.STUCK),)


async def test_a_long_backoff_is_a_hindrance(autojump_clock: MockClock) -> None:
    async with open_system(SupervisorSpec("root", (ESSENTIAL,), backoff=SLOW_BACKOFF)) as system:
        system.address("/root/a").tell(Crash())
        await wait_all_tasks_blocked()
        assert system.hindered() == (("/root/a", Hindrance.BACKOFF),)

        await trio.sleep(21)
        assert system.hindered() == ()


async def test_only_what_is_essential_is_told_unasked(autojump_clock: MockClock) -> None:
    below = SupervisorSpec("below", (ChildSpec("b", Script, essential=True), ChildSpec("c", Script)))
    async with open_system(tree(ChildSpec("a", Script), below)) as system:
        for path in ("/root/a", "/root/below/b", "/root/below/c"):
            await system.suspend(path)

        assert [path for path, _ in system.hindered()] == ["/root/below/b"]
        assert system.hindrance("/root/a") is Hindrance.SUSPENDED


async def test_where_nothing_can_come_to_life_its_supervisor_is_the_hindrance(autojump_clock: MockClock) -> None:
    async with open_system(tree(DynamicSpec("rooms", "room", lambda _key: Script(), essential=True))) as system:
        await system.stop_child("/root/rooms")

        assert system.hindrance("/root/rooms/any") is Hindrance.STOPPED
