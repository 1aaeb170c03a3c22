"""A message sent on one worker, seen by a stream on another: through Postgres and Redis as they are, and without them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors import sweep
from greenroom.actors.core import Core, open_core
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.identity import Identity
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.events import Frame
from greenroom.schema.ids import ConversationId, RandomIds
from greenroom.schema.records import Role
from greenroom.storage.bus_opening import BusKind, open_bus
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.storage.redis import RedisUrl
from tests.actors.world import PASSWORD, data
from tests.storage.bus.redis_server import RedisServer

WAIT_S = 20.0

DOWN_LATE_S = 2.0
"""How late a message may be while the bus is down."""


@pytest.fixture
def slower_clock() -> MockClock:
    """Time at less than half of its pace: to whatever is timed, the machine is as much faster."""
    return MockClock(rate=0.4)


@dataclass
class Arrivals:
    """When each message's text was seen first, and all texts in order."""

    at: dict[str, float] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def see(self, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.event == "message.created":
                text = data(frame)["message"]["content"]
                self.at.setdefault(text, trio.current_time())
                self.texts.append(text)


@dataclass
class TwoWorkers:
    """Maya writes on the first, Tomás listens on the second."""

    first: Core
    second: Core
    maya: Identity
    talk: ConversationId
    arrivals: Arrivals
    sent_at: dict[str, float] = field(default_factory=dict)

    async def say(self, count: int, *, pause_s: float) -> None:
        for _ in range(count):
            text = f"m{len(self.sent_at)}"
            await self.first.messaging.send(self.maya, self.talk, content=text, client_id=text)
            self.sent_at[text] = trio.current_time()
            await trio.sleep(pause_s)

    async def until_all_arrived(self) -> None:
        with trio.fail_after(WAIT_S):
            while len(self.arrivals.at) < len(self.sent_at):  # noqa: ASYNC110
                await trio.sleep(0.01)

    def latenesses(self) -> list[float]:
        """Seconds from acknowledgement to the other worker's stream, sorted."""
        return sorted(self.arrivals.at[text] - at for text, at in self.sent_at.items())


@asynccontextmanager
async def two_workers(
    database: PostgresOptions, kind: BusKind, redis: RedisServer | None
) -> AsyncIterator[TwoWorkers]:
    async with AsyncExitStack() as stack:
        cores = []
        for name in ("worker-a", "worker-b"):
            pool = await stack.enter_async_context(open_pool(database))
            url = None if redis is None else RedisUrl.parse(redis.url)
            bus = await stack.enter_async_context(
                open_bus(kind, pool=pool, redis=url, worker=name, rng=Random(name))
            )
            core = await stack.enter_async_context(
                open_core(
                    postgres_storage(pool, bus=bus),
                    passwords=SimulatedPasswords(),
                    ids=RandomIds(Random(name), system_wall_clock),
                    wall=system_wall_clock,
                    seed=1,
                    settings=CoreSettings(worker=name),
                )
            )
            cores.append(core)
        first, second = cores
        maya, tomas = await _join(first, "maya", Role.STUDENT), await _join(first, "tomas", Role.INSTRUCTOR)
        opened = await first.messaging.open_conversation(maya, tomas.user.id, None)
        arrivals = Arrivals()
        nursery = await stack.enter_async_context(trio.open_nursery())
        await nursery.start(_listen, second, tomas, arrivals)
        yield TwoWorkers(first, second, maya, opened.view.conversation.id, arrivals)
        nursery.cancel_scope.cancel()


async def _join(core: Core, name: str, role: Role) -> Identity:
    signed_in = await core.sign_in.register(
        email=f"{name}@example.com", password=PASSWORD, display_name=name.title(), role=role
    )
    return signed_in.identity


async def _listen(core: Core, who: Identity, arrivals: Arrivals, *, task_status: trio.TaskStatus[None]) -> None:
    async with core.streams.open(who, None) as connection:
        await connection.receive()
        task_status.started()
        while frames := await connection.receive():
            arrivals.see(list(frames))


@pytest.fixture
def only_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks for what he was not told of, as long as the bus is up."""
    monkeypatch.setattr(sweep, "SWEEP_S", (600.0, 600.0))


@pytest.mark.usefixtures("only_hints")
@pytest.mark.parametrize("kind", [BusKind.REDIS, BusKind.POSTGRES])
async def test_a_message_reaches_the_other_worker_by_the_bus_and_in_order(
    database: PostgresOptions, redis: RedisServer, kind: BusKind
) -> None:
    async with two_workers(database, kind, redis) as workers:
        await workers.say(100, pause_s=0.005)
        await workers.until_all_arrived()
        assert workers.arrivals.texts == list(workers.sent_at)


@pytest.mark.parametrize("strike", ["kill", "freeze"])
async def test_without_redis_a_message_is_at_most_two_seconds_late(
    database: PostgresOptions, redis: RedisServer, slower_clock: MockClock, strike: str
) -> None:
    async with two_workers(database, BusKind.REDIS, redis) as workers:
        await workers.say(20, pause_s=0.02)
        await trio.to_thread.run_sync(partial(getattr(redis, strike)))
        await workers.say(150, pause_s=0.015)
        assert workers.first.is_degraded
        assert workers.second.is_degraded
        await workers.until_all_arrived()
        assert workers.arrivals.texts == list(workers.sent_at)
        assert workers.latenesses()[-1] <= DOWN_LATE_S


@pytest.mark.usefixtures("only_hints")
async def test_a_bus_that_comes_back_is_used_again(database: PostgresOptions, redis: RedisServer) -> None:
    async with two_workers(database, BusKind.REDIS, redis) as workers:
        redis.kill()
        await workers.say(10, pause_s=0.05)
        await trio.to_thread.run_sync(redis.start)
        with trio.fail_after(WAIT_S):
            while workers.first.is_degraded or workers.second.is_degraded:  # noqa: ASYNC110
                await trio.sleep(0.05)
        await workers.until_all_arrived()
        await workers.say(80, pause_s=0.02)  # longer than until the last turn that was set while it was down
        await workers.until_all_arrived()


async def test_a_session_that_ends_on_one_worker_ends_its_streams_on_the_other(
    database: PostgresOptions, redis: RedisServer
) -> None:
    async with (
        two_workers(database, BusKind.REDIS, redis) as workers,
        workers.second.streams.open(workers.maya, None) as connection,
    ):
        await connection.receive()
        await workers.first.sign_in.logout(workers.maya)
        with trio.fail_after(WAIT_S):
            frames = await connection.receive()
            while frames[-1].event != "closing":
                frames = await connection.receive()
        assert data(frames[-1])["reason"] == "revoked"
