"""Presence: announced in batches, and never wrong for long."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from greenroom.actors.presence import LINGER_S, RECONCILE_S
from greenroom.schema.records import Role
from greenroom.storage.memory.faults import FaultPoint, Phase
from tests.actors.world import Listener, World, a_world, data, listening


def count_queries(world: World) -> list[str]:
    seen: list[str] = []

    async def note(point: FaultPoint) -> None:
        if point.phase is Phase.BEFORE:
            seen.append(point.operation)
        await trio.sleep(0.01)

    world.database.faults = note
    return seen


async def test_a_storm_of_connects_is_announced_with_a_query_per_batch(autojump_clock: MockClock) -> None:
    async with a_world() as world, trio.open_nursery() as nursery:
        people = [await world.join(f"student{n}", Role.STUDENT) for n in range(60)]
        for person in people:
            await world.core.messaging.open_conversation(person, world.tomas.user.id, None)
        async with listening(world, world.tomas) as tomas:
            await trio.sleep(1)
            queries = count_queries(world)
            for person in people:
                nursery.start_soon(Listener().run, world.core, person)
            await tomas.until(lambda c: len(c.named("presence")) == 60)

            assert {data(f)["user_id"] for f in tomas.named("presence")} == {p.user.id for p in people}
            assert queries.count("conversations.peers") <= 3
            nursery.cancel_scope.cancel()


async def test_a_user_whose_leaving_was_not_told_does_not_stay_online(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.core.board.note_online(world.maya.user.id)  # as if the news that she left had been lost
        await world.talk()
        async with listening(world, world.tomas) as tomas:
            with trio.fail_after(RECONCILE_S[1] + LINGER_S + 1):
                await tomas.until(lambda c: bool(c.named("presence")))

            assert data(tomas.named("presence")[0])["online"] is False
        assert not world.core.board.is_online(world.maya.user.id)


async def test_a_user_whose_coming_was_not_told_comes_online_all_the_same(autojump_clock: MockClock) -> None:
    async with a_world() as world, listening(world, world.maya):
        await trio.sleep(1)
        world.core.board.note_offline(
            world.maya.user.id, world.maya.user.created_at
        )  # as if it had never been told
        await trio.sleep(RECONCILE_S[1] + 1)

        assert world.core.board.is_online(world.maya.user.id)
