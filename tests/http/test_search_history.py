"""What operators read of searches, and how results are clicked."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from greenroom.http.app import OPERATIONS
from tests.http.world import ULID, WAIT_S, World, assert_problem

ANALYTICS = "/api/v1/analytics/search"
QUERIES = "/api/v1/admin/search/queries"


async def search(world: World, text: str) -> str:
    answer = await world.maya.api.get("/api/v1/search", params={"q": text})
    assert answer.status_code == 200, answer.text
    counts = world.core.search_room.log_counts
    with trio.fail_after(WAIT_S):
        while world.database.tables.searches.get(answer.json()["query_id"]) is None:
            assert not counts.failed + counts.timed_out
            await trio.sleep(0.005)
    return str(answer.json()["query_id"])


async def get(world: World, path: str, **params: Any) -> Any:
    answer = await world.operator.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_operators_list_searches_and_read_one_in_full(world: World) -> None:
    first, second = await search(world, "Organ in Narnia"), await search(world, "lute")

    page = await get(world, QUERIES, zero="true", limit=1)
    rest = await get(world, QUERIES, zero="true", limit=1, cursor=page["next_cursor"])
    one = await get(world, f"{QUERIES}/{first}")

    assert [line["query_id"] for line in page["items"] + rest["items"]] == [second, first]
    assert rest["next_cursor"] is None
    assert one["search"]["user_id"] == world.maya.id
    assert one["details"]["diagnostics"]["stages"][0]["name"] == "parse"
    assert one["clicks"] == []


async def test_an_unknown_search_is_not_found_and_a_made_up_cursor_refused(world: World) -> None:
    assert_problem(await world.operator.get(f"{QUERIES}/{ULID}"), 404, "search_not_found")
    assert_problem(await world.operator.get(QUERIES, params={"cursor": "x"}), 422)
    assert_problem(await world.operator.get(QUERIES, params={"slow_ms": "fast"}), 422)


async def test_a_click_is_taken_from_whoever_is_signed_in_and_says_nothing(world: World) -> None:
    query_id = await search(world, "lute")
    path = f"/api/v1/search/{query_id}/click"

    taken = await world.maya.api.post(path, json={"service_id": ULID, "position": 0})
    unknown = await world.maya.api.post(f"/api/v1/search/{ULID}/click", json={"service_id": ULID, "position": 3})

    assert (taken.status_code, taken.content) == (204, b"")
    assert unknown.status_code == 204
    assert_problem(await world.maya.api.post(path, json={"service_id": ULID, "position": -1}), 422)
    assert_problem(await world.maya.api.post(path, json={"position": 0}), 422)
    assert_problem(await world.nobody.post(path, json={"service_id": ULID, "position": 0}), 401)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("summary", {"searches": 2, "searchers": 1, "stride_s": 3600}),
        ("popular", {}),
        ("zero-results", {}),
        ("latency", {"sampled": 2}),
        ("degradation", {"searches": 2}),
        ("click-through", {"clicked": 0}),
        ("tiers", {}),
    ],
)
async def test_aggregates_are_of_the_last_day_by_default(world: World, name: str, shown: dict[str, int]) -> None:
    await search(world, "lute")
    await search(world, "organ")

    found = await get(world, f"{ANALYTICS}/{name}")

    assert {key: found[key] for key in shown} == shown
    assert set(found["span"]) == {"since", "until"}


async def test_only_what_lies_in_the_span_is_counted(world: World) -> None:
    await search(world, "lute")

    before = await get(
        world, f"{ANALYTICS}/summary", **{"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"}
    )
    popular = await get(world, f"{ANALYTICS}/popular", limit=5)

    assert (before["searches"], before["volume"], before["stride_s"]) == (0, [], 86_400)
    assert [(each["text"], each["searches"], each["empty"]) for each in popular["items"]] == [("lute", 1, 1)]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-04-04T00:00:00Z"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"to": "1767225600"}, "to"),
        ({"to": "2026-01-01T00:00:00"}, "to"),
        ({"from": "2026-13-01T00:00:00Z"}, "from"),
        ({"from": "2099-01-01T00:00:00Z"}, "from"),
        ({"since": "2026-01-01T00:00:00Z"}, "since"),
    ],
)
async def test_a_span_that_can_not_be_is_refused_by_the_name_of_its_fault(
    world: World, params: dict[str, str], field: str
) -> None:
    problem = assert_problem(await world.operator.get(f"{ANALYTICS}/summary", params=params), 422)

    assert [error["loc"] for error in problem["errors"]] == [["query", field]]


async def test_all_of_it_is_for_operators_only(world: World) -> None:
    paths = [o.path for o in OPERATIONS if o.path.startswith((ANALYTICS, QUERIES))]

    for path in paths:
        refused = await world.maya.api.get(path.replace("{query_id}", ULID))
        assert_problem(refused, 403)
    assert len(paths) == 9


async def test_metrics_say_what_became_of_the_records(world: World) -> None:
    await search(world, "lute")

    metrics = (await world.operator.get("/metrics")).text

    assert 'greenroom_search_log_total{outcome="recorded"} 1.0' in metrics
    assert 'greenroom_search_log_total{outcome="skipped"} 0.0' in metrics
