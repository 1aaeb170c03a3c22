"""Messages put aside and taken up again, against a model of two lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import Actor, ChildSpec, MailboxFull, MailboxSpec, open_system
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

CAPACITY = 8
DOOR = "/root/door"


class Kind(Enum):
    GUEST = "guest"  # waits outside while the door is closed
    OPEN = "open"
    CLOSE = "close"
    CRASH = "crash"  # a fresh incarnation finds the door closed and everybody back in the queue


@dataclass(frozen=True, slots=True)
class Arrival:
    kind: Kind
    number: int


class Door(Actor[Arrival]):
    def __init__(self, let_in: list[int]) -> None:
        self._let_in = let_in
        self._is_open = False

    async def handle(self, arrival: Arrival) -> None:
        match arrival.kind:
            case Kind.GUEST if self._is_open:
                self._let_in.append(arrival.number)
            case Kind.GUEST:
                self.ctx.stash()
            case Kind.OPEN:
                self._is_open = True
                self.ctx.unstash_all()
            case Kind.CLOSE:
                self._is_open = False
            case Kind.CRASH:
                raise ValueError(arrival)


def expected(bursts: Sequence[Sequence[Arrival]]) -> list[int]:
    """Who is let in, in which order. The stash never overflows: a burst fits, and each begins with an OPEN."""
    let_in: list[int] = []
    stash: list[Arrival] = []
    is_open = False
    for burst in bursts:
        queue = list(burst)
        while queue:
            arrival = queue.pop(0)
            match arrival.kind:
                case Kind.GUEST if is_open:
                    let_in.append(arrival.number)
                case Kind.GUEST:
                    stash.append(arrival)
                case Kind.OPEN:
                    is_open = True
                    queue, stash = stash + queue, []
                case Kind.CLOSE:
                    is_open = False
                case Kind.CRASH:
                    is_open = False
                    queue, stash = stash + queue, []
    return let_in


async def evening(bursts: Sequence[Sequence[Arrival]]) -> None:
    let_in: list[int] = []
    door = ChildSpec("door", lambda: Door(let_in), mailbox=MailboxSpec(CAPACITY))
    async with open_system(patient(door)) as system:
        for burst in bursts:
            await system.suspend(DOOR)
            for arrival in burst:
                system.address(DOOR).tell(arrival)
            await system.resume(DOOR)
            await wait_all_tasks_blocked()
        assert let_in == expected(bursts)
    assert leftovers(system) == []


kinds = st.sampled_from([Kind.GUEST, Kind.GUEST, Kind.GUEST, Kind.OPEN, Kind.CLOSE, Kind.CRASH])


@given(
    kinds=st.lists(st.lists(kinds, max_size=CAPACITY - 1), min_size=1, max_size=5),
    seed=seeds,
)
@examples(60)
def test_what_is_stashed_comes_back_first_and_in_order_even_after_a_crash(
    kinds: list[list[Kind]], seed: int
) -> None:
    bursts = [
        [Arrival(kind, 100 * burst + place) for place, kind in enumerate([Kind.OPEN, *rest])]
        for burst, rest in enumerate(kinds)
    ]

    run_seeded(evening, bursts, seed=seed)


class Hoarder(Actor[int]):
    def __init__(self, refused: list[int]) -> None:
        self._refused = refused

    async def handle(self, message: int) -> None:
        try:
            self.ctx.stash()
        except MailboxFull:
            self._refused.append(message)


def test_a_stash_holds_no_more_than_the_mailbox() -> None:
    refused: list[int] = []

    async def hoard() -> None:
        spec = ChildSpec("hoarder", lambda: Hoarder(refused), mailbox=MailboxSpec(3))
        async with open_system(patient(spec)) as system:
            for number in range(5):
                await system.address("/root/hoarder").send(number, timeout=1.0)
                await wait_all_tasks_blocked()

    run_seeded(hoard, seed=1)

    assert refused == [3, 4]


class Poisoned(Actor[str]):
    def __init__(self, handled: list[str]) -> None:
        self._handled = handled

    async def handle(self, message: str) -> None:
        self._handled.append(message)
        if message != "antidote":
            self.ctx.stash()
        if message == "poison":
            raise ValueError(message)


def test_a_message_that_crashes_its_handler_is_not_delivered_again_for_having_been_stashed() -> None:
    handled: list[str] = []

    async def main() -> None:
        async with open_system(patient(ChildSpec("poisoned", lambda: Poisoned(handled)))) as system:
            for message in ("earlier", "poison", "antidote"):
                system.address("/root/poisoned").tell(message)
            await wait_all_tasks_blocked()

    run_seeded(main, seed=1, steps_per_instant_max=10_000)

    assert handled == ["earlier", "poison", "earlier", "antidote"]
