"""Full mailboxes: each policy against a model, message by message; and what a restart leaves in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import (
    Actor,
    ActorDied,
    Address,
    AskTimeout,
    ChildSpec,
    MailboxSpec,
    OnRestart,
    Overflow,
    Overloaded,
    Request,
    TellOutcome,
    open_system,
)
from tests.supervisor.conformance.overflow import Fate, Item, MailboxModel, Policy, RestartPolicy, Way
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

READER = "/root/reader"
SOON_S = 10.0
NEVER_S = 3600.0


@dataclass(frozen=True, slots=True)
class Letter(Request[int]):
    item: Item


class Poison(Letter):
    """Ends its reader."""


class Reader(Actor[Letter]):
    def __init__(self, read: list[int]) -> None:
        self._read = read

    async def handle(self, letter: Letter) -> int:
        if isinstance(letter, Poison):
            raise ValueError(letter)
        self._read.append(letter.item.id)
        return letter.item.id


def overflow(policy: Policy) -> Overflow:
    if policy is Policy.CONFLATE:
        return Overflow.CONFLATE(lambda letter: letter.item.key)
    return Overflow(policy.value)


class Senders:
    """Those who write to the reader, and what each has seen so far."""

    def __init__(self, address: Address[Letter]) -> None:
        self._address = address
        self.saw: dict[int, str] = {}

    async def write(self, item: Item) -> None:
        match item.way:
            case Way.TELL:
                outcome = self._address.tell(Letter(item))
                is_in = outcome in (TellOutcome.ACCEPTED, TellOutcome.CONFLATED)
                self.saw[item.id] = "taken in" if is_in else outcome.value
            case Way.SEND:
                self.saw[item.id] = "waits"
                try:
                    await self._address.send(Letter(item), timeout=NEVER_S)
                    self.saw[item.id] = "taken in"
                except Overloaded:
                    self.saw[item.id] = "refused"
            case Way.ASK:
                self.saw[item.id] = "waits"
                try:
                    assert await self._address.ask(Letter(item), timeout=item.patience_s) == item.id
                    self.saw[item.id] = "answered"
                except Overloaded:
                    self.saw[item.id] = "refused"
                except ActorDied:
                    self.saw[item.id] = "died"
                except AskTimeout:
                    self.saw[item.id] = "timed out"


def expected_sight(model: MailboxModel, item: Item) -> str:
    """What the sender of ``item`` should have seen by now."""
    match item.way, model.fates.get(item.id):
        case Way.TELL, Fate.REJECTED | Fate.DROPPED as refused:
            return refused.value
        case Way.SEND | Way.ASK, Fate.REJECTED | Fate.DROPPED:
            return "refused"
        case Way.ASK, Fate.DISPLACED:
            return "refused"
        case Way.ASK, Fate.HANDLED:
            return "answered"
        case Way.ASK, Fate.EXPIRED | Fate.NO_ROOM:
            return "timed out"
        case Way.ASK, Fate.RESTART:
            return "died"
        case Way.ASK, _:
            return "waits"
        case Way.SEND, _ if item in model.waiting:
            return "waits"
    return "taken in"


def mailbox_of(model: MailboxModel, on_restart: RestartPolicy = RestartPolicy.KEEP) -> MailboxSpec:
    return MailboxSpec(
        model.capacity,
        overflow(model.policy),
        model.bytes_max,
        on_restart=OnRestart(on_restart.value),
        size_of=lambda letter: letter.item.weight,
    )


async def flood(model: MailboxModel, bursts: Sequence[Sequence[Item]]) -> None:
    """Bursts of messages to a suspended reader, which then reads all there is."""
    read: list[int] = []
    async with open_system(
        patient(ChildSpec("reader", lambda: Reader(read), mailbox=mailbox_of(model)))
    ) as system:
        senders = Senders(system.address(READER))
        async with trio.open_nursery() as nursery:
            for burst in bursts:
                await system.suspend(READER)
                for item in burst:
                    model.put(item)
                    nursery.start_soon(senders.write, item)
                    await wait_all_tasks_blocked()

                    assert senders.saw == {seen: expected_sight(model, model.items[seen]) for seen in senders.saw}
                    shown = system.inspect(READER).node.mailbox
                    assert shown is not None
                    assert shown.depth == len(model.queue) <= model.capacity
                    if model.bytes_max is not None:
                        assert shown.bytes == model.bytes <= model.bytes_max

                await system.resume(READER)
                while model.take():
                    pass
                await wait_all_tasks_blocked()
                assert read == model.handled
                assert "waits" not in senders.saw.values()
        assert letters(system.dead_letters.counts) == dead_letters(model)
    assert leftovers(system) == []


async def crash_with_mail(model: MailboxModel, on_restart: RestartPolicy, burst: Sequence[Item]) -> None:
    """A suspended reader has mail behind a poisoned letter. Some askers lose patience; then it reads, and restarts."""
    read: list[int] = []
    poison = Item(-1, Way.TELL, "poison", 1)
    async with open_system(
        patient(ChildSpec("reader", lambda: Reader(read), mailbox=mailbox_of(model, on_restart)))
    ) as system:
        senders = Senders(system.address(READER))
        await system.suspend(READER)
        system.address(READER).tell(Poison(poison))
        model.put(poison)
        async with trio.open_nursery() as nursery:
            for item in burst:
                model.put(item)
                nursery.start_soon(senders.write, item)
                await wait_all_tasks_blocked()
            await trio.sleep(2 * SOON_S)

            await system.resume(READER)
            if model.queue and model.queue[0] is poison:
                model.take(impatient_after_s=2 * SOON_S)
                model.restart(on_restart, impatient_after_s=2 * SOON_S)
            while model.take(impatient_after_s=2 * SOON_S):
                pass
            await wait_all_tasks_blocked()

            assert read == [id_ for id_ in model.handled if id_ != poison.id]
            assert senders.saw == {seen: expected_sight(model, model.items[seen]) for seen in senders.saw}
            assert "waits" not in senders.saw.values()
        assert letters(system.dead_letters.counts) == dead_letters(model)
    assert leftovers(system) == []


def letters(counts: object) -> dict[str, int]:
    return {reason: count for reason, count in dict(counts).items() if count}


def dead_letters(model: MailboxModel) -> dict[str, int]:
    """Each message that was lost is a dead letter with its reason."""
    unlost = (Fate.HANDLED, Fate.CONFLATED, Fate.NO_ROOM)
    return dict(Counter(fate.value for fate in model.fates.values() if fate not in unlost))


@st.composite
def items(draw: st.DrawFn) -> Item:
    return Item(
        draw(st.integers(0, 10**9)),
        draw(st.sampled_from([Way.TELL, Way.TELL, Way.SEND, Way.ASK])),
        draw(st.sampled_from("kl")),
        draw(st.integers(1, 4)),
        draw(st.sampled_from([SOON_S, NEVER_S])),
    )


def bursts(size: int) -> st.SearchStrategy[list[Item]]:
    return st.lists(items(), min_size=1, max_size=size, unique_by=lambda item: item.id)


models = st.builds(
    MailboxModel,
    policy=st.sampled_from(Policy),
    capacity=st.integers(1, 4),
    bytes_max=st.sampled_from([None, None, 3, 8]),
)


@given(model=models, items=bursts(20), split=st.integers(0, 20), seed=seeds)
@examples(80)
def test_a_full_mailbox_does_what_its_policy_says(
    model: MailboxModel, items: list[Item], split: int, seed: int
) -> None:
    run_seeded(flood, model, [items[:split], items[split:]], seed=seed)


@given(model=models, on_restart=st.sampled_from(RestartPolicy), items=bursts(10), seed=seeds)
@examples(80)
def test_a_restart_keeps_the_mail_its_policy_keeps(
    model: MailboxModel, on_restart: RestartPolicy, items: list[Item], seed: int
) -> None:
    run_seeded(crash_with_mail, model, on_restart, items, seed=seed)


class Ticking(Actor[str]):
    async def init(self) -> None:
        self.ctx.tell_after(1.0, "tick")

    async def handle(self, message: str) -> None:
        pass


@pytest.mark.parametrize("breaks", ["key", "size_of"])
def test_a_mailbox_function_that_raises_is_the_trouble_of_its_actor_alone(breaks: str) -> None:
    def broken(message: object) -> int:
        raise TypeError(message)

    mailbox = {
        "key": MailboxSpec(overflow=Overflow.CONFLATE(broken)),
        "size_of": MailboxSpec(bytes_max=100, size_of=broken),
    }[breaks]

    async def main() -> None:
        healthy = ChildSpec("healthy", lambda: Reader([]))
        async with open_system(patient(healthy, ChildSpec("ticking", Ticking, mailbox=mailbox))) as system:
            await trio.sleep(1.5)
            system.address("/root/ticking").tell("a message from outside")
            await trio.sleep(1.5)
            assert system.inspect("/root/healthy").node.incarnation == 1

    run_seeded(main, seed=1)
