"""The committer: groups, order, and what one bad command may cost the others."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.addresses import committer
from greenroom.actors.commands import OpenConversation
from greenroom.schema.errors import Unavailable, UserNotFound
from greenroom.schema.ids import UserId
from greenroom.storage.memory import FaultPoint, Phase
from tests.actors.world import World, a_world, listening

NOBODY = UserId("01ARZ3NDEKTSV4RRFFQ69G5FAV")


async def test_what_arrives_during_a_commit_goes_into_the_next_one_together(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        begun = _count(world, "writes.begin", slow_commit_s=0.1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.say, talk, "first")
            await trio.testing.wait_all_tasks_blocked()
            for n in range(50):
                nursery.start_soon(world.say, talk, f"line {n}")

        assert len(begun) == 2


async def test_one_bad_command_gets_its_error_and_its_neighbours_are_committed(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        _count(world, "writes.begin", slow_commit_s=0.1)
        refused: list[Exception] = []

        async def open_with_nobody() -> None:
            try:
                request = OpenConversation(world.maya.user.id, NOBODY, world.maya.user.id, None)
                await committer(world.core.system).ask(request, timeout=5)
            except UserNotFound as exc:
                refused.append(exc)

        async with listening(world, world.tomas) as tomas:
            async with trio.open_nursery() as nursery:
                for n in range(10):
                    nursery.start_soon(world.say, talk, f"line {n}")
                nursery.start_soon(open_with_nobody)
            await tomas.until(lambda c: len(c.contents) == 10)

        assert len(refused) == 1
        assert world.core.system.inspect("/greenroom/committer").node.restarts == 0


async def test_a_bug_met_by_one_command_serves_the_others_and_is_seen_by_the_supervisor(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        before = world.database.faults

        async def broken(point: FaultPoint) -> None:
            if point == FaultPoint("writes.open_conversations", Phase.BEFORE):
                raise RuntimeError("a bug")
            await trio.sleep(0.1 if point.operation == "writes.commit" else 0)

        world.database.faults = broken
        outcomes: list[object] = []

        async def open_it() -> None:
            try:
                await world.core.messaging.open_conversation(world.maya, world.tomas.user.id, None)
            except Exception as exc:
                outcomes.append(exc)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.say, talk, "first")
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(open_it)
            for n in range(5):
                nursery.start_soon(world.say, talk, f"line {n}")
        world.database.faults = before

        page = await world.core.messaging.messages(world.maya, talk, limit=10)
        assert len(page.items) == 6
        assert [type(o) for o in outcomes] == [RuntimeError]
        assert world.core.system.inspect("/greenroom/committer").node.restarts == 1


async def test_replies_come_only_after_the_commit(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        _count(world, "writes.begin", slow_commit_s=3)
        started = trio.current_time()
        await world.say(talk, "slow")

        assert trio.current_time() - started >= 3


async def test_a_commit_that_takes_too_long_is_given_up_and_the_committer_goes_on(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        before = world.database.faults
        _count(world, "writes.begin", slow_commit_s=60)
        with pytest.raises(Unavailable):
            await world.say(talk, "never")
        world.database.faults = before
        await trio.sleep(10)

        assert await world.say(talk, "again") >= 1


def _count(world: World, operation: str, *, slow_commit_s: float) -> list[FaultPoint]:
    """Slow commits down so that commands gather, and note each time ``operation`` begins."""
    seen: list[FaultPoint] = []

    async def noting(point: FaultPoint) -> None:
        if point == FaultPoint(operation, Phase.BEFORE):
            seen.append(point)
        is_commit = point == FaultPoint("writes.commit", Phase.BEFORE)
        await trio.sleep(slow_commit_s if is_commit else 0)

    world.database.faults = noting
    return seen
