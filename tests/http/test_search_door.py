"""Searching where too many search already."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from tests.http.world import World, a_world, assert_problem, some_settings

OURS = "GREENROOM.example"


@asynccontextmanager
async def crowded(world: World) -> AsyncIterator[None]:
    """As many search as may."""
    admission = world.core.search_room.admission
    async with AsyncExitStack() as stack:
        while admission.statistics().in_flight < admission.statistics().room:
            await stack.enter_async_context(admission.admitted())
        yield


def without_id(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], str]:
    """All of it but the request's id and the time."""
    headers = [(name, value) for name, value in answer.headers.items() if name not in {"date", "x-request-id"}]
    return answer.status_code, sorted(headers), answer.text.replace(answer.headers["X-Request-Id"], "")


async def test_where_too_many_search_everybody_is_turned_away_at_once_and_told_when_to_come_back(
    world: World,
) -> None:
    async with crowded(world):
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


async def test_who_is_turned_away_at_the_front_is_told_the_same_as_by_the_operation(world: World) -> None:
    async with crowded(world):
        at_the_front = await world.maya.api.get("/api/v1/search", params={"q": "piano"})
        # Another spelling of the path, which the front door leaves to the operation's.
        behind_it = await world.maya.api.get("/api/v1/s%65arch", params={"q": "piano"})

    assert without_id(at_the_front) == without_id(behind_it)
    metrics = (await world.operator.get("/metrics")).text
    assert 'greenroom_http_requests_total{method="GET",route="/api/v1/search",status="503"} 2.0' in metrics
    assert 'greenroom_http_refusals_total{code="search_busy"} 2.0' in metrics
    assert 'greenroom_http_request_seconds_count{route="/api/v1/search"} 2.0' in metrics


@pytest.mark.parametrize("given", ["a-proxy-", "0123456789abcdef" * 4, "not sane", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
async def test_who_is_turned_away_is_told_its_own_request_id_if_it_is_sane(world: World, given: str) -> None:
    async with crowded(world):
        answers = [await world.maya.api.get("/api/v1/search", headers={"X-Request-Id": given}) for _ in range(2)]

    for answer in answers:
        told = answer.headers["X-Request-Id"]
        assert answer.json()["request_id"] == told
        assert (told == given) == (re.fullmatch(r"[\w-]{8,64}", given) is not None)


async def test_a_connection_goes_on_after_it_was_turned_away(world: World) -> None:
    before = world.server.statistics().connections_accepted
    client = await world.client()
    async with crowded(world):
        refused = [(await client.get("/api/v1/search")).status_code for _ in range(3)]

    assert refused == [503, 503, 503]
    assert (await client.get("/health/live")).status_code == 200
    assert world.server.statistics().connections_accepted == before + 1


async def test_a_client_that_ends_the_connection_is_told_so_when_it_is_turned_away(world: World) -> None:
    client = await world.client({"Connection": "close"})
    async with crowded(world):
        refused = await client.get("/api/v1/search")

    assert_problem(refused, 503, "search_busy")
    assert refused.headers["Connection"] == "close"


async def test_another_host_is_told_that_it_is_one_and_not_that_there_is_too_much_to_do() -> None:
    async with a_world(settings=some_settings(allowed_hosts="greenroom.example")) as world, crowded(world):
        misdirected = await world.nobody.get("/api/v1/search", headers={"Host": "elsewhere.example"})
        refused = await world.nobody.get("/api/v1/search", headers={"Host": OURS})

    assert_problem(misdirected, 421, "misdirected_request")
    assert_problem(refused, 503, "search_busy")


async def test_a_page_of_another_origin_may_read_that_it_is_turned_away_and_for_how_long() -> None:
    async with a_world(settings=some_settings(allowed_origins=("https://app.example",))) as world, crowded(world):
        refused = await world.nobody.get("/api/v1/search", headers={"Origin": "https://app.example"})

    assert_problem(refused, 503, "search_busy")
    assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]


async def test_a_head_request_is_turned_away_without_a_body(world: World) -> None:
    async with crowded(world):
        refused = await world.maya.api.head("/api/v1/search", params={"q": "piano"})

    assert refused.status_code == 503
    assert refused.content == b""
