"""How late an event may be when no hint of it arrives."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from greenroom.actors.sweep import SWEEP_AGAIN_S, SWEEP_S, SWEEP_WITHOUT_BUS_S
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import BusNote, Hint
from tests.actors.world import Listener
from tests.workers.cores import Cores, two_cores


class HintlessBus(LocalBus):
    """A bus that loses every hint, and knows or does not know that it is down."""

    def __init__(self, *, is_up: bool) -> None:
        super().__init__(arrives=self._arrives_unless_hint)
        self.knows_nothing = is_up

    @property
    def is_up(self) -> bool:
        return self.knows_nothing

    @staticmethod
    def _arrives_unless_hint(note: BusNote) -> bool:
        return not isinstance(note, Hint)


async def seconds_until_seen(cores: Cores, messages: int) -> list[float]:
    """How late each of some messages, sent at odd times on one worker, was seen on the other."""
    listener, late = Listener(), []
    async with trio.open_nursery() as nursery:
        await nursery.start(listener.run, cores.second, cores.tomas, None)
        for number in range(messages):
            await trio.sleep(0.37)
            await cores.first.messaging.send(cores.maya, cores.talk, content=f"m{number}", client_id=f"m{number}")
            sent_at = trio.current_time()
            await listener.until(lambda listener, number=number: f"m{number}" in listener.contents)
            late.append(trio.current_time() - sent_at)
        nursery.cancel_scope.cancel()
    return late


async def test_while_the_bus_is_down_an_event_is_little_more_than_a_second_late(autojump_clock: MockClock) -> None:
    async with two_cores(bus=HintlessBus(is_up=False)) as cores:
        assert max(await seconds_until_seen(cores, 40)) <= SWEEP_WITHOUT_BUS_S[1] + SWEEP_AGAIN_S


async def test_a_hint_that_is_lost_unnoticed_is_ten_seconds_late_at_most(autojump_clock: MockClock) -> None:
    async with two_cores(bus=HintlessBus(is_up=True)) as cores:
        assert max(await seconds_until_seen(cores, 10)) <= SWEEP_S[1] + SWEEP_AGAIN_S


async def test_a_bus_that_goes_down_is_swept_for_at_once(autojump_clock: MockClock) -> None:
    bus = HintlessBus(is_up=True)
    async with two_cores(bus=bus) as cores:
        await trio.sleep(1)
        bus.knows_nothing = False
        bus.interrupt()
        assert max(await seconds_until_seen(cores, 5)) <= SWEEP_WITHOUT_BUS_S[1] + SWEEP_AGAIN_S
