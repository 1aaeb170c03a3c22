"""The time of the database is the one that counts, whatever the machine says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.errors import StorageUnavailable
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool
from greenroom.storage.postgres.database_clock import ANCHOR_S, DatabaseClock, open_database_clock

NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
CLOSE = timedelta(seconds=1)


@pytest.fixture
async def pool(database: PostgresOptions) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        yield pool


class ScriptedPool:
    """Answers with one moment after another; None is a database that is away."""

    def __init__(self, *moments: datetime | None) -> None:
        self._moments = list(moments)

    async def fetch(self, query: str, params: None, make: Callable[[datetime], datetime]) -> list[Any]:
        await trio.lowlevel.checkpoint()
        moment = self._moments.pop(0)
        if moment is None:
            raise StorageUnavailable("away")
        return [make(moment)]


def a_clock(*moments: datetime | None) -> DatabaseClock:
    return DatabaseClock(ScriptedPool(*moments))  # type: ignore[arg-type]


async def test_it_tells_the_time_of_the_database(pool: Pool) -> None:
    async with open_database_clock(pool) as clock:
        (told,) = await pool.fetch("SELECT clock_timestamp()", None, lambda moment: moment)
        assert abs(clock() - told) < CLOSE
        assert clock().utcoffset() == timedelta(0)


async def test_between_two_readings_it_follows_the_monotonic_clock(mock_clock: MockClock) -> None:
    clock = a_clock(NOON)
    await clock.anchor()
    mock_clock.jump(30)
    assert clock() == NOON + timedelta(seconds=30)


async def test_it_follows_a_database_whose_clock_was_put_right(autojump_clock: MockClock) -> None:
    clock = a_clock(NOON, NOON + timedelta(hours=1))
    await clock.anchor()
    with trio.move_on_after(ANCHOR_S * 1.5):
        await clock.keep_anchored()
    assert clock() == NOON + timedelta(hours=1, seconds=ANCHOR_S / 2)


async def test_it_goes_on_while_the_database_is_away(autojump_clock: MockClock) -> None:
    clock = a_clock(NOON, None, None)
    await clock.anchor()
    with trio.move_on_after(ANCHOR_S * 2.5):
        await clock.keep_anchored()
    assert clock() == NOON + timedelta(seconds=ANCHOR_S * 2.5)


async def test_a_clock_that_was_never_read_tells_no_time() -> None:
    with pytest.raises(RuntimeError, match="anchored"):
        a_clock()()
