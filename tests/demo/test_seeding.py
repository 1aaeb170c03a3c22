"""What the demo begins with."""

from __future__ import annotations

from random import Random

import pytest

from greenroom.demo import INSTRUCTOR_EMAIL, PASSWORD, STUDENT_EMAIL, seed_demo
from greenroom.marketplace import address
from greenroom.schema.catalogue import WeeklySlot
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import RandomIds, UserId
from greenroom.storage.memory import FaultPoint, MemoryDatabase, memory_storage
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import Storage

CROWD = 30


async def seed(storage: Storage, crowd: int = CROWD) -> bool:
    ids = RandomIds(Random(1), system_wall_clock)
    return await seed_demo(
        storage, passwords=SimulatedPasswords(), ids=ids, now=system_wall_clock(), crowd=crowd, settlements=tuple
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
        await user_id(storage, STUDENT_EMAIL), tense=None, now=system_wall_clock(), after=None, limit=9
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


async def test_a_start_that_was_interrupted_is_completed_by_the_next() -> None:
    database = MemoryDatabase()
    storage = memory_storage(database)
    commits = 0

    async def lose_power(point: FaultPoint) -> None:
        nonlocal commits
        commits += point.operation == "writes.commit"
        if commits > 30:
            raise KeyboardInterrupt

    database.faults = lose_power
    with pytest.raises(BaseExceptionGroup):
        await seed(storage)
    database.faults = MemoryDatabase().faults

    assert await seed(storage)

    tomas = await storage.directory.instructor(await user_id(storage, INSTRUCTOR_EMAIL))
    assert tomas is not None
    assert len(tomas.services) == 2
