"""The ladder: ask, wait a bounded time, cancel, and say so when even that does not help."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    ActorDied,
    CallCycle,
    ChildSpec,
    Draining,
    DynamicSpec,
    ExitReason,
    Overloaded,
    SupervisorSpec,
    TellOutcome,
    open_system,
)
from tests.supervisor.behaviours import Crash, Do, Echo, Journal, Script, Work, script, tree


async def test_a_stopping_actor_drains_its_mailbox_first(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        address = system.address("/root/script")
        for label in "abc":
            address.tell(Work(1, label))
        await system.shutdown(10)
    assert journal == ["init script", "done a", "done b", "done c", "terminate script shutdown"]


async def test_a_stopping_actor_takes_no_more_mail(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system, trio.open_nursery() as nursery:
        address = system.address("/root/script")
        address.tell(Work(2))
        await wait_all_tasks_blocked()
        nursery.start_soon(system.stop_child, "/root/script")
        await wait_all_tasks_blocked()
        assert address.tell("late") is TellOutcome.DEAD
        with pytest.raises(ActorDied):
            await address.ask(Echo(), timeout=60)


async def test_what_is_not_drained_in_time_is_cancelled_and_told(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, shutdown_s=3))) as system, trio.open_nursery() as nursery:
        address = system.address("/root/script")
        address.tell(Work(60, "endless"))

        async def asker() -> None:
            with pytest.raises(ActorDied):
                await address.ask(Echo(), timeout=120)
            journal.append("asker told")

        nursery.start_soon(asker)
        await wait_all_tasks_blocked()
        await system.stop_child("/root/script")
        assert system.now() == pytest.approx(3)
        await wait_all_tasks_blocked()
    assert journal == ["init script", "terminate script shutdown_timeout", "asker told"]


async def test_shutdown_of_zero_seconds_cancels_at_once(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, shutdown_s=0))) as system:
        system.address("/root/script").tell(Work(60))
        await wait_all_tasks_blocked()
        await system.stop_child("/root/script")
        assert system.now() == 0
    assert journal == ["init script", "terminate script killed"]


async def test_one_deadline_bounds_the_whole_tree(autojump_clock: MockClock) -> None:
    children = [script(name, shutdown_s=5) for name in "abcdef"]
    async with open_system(tree(*children)) as system:
        for child in children:
            system.address(f"/root/{child.name}").tell(Work(3600))
        await wait_all_tasks_blocked()
        report = await system.shutdown(8)
        assert report.took_s == pytest.approx(8, abs=0.5)
        assert report.wedged == ()


async def test_terminate_is_shielded_and_bounded(autojump_clock: MockClock) -> None:
    journal = Journal()

    class Slow(Script):
        async def terminate(self, reason: ExitReason) -> None:
            journal.append("begin")
            await trio.sleep(0.5)
            journal.append("half")
            await trio.sleep(60)
            journal.append("never")

    with trio.move_on_after(1):
        async with open_system(tree(ChildSpec("slow", Slow, terminate_s=2))):
            await trio.sleep_forever()
    assert journal == ["begin", "half"]
    assert trio.current_time() == pytest.approx(3)


async def test_terminate_runs_after_a_crash_with_its_reason(autojump_clock: MockClock) -> None:
    reasons: list[ExitReason] = []

    class Noting(Script):
        async def terminate(self, reason: ExitReason) -> None:
            await trio.sleep(0.1)
            reasons.append(reason)

    async with open_system(tree(ChildSpec("noting", Noting))) as system:
        with pytest.raises(ActorDied):
            await system.address("/root/noting").ask(Crash(), timeout=1)
        assert [str(reason) for reason in reasons] == ["error(ValueError: crashed on request)"]


async def test_a_task_that_shields_itself_is_reported_as_wedged_and_the_others_stop(
    autojump_clock: MockClock,
) -> None:
    journal = Journal()
    release = trio.Event()

    async def stubborn(_: Script) -> None:
        with trio.CancelScope(shield=True):
            await release.wait()

    async with open_system(tree(script("a", journal), script("b", journal, shutdown_s=1))) as system:
        system.address("/root/b").tell(Do(stubborn))
        await wait_all_tasks_blocked()
        with trio.fail_after(30):
            report = await system.shutdown(10)
        assert report.wedged == ("/root/b",)
        assert system.statistics().wedged >= 1
        assert "terminate a shutdown" in journal
        assert system.inspect("/root/b").node.state == "wedged"
        release.set()


async def test_a_wedged_actor_is_not_replaced_while_it_lives(autojump_clock: MockClock) -> None:
    release = trio.Event()

    async def stubborn(_: Script) -> None:
        with trio.CancelScope(shield=True):
            await release.wait()

    async with open_system(tree(script(shutdown_s=1))) as system:
        address = system.address("/root/script")
        address.tell(Do(stubborn))
        await wait_all_tasks_blocked()
        with trio.fail_after(30):
            await system.restart("/root/script")
        assert system.inspect("/root/script").node.state == "wedged"
        release.set()
        assert await address.ask(Echo(1), timeout=5) == 1
        assert system.inspect("/root/script").node.incarnation == 2


async def test_from_outside_nothing_new_is_accepted_while_actors_still_reach_each_other(
    autojump_clock: MockClock,
) -> None:
    answers: list[object] = []

    async def ask_other(actor: Script) -> None:
        await trio.sleep(2)
        answers.append(await actor.ctx.system.address("/root/a").ask(Echo("inside"), timeout=1))

    async with open_system(tree(script("a"), script("b"))) as system, trio.open_nursery() as nursery:
        system.address("/root/b").tell(Do(ask_other))
        await wait_all_tasks_blocked()
        nursery.start_soon(system.shutdown, 10)
        await trio.sleep(1)
        assert system.address("/root/a").tell("outside") is TellOutcome.REJECTED
        with pytest.raises(Overloaded):
            await system.address("/root/a").ask(Echo(), timeout=5)
    assert answers == ["inside"]


async def test_a_draining_system_activates_nobody_for_the_world_outside(autojump_clock: MockClock) -> None:
    rooms = DynamicSpec("rooms", "room", lambda _key: Script())
    async with open_system(tree(rooms, script())) as system, trio.open_nursery() as nursery:
        system.address("/root/script").tell(Work(2))
        await wait_all_tasks_blocked()
        nursery.start_soon(system.shutdown, 10)
        await trio.sleep(1)
        with pytest.raises(Draining):
            await system.virtual("room", "late").ask(Echo(), timeout=5)
        assert system.registry.living_cell("/root/rooms/late") is None


async def test_an_actor_whose_terminate_never_ends_after_a_crash_is_reported(autojump_clock: MockClock) -> None:
    release = trio.Event()

    class Stubborn(Script):
        async def terminate(self, reason: ExitReason) -> None:
            with trio.CancelScope(shield=True):
                await release.wait()

    async with open_system(tree(ChildSpec("stubborn", Stubborn, terminate_s=1))) as system:
        system.address("/root/stubborn").tell(Crash())
        await trio.sleep(2)
        assert system.inspect("/root/stubborn").node.state == "wedged"
        release.set()
        assert await system.address("/root/stubborn").ask(Echo(1), timeout=1) == 1


async def test_shutting_down_twice_is_fine(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        await system.shutdown(1)
        await system.shutdown(1)


async def test_an_exception_in_the_block_comes_out_as_itself_after_an_orderly_stop(
    autojump_clock: MockClock,
) -> None:
    journal = Journal()
    with pytest.raises(LookupError, match="mine"):
        async with open_system(tree(script(journal=journal))):
            raise LookupError("mine")
    assert journal[-1] == "terminate script shutdown"


async def test_many_dynamic_children_stop_side_by_side(autojump_clock: MockClock) -> None:
    class Slow(Script):
        async def terminate(self, reason: ExitReason) -> None:
            await trio.sleep(0.5)

    async with open_system(tree(DynamicSpec("slow", "slow", lambda _key: Slow()))) as system:
        for number in range(50):
            await system.virtual("slow", str(number)).ask(Echo(), timeout=1)
        start = system.now()
        await system.shutdown(10)
        assert system.now() - start == pytest.approx(0.5)


async def test_nothing_is_left_after_the_end(autojump_clock: MockClock) -> None:
    spec = tree(
        script(),
        SupervisorSpec("inner", (script(),)),
        DynamicSpec("d", "d", lambda _k: Script(), passivate_after_s=5),
    )
    async with open_system(spec) as system:
        await system.virtual("d", "x").ask(Echo(), timeout=1)
        await system.address("/root/script").ask(Do(lambda a: a.ctx.tell_after(600, "later")), timeout=1)
        await system.shutdown(5)
        assert list(system.registry.cells()) == []
        assert system.statistics().actors == 0
        assert all(entry.is_over for _, _, entry in system.timers._heap)


async def test_a_stop_asked_for_during_boot_is_heeded(autojump_clock: MockClock) -> None:
    class Slow(Script):
        async def init(self) -> None:
            await trio.sleep(3600)

    with trio.move_on_after(1) as scope:
        async with open_system(tree(script(), ChildSpec("slow", Slow, init_timeout_s=7200))):
            pytest.fail("the system opened")
    assert scope.cancelled_caught


async def test_an_actor_cannot_wait_for_its_own_end(autojump_clock: MockClock) -> None:
    async def stop_me(actor: Script) -> Any:
        with pytest.raises(CallCycle):
            await actor.ctx.system.stop_child("/root/script")
        return "refused"

    async with open_system(tree(script())) as system:
        assert await system.address("/root/script").ask(Do(stop_me), timeout=1) == "refused"
