import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from greenroom.schema.ids import ConversationId, SessionId, UserId
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import BusBatch, BusNote, Ephemeral, Hint, Revocation
from tests.storage.builders import ANN, an_event

WAIT_S = 5


def a_hint(seq: int) -> Hint:
    return Hint(ANN, "epoch", (an_event(ANN, seq),))


async def test_every_subscriber_gets_every_note_in_order() -> None:
    bus = LocalBus()
    notes: list[BusNote] = [
        a_hint(1),
        Ephemeral((ANN,), "typing", str(ConversationId("c")), "{}"),
        Revocation(UserId("u"), SessionId("s")),
    ]
    async with bus.subscribe() as first, bus.subscribe() as second:
        await bus.publish(notes[:1])
        await bus.publish(notes[1:])
        for subscription in (first, second):
            assert await subscription.receive() == BusBatch(tuple(notes), is_suspect=False)


async def test_publishing_is_no_turn_of_the_event_loop() -> None:
    ran = trio.Event()

    async def run() -> None:
        ran.set()

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            await LocalBus().publish([a_hint(1)])
            assert not ran.is_set()


async def test_a_waiting_subscriber_is_woken() -> None:
    bus = LocalBus()
    received: list[BusBatch] = []
    with trio.fail_after(WAIT_S):
        async with bus.subscribe() as subscription, trio.open_nursery() as nursery:

            async def receive_one() -> None:
                received.append(await subscription.receive())

            nursery.start_soon(receive_one)
            await wait_all_tasks_blocked()
            await bus.publish([a_hint(1)])
    assert received == [BusBatch((a_hint(1),), is_suspect=False)]


async def test_a_cancelled_receive_loses_nothing(autojump_clock: MockClock) -> None:
    bus = LocalBus()
    async with bus.subscribe() as subscription:
        with trio.move_on_after(1):
            await subscription.receive()
        await bus.publish([a_hint(1)])
        assert (await subscription.receive()).notes == (a_hint(1),)


async def test_what_does_not_fit_is_dropped_and_the_next_batch_says_so() -> None:
    bus = LocalBus(buffer_notes_max=2)
    async with bus.subscribe() as subscription:
        await bus.publish([a_hint(1)])
        await bus.publish([a_hint(2), a_hint(3)])
        await bus.publish([a_hint(4)])
        assert await subscription.receive() == BusBatch((a_hint(1), a_hint(2)), is_suspect=True)
        await bus.publish([a_hint(5)])
        assert await subscription.receive() == BusBatch((a_hint(5),), is_suspect=False)
    assert bus.statistics().dropped == 2


async def test_a_slow_subscriber_costs_the_others_nothing() -> None:
    bus = LocalBus(buffer_notes_max=1)
    async with bus.subscribe(), bus.subscribe() as quick:
        for seq in (1, 2, 3):
            await bus.publish([a_hint(seq)])
            assert await quick.receive() == BusBatch((a_hint(seq),), is_suspect=False)


async def test_a_note_lost_on_the_wire_leaves_no_trace() -> None:
    bus = LocalBus(arrives=lambda note: note != a_hint(2))
    async with bus.subscribe() as subscription:
        await bus.publish([a_hint(1), a_hint(2), a_hint(3)])
        assert await subscription.receive() == BusBatch((a_hint(1), a_hint(3)), is_suspect=False)


async def test_an_interrupted_wire_makes_an_empty_batch_suspect() -> None:
    bus = LocalBus()
    async with bus.subscribe() as subscription:
        bus.interrupt()
        with trio.fail_after(WAIT_S):
            assert await subscription.receive() == BusBatch((), is_suspect=True)


async def test_who_left_is_forgotten() -> None:
    bus = LocalBus()
    async with bus.subscribe():
        assert bus.statistics().subscriptions == 1
    assert bus.statistics().subscriptions == 0
    await bus.publish([a_hint(1)])
