"""How much is to be done, as the metrics have it: lately, and never what is not known any more. On the virtual clock."""

from __future__ import annotations

from datetime import timedelta

import trio
from trio.testing import MockClock

from greenroom.actors.outbox_watch import LOOK_S
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.outbox import OutboxFigures
from greenroom.storage.memory import FaultPoint, Phase
from tests.actors.test_event_worker import Post, a_school, book


async def test_what_is_to_be_done_is_seen_within_a_look(autojump_clock: MockClock) -> None:
    post = Post()
    post.hangs = True
    async with a_school(post) as world:
        await trio.sleep(1)
        assert world.core.outbox.figures == OutboxFigures(0, 0, 0, 0, timedelta(0))

        await book(world)
        await trio.sleep(LOOK_S[1])

        figures = world.core.outbox.figures
        assert figures is not None
        # The reminder comes later; two mails are with a server that says nothing, or are to be tried again.
        assert figures.scheduled + figures.running == 3
        assert timedelta(0) < figures.oldest <= timedelta(seconds=LOOK_S[1])
        assert world.core.system.inspect("/greenroom/outbox-watch").view["dead"] == 0


async def test_nothing_is_said_while_it_is_not_known(autojump_clock: MockClock) -> None:
    async with a_school() as world:
        await trio.sleep(1)

        async def away(point: FaultPoint) -> None:
            await trio.lowlevel.checkpoint()
            if point == FaultPoint("outbox.figures", Phase.BEFORE):
                raise StorageUnavailable("away")

        before, world.database.faults = world.database.faults, away
        await trio.sleep(LOOK_S[1])
        assert world.core.outbox.figures is None

        world.database.faults = before
        await trio.sleep(LOOK_S[1])
        assert world.core.outbox.figures is not None
