"""What a full mailbox does, and what keeps it from growing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.supervisor import MailboxFull, MailboxSpec, Overflow, TellOutcome, open_system
from greenroom.supervisor.cell import Cell
from greenroom.supervisor.message_size import OVERHEAD_BYTES, approximate_bytes
from tests.supervisor.behaviours import Echo, Journal, Work, script, tree

ACCEPTED, CONFLATED, DROPPED, REJECTED = (
    TellOutcome.ACCEPTED,
    TellOutcome.CONFLATED,
    TellOutcome.DROPPED,
    TellOutcome.REJECTED,
)


async def told(spec: MailboxSpec, messages: list[object]) -> tuple[list[TellOutcome], list[str], dict[str, int]]:
    """Tell an actor that is held up all messages; the outcomes, what it then handled, and dead letters."""
    journal = Journal()
    async with open_system(tree(script(journal=journal, mailbox=spec))) as system:
        address = system.address("/root/script")
        await system.suspend("/root/script")
        outcomes = [address.tell(message) for message in messages]
        await system.resume("/root/script")
        await wait_all_tasks_blocked()
        letters = {reason: count for reason, count in system.dead_letters.counts.items() if count}
    handled = [entry.removeprefix("told ") for entry in journal if entry.startswith("told")]
    return outcomes, handled, letters


async def test_reject_keeps_the_oldest_and_says_no(autojump_clock: MockClock) -> None:
    outcomes, handled, letters = await told(MailboxSpec(capacity=2), ["a", "b", "c"])
    assert outcomes == [ACCEPTED, ACCEPTED, REJECTED]
    assert handled == ["a", "b"]
    assert letters == {"rejected": 1}


async def test_drop_newest_keeps_the_oldest(autojump_clock: MockClock) -> None:
    outcomes, handled, letters = await told(
        MailboxSpec(capacity=2, overflow=Overflow.DROP_NEWEST), ["a", "b", "c"]
    )
    assert outcomes == [ACCEPTED, ACCEPTED, DROPPED]
    assert handled == ["a", "b"]
    assert letters == {"dropped": 1}


async def test_drop_oldest_keeps_the_newest(autojump_clock: MockClock) -> None:
    outcomes, handled, letters = await told(
        MailboxSpec(capacity=2, overflow=Overflow.DROP_OLDEST), ["a", "b", "c"]
    )
    assert outcomes == [ACCEPTED] * 3
    assert handled == ["b", "c"]
    assert letters == {"displaced": 1}


async def test_conflate_lets_the_latest_of_a_key_win_in_the_place_of_the_first(autojump_clock: MockClock) -> None:
    by_initial = Overflow.CONFLATE(lambda text: text[0])
    outcomes, handled, letters = await told(
        MailboxSpec(capacity=2, overflow=by_initial), ["a1", "b1", "a2", "c1", "b2"]
    )
    assert outcomes == [ACCEPTED, ACCEPTED, CONFLATED, ACCEPTED, CONFLATED]
    assert handled == ["b2", "c1"]
    assert letters == {"displaced": 1}


async def test_a_key_of_none_is_never_conflated(autojump_clock: MockClock) -> None:
    outcomes, handled, _ = await told(MailboxSpec(overflow=Overflow.CONFLATE(lambda _: None)), ["a", "a"])
    assert outcomes == [ACCEPTED, ACCEPTED]
    assert handled == ["a", "a"]


async def test_a_mailbox_is_bounded_in_bytes_too(autojump_clock: MockClock) -> None:
    spec = MailboxSpec(bytes_max=10, size_of=len)
    outcomes, handled, _ = await told(spec, ["12345", "1234", "123", "1"])
    assert outcomes == [ACCEPTED, ACCEPTED, REJECTED, ACCEPTED]
    assert handled == ["12345", "1234", "1"]


async def test_drop_oldest_makes_as_much_room_as_is_needed(autojump_clock: MockClock) -> None:
    spec = MailboxSpec(bytes_max=10, size_of=len, overflow=Overflow.DROP_OLDEST)
    outcomes, handled, _ = await told(spec, ["1234", "5678", "123456789", "12345678901"])
    assert outcomes == [ACCEPTED, ACCEPTED, ACCEPTED, REJECTED]
    assert handled == ["123456789"]


async def test_bytes_are_given_back_as_messages_are_handled(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(mailbox=MailboxSpec(bytes_max=1000)))) as system:
        address = system.address("/root/script")
        for _ in range(100):
            await address.ask(Echo("x" * 200), timeout=1)
        mailbox = system.inspect("/root/script").node.mailbox
        assert mailbox is not None
        assert (mailbox.bytes, mailbox.depth, mailbox.peak) == (0, 0, 1)


async def test_waiting_senders_get_their_turn_in_order(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with open_system(tree(script(journal=journal, mailbox=MailboxSpec(capacity=1)))) as system:
        address = system.address("/root/script")
        address.tell(Work(1))
        await wait_all_tasks_blocked()

        async def send(text: str) -> None:
            await address.send(text, timeout=10)

        async with trio.open_nursery() as nursery:
            for text in ("a", "b", "c", "d"):
                nursery.start_soon(send, text)
                await wait_all_tasks_blocked()
        await wait_all_tasks_blocked()
        assert journal[2:] == ["told a", "told b", "told c", "told d"]


async def test_senders_that_gave_up_leave_nothing_behind_where_no_room_comes(autojump_clock: MockClock) -> None:
    async with open_system(tree(script(mailbox=MailboxSpec(capacity=1)))) as system:
        address = system.address("/root/script")
        await system.suspend("/root/script")
        address.tell("first")
        for number in range(500):
            with pytest.raises(MailboxFull):
                await address.send(number, timeout=0.1)
        (cell,) = (child for child in system.registry.children() if isinstance(child, Cell))
        assert len(cell.mailbox.waiting or ()) < 100
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(address.send, "last", timeout=1))
            await wait_all_tasks_blocked()
            await system.resume("/root/script")


def test_the_weight_of_a_message_is_mostly_its_text() -> None:
    @dataclass(frozen=True)
    class Note:
        title: str
        tags: tuple[str, ...]

    note = Note("x" * 1000, ("y" * 100,))
    assert 1100 <= approximate_bytes(note) <= 1100 + 6 * OVERHEAD_BYTES


def test_the_weight_of_a_message_that_contains_itself_is_finite() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert approximate_bytes(loop) < 10 * OVERHEAD_BYTES


@pytest.mark.parametrize("bytes_max", [0, -1])
def test_a_mailbox_without_any_bytes_is_refused(bytes_max: int) -> None:
    with pytest.raises(ValueError, match="bytes_max"):
        MailboxSpec(bytes_max=bytes_max)
