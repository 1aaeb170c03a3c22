"""Passivation races: messages that come while an actor falls idle, stops, or starts again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import trio
from hypothesis import given
from hypothesis import strategies as st

from greenroom.supervisor import (
    Actor,
    ActorSystem,
    Address,
    ChildSpec,
    DynamicSpec,
    ExitReason,
    NoSuchActor,
    Request,
    SupervisorSpec,
    TellOutcome,
    open_system,
)
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Remark(Request[int]):
    """The ``number``-th message of a sender, which is also the reply. Handling it takes ``work_s``."""

    sender: int
    number: int
    work_s: float = 0.0
    then_passivate: bool = False


class Ledger:
    """What happened to the guests: who was there, and which remarks they heard in which order."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        self.heard: dict[str, list[Remark]] = defaultdict(list)
        self.lives: dict[str, int] = defaultdict(int)


class Guest(Actor[Remark]):
    """Takes its time to come and to go, so that there is time for a race on either side."""

    def __init__(self, ledger: Ledger, init_s: float, terminate_s: float) -> None:
        self._ledger = ledger
        self._init_s = init_s
        self._terminate_s = terminate_s

    async def init(self) -> None:
        path = self.ctx.path
        assert path not in self._ledger.present, f"two live incarnations of {path}"
        self._ledger.present.add(path)
        self._ledger.lives[path] += 1
        await trio.sleep(self._init_s)

    async def handle(self, remark: Remark) -> int:
        self._ledger.heard[self.ctx.path].append(remark)
        if remark.then_passivate:
            self.ctx.passivate()
        await trio.sleep(remark.work_s)
        return remark.number

    async def terminate(self, reason: ExitReason) -> None:
        await trio.sleep(self._terminate_s)
        self._ledger.present.remove(self.ctx.path)


class Way(Enum):
    TELL = "tell"
    SEND = "send"
    ASK = "ask"
    PASSIVATE = "passivate"  # an operator does


@dataclass(frozen=True, slots=True)
class Act:
    way: Way
    key: str
    after_s: float
    work_s: float
    then_passivate: bool


def tree(ledger: Ledger, init_s: float, terminate_s: float) -> SupervisorSpec:
    """Guests a, b and c; the first two are virtual, the third is a static child that may be passivated as well."""

    def guest() -> Guest:
        return Guest(ledger, init_s, terminate_s)

    return patient(
        DynamicSpec("guests", "guest", lambda _key: guest(), passivate_after_s=IDLE_S),
        ChildSpec("c", guest, passivate_after_s=IDLE_S),
    )


def address_of(system: ActorSystem, key: str) -> Address[Remark]:
    return system.address("/root/c") if key == "c" else system.virtual("guest", key)


async def mingle(system: ActorSystem, sender: int, acts: Sequence[Act]) -> None:
    for number, act in enumerate(acts):
        await trio.sleep(act.after_s)
        address = address_of(system, act.key)
        remark = Remark(sender, number, act.work_s, act.then_passivate)
        match act.way:
            case Way.TELL:
                assert address.tell(remark) is TellOutcome.ACCEPTED
            case Way.SEND:
                await address.send(remark, timeout=60.0)
            case Way.ASK:
                assert await address.ask(remark, timeout=60.0) == number
            case Way.PASSIVATE:
                with suppress(NoSuchActor):  # asleep, or never woken
                    await system.passivate(address.path)


async def party(scripts: Sequence[Sequence[Act]], init_s: float, terminate_s: float) -> None:
    ledger = Ledger()
    async with open_system(tree(ledger, init_s, terminate_s)) as system:
        async with trio.open_nursery() as nursery:
            for sender, acts in enumerate(scripts):
                nursery.start_soon(mingle, system, sender, acts)
        await trio.sleep(30 * IDLE_S)

        said = {
            (sender, number, act.key)
            for sender, acts in enumerate(scripts)
            for number, act in enumerate(acts)
            if act.way is not Way.PASSIVATE
        }
        heard = [
            (remark.sender, remark.number, path[-1])
            for path, remarks in ledger.heard.items()
            for remark in remarks
        ]
        assert sorted(heard) == sorted(said), "a message was lost or handled twice"
        for remarks in ledger.heard.values():
            for sender in range(len(scripts)):
                numbers = [remark.number for remark in remarks if remark.sender == sender]
                assert numbers == sorted(numbers), "one sender's messages changed places"
        assert ledger.present == set(), "everybody is idle and nobody has gone"
        assert [node.path for node in (await system.rank()).actors if node.state != "stopped"] == []
        assert system.dead_letters.total == 0
    assert leftovers(system) == []


# Around the idle limit, where the races are.
waits = st.sampled_from([0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.25])
acts = st.builds(
    Act,
    way=st.sampled_from(Way),
    key=st.sampled_from("aabc"),
    after_s=waits,
    work_s=st.sampled_from([0.0, 0.0, 0.25, 1.0]),
    then_passivate=st.booleans(),
)


@given(
    scripts=st.lists(st.lists(acts, min_size=3, max_size=12), min_size=1, max_size=4),
    init_s=st.sampled_from([0.0, 0.25]),
    terminate_s=st.sampled_from([0.0, 0.25]),
    seed=seeds,
)
@examples(60)
def test_passivation_loses_no_message_and_never_makes_two_of_a_kind(
    scripts: list[list[Act]], init_s: float, terminate_s: float, seed: int
) -> None:
    run_seeded(party, scripts, init_s, terminate_s, seed=seed)
