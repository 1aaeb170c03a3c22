"""A client goes on at a worker that has not heard of everything the client was shown elsewhere."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from tests.actors.world import Listener, seqs
from tests.workers.cores import two_cores
from tests.workers.test_sweep import HintlessBus


async def test_a_cursor_from_a_worker_that_knew_more_is_gone_on_from(autojump_clock: MockClock) -> None:
    async with two_cores(bus=HintlessBus(is_up=True)) as cores:
        there, resumed = Listener(), Listener()
        async with trio.open_nursery() as nursery:
            # The second worker follows the stream already, and is told nothing of what happens next.
            await nursery.start(there.run, cores.second, cores.tomas, None)
            for text in ("one", "two"):
                await cores.first.messaging.send(cores.maya, cores.talk, content=text, client_id=text)
            shown = (await cores.first.streams.sync(cores.tomas)).cursor
            assert there.contents == []

            await nursery.start(resumed.run, cores.second, cores.tomas, shown)
            await cores.first.messaging.send(cores.maya, cores.talk, content="three", client_id="three")
            await resumed.until(lambda listener: "three" in listener.contents)
            nursery.cancel_scope.cancel()

    assert [frame.event for frame in resumed.frames] == ["ready", "message.created"]
    assert resumed.frames[0].id == shown
    assert seqs(resumed.durable) == [int(shown.rpartition(".")[2]) + 1]
