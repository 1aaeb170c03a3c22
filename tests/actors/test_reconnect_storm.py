"""Everybody comes back at once: they queue, nobody is refused, and the database is left some room."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.authentication import SESSION_QUERIES_MAX
from greenroom.actors.replay import REPLAY_PAGE, REPLAY_QUERIES_MAX
from greenroom.schema.errors import PoolExhausted, StorageUnavailable, Unavailable
from greenroom.schema.ids import UserId
from greenroom.schema.records import Role
from greenroom.storage.memory import MemoryDatabase
from greenroom.storage.memory.faults import FaultPoint, Phase
from tests.actors.world import Listener, World, a_world, seqs

PEOPLE = 100


class Traffic:
    """Counts queries, and how many of a kind ran at once; each takes 10 ms."""

    def __init__(self) -> None:
        self.queries: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self._running: Counter[str] = Counter()

    async def __call__(self, point: FaultPoint) -> None:
        name = point.operation
        if point.phase is Phase.BEFORE:
            self.queries[name] += 1
            self._running[name] += 1
            self.at_once[name] = max(self.at_once[name], self._running[name])
            await trio.sleep(0.01)
        else:
            self._running[name] -= 1


async def come_back(world: World, tokens: list[str], cursors: list[str], *, count: int) -> list[Listener]:
    """All connect in the same instant, each with the first event of theirs as cursor, and read ``count`` events."""
    listeners = [Listener() for _ in tokens]

    async def follow(token: str, cursor: str, listener: Listener) -> None:
        identity = await world.core.sign_in.authenticate(token, patience_s=10)
        async with world.core.streams.open(identity, cursor) as connection:
            while len(listener.durable) < count:
                listener.see(await connection.receive())

    async with trio.open_nursery() as nursery:
        for token, cursor, listener in zip(tokens, cursors, listeners, strict=True):
            nursery.start_soon(follow, token, cursor, listener)
    return listeners


async def a_past(world: World, *, messages: int) -> tuple[list[str], list[str]]:
    """A conversation each of a hundred students; returns their tokens, and the cursors of its beginning."""
    tokens, cursors = [], []
    for n in range(PEOPLE):
        student = await world.join(f"student{n}", Role.STUDENT)
        opened = await world.core.messaging.open_conversation(student, world.tomas.user.id, None)
        cursors.append((await world.core.streams.sync(student)).cursor)
        for m in range(messages):
            await world.say(opened.view.conversation.id, f"message {m}", student)
        tokens.append(world.tokens[student.user.id])
    return tokens, cursors


async def test_a_hundred_who_come_back_at_once_cost_few_queries_and_each_catches_up(
    autojump_clock: MockClock,
) -> None:
    database = MemoryDatabase()
    async with a_world(database=database) as world:
        tokens, cursors = await a_past(world, messages=5)
        await trio.sleep(100)  # until nothing of it is in memory
        traffic = Traffic()
        database.faults = traffic

        listeners = await come_back(world, tokens, cursors, count=5)

    assert all(seqs(listener.durable) == [2, 3, 4, 5, 6] for listener in listeners)
    assert traffic.queries["accounts.session"] == PEOPLE
    assert traffic.queries["streams.heads"] < PEOPLE / 2
    assert traffic.queries["streams.head"] == 0
    assert traffic.at_once["accounts.session"] <= SESSION_QUERIES_MAX
    assert traffic.at_once["streams.events_after"] <= REPLAY_QUERIES_MAX
    assert traffic.at_once["streams.heads"] == 1


async def test_nobody_is_refused_because_the_database_has_no_connection_free_for_a_while(
    autojump_clock: MockClock,
) -> None:
    database = MemoryDatabase()
    async with a_world(database=database) as world:
        tokens, cursors = await a_past(world, messages=1)
        await trio.sleep(100)
        free_at = trio.current_time() + 3

        async def be_busy(point: FaultPoint) -> None:
            if trio.current_time() < free_at:
                await trio.sleep(0.5)
                raise PoolExhausted("No database connection came free.")
            await trio.lowlevel.checkpoint()

        database.faults = be_busy
        listeners = await come_back(world, tokens, cursors, count=1)

    assert all(seqs(listener.durable) == [2] for listener in listeners)


async def test_one_who_has_missed_much_does_not_hold_up_those_who_missed_little(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_world(database=database) as world:
        talk = await world.talk()
        start = (await world.core.streams.sync(world.tomas)).cursor
        for n in range(REPLAY_PAGE * 5):
            await world.say(talk, f"line {n}")
        await trio.sleep(100)
        database.faults = Traffic()
        finished: list[str] = []

        async def catch_up(name: str, cursor: str, count: int) -> None:
            async with world.core.streams.open(world.tomas, cursor) as connection:
                listener = Listener()
                while len(listener.durable) < count:
                    listener.see(await connection.receive())
            finished.append(name)

        async with trio.open_nursery() as nursery:
            for n in range(8):
                nursery.start_soon(catch_up, f"long {n}", start, REPLAY_PAGE * 5)
            late = f"{start.rpartition('.')[0]}.{REPLAY_PAGE * 5 - 199}"
            for n in range(8):
                nursery.start_soon(catch_up, f"short {n}", late, 200)

    assert {name.split()[0] for name in finished[:8]} == {"short"}


async def test_a_stream_opens_although_its_actor_crashes_at_first(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_world(database=database) as world:
        crashes = 0

        async def crash_twice(point: FaultPoint) -> None:
            nonlocal crashes
            await trio.lowlevel.checkpoint()
            if point == FaultPoint("streams.heads", Phase.BEFORE) and crashes < 2:
                crashes += 1
                raise ZeroDivisionError

        database.faults = crash_twice
        async with world.core.streams.open(world.tomas, None) as connection:
            assert [frame.event for frame in await connection.receive()] == ["ready"]

        assert crashes == 2


async def test_a_database_that_is_away_is_told_to_whoever_opens_a_stream_at_once(
    autojump_clock: MockClock,
) -> None:
    database = MemoryDatabase()
    async with a_world(database=database) as world:

        async def be_away(point: FaultPoint) -> None:
            raise StorageUnavailable("The database is away.")

        before, database.faults = database.faults, be_away
        began = trio.current_time()
        with pytest.raises(Unavailable):
            async with world.core.streams.open(world.tomas, None):
                pytest.fail("it opened")

        assert trio.current_time() == began
        database.faults = before


async def test_cursors_of_another_history_are_reset_with_few_queries(autojump_clock: MockClock) -> None:
    database = MemoryDatabase()
    async with a_world(database=database) as world:
        people = [await world.join(f"student{n}", Role.STUDENT) for n in range(PEOPLE)]
        traffic = Traffic()
        database.faults = traffic
        resets: set[UserId] = set()

        async with trio.open_nursery() as nursery:
            for person in people:

                async def follow(person: object = person) -> None:
                    async with world.core.streams.open(person, "v1.before.7") as connection:  # type: ignore[arg-type]
                        frames = await connection.receive()
                        assert [frame.event for frame in frames] == ["ready", "reset"]
                        resets.add(person.user.id)  # type: ignore[attr-defined]

                nursery.start_soon(follow)

    assert len(resets) == PEOPLE
    assert traffic.queries["streams.heads"] < PEOPLE / 4
