"""Stopping at any instant: in the middle of starts, crashes, calls and passivations, in order or all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

import trio
from hypothesis import given
from hypothesis import strategies as st

from greenroom.supervisor import (
    Actor,
    ActorSystem,
    AskError,
    Backoff,
    ChildSpec,
    Down,
    DynamicSpec,
    ExitReason,
    Request,
    SupervisorSpec,
    open_system,
)
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

TERMINATE_S = 1.0
SLACK_S = 1.0
"""What the ladder takes on top of its deadline and of ``terminate``: a few tenths at each of three levels."""


@dataclass(frozen=True, slots=True)
class Order:
    """Something to do; the flags say what else it leads to."""

    work_s: float = 0.0
    crashes: bool = False
    hires: bool = False  # start a background task that never ends by itself
    sets_alarm: bool = False
    watches: bool = False
    asks_on: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    order: Order


@dataclass(frozen=True, slots=True)
class Asked(Request[str]):
    order: Order


@dataclass(frozen=True, slots=True)
class Alarm:
    pass


@dataclass(slots=True)
class Ledger:
    present: Counter[str] = field(default_factory=Counter)
    told: int = 0
    told_and_begun: int = 0
    asked: int = 0
    answered: int = 0


class Hand(Actor[Told | Asked | Alarm]):
    """Does what it is ordered to, with everything an incarnation can hold."""

    def __init__(
        self, ledger: Ledger, system: list[ActorSystem], *, init_s: float = 0.0, end_s: float = 0.0
    ) -> None:
        self._ledger = ledger
        self._system = system
        self._init_s = init_s
        self._end_s = end_s

    async def init(self) -> None:
        await trio.sleep(self._init_s)
        self._ledger.present[self.ctx.path] += 1
        assert self._ledger.present[self.ctx.path] == 1, f"two live incarnations of {self.ctx.path}"

    async def handle(self, message: Told | Asked | Alarm) -> object:
        if isinstance(message, Alarm):
            return None
        self._ledger.told_and_begun += isinstance(message, Told)
        order = message.order
        if order.hires:
            self.ctx.start_task(trio.sleep_forever)
        if order.sets_alarm:
            self.ctx.tell_after(3.0, Alarm())
        if order.watches:
            self.ctx.monitor(self._system[0].address("/root/team/slow"))
        if order.asks_on:
            with suppress(AskError):
                await self._system[0].address("/root/first").ask(Asked(Order(0.5)), timeout=2.0)
        await trio.sleep(order.work_s)
        if order.crashes:
            raise ValueError(order)
        return "done"

    async def handle_down(self, down: Down) -> None:
        pass

    async def terminate(self, reason: ExitReason) -> None:
        self._ledger.present[self.ctx.path] -= 1
        await trio.sleep(self._end_s)


class End(Enum):
    LEAVE = "leave the block"
    SHUTDOWN = "call shutdown"
    CANCEL = "cancel the block"
    RAISE = "raise in the block"


class StopTheShowError(Exception):
    """What a test raises in the block."""


@dataclass(frozen=True, slots=True)
class Act:
    to: str
    order: Order
    is_asked: bool
    after_s: float


def tree(ledger: Ledger, system: list[ActorSystem]) -> SupervisorSpec:
    def hand(init_s: float = 0.0, end_s: float = 0.0) -> Hand:
        return Hand(ledger, system, init_s=init_s, end_s=end_s)

    backoff = Backoff(free=1, initial_s=0.5)
    many = 1_000_000
    return patient(
        ChildSpec("first", hand, terminate_s=TERMINATE_S),
        SupervisorSpec(
            "team",
            (
                ChildSpec("slow", lambda: hand(init_s=0.5, end_s=0.5), terminate_s=TERMINATE_S),
                DynamicSpec(
                    "guests",
                    "guest",
                    lambda _key: hand(init_s=0.25, end_s=0.25),
                    passivate_after_s=1.0,
                    terminate_s=TERMINATE_S,
                    intensity=many,
                    backoff=backoff,
                ),
            ),
            intensity=many,
            backoff=backoff,
        ),
        ChildSpec("endless", lambda: hand(end_s=100.0), terminate_s=TERMINATE_S),
        backoff=backoff,
    )


async def order_about(system: ActorSystem, ledger: Ledger, acts: Sequence[Act]) -> None:
    async def ask(act: Act) -> None:
        ledger.asked += 1
        with suppress(AskError), trio.fail_after(30.0 + 1e-6):
            await system.address(act.to).ask(Asked(act.order), timeout=30.0)
        ledger.answered += 1

    async with trio.open_nursery() as nursery:
        for act in acts:
            await trio.sleep(act.after_s)
            if act.is_asked:
                nursery.start_soon(ask, act)
            else:
                ledger.told += 1
                system.address(act.to).tell(Told(act.order))


async def stop_in_the_middle(acts: Sequence[Act], after_s: float, end: End, timeout_s: float) -> None:
    ledger = Ledger()
    holder: list[ActorSystem] = []
    with trio.CancelScope() as block:
        async with trio.open_nursery() as outside:
            tasks_before = count_tasks()
            try:
                async with open_system(tree(ledger, holder), shutdown_s=timeout_s) as system:
                    holder.append(system)
                    outside.start_soon(order_about, system, ledger, acts)
                    await trio.sleep(after_s)
                    ends_at = trio.current_time()
                    match end:
                        case End.SHUTDOWN:
                            report = await system.shutdown(timeout_s)
                            assert report.wedged == ()
                        case End.CANCEL:
                            outside.cancel_scope.cancel(reason="the test says so")
                        case End.RAISE:
                            raise StopTheShowError
            except StopTheShowError:
                assert end is End.RAISE
            took_s = trio.current_time() - ends_at
            assert took_s <= (0.0 if end is End.CANCEL else timeout_s) + TERMINATE_S + SLACK_S
            assert leftovers(system) == []
            assert +ledger.present == Counter(), "an actor was not given its terminate()"
            if end is End.CANCEL:
                return
            # Those outside go on and hear that nobody is there any more; the system has left no task behind.
            await trio.sleep(60.0)
            assert count_tasks() == tasks_before
            assert ledger.answered == ledger.asked
            letters = Counter(letter.message_type for letter in system.dead_letters)
            assert letters["Told"] == ledger.told - ledger.told_and_begun
    assert not block.cancelled_caught


def count_tasks() -> int:
    """Tasks of this run, Trio's own included."""
    return trio.lowlevel.current_statistics().tasks_living


orders = st.builds(
    Order,
    work_s=st.sampled_from([0.0, 0.0, 0.5, 2.0]),
    crashes=st.sampled_from([False, False, True]),
    hires=st.booleans(),
    sets_alarm=st.booleans(),
    watches=st.booleans(),
    asks_on=st.booleans(),
)
acts = st.builds(
    Act,
    to=st.sampled_from(
        ["/root/first", "/root/team/slow", "/root/endless", "/root/team/guests/x", "/root/team/guests/y"]
    ),
    order=orders,
    is_asked=st.booleans(),
    after_s=st.sampled_from([0.0, 0.0, 0.25, 0.5]),
)


@given(
    acts=st.lists(acts, max_size=25),
    after_s=st.integers(0, 24).map(lambda eighths: eighths / 8),
    end=st.sampled_from(End),
    timeout_s=st.sampled_from([0.0, 1.0, 10.0]),
    seed=seeds,
)
@examples(80)
def test_a_stop_at_any_instant_is_in_time_and_leaves_nothing(
    acts: list[Act], after_s: float, end: End, timeout_s: float, seed: int
) -> None:
    run_seeded(stop_in_the_middle, acts, after_s, end, timeout_s, seed=seed)


class Barnacle(Actor[Told]):
    """Shields itself for ever, which no kernel on Trio can end."""

    def __init__(self, pry_off: trio.Event) -> None:
        self._pry_off = pry_off

    async def handle(self, message: Told) -> None:
        with trio.CancelScope(shield=True):
            await self._pry_off.wait()


@given(shutdown_s=st.sampled_from([0.0, 1.0, 5.0]), timeout_s=st.sampled_from([0.0, 2.0, 30.0]), seed=seeds)
@examples(20)
def test_an_actor_that_shields_itself_for_ever_is_reported_wedged_in_time_and_holds_up_nobody(
    shutdown_s: float, timeout_s: float, seed: int
) -> None:
    async def main() -> None:
        ledger = Ledger()
        pry_off = trio.Event()
        barnacle = ChildSpec("barnacle", lambda: Barnacle(pry_off), shutdown_s=shutdown_s)
        first = ChildSpec("first", lambda: Hand(ledger, []))
        async with open_system(patient(first, SupervisorSpec("hull", (barnacle,)))) as system:
            try:
                system.address("/root/hull/barnacle").tell(Told(Order()))
                await trio.sleep(0.1)
                for _ in range(3):
                    system.address("/root/first").tell(Told(Order(work_s=1.0)))
                started = trio.current_time()

                report = await system.shutdown(timeout_s)

                took_s = trio.current_time() - started
                assert report.wedged == ("/root/hull/barnacle",)
                assert took_s <= timeout_s + TERMINATE_S + SLACK_S
                assert +ledger.present == Counter(), "its neighbour was stopped as usual"
                if timeout_s == 30.0:
                    assert ledger.told_and_begun == 3, "its neighbour could work off its mail"
                    assert took_s <= shutdown_s + 3.0 + 2 * (TERMINATE_S + SLACK_S)
            finally:
                pry_off.set()
        assert leftovers(system) == []

    run_seeded(main, seed=seed)
