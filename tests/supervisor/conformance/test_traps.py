"""Traps that actor kernels on Trio have fallen into, one test or more for each, in the order of a story.

Most of them are public: the nursery that cancels healthy siblings, the late reply that kills its server (triotp 0.3.1),
the timeout that does not cover waiting for room, the restart window that never trips (erlang/otp#1287), the queue
full of calls nobody waits for any more (erlang/otp#1693), the shield that holds up a shutdown for ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from trio._core import _run as trio_run_loop
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import (
    Actor,
    ActorDied,
    AskTimeout,
    ChildSpec,
    ExitReason,
    MailboxFull,
    MailboxSpec,
    Overflow,
    Request,
    RootExited,
    SupervisorSpec,
    TellOutcome,
    open_system,
)
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import run_seeded

SEEDS = range(5)


@dataclass(frozen=True, slots=True)
class Do(Request[Any]):
    """Has the actor run this function on itself."""

    fn: Callable[[Doer], Awaitable[object]]


class Doer(Actor[Do]):
    """Does whatever it is sent. ``ends`` gets the reason of each end."""

    def __init__(self, ends: list[ExitReason] | None = None, *, init_s: float = 0.0, end_s: float = 0.0) -> None:
        self._ends = ends if ends is not None else []
        self._init_s = init_s
        self._end_s = end_s

    async def init(self) -> None:
        await trio.sleep(self._init_s)

    async def handle(self, message: Do) -> object:
        return await message.fn(self)

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(self._end_s)
        self._ends.append(reason)


def doer(name: str = "doer", **settings: Any) -> ChildSpec:
    return ChildSpec(name, Doer, **settings)


async def crash(_: Doer) -> None:
    raise ValueError("as asked")


async def nothing(_: Doer) -> str:
    return "done"


def working(seconds: float) -> Do:
    async def work(_: Doer) -> str:
        await trio.sleep(seconds)
        return "done"

    return Do(work)


@pytest.fixture(params=SEEDS)
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Runs a test's body under a few seeded schedules."""
    return lambda main: run_seeded(main, seed=request.param)


# 1. A nursery is not a supervisor.


def test_a_crash_does_not_cancel_a_sibling_half_way_through_its_message(run: Any) -> None:
    async def main() -> None:
        async with open_system(patient(doer("a"), doer("b"))) as system, trio.open_nursery() as nursery:
            answers: list[str] = []

            async def ask() -> None:
                answers.append(await system.address("/root/b").ask(working(1.0), timeout=5.0))

            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            system.address("/root/a").tell(Do(crash))
            await trio.sleep(2.0)
            assert answers == ["done"]
            assert system.inspect("/root/b").node.incarnation == 1

    run(main)


def test_a_group_of_exceptions_is_one_crash_with_all_of_them(run: Any) -> None:
    async def crash_twice(_: Doer) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crash, _)
            nursery.start_soon(crash, _)

    async def main() -> None:
        async with open_system(patient(doer())) as system:
            with pytest.raises(ActorDied) as died:
                await system.address("/root/doer").ask(Do(crash_twice), timeout=5.0)
            cause = died.value.__cause__
            assert isinstance(cause, ExceptionGroup)
            assert len(cause.exceptions) == 2
            await wait_all_tasks_blocked()
            assert system.statistics().restarts == 1

    run(main)


def test_a_keyboard_interrupt_leaves_the_system_even_from_inside_a_group(run: Any) -> None:
    async def interrupt(_: Doer) -> None:
        raise BaseExceptionGroup("mixed company", [ValueError("a bug"), KeyboardInterrupt()])

    ends: list[ExitReason] = []

    async def main() -> None:
        neighbour = ChildSpec("neighbour", lambda: Doer(ends))
        async with open_system(patient(neighbour, SupervisorSpec("deep", (doer(),)))) as system:
            system.address("/root/deep/doer").tell(Do(interrupt))
            await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        run(main)
    assert len(ends) == 1, "the neighbour was not given its terminate()"


# 2. A cancel scope does not cross from task to task.


def test_a_handler_sees_its_askers_deadline_and_nested_calls_keep_it(run: Any) -> None:
    deadlines: list[float] = []

    async def main() -> None:
        async with open_system(patient(doer("a"), doer("b"))) as system:

            async def note(self: Doer) -> None:
                deadlines.append(self.ctx.deadline)

            async def call_on(self: Doer) -> None:
                deadlines.append(self.ctx.deadline)
                await system.address("/root/b").ask(Do(note), timeout=60.0)

            await system.address("/root/a").ask(Do(call_on), timeout=3.0)
            with trio.move_on_after(2.0):
                await system.address("/root/a").ask(Do(call_on), timeout=60.0)
            assert deadlines == [3.0, 3.0, 2.0, 2.0]

    run(main)


# 3. A late reply.


@pytest.mark.parametrize("gives_up_by", ["timeout", "cancel"])
def test_a_late_reply_harms_nobody_and_is_counted(run: Any, gives_up_by: str) -> None:
    async def main() -> None:
        async with open_system(patient(doer())) as system:
            address = system.address("/root/doer")
            if gives_up_by == "timeout":
                with pytest.raises(AskTimeout):
                    await address.ask(working(2.0), timeout=1.0)
            else:
                with trio.move_on_after(1.0):
                    await address.ask(working(2.0), timeout=60.0)
            await trio.sleep(2.0)
            assert await address.ask(Do(nothing), timeout=1.0) == "done"
            assert system.statistics().late_replies == 1
            assert system.inspect(address.path).node.incarnation == 1

    run(main)


# 4. A timeout that does not cover waiting for room.


def test_a_timeout_covers_waiting_for_room(run: Any) -> None:
    async def main() -> None:
        mailbox = MailboxSpec(capacity=1, overflow=Overflow.BLOCK)
        async with open_system(patient(doer(mailbox=mailbox))) as system:
            address = system.address("/root/doer")
            address.tell(working(5.0))
            await wait_all_tasks_blocked()
            address.tell(working(5.0))
            started = trio.current_time()

            with pytest.raises(AskTimeout) as late:
                await address.ask(Do(nothing), timeout=0.25)
            assert trio.current_time() == started + 0.25
            with pytest.raises(MailboxFull):
                await address.send(Do(nothing), timeout=0.25)
            assert trio.current_time() == started + 0.5

            assert (late.value.queue_s, late.value.handler_s) == (0.25, None)
            assert late.value.target_state == "handling"

    run(main)


# 5. A mailbox of no capacity.


def test_a_mailbox_holds_at_least_one_message() -> None:
    with pytest.raises(ValueError, match="at least one"):
        MailboxSpec(capacity=0)


def test_actors_that_tell_themselves_and_each_other_never_wait(run: Any) -> None:
    async def main() -> None:
        tiny = MailboxSpec(capacity=1)
        async with open_system(patient(doer("a", mailbox=tiny), doer("b", mailbox=tiny))) as system:
            outcomes: list[TellOutcome] = []

            def telling(to: str) -> Do:
                async def tell(_: Doer) -> None:
                    outcomes.extend(system.address(to).tell(Do(nothing)) for _ in range(2))

                return Do(tell)

            system.address("/root/a").tell(telling("/root/a"))
            await wait_all_tasks_blocked()
            system.address("/root/a").tell(telling("/root/b"))
            system.address("/root/b").tell(telling("/root/a"))
            await wait_all_tasks_blocked()
            assert len(outcomes) == 6
            assert outcomes[:2] == [TellOutcome.ACCEPTED, TellOutcome.REJECTED]

    run(main)


# 6. A message lost after it was taken from the mailbox.


@pytest.mark.parametrize("end", ["stop", "restart", "budget"])
def test_whoever_asked_for_the_message_in_hand_hears_at_once_that_it_is_lost(run: Any, end: str) -> None:
    async def main() -> None:
        spec = doer(shutdown_s=0.0 if end == "stop" else 1.0, message_budget_s=1.0 if end == "budget" else None)
        async with open_system(patient(spec)) as system, trio.open_nursery() as nursery:
            heard_at: list[float] = []

            async def ask() -> None:
                with pytest.raises(ActorDied):
                    await system.address("/root/doer").ask(working(100.0), timeout=60.0)
                heard_at.append(trio.current_time())

            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            if end == "stop":
                await system.stop_child("/root/doer")
            elif end == "restart":
                await system.restart("/root/doer")
            else:
                await trio.sleep(1.0)
            await wait_all_tasks_blocked()
            assert heard_at == [{"stop": 0.0, "restart": 1.0, "budget": 1.0}[end]]
            assert system.inspect("/root/doer").node.failed == 1

    run(main)


# 7. Waiting while being cancelled.


@pytest.mark.parametrize(("end_s", "finishes"), [(0.5, True), (5.0, False)])
def test_terminate_may_wait_while_it_is_cancelled_but_not_for_ever(run: Any, end_s: float, finishes: bool) -> None:
    async def main() -> None:
        ends: list[ExitReason] = []
        spec = ChildSpec("doer", lambda: Doer(ends, end_s=end_s), shutdown_s=0.0, terminate_s=1.0)
        async with open_system(patient(spec)) as system:
            await system.stop_child("/root/doer")
            assert trio.current_time() == min(end_s, 1.0)
            assert len(ends) == finishes

    run(main)


# 8. A restart window that never trips.


def test_a_crash_loop_slower_than_the_window_still_ends(run: Any) -> None:
    starts: list[float] = []

    class SlowStarter(Doer):
        async def init(self) -> None:
            starts.append(trio.current_time())
            await trio.sleep(4.0)
            raise ValueError("no database, say")

    async def main() -> None:
        # The first start must succeed, or the boot fails instead.
        behaviours = iter([Doer])
        spec = ChildSpec("slow", lambda: next(behaviours, SlowStarter)())
        async with open_system(SupervisorSpec("root", (spec,), intensity=3, period_s=5.0)) as system:
            system.address("/root/slow").tell(Do(crash))
            await trio.sleep_forever()

    with pytest.raises(RootExited, match="in a row"):
        run(main)
    assert 4 < len(starts) <= 14


# 9. Grandchildren orphaned by a supervisor with a short shutdown.


def test_a_supervisor_killed_at_once_takes_its_grandchildren_along(run: Any) -> None:
    async def main() -> None:
        ends: list[ExitReason] = []
        children = tuple(ChildSpec(name, lambda: Doer(ends, end_s=0.5)) for name in "abc")
        inner = SupervisorSpec("inner", children)
        async with open_system(patient(SupervisorSpec("outer", (inner,), shutdown_s=0.0))) as system:
            tasks = trio.lowlevel.current_statistics().tasks_living

            await system.stop_child("/root/outer")

            assert len(ends) == 3
            assert trio.lowlevel.current_statistics().tasks_living == tasks - 5
            assert [node.path for node in (await system.rank()).actors] == []

    run(main)


# 10. Goodput collapse.


def test_under_overload_no_work_is_done_that_nobody_waits_for(run: Any) -> None:
    begun: list[float] = []

    async def work(self: Doer) -> str:
        assert trio.current_time() < self.ctx.deadline
        begun.append(trio.current_time())
        await trio.sleep(0.5)
        return "done"

    async def main() -> None:
        async with open_system(patient(doer())) as system:
            results: list[str] = []

            async def ask() -> None:
                try:
                    results.append(await system.address("/root/doer").ask(Do(work), timeout=1.75))
                except AskTimeout:
                    results.append("timeout")

            async with trio.open_nursery() as nursery:
                for _ in range(100):
                    nursery.start_soon(ask)
            # The fourth was begun in time and finished late; the other 96 were never begun.
            assert (results.count("done"), results.count("timeout")) == (3, 97)
            assert begun == [0.0, 0.5, 1.0, 1.5]
            started = trio.current_time()
            assert await system.address("/root/doer").ask(Do(nothing), timeout=1.0) == "done"
            assert trio.current_time() <= started + 0.25
            assert system.dead_letters.counts["expired"] == 96

    run(main)


# 11. Cancelled swallowed on the way.


def test_a_cancellation_from_outside_passes_through_a_group_of_failures(run: Any) -> None:
    async def fail_when_cancelled() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("cleaning up went wrong")

    async def gather(_: Doer) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_when_cancelled)
            nursery.start_soon(trio.sleep_forever)

    async def main() -> None:
        with trio.move_on_after(1.0) as scope:
            async with open_system(patient(doer(), SupervisorSpec("deep", (doer(),)))) as system:
                system.address("/root/doer").tell(Do(gather))
                system.address("/root/deep/doer").tell(Do(gather))
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert trio.current_time() == 1.0
        assert leftovers(system) == []

    run(main)


def test_a_behaviour_cancelled_by_its_supervisor_does_not_pass_for_a_crash(run: Any) -> None:
    async def main() -> None:
        ends: list[ExitReason] = []
        spec = ChildSpec("doer", lambda: Doer(ends), shutdown_s=1.0)
        async with open_system(patient(spec)) as system:
            system.address("/root/doer").tell(working(100.0))
            await wait_all_tasks_blocked()
            await system.stop_child("/root/doer")
            assert [reason.kind.value for reason in ends] == ["shutdown_timeout"]

    run(main)


# 12. A scope or a nursery per message.


def test_messages_open_neither_scopes_nor_nurseries(run: Any) -> None:
    opened: list[str] = []

    def counting(name: str) -> Callable[..., Any]:
        real = getattr(trio, name)

        def count(*args: Any, **kwargs: Any) -> Any:
            opened.append(name)
            return real(*args, **kwargs)

        return count

    async def main() -> None:
        async with open_system(patient(doer())) as system:
            address = system.address("/root/doer")
            assert await address.ask(Do(nothing), timeout=60.0) == "done"
            with pytest.MonkeyPatch.context() as patch:
                for name in (
                    "CancelScope",
                    "open_nursery",
                    "move_on_after",
                    "fail_after",
                    "move_on_at",
                    "fail_at",
                ):
                    patch.setattr(trio, name, counting(name))
                for _ in range(100):
                    address.tell(Do(nothing))
                    assert await address.ask(Do(nothing), timeout=60.0) == "done"
            assert opened == []

    run(main)


# 13. Instruments, which every task step pays for.


def test_a_system_installs_no_instrument(run: Any) -> None:
    def installed() -> list[object]:
        return list(trio_run_loop.GLOBAL_RUN_CONTEXT.runner.instruments["_all"])

    async def main() -> None:
        before = installed()
        async with open_system(patient(doer())) as system:
            await system.address("/root/doer").ask(Do(nothing), timeout=1.0)
            assert installed() == before

    run(main)
