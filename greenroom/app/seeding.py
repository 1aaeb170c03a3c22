"""Filling an empty marketplace before anybody serves it."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from random import SystemRandom
from typing import Protocol

from greenroom.app.parts import make_passwords
from greenroom.app.steps import Steps
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import Ids, RandomIds
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.passwords import Passwords
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage


class Seed(Protocol):
    """Fills an empty marketplace."""

    def __call__(self, storage: Storage, *, passwords: Passwords, ids: Ids, now: datetime) -> Awaitable[bool]: ...


async def seed_marketplace(seed: Seed, options: PostgresOptions, settings: Settings, steps: Steps) -> None:
    """Fill an empty marketplace, before anybody serves it."""
    with steps.step("Filling the marketplace"):
        async with open_pool(options.for_loading()) as pool:
            await seed(
                postgres_storage(pool, bus=LocalBus()),
                passwords=make_passwords(settings),
                ids=RandomIds(SystemRandom(), system_wall_clock),
                now=system_wall_clock(),
            )
