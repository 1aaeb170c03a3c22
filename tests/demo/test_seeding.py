"""What the demo begins with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from random import Random

import pytest
import trio
from rich.console import Console
from trio.testing import MockClock

from greenroom.app import seed_marketplace
from greenroom.demo import INSTRUCTOR_EMAIL, PASSWORD, STUDENT_EMAIL, seed_demo
from greenroom.marketplace import address
from greenroom.schema.bookings import BookingStatus
from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.ids import RandomIds, UserId
from greenroom.schema.settings import Settings
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.memory import FaultPoint, MemoryDatabase, Phase, memory_storage
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.terminal import Steps

CROWD = 30
NOW = system_wall_clock()
"""The same for all: what is compared was booked for mornings of the same days, whenever midnight is."""


async def seed(storage: Storage, crowd: int = CROWD) -> bool:
    ids = RandomIds(Random(1), system_wall_clock)
    return await seed_demo(
        storage, passwords=SimulatedPasswords(), ids=ids, now=NOW, crowd=crowd, settlements=tuple
    )


async def user_id(storage: Storage, email: str) -> UserId:
    found = await storage.accounts.credentials(email)
    assert found is not None
    assert await SimulatedPasswords().verify(PASSWORD, found.password_hash)
    return found.user.id


async def test_tomas_teaches_childrens_piano_near_park_slope_on_saturday_mornings() -> None:
    storage = memory_storage()
    assert await seed(storage)

    tomas = await storage.directory.instructor(await user_id(storage, INSTRUCTOR_EMAIL))
    assert tomas is not None
    piano = next(service for service in tomas.services if service.title == "Piano for children")
    assert (piano.category, piano.age_min, piano.age_max, piano.price_cents) == ("piano", 6, 12, 7_000)
    told = await storage.catalogue.profile(tomas.user.id)
    assert "nyc/brooklyn/park-slope" in told.areas
    assert WeeklySlot(6, 9 * 60, 13 * 60) in told.availability
    assert {region.id for region in await storage.places.regions(told.areas)} == set(told.areas)
    assert await storage.bookings.page(
        await user_id(storage, STUDENT_EMAIL), tense=None, now=NOW, after=None, limit=9
    )


async def test_a_second_start_changes_nothing_and_a_larger_crowd_only_adds_to_the_first() -> None:
    database = MemoryDatabase()
    storage = memory_storage(database)
    assert await seed(storage, crowd=0)
    services = dict(database.tables.services)

    assert not await seed(storage, crowd=0)
    assert await seed(storage)

    assert services.items() <= database.tables.services.items()
    await user_id(storage, address(CROWD - 1))
    assert not await seed(storage)
    assert len(await storage.directory.instructors_page(after=None, limit=100)) == CROWD + 8


def past(database: MemoryDatabase) -> tuple[list[str], list[tuple[datetime, BookingStatus]]]:
    """What was said by people, and what became of the lessons that were booked."""
    tables = database.tables
    said = [m.content or "" for kept in tables.messages.values() for m in kept if m.sender_id is not None]
    return sorted(said), sorted((booking.starts_at, booking.status) for booking in tables.bookings.values())


@pytest.fixture(scope="module")
def undisturbed_past() -> tuple[list[str], list[tuple[datetime, BookingStatus]]]:
    database = MemoryDatabase()
    trio.run(seed, memory_storage(database), 0)
    return past(database)


# The second is between a booking and its move to another time.
@pytest.mark.parametrize("commits_before", [3, 12, 30])
async def test_a_start_that_was_interrupted_is_completed_by_the_next(
    commits_before: int, undisturbed_past: object
) -> None:
    database = MemoryDatabase()
    storage = memory_storage(database)
    commits = 0

    async def lose_power(point: FaultPoint) -> None:
        nonlocal commits
        commits += point == FaultPoint("writes.commit", Phase.BEFORE)
        if commits > commits_before:
            raise KeyboardInterrupt

    database.faults = lose_power
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
        await seed(storage)
    database.faults = MemoryDatabase().faults

    assert await seed(storage)

    assert past(database) == undisturbed_past
    await user_id(storage, address(CROWD - 1))


async def test_a_database_that_is_away_again_and_again_is_filled_all_the_same(
    autojump_clock: MockClock, undisturbed_past: object
) -> None:
    database = MemoryDatabase()
    storage = memory_storage(database)
    points = 0

    async def be_away(point: FaultPoint) -> None:
        nonlocal points
        points += 1
        if points % 37 == 0:  # rarer than the operations of any step, which is done anew
            raise StorageUnavailable("The database did not finish in time.")

    database.faults = be_away
    assert await seed(storage)
    database.faults = MemoryDatabase().faults

    assert past(database) == undisturbed_past
    await user_id(storage, address(CROWD - 1))


async def test_filling_the_marketplace_may_take_longer_than_a_request(database: PostgresOptions) -> None:
    hasty = replace(database, statement_timeout_s=0.001)

    with trio.fail_after(60):
        fill = partial(seed_demo, crowd=CROWD, settlements=tuple)
        await seed_marketplace(fill, hasty, Settings(), Steps(Console(quiet=True)))

        async with open_pool(database) as pool:
            assert (
                await postgres_storage(pool, bus=LocalBus()).accounts.credentials(address(CROWD - 1)) is not None
            )
