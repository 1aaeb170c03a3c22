"""Searching where too many search already."""

from __future__ import annotations

from contextlib import AsyncExitStack

from structlog.testing import capture_logs

from tests.http.world import World, assert_problem


async def test_where_too_many_search_everybody_is_turned_away_at_once_and_told_when_to_come_back(
    world: World,
) -> None:
    admission = world.core.search_room.admission
    async with AsyncExitStack() as stack:
        while admission.statistics().in_flight < admission.statistics().room:
            await stack.enter_async_context(admission.admitted())
        with capture_logs() as logs:
            refused = await world.maya.api.get("/api/v1/search", params={"q": "piano"})
            # Not even credentials are looked at.
            stranger = await world.nobody.get("/api/v1/search")
    answered = await world.maya.api.get("/api/v1/search", params={"q": "piano"})

    assert_problem(refused, 503, "search_busy")
    assert refused.headers["Retry-After"] == "1"
    assert_problem(stranger, 503, "search_busy")
    assert answered.status_code == 200
    assert "warning" not in {line["log_level"] for line in logs}
    metrics = (await world.operator.get("/metrics")).text
    assert "greenroom_searches_refused_total 2.0" in metrics
