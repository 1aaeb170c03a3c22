"""A whole server without HTTP, on the virtual clock, with the in-memory twins behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import trio

from greenroom.actors.core import Core, open_core
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.identity import Identity
from greenroom.actors.search.room import SearchPlan
from greenroom.actors.stream_connection import StreamConnection
from greenroom.schema.clock import trio_wall_clock
from greenroom.schema.events import Frame
from greenroom.schema.ids import ConversationId, RandomIds, UserId
from greenroom.schema.records import Role
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.captcha import Captcha
from greenroom.storage.mail import Mailer
from greenroom.storage.memory import MemoryDatabase, memory_storage
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import BusNote

PASSWORD = "correct horse battery"
EPOCH = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass
class World:
    """The server under test and two people in it."""

    core: Core
    database: MemoryDatabase
    bus: LocalBus
    maya: Identity
    tomas: Identity
    tokens: dict[UserId, str] = field(default_factory=dict)

    async def talk(self) -> ConversationId:
        """The conversation of the two."""
        opened = await self.core.messaging.open_conversation(self.maya, self.tomas.user.id, None)
        return opened.view.conversation.id

    async def say(
        self, talk: ConversationId, text: str, by: Identity | None = None, client_id: str | None = None
    ) -> int:
        sent = await self.core.messaging.send(by or self.maya, talk, content=text, client_id=client_id)
        return sent.message.seq

    async def join(self, name: str, role: Role) -> Identity:
        signed_in = await self.core.sign_in.register(
            email=f"{name}@example.com", password=PASSWORD, display_name=name.title(), role=role
        )
        self.tokens[signed_in.identity.user.id] = signed_in.token
        return signed_in.identity


@asynccontextmanager
async def a_world(
    *,
    seed: int = 1,
    database: MemoryDatabase | None = None,
    arrives: Callable[[BusNote], bool] | None = None,
    settings: CoreSettings | None = None,
    mailer: Mailer | None = None,
    captcha: Captcha | None = None,
    search: SearchPlan | None = None,
) -> AsyncIterator[World]:
    """Run a server with a student, Maya, and an instructor, Tomás.

    Args:
        arrives: says which notes of the bus arrive; all by default.
    """
    database = database or MemoryDatabase()
    bus = LocalBus(arrives=arrives)
    wall = database.clock = trio_wall_clock(EPOCH)
    with trio.fail_after(10_000_000):
        async with open_core(
            memory_storage(database, bus=bus),
            passwords=SimulatedPasswords(),
            ids=RandomIds(Random(f"ids/{seed}"), wall),
            wall=wall,
            seed=seed,
            settings=settings,
            mailer=mailer,
            captcha=captcha,
            search=search,
        ) as core:
            world = World(core, database, bus, maya=None, tomas=None)  # type: ignore[arg-type]
            world.maya = await world.join("maya", Role.STUDENT)
            world.tomas = await world.join("tomas", Role.INSTRUCTOR)
            yield world


class Listener:
    """A client that follows a stream and remembers what it saw."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.cursor: str | None = None
        self._changed = trio.Event()

    @property
    def durable(self) -> list[Frame]:
        """Frames of stored events."""
        own = {"ready", "heartbeat", "reset", "closing"}
        return [frame for frame in self.frames if frame.id is not None and frame.event not in own]

    @property
    def contents(self) -> list[str]:
        """Texts of the messages seen, in the order seen."""
        return [data(f)["message"]["content"] for f in self.frames if f.event == "message.created"]

    def named(self, event: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.event == event]

    def see(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            self.frames.append(frame)
            self.cursor = frame.id or self.cursor
        self._changed.set()

    async def until(self, condition: Callable[[Listener], bool]) -> None:
        """Wait until what was seen meets ``condition``."""
        while not condition(self):
            self._changed = trio.Event()
            await self._changed.wait()

    async def follow(self, connection: StreamConnection) -> None:
        while frames := await connection.receive():
            self.see(frames)

    async def run(
        self,
        core: Core,
        identity: Identity,
        cursor: str | None = None,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Connect at ``cursor`` and follow until the stream ends."""
        async with core.streams.open(identity, cursor) as connection:
            self.see(await connection.receive())
            task_status.started()
            await self.follow(connection)


@asynccontextmanager
async def listening(world: World, identity: Identity, cursor: str | None = None) -> AsyncIterator[Listener]:
    """A client that is connected for the length of the block."""
    listener = Listener()
    async with trio.open_nursery() as nursery:
        await nursery.start(listener.run, world.core, identity, cursor)
        yield listener
        nursery.cancel_scope.cancel()


def data(frame: Frame) -> Any:
    return json.loads(frame.data)


def seqs(frames: Sequence[Frame]) -> list[int]:
    """Stream sequences of frames that carry a cursor."""
    return [int(frame.id.rpartition(".")[2]) for frame in frames if frame.id is not None]
