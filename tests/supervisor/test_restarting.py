"""What a supervisor does when a child ends: restart types, strategies, intensity, backoff, escalation."""

from __future__ import annotations

import random
from functools import reduce
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import (
    NO_BACKOFF,
    NORMAL,
    SHUTDOWN,
    ActorDied,
    ActorRestarting,
    ActorSystem,
    AutoShutdown,
    Backoff,
    ChildExists,
    ChildSpec,
    ExitReason,
    MailboxSpec,
    NoSuchActor,
    OnRestart,
    Restart,
    RootExited,
    StartFailed,
    Strategy,
    SupervisorSpec,
    TellOutcome,
    open_system,
)
from greenroom.supervisor.restart_intensity import RestartWindow
from tests.supervisor.behaviours import Crash, Do, Echo, Journal, Script, Work, script, tree


class FailsToStart(Script):
    """Fails its first ``failures`` starts after the first success."""

    failures = 0
    started = 0

    async def init(self) -> None:
        cls = type(self)
        cls.started += 1
        if cls.started > 1 and cls.failures > 0:
            cls.failures -= 1
            raise RuntimeError("not yet")


def fails_to_start(failures: int) -> ChildSpec:
    behaviour: Any = type("Fails", (FailsToStart,), {"failures": failures, "started": 0})
    return ChildSpec("script", behaviour)


async def crash(system: ActorSystem, path: str) -> None:
    with pytest.raises(ActorDied):
        await system.address(path).ask(Crash(), timeout=1)
    await wait_all_tasks_blocked()


async def run_with_crashes(
    spec: SupervisorSpec, path: str, *, times: int, error: BaseException | None = None
) -> None:
    """Run a system in which an actor crashes, then for another hour."""
    async with open_system(spec) as system:
        for _ in range(times):
            system.address(path).tell(Crash(error or ValueError("again")))
            await wait_all_tasks_blocked()
        await trio.sleep(3600)


async def test_children_start_left_to_right_and_stop_right_to_left(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(*(script(name, journal) for name in "abc"))):
        assert journal == ["init a", "init b", "init c"]
        journal.clear()
    assert journal == ["terminate c shutdown", "terminate b shutdown", "terminate a shutdown"]


async def test_a_crash_in_one_child_leaves_its_siblings_alone(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("a"), script("b"))) as system:
        await crash(system, "/root/a")
        assert system.inspect("/root/a").node.incarnation == 2
        assert system.inspect("/root/b").node.incarnation == 1


async def test_a_restart_starts_from_a_fresh_behaviour(autojump_clock: MockClock) -> None:
    async with open_system(tree(script())) as system:
        address = system.address("/root/script")
        first = await address.ask(Do(id), timeout=1)
        kept = await address.ask(Do(lambda actor: actor.seen), timeout=1)
        await crash(system, "/root/script")
        seen = await address.ask(Do(lambda actor: actor.seen), timeout=1)
        assert seen is not kept
        assert first


@pytest.mark.parametrize(
    ("restart", "reason", "comes_back"),
    [
        (Restart.PERMANENT, NORMAL, True),
        (Restart.PERMANENT, ExitReason.error(ValueError()), True),
        (Restart.TRANSIENT, NORMAL, False),
        (Restart.TRANSIENT, SHUTDOWN, False),
        (Restart.TRANSIENT, ExitReason.shutdown("moved"), False),
        (Restart.TRANSIENT, ExitReason.error(ValueError()), True),
        (Restart.TRANSIENT, ExitReason.budget("message"), True),
        (Restart.TEMPORARY, ExitReason.error(ValueError()), False),
    ],
)
async def test_the_restart_type_decides_who_comes_back(
    autojump_clock: MockClock, restart: Restart, reason: ExitReason, comes_back: bool
) -> None:
    async with open_system(tree(script(restart=restart))) as system:
        address = system.address("/root/script")
        await address.ask(Do(lambda actor: actor.ctx.stop(reason)), timeout=1)
        await wait_all_tasks_blocked()
        if comes_back:
            assert await address.ask(Echo(1), timeout=1) == 1
        else:
            assert address.tell("hello") is TellOutcome.DEAD
            with pytest.raises((ActorDied, NoSuchActor)):
                await address.ask(Echo(1), timeout=60)


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [
        (Strategy.ONE_FOR_ONE, "b"),
        (Strategy.REST_FOR_ONE, "bc"),
        (Strategy.ONE_FOR_ALL, "abc"),
    ],
)
async def test_the_strategy_decides_who_shares_a_crash(
    autojump_clock: MockClock, strategy: Strategy, restarted: str
) -> None:
    journal = Journal()
    async with open_system(tree(*(script(name, journal) for name in "abc"), strategy=strategy)) as system:
        journal.clear()
        await crash(system, "/root/b")
        stops = [f"terminate {name} shutdown" for name in reversed(restarted) if name != "b"]
        assert journal == ["terminate b error", *stops, *(f"init {name}" for name in restarted)]


async def test_a_temporary_sibling_is_not_brought_back_by_one_for_all(autojump_clock: MockClock) -> None:
    temporary = script("t", restart=Restart.TEMPORARY)
    async with open_system(tree(script("a"), temporary, strategy=Strategy.ONE_FOR_ALL)) as system:
        await crash(system, "/root/a")
        assert [child.name for child in system.tree().children] == ["a"]


async def test_a_temporary_childs_crash_does_not_touch_its_siblings(autojump_clock: MockClock) -> None:
    temporary = script("t", restart=Restart.TEMPORARY)
    async with open_system(tree(script("a"), temporary, strategy=Strategy.ONE_FOR_ALL)) as system:
        await crash(system, "/root/t")
        assert system.inspect("/root/a").node.incarnation == 1


async def test_one_restart_too_many_ends_the_system_and_says_why(autojump_clock: MockClock) -> None:
    with pytest.raises(RootExited) as caught:
        await run_with_crashes(tree(script(), intensity=2, period_s=5), "/root/script", times=3)
    assert caught.value.reason == SHUTDOWN
    assert "more than 2 restarts" in caught.value.cause


async def test_restarts_outside_the_period_are_forgotten(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(), intensity=1, period_s=5)) as system:
        for _ in range(5):
            await crash(system, "/root/script")
            await trio.sleep(6)
        assert system.inspect("/root/script").node.restarts == 5


def test_a_restart_exactly_as_old_as_the_period_still_counts() -> None:
    window = RestartWindow(1, 5.0)
    assert window.add(0.0)
    assert not window.add(5.0)


async def test_a_supervisor_that_gives_up_is_restarted_by_the_one_above(autojump_clock: MockClock) -> None:
    inner = SupervisorSpec("inner", (script("a"), script("b")), intensity=0, backoff=NO_BACKOFF)
    async with open_system(tree(inner)) as system:
        await crash(system, "/root/inner/a")
        inner_node = system.inspect("/root/inner").node
        assert inner_node.incarnation == 2
        assert await system.address("/root/inner/b").ask(Echo(1), timeout=1) == 1
        assert system.statistics().escalations == 1


async def test_an_address_follows_its_actor_through_a_restart_of_the_supervisor(autojump_clock: MockClock) -> None:
    inner = SupervisorSpec("inner", (script("a"),), intensity=0, backoff=NO_BACKOFF)
    async with open_system(tree(inner)) as system:
        address = system.address("/root/inner/a")
        await address.ask(Echo(), timeout=1)
        await crash(system, "/root/inner/a")
        assert await address.ask(Echo(1), timeout=1) == 1


async def test_a_slow_crash_loop_is_ended_by_the_cap_on_failures_in_a_row(autojump_clock: MockClock) -> None:
    """Each round is slower than the window, so intensity alone would let it go on for ever."""

    class Slow(Script):
        async def init(self) -> None:
            await trio.sleep(4)
            self.ctx.tell_after(0.5, Crash())

    spec = tree(ChildSpec("slow", Slow), intensity=3, period_s=5, consecutive_failures_max=6)
    with pytest.raises(RootExited, match="7 times in a row"):
        async with open_system(spec):
            await trio.sleep(3600)


async def test_failures_in_a_row_are_forgotten_once_a_child_stayed_up(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(), intensity=1, period_s=5, consecutive_failures_max=1)) as system:
        for _ in range(4):
            await crash(system, "/root/script")
            await trio.sleep(20)


async def test_a_failed_start_at_boot_stops_what_was_started(autojump_clock: MockClock) -> None:
    journal = Journal()

    class Fails(Script):
        async def init(self) -> None:
            raise RuntimeError("no database")

    with pytest.raises(StartFailed) as caught:
        async with open_system(tree(script("a", journal), SupervisorSpec("inner", (ChildSpec("bad", Fails),)))):
            pytest.fail("the system opened")
    assert caught.value.path == "/root/inner/bad"
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert journal == ["init a", "terminate a shutdown"]


async def test_a_start_that_takes_too_long_fails(autojump_clock: MockClock) -> None:
    class Slow(Script):
        async def init(self) -> None:
            await trio.sleep(60)

    with pytest.raises(StartFailed, match="init_timeout"):
        async with open_system(tree(ChildSpec("slow", Slow, init_timeout_s=2))):
            pytest.fail("the system opened")
    assert trio.current_time() == pytest.approx(2)


async def test_a_start_that_fails_on_restart_counts_as_one_more_restart(autojump_clock: MockClock) -> None:
    async with open_system(tree(fails_to_start(2), intensity=3)) as system:
        await crash(system, "/root/script")
        node = system.inspect("/root/script").node
        assert (node.state, node.incarnation) == ("running", 4)
        assert system.tree().intensity_used == 3

    with pytest.raises(RootExited):
        await run_with_crashes(tree(fails_to_start(3), intensity=3), "/root/script", times=1)


async def test_backoff_delays_the_second_failure_in_a_row_and_fails_fast_meanwhile(
    autojump_clock: MockClock,
) -> None:
    backoff = Backoff(initial_s=10, factor=2, jitter=0)
    async with open_system(tree(script(), backoff=backoff)) as system:
        address = system.address("/root/script")
        await crash(system, "/root/script")
        assert system.inspect("/root/script").node.state == "running"
        await crash(system, "/root/script")
        assert system.inspect("/root/script").node.state == "backoff"
        with pytest.raises(ActorRestarting) as caught:
            await address.ask(Echo(), timeout=5)
        assert caught.value.retry_after_s == pytest.approx(10)
        assert system.now() == 0
        assert await address.ask(Echo("back"), timeout=15) == "back"
        assert system.now() == pytest.approx(10)


def test_backoff_grows_to_its_limit_within_its_jitter() -> None:
    backoff = Backoff(initial_s=1, factor=2, max_s=10, jitter=0.5)
    rng = random.Random(1)
    delays = [backoff.delay_s(failures, rng) for failures in range(1, 200)]
    assert delays[0] == 0
    assert all(
        0.5 * base <= delay <= 1.5 * base for base, delay in zip([1, 2, 4, 8, 10], delays[1:6], strict=True)
    )
    assert max(delays) <= 15


async def test_rest_for_one_waits_out_the_backoff_of_the_one_they_depend_on(autojump_clock: MockClock) -> None:
    backoff = Backoff(free=0, initial_s=10, jitter=0)
    spec = tree(script("a"), script("b"), script("c"), strategy=Strategy.REST_FOR_ONE, backoff=backoff)
    async with open_system(spec) as system:
        await crash(system, "/root/b")
        states = [child.state for child in system.tree().children]
        assert states == ["running", "backoff", "restarting"]
        await trio.sleep(11)
        assert [child.state for child in system.tree().children] == ["running"] * 3


async def test_queued_mail_survives_a_restart_and_the_message_in_hand_is_not_redelivered(
    autojump_clock: MockClock,
) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system:
        address = system.address("/root/script")
        address.tell(Crash())
        address.tell("after")
        await wait_all_tasks_blocked()
        assert journal == ["init script", "terminate script error", "init script", "told after"]


@pytest.mark.parametrize(
    ("policy", "told", "answered"),
    [(OnRestart.KEEP, True, True), (OnRestart.CALLS_ONLY, False, True), (OnRestart.DROP, False, False)],
)
async def test_the_restart_policy_decides_what_becomes_of_queued_mail(
    autojump_clock: MockClock, policy: OnRestart, told: bool, answered: bool
) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, mailbox=MailboxSpec(on_restart=policy)))) as system:
        address = system.address("/root/script")
        address.tell(Crash())
        address.tell("hello")
        if answered:
            assert await address.ask(Echo(1), timeout=1) == 1
        else:
            with pytest.raises(ActorDied):
                await address.ask(Echo(1), timeout=1)
        assert ("told hello" in journal) is told
        assert system.dead_letters.counts["restart"] == (not told) + (not answered)


async def test_a_crash_in_a_background_task_crashes_the_incarnation(autojump_clock: MockClock) -> None:
    journal = Journal()

    async def fails() -> None:
        await trio.sleep(1)
        raise KeyError("in the background")

    async with open_system(tree(script(journal=journal))) as system:
        await system.address("/root/script").ask(Do(lambda a: a.ctx.start_task(fails)), timeout=1)
        await trio.sleep(2)
        assert journal == ["init script", "terminate script error", "init script"]
        (record,) = system.inspect("/root/script").exits
        assert record.reason == "error(KeyError: 'in the background')"
        assert record.frames[-1].function.endswith("fails")


async def test_background_tasks_end_with_their_incarnation(autojump_clock: MockClock) -> None:
    ended: list[str] = []

    async def forever() -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append("background")

    async with open_system(tree(script())) as system:
        await system.address("/root/script").ask(Do(lambda a: a.ctx.start_task(forever)), timeout=1)
        await wait_all_tasks_blocked()
        await crash(system, "/root/script")
        assert ended == ["background"]


async def test_cancellation_and_errors_of_a_handlers_own_nursery_are_told_apart(autojump_clock: MockClock) -> None:
    async def fan_out(actor: Script) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep, 1)
            await trio.sleep(0.5)
            raise ValueError("half way")

    async with open_system(tree(script())) as system:
        with pytest.raises(ActorDied) as caught:
            await system.address("/root/script").ask(Do(fan_out), timeout=5)
        assert isinstance(caught.value.__cause__, ValueError)
        assert await system.address("/root/script").ask(Echo(1), timeout=1) == 1


async def test_keyboard_interrupt_goes_to_the_root(autojump_clock: MockClock) -> None:
    spec = tree(SupervisorSpec("inner", (script(),)))
    with pytest.raises(KeyboardInterrupt):
        await run_with_crashes(spec, "/root/inner/script", times=1, error=KeyboardInterrupt())


async def test_a_supervisor_ends_when_its_significant_child_is_done(autojump_clock: MockClock) -> None:
    inner = SupervisorSpec(
        "inner",
        (script("main", restart=Restart.TRANSIENT, significant=True), script("helper")),
        auto_shutdown=AutoShutdown.ANY_SIGNIFICANT,
        restart=Restart.TRANSIENT,
    )
    async with open_system(tree(inner)) as system:
        await system.address("/root/inner/main").ask(Do(lambda a: a.ctx.stop()), timeout=1)
        await wait_all_tasks_blocked()
        assert system.inspect("/root/inner").node.state == "stopped"
        with pytest.raises(NoSuchActor):
            await system.address("/root/inner/helper").ask(Echo(), timeout=60)


async def test_a_child_can_be_added_stopped_and_brought_back(autojump_clock: MockClock) -> None:
    async with open_system(tree(script("a"))) as system:
        address = await system.start_child("/root", script("b"))
        assert await address.ask(Echo(1), timeout=1) == 1
        with pytest.raises(ChildExists):
            await system.start_child("/root", script("b"))
        await system.stop_child("/root/b")
        assert system.inspect("/root/b").node.state == "stopped"
        with pytest.raises(ActorDied):
            await address.ask(Echo(), timeout=60)
        await system.restart("/root/b")
        assert await address.ask(Echo(2), timeout=1) == 2
        assert system.tree().intensity_used == 0


async def test_a_child_that_does_not_start_is_not_added(autojump_clock: MockClock) -> None:
    class Fails(Script):
        async def init(self) -> None:
            raise RuntimeError("no")

    async with open_system(tree(script("a"))) as system:
        with pytest.raises(StartFailed):
            await system.start_child("/root", ChildSpec("bad", Fails))
        assert [child.name for child in system.tree().children] == ["a"]
        await wait_all_tasks_blocked()
        assert system.tree().intensity_used == 0


async def test_an_operators_restart_keeps_the_mail(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal))) as system, trio.open_nursery() as nursery:
        address = system.address("/root/script")
        address.tell(Work(1, "current"))
        await wait_all_tasks_blocked()
        nursery.start_soon(system.restart, "/root/script")
        await wait_all_tasks_blocked()
        assert address.tell("next") is TellOutcome.ACCEPTED
        await trio.sleep(2)
        assert journal == ["init script", "done current", "terminate script shutdown", "init script", "told next"]


def test_specs_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="distinct"):
        SupervisorSpec("root", (script("a"), script("a")))
    with pytest.raises(ValueError, match="at least one message"):
        MailboxSpec(capacity=0)
    with pytest.raises(ValueError, match="segment"):
        script("a/b")
    with pytest.raises(ValueError, match="deep"):
        reduce(lambda below, _: SupervisorSpec("s", (below,)), range(10), SupervisorSpec("s"))
