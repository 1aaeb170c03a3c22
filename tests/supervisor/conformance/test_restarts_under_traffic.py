"""Crashes while messages keep coming: what was queued survives, what was in hand is not repeated, and every asker
hears exactly once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import trio
from hypothesis import given
from hypothesis import strategies as st

from greenroom.supervisor import (
    Actor,
    ActorDied,
    ActorRestarting,
    AskTimeout,
    Backoff,
    ChildSpec,
    DynamicSpec,
    Refusal,
    Request,
    TellOutcome,
    open_system,
)
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

EPSILON_S = 1e-6


class Fate(Enum):
    FINE = "fine"
    REFUSED = "refused"
    CRASH = "crash"
    CRASH_LATER = "crash_later"  # after the work
    DEFERRED = "deferred"  # answered by a background task after the work
    LOST = "lost"  # deferred, and never answered


class NoThanksError(Refusal):
    """What a refused job is answered with."""


@dataclass(frozen=True, slots=True)
class Job(Request[tuple[int, int]]):
    sender: int
    number: int
    fate: Fate
    work_s: float


class Ledger:
    def __init__(self) -> None:
        self.begun: list[Job] = []
        self.done: set[tuple[int, int]] = set()  # by sender and number
        self.now_at_work = 0

    def enter(self) -> None:
        assert self.now_at_work == 0, "two live incarnations"
        self.now_at_work += 1


class Clerk(Actor[Job]):
    """Does jobs, of which some are its last."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def init(self) -> None:
        self._ledger.enter()

    async def terminate(self, reason: object) -> None:
        self._ledger.now_at_work -= 1

    async def handle(self, job: Job) -> object:
        self._ledger.begun.append(job)
        match job.fate:
            case Fate.CRASH:
                raise ValueError(job)
            case Fate.REFUSED:
                raise NoThanksError
            case Fate.LOST:
                return self.ctx.defer()
            case Fate.DEFERRED:
                reply = self.ctx.defer()

                async def answer() -> None:
                    await trio.sleep(job.work_s)
                    self._ledger.done.add((job.sender, job.number))
                    reply.send((job.sender, job.number))

                self.ctx.start_task(answer)
                return None
        await trio.sleep(job.work_s)
        if job.fate is Fate.CRASH_LATER:
            raise ValueError(job)
        self._ledger.done.add((job.sender, job.number))
        return (job.sender, job.number)


class Way(Enum):
    TELL = "tell"
    SEND = "send"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Act:
    way: Way
    after_s: float
    timeout_s: float
    fate: Fate
    work_s: float


@dataclass(slots=True)
class Office:
    """The clerk's callers, and what became of what they asked for."""

    ledger: Ledger
    accepted: list[tuple[int, int]]
    answered: list[tuple[int, int]]
    unheard: list[tuple[int, int]]  # refused before they were taken in

    async def call(self, address: object, sender: int, acts: Sequence[Act]) -> None:
        async with trio.open_nursery() as nursery:
            for number, act in enumerate(acts):
                await trio.sleep(act.after_s)
                job = Job(sender, number, act.fate, act.work_s)
                match act.way:
                    case Way.TELL:
                        assert address.tell(job) is TellOutcome.ACCEPTED
                        self.accepted.append((sender, number))
                    case Way.SEND:
                        await address.send(job, timeout=60.0)
                        self.accepted.append((sender, number))
                    case Way.ASK:
                        nursery.start_soon(self._ask, address, job, act.timeout_s)
                        # One sender's asks keep their order only if they are made one after the other.
                        await trio.testing.wait_all_tasks_blocked()

    async def _ask(self, address: object, job: Job, timeout_s: float) -> None:
        this = (job.sender, job.number)
        asked_at = trio.current_time()
        try:
            reply = await address.ask(job, timeout=timeout_s)
        except ActorRestarting:
            assert trio.current_time() == asked_at, "a refusal takes no time"
            self.unheard.append(this)
        except AskTimeout as late:
            self._check_timeout(late, job, timeout_s)
        except NoThanksError:
            assert job.fate is Fate.REFUSED
        except ActorDied:
            assert job in self.ledger.begun, "mail that was queued survives"
            assert this not in self.ledger.done
        else:
            assert reply == this
            assert this in self.ledger.done
        assert trio.current_time() <= asked_at + timeout_s + EPSILON_S
        self.answered.append(this)

    def _check_timeout(self, late: AskTimeout, job: Job, timeout_s: float) -> None:
        """A timeout says where the time went."""
        assert math.isclose(late.queue_s + (late.handler_s or 0.0), timeout_s)
        assert (late.handler_s is not None) is (job in self.ledger.begun)


async def office_hours(scripts: Sequence[Sequence[Act]], *, is_virtual: bool, backoff: Backoff) -> None:
    ledger = Ledger()
    many = 1_000_000
    spec = (
        DynamicSpec(
            "clerks",
            "clerk",
            lambda _: Clerk(ledger),
            intensity=many,
            consecutive_failures_max=many,
            backoff=backoff,
        )
        if is_virtual
        else ChildSpec("clerk", lambda: Clerk(ledger))
    )
    office = Office(ledger, [], [], [])
    async with open_system(patient(spec, backoff=backoff)) as system:
        address = system.virtual("clerk", "x") if is_virtual else system.address("/root/clerk")
        async with trio.open_nursery() as nursery:
            for sender, acts in enumerate(scripts):
                nursery.start_soon(office.call, address, sender, acts)
        await trio.sleep(600.0)

        asked = [(s, n) for s, acts in enumerate(scripts) for n, act in enumerate(acts) if act.way is Way.ASK]
        assert sorted(office.answered) == asked, "every asker hears exactly once"
        begun = [(job.sender, job.number) for job in ledger.begun]
        assert len(begun) == len(set(begun)), "what was in hand was delivered again"
        assert set(office.accepted) <= set(begun), "queued mail was lost"
        for sender in range(len(scripts)):
            numbers = [number for from_, number in begun if from_ == sender]
            assert numbers == sorted(numbers), "one sender's messages changed places"
        letters = system.dead_letters.counts
        assert letters["restarting"] == len(office.unheard)
        never_begun = set(asked) - set(begun)
        assert letters["expired"] == len(never_begun) - len(office.unheard)
        assert system.dead_letters.total == len(never_begun)
        assert system.inspect(address.path).node.mailbox.depth == 0
    assert leftovers(system) == []


jobs = st.builds(
    Act,
    way=st.sampled_from([Way.TELL, Way.SEND, Way.ASK, Way.ASK]),
    after_s=st.sampled_from([0.0, 0.0, 0.0, 0.25, 0.5]),
    timeout_s=st.sampled_from([0.25, 0.5, 1.0, 30.0]),
    fate=st.sampled_from([Fate.FINE, Fate.FINE, *Fate]),
    work_s=st.sampled_from([0.0, 0.0, 0.25, 1.0]),
)
backoffs = st.sampled_from([Backoff(initial_s=0.0), Backoff(free=0, initial_s=0.5, max_s=2.0, jitter=0.0)])


@given(
    scripts=st.lists(st.lists(jobs, min_size=3, max_size=15), min_size=1, max_size=4),
    is_virtual=st.booleans(),
    backoff=backoffs,
    seed=seeds,
)
@examples(60)
def test_a_crash_costs_the_message_in_hand_and_nothing_else(
    scripts: list[list[Act]], is_virtual: bool, backoff: Backoff, seed: int
) -> None:
    run_seeded(lambda: office_hours(scripts, is_virtual=is_virtual, backoff=backoff), seed=seed)
