"""A search that gets no database connection is refused in so many words, with when to come again."""

from __future__ import annotations

import trio

from greenroom.schema.errors import PoolExhausted
from greenroom.storage.memory import FaultPoint
from tests.http.world import World


async def exhausted(point: FaultPoint) -> None:
    await trio.lowlevel.checkpoint()
    if point.operation.startswith(("retrieval.", "places.")):
        raise PoolExhausted("No database connection came free.")


async def test_a_search_without_a_connection_is_a_503_with_when_to_come_again(world: World) -> None:
    before = await world.maya.api.get("/api/v1/search", params={"q": "piano"})
    healthy, world.database.faults = world.database.faults, exhausted
    refused = await world.maya.api.get("/api/v1/search", params={"q": "violin"})
    world.database.faults = healthy
    after = await world.maya.api.get("/api/v1/search", params={"q": "violin"})

    assert (before.status_code, refused.status_code, after.status_code) == (200, 503, 200)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"
