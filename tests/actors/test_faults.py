"""Parts fail in the middle of a conversation: what was acknowledged stays, and clients notice a delay at most."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.errors import StorageUnavailable, Unavailable
from greenroom.storage.memory import FaultPoint, Phase
from greenroom.supervisor import KILLED
from tests.actors.world import World, a_world, data, listening, seqs


@pytest.mark.parametrize(
    "victim", ["committer", "sweep", "bus-relay", "presence", "conversations/{talk}", "streams/{tomas}"]
)
async def test_an_actor_that_is_killed_is_restarted_and_clients_notice_a_delay_at_most(
    victim: str, autojump_clock: MockClock
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        path = "/greenroom/" + victim.format(talk=talk, tomas=world.tomas.user.id)
        async with listening(world, world.tomas) as tomas:
            for n in range(10):
                if n == 5:
                    world.core.system.registry.child(path).kill(KILLED)
                await world.say(talk, f"line {n}")
            await tomas.until(lambda c: len(c.contents) == 10)

            assert tomas.contents == [f"line {n}" for n in range(10)]
            assert seqs(tomas.durable) == list(range(2, 12))
            assert world.core.system.inspect(path).node.restarts == 1


async def test_while_the_database_is_away_sends_are_refused_and_streams_stay_open(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            await world.say(talk, "before")
            healthy, world.database.faults = world.database.faults, _database_is_away
            with pytest.raises(Unavailable):
                await world.say(talk, "during")
            await trio.sleep(60)
            world.database.faults = healthy
            await world.say(talk, "after")
            await tomas.until(lambda c: len(c.contents) == 2)

            assert tomas.contents == ["before", "after"]
            assert len(tomas.named("heartbeat")) >= 4
            assert not tomas.named("closing")


async def test_a_commit_with_unknown_outcome_is_settled_by_the_client_id(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            world.database.faults = _OnceAfterCommit(world)
            with pytest.raises(Unavailable):
                await world.say(talk, "did it arrive?", client_id="c1")
            sent = await world.core.messaging.send(world.maya, talk, content="did it arrive?", client_id="c1")
            await tomas.until(lambda c: bool(c.contents))
            await trio.sleep(30)

            assert sent.created is False
            assert tomas.contents == ["did it arrive?"]


async def test_an_event_that_was_committed_but_never_announced_arrives_by_the_sweep(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        talk = await world.talk()
        async with listening(world, world.tomas) as tomas:
            world.database.faults = _OnceAfterCommit(world)
            with pytest.raises(Unavailable):
                await world.say(talk, "silence")
            await tomas.until(lambda c: c.contents == ["silence"])

            assert trio.current_time() <= 30


async def test_a_stream_opened_while_the_database_is_away_is_refused_and_can_be_opened_later(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        healthy, world.database.faults = world.database.faults, _database_is_away
        with pytest.raises(Unavailable):
            async with world.core.streams.open(world.tomas, None):
                pass
        world.database.faults = healthy
        async with listening(world, world.tomas) as tomas:
            assert data(tomas.frames[0])["user_id"] == world.tomas.user.id


async def test_what_is_in_the_mailboxes_is_committed_before_the_server_stops(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        talk = await world.talk()
        world.database.faults = _slow_commits
        async with trio.open_nursery() as nursery:
            for n in range(20):
                nursery.start_soon(world.say, talk, f"line {n}")
            await trio.testing.wait_all_tasks_blocked()
            world.core.draining.begin()
            await world.core.system.shutdown(10)

        assert sum(map(len, world.database.tables.messages.values())) == 20


async def _database_is_away(point: FaultPoint) -> None:
    await trio.sleep(0.01)
    raise StorageUnavailable("The database is away.")


async def _slow_commits(point: FaultPoint) -> None:
    await trio.sleep(0.2 if point.operation == "writes.commit" else 0)


class _OnceAfterCommit:
    """The connection dies once, after the commit took effect and before anybody heard of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._before = world.database.faults

    async def __call__(self, point: FaultPoint) -> None:
        await self._before(point)
        if point == FaultPoint("writes.commit", Phase.AFTER):
            self._world.database.faults = self._before
            raise StorageUnavailable("The connection died while committing.")
