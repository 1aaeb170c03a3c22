"""What operators see of searches in the metrics."""

from __future__ import annotations

from tests.http.world import World


async def test_metrics_tell_what_became_of_searches_and_what_their_stages_took(world: World) -> None:
    for _ in range(2):
        answer = await world.maya.api.get("/api/v1/search", params={"q": "piano lessons"})
        assert answer.status_code == 200
    refused = await world.maya.api.get("/api/v1/search", params={"q": "piano", "city": "atlantis"})
    assert refused.status_code == 422

    metrics = (await world.operator.get("/metrics")).text

    # Nobody has taught the models a service here, so the first is degraded, and a degraded answer is not kept.
    assert 'greenroom_searches_total{cache="miss",outcome="degraded"} 2.0' in metrics
    assert 'greenroom_searches_total{cache="none",outcome="failed"} 1.0' in metrics
    assert 'greenroom_search_stage_seconds_count{stage="burst2"} 2.0' in metrics
    assert "greenroom_searches_in_flight 0.0" in metrics
    assert "greenroom_searches_refused_total 0.0" in metrics


async def test_no_metric_holds_what_was_searched_for(world: World) -> None:
    await world.maya.api.get("/api/v1/search", params={"q": "zither for left-handed beginners"})

    metrics = (await world.operator.get("/metrics")).text

    assert "zither" not in metrics
