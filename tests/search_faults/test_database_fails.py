"""Searches without a connection to be had are refused, clearly and soon; those that are under way give theirs back."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from greenroom.schema.errors import Unavailable
from greenroom.storage.postgres import PostgresOptions
from tests.search_faults.world import TOLERANCE_S, WAIT_S, a_world, titles


async def test_a_search_that_gets_no_connection_is_refused_within_its_budget(
    slow_clock: MockClock, database: PostgresOptions
) -> None:
    with trio.fail_after(WAIT_S):
        async with a_world(database, pool_size=2) as world:
            async with world.pool.session(), world.pool.session():
                began = trio.current_time()
                with pytest.raises(Unavailable) as refused:
                    await world.search("piano lessons")
                took_s = trio.current_time() - began
            after = await world.search("piano lessons under $80")

    assert took_s <= 0.5 + TOLERANCE_S
    assert refused.value.retry_after_s
    assert titles(after) == ["Piano for children"]


async def test_more_searches_than_connections_are_all_answered_or_refused(
    slow_clock: MockClock, database: PostgresOptions
) -> None:
    answered, refused = 0, 0

    async def one(number: int) -> None:
        nonlocal answered, refused
        try:
            await world.search(f"piano lessons {number}")
            answered += 1
        except Unavailable:
            refused += 1

    with trio.fail_after(WAIT_S):
        async with a_world(database, pool_size=2) as world:
            async with trio.open_nursery() as nursery:
                for number in range(40):
                    nursery.start_soon(one, number)
            await world.until_at_rest()
            now = world.pool.statistics()

    assert answered + refused == 40
    assert answered >= 10
    assert now.waiting == 0
    assert now.open <= now.size
