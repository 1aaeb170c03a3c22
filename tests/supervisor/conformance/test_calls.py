"""Calls within calls: what a call inherits from the one it is made in, and calls that would wait for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

import trio
from hypothesis import given
from hypothesis import strategies as st

from greenroom.supervisor import (
    Actor,
    ActorSystem,
    AskTimeout,
    CallCycle,
    ChildSpec,
    Request,
    open_system,
)
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

NAMES = "abcd"


class Way(Enum):
    ASK = "ask"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Hop:
    """One call: to whom, how long the caller waits, in a scope of what length, and how long the callee works first."""

    to: str
    way: Way
    timeout_s: float
    scope_s: float | None
    work_s: float

    @property
    def path(self) -> str:
        return f"/root/{self.to}"


@dataclass(frozen=True, slots=True)
class Errand(Request[str]):
    """A route of calls, each made by the callee of the one before."""

    number: int
    route: tuple[Hop, ...]
    at: int = 0

    @property
    def hop(self) -> Hop:
        return self.route[self.at]

    def next(self) -> Errand | None:
        return Errand(self.number, self.route, self.at + 1) if self.at + 1 < len(self.route) else None

    def waiting(self) -> tuple[str, ...]:
        """Who waits, directly or not, for the answer of this hop: all callees before that asked rather than
        forwarded."""
        pairs = zip(self.route, self.route[1 : self.at + 1], strict=False)
        return tuple(caller.path for caller, call in pairs if call.way is Way.ASK)


@dataclass(slots=True)
class Ledger:
    """By errand and hop: the deadline each call was made with, and each deadline its callee saw."""

    made_by: dict[tuple[int, int], float] = field(default_factory=dict)
    seen: dict[tuple[int, int], float] = field(default_factory=dict)


class Runner(Actor[Errand]):
    def __init__(self, system: list[ActorSystem], ledger: Ledger) -> None:
        self._system = system
        self._ledger = ledger

    async def handle(self, errand: Errand) -> str | None:
        now, id_ = trio.current_time(), (errand.number, errand.at)
        assert now < self.ctx.deadline, "an expired request was handled"
        assert id_ not in self._ledger.seen, "a request was handled twice"
        self._ledger.seen[id_] = self.ctx.deadline
        await trio.sleep(errand.hop.work_s)
        onward = errand.next()
        if onward is None:
            return "an answer"
        if onward.hop.way is Way.ASK:
            await call(self._system[0], onward, self._ledger, inherited=self.ctx.deadline)
            return "an answer"
        self._ledger.made_by[onward.number, onward.at] = self.ctx.deadline
        self.ctx.forward(self._system[0].address(onward.hop.path), onward)
        return None


async def call(system: ActorSystem, errand: Errand, ledger: Ledger, *, inherited: float) -> None:
    """Make one call and check what comes of it."""
    hop, now = errand.hop, trio.current_time()
    scope_deadline = now + hop.scope_s if hop.scope_s is not None else float("inf")
    deadline = min(inherited, now + hop.timeout_s, scope_deadline)
    ledger.made_by[errand.number, errand.at] = deadline
    answer = "cancelled"
    with trio.CancelScope(deadline=scope_deadline):
        try:
            answer = await system.address(hop.path).ask(errand, timeout=hop.timeout_s)
        except AskTimeout:
            answer = "timeout"
        except CallCycle as cycle:
            answer = " -> ".join(cycle.chain)
    # To the nanosecond: deadlines are sums of the same terms, made in another order.
    assert trio.current_time() <= max(now, deadline) + 1e-9, "resolved after its deadline"
    if answer == "timeout":
        assert trio.current_time() >= min(inherited, now + hop.timeout_s)
    if hop.path in errand.waiting():
        assert answer == " -> ".join((*errand.waiting(), hop.path))
        assert trio.current_time() == now, "a cycle is refused at once"


async def run_errands(routes: Sequence[Sequence[Hop]]) -> None:
    ledger = Ledger()
    holder: list[ActorSystem] = []
    runners = (ChildSpec(name, lambda: Runner(holder, ledger)) for name in NAMES)
    async with open_system(patient(*runners)) as system:
        holder.append(system)
        async with trio.open_nursery() as nursery:
            for number, route in enumerate(routes):
                errand = Errand(number, tuple(route))
                nursery.start_soon(partial(call, inherited=float("inf")), system, errand, ledger)
        await trio.sleep(600.0)
        for id_, deadline in ledger.seen.items():
            assert abs(deadline - ledger.made_by[id_]) < 1e-9, "a deadline got lost on its way"
        lost = [(number, at) for number, at in ledger.made_by if (number, at) not in ledger.seen]
        cycles = [
            errand
            for errand in (Errand(number, tuple(routes[number]), at) for number, at in lost)
            if errand.hop.path in errand.waiting()
        ]
        # What was never handled had expired in a mailbox (or its asker was cancelled meanwhile), or was refused.
        counts = system.dead_letters.counts
        assert counts["expired"] + counts["abandoned"] == len(lost) - len(cycles)
        assert system.dead_letters.total == len(lost) - len(cycles)
    assert leftovers(system) == []


hops = st.builds(
    Hop,
    to=st.sampled_from(NAMES),
    way=st.sampled_from([Way.ASK, Way.ASK, Way.FORWARD]),
    timeout_s=st.sampled_from([0.0, 0.5, 1.0, 2.0, 60.0, 60.0]),
    scope_s=st.sampled_from([None, None, None, 0.75]),
    work_s=st.sampled_from([0.0, 0.0, 0.25, 1.0]),
)


@given(routes=st.lists(st.lists(hops, min_size=1, max_size=6), min_size=1, max_size=3), seed=seeds)
@examples(100)
def test_a_call_inherits_deadline_and_chain_from_the_call_it_is_made_in(
    routes: list[list[Hop]], seed: int
) -> None:
    run_seeded(run_errands, routes, seed=seed)
