"""Two servers without HTTP over one database and one bus, on the virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import trio

from greenroom.actors.core import Core, open_core
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.identity import Identity
from greenroom.schema.clock import trio_wall_clock
from greenroom.schema.ids import ConversationId, RandomIds
from greenroom.schema.records import Role
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.memory import MemoryDatabase, memory_storage
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import BusNote
from tests.actors.world import EPOCH, PASSWORD


@dataclass
class Cores:
    """Two workers, and two people with a conversation."""

    first: Core
    second: Core
    bus: LocalBus
    maya: Identity
    tomas: Identity
    talk: ConversationId
    kill_second: Callable[[], None]


@asynccontextmanager
async def two_cores(
    *, arrives: Callable[[BusNote], bool] | None = None, bus: LocalBus | None = None
) -> AsyncIterator[Cores]:
    """Run two workers; either can be killed without having a last word."""
    database, wall = MemoryDatabase(), trio_wall_clock(EPOCH)
    bus = bus or LocalBus(arrives=arrives)

    async def run(
        name: str, *, task_status: trio.TaskStatus[tuple[Core, trio.CancelScope]] = trio.TASK_STATUS_IGNORED
    ) -> None:
        with trio.CancelScope() as scope:
            async with open_core(
                memory_storage(database, bus=bus),
                passwords=SimulatedPasswords(),
                ids=RandomIds(Random(name), wall),
                wall=wall,
                seed=1,
                settings=CoreSettings(worker=name),
            ) as core:
                task_status.started((core, scope))
                await trio.sleep_forever()

    with trio.fail_after(1_000_000):
        async with trio.open_nursery() as nursery:
            first, _ = await nursery.start(run, "worker-a")
            second, scope = await nursery.start(run, "worker-b")
            maya, tomas = await _join(first, "maya", Role.STUDENT), await _join(first, "tomas", Role.INSTRUCTOR)
            opened = await first.messaging.open_conversation(maya, tomas.user.id, None)
            yield Cores(first, second, bus, maya, tomas, opened.view.conversation.id, scope.cancel)
            nursery.cancel_scope.cancel()


async def _join(core: Core, name: str, role: Role) -> Identity:
    signed_in = await core.sign_in.register(
        email=f"{name}@example.com", password=PASSWORD, display_name=name.title(), role=role
    )
    return signed_in.identity
