"""What operators see of several workers, whichever of them they happen to ask."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
import trio

from greenroom.storage.postgres import PostgresOptions
from tests.postgres import PostgresServer, fresh_name
from tests.workers.server import WorkersServer, workers_server

KEY = "an operator's key, long enough"
WAIT_S = 20.0


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkersServer]:
    """Two workers that all tests here share; each leaves both of them serving."""
    settings = {"GREENROOM_ADMIN_API_KEY": KEY}
    with (
        postgres_server.migrated_database(fresh_name()) as options,
        workers_server(options.conninfo, tmp_path_factory.mktemp("server"), settings=settings) as running,
    ):
        yield running


@pytest.fixture
async def operator(server: WorkersServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": KEY}, timeout=WAIT_S) as client:
        yield client


# A worker that is held up for two seconds is left out, and seen to be: then they are asked again.


async def metrics_of_all(operator: httpx.AsyncClient) -> str:
    with trio.fail_after(WAIT_S):
        while True:
            metrics = (await operator.get("/metrics")).text
            if all(f'greenroom_worker_up{{worker="{worker}"}} 1' in metrics for worker in ("1", "2")):
                return metrics


async def workers_listed(operator: httpx.AsyncClient) -> list[dict[str, Any]]:
    with trio.fail_after(WAIT_S):
        while True:
            listed: list[dict[str, Any]] = (await operator.get("/api/v1/admin/workers")).json()["workers"]
            if all(worker["answers"] for worker in listed):
                return listed


async def test_any_worker_tells_about_all_of_them(server: WorkersServer, operator: httpx.AsyncClient) -> None:
    metrics, listed = await metrics_of_all(operator), await workers_listed(operator)
    for worker in ("1", "2"):
        assert f'greenroom_streams_open{{worker="{worker}"}} 0.0' in metrics
    assert [worker["name"] for worker in listed] == ["1", "2"]
    assert sum(worker["is_asked"] for worker in listed) == 1
    assert [worker["pid"] for worker in listed] == server.serving()

    roots = [
        (await operator.get("/api/v1/admin/actors", params={"worker": worker, "depth": 1})).json()["started_at"]
        for worker in ("1", "2")
    ]
    assert roots == [worker["root"]["started_at"] for worker in listed]

    restart = "/api/v1/admin/actors/greenroom/sweep/restart"
    assert (await operator.post(restart, params={"worker": "2"})).status_code == 204
    sweep = "/api/v1/admin/actors/greenroom/sweep"
    details = [(await operator.get(sweep, params={"worker": worker})).json() for worker in ("1", "2")]
    assert [detail["node"]["incarnation"] for detail in details] == [1, 2]

    is_streamed = False
    with trio.move_on_after(WAIT_S) as listening:
        async with operator.stream("GET", "/api/v1/admin/actors/stream", params={"worker": "2"}) as stream:
            async for line in stream.aiter_lines():
                is_streamed = is_streamed or line == "event: tree"
                if is_streamed:
                    listening.cancel()  # unwinds the response whole, which leaving the loop would not
    assert is_streamed
    assert (await operator.get("/api/v1/admin/actors", params={"worker": "3"})).status_code == 404


async def test_all_workers_are_followed_at_once_and_one_that_dies_is_told_until_its_successor_answers(
    server: WorkersServer, operator: httpx.AsyncClient
) -> None:
    # Not the one that took the connection, which is kept: with it the stream would go as well.
    listed = await workers_listed(operator)
    [asked] = [worker for worker in listed if worker["is_asked"]]
    [other] = [worker for worker in listed if not worker["is_asked"]]
    seen: list[tuple[str, dict[str, Any]]] = []

    def about(worker: str) -> list[tuple[bool, int | None]]:
        return [(d["answers"], d.get("pid")) for name, d in seen if name == "worker" and d["worker"] == worker]

    with trio.move_on_after(WAIT_S) as listening:
        url = "/api/v1/admin/actors/stream?depth=2&worker=all"
        async with operator.stream("GET", url) as stream:
            name, killed_at = "", 0.0
            async for line in stream.aiter_lines():
                if listening.cancel_called:
                    continue  # a line that came with the last one
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    seen.append((name, json.loads(line.removeprefix("data: "))))
                trees = [data["worker"] for name, data in seen if name == "tree"]
                if not killed_at and {"1", "2"} <= set(trees):
                    killed_at = monotonic()
                    os.kill(other["pid"], signal.SIGKILL)
                last = [data["worker"] for name, data in seen[-1:] if name == "tree"]
                told = about(other["name"])[-1:]
                if killed_at and last == [other["name"]] and told not in ([(True, other["pid"])], [(False, None)]):
                    listening.cancel()  # unwinds the response whole, which leaving the loop would not
    # Its log may be read later than its answers.
    await trio.to_thread.run_sync(partial(server.wait_line, "worker_ready", since=killed_at))
    successor = server.serving()[int(other["name"]) - 1]

    # Who is held up for five seconds is told to be gone as well, until he is heard again.
    assert set(about(asked["name"])) - {(False, None)} == {(True, asked["pid"])}
    first, *between, last_told = about(other["name"])
    assert (first, last_told) == ((True, other["pid"]), (True, successor))
    assert (False, None) in between
    name, tree = seen[-1]
    assert (name, tree["changed"][0]["path"]) == ("tree", "/greenroom")


async def test_nobody_else_is_told_anything(server: WorkersServer) -> None:
    async with httpx.AsyncClient(base_url=server.url) as stranger:
        for path in (
            "/metrics",
            "/api/v1/admin/workers",
            "/api/v1/admin/actors?worker=2",
            "/api/v1/admin/actors/stream?worker=all",
        ):
            assert (await stranger.get(path)).status_code == 401
        marked = await stranger.get("/metrics", headers={"x-greenroom-worker": "1"})
        assert marked.status_code == 401


async def test_a_worker_that_does_not_answer_is_seen_not_to(server: WorkersServer) -> None:
    frozen = server.serving()[1]
    os.kill(frozen, signal.SIGSTOP)
    try:
        with trio.fail_after(WAIT_S):
            while True:
                try:
                    # A connection of its own each time: the frozen worker may have been given the one before.
                    async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": KEY}) as asking:
                        metrics = (await asking.get("/metrics", timeout=4.0)).text
                except httpx.TimeoutException:
                    continue
                break
    finally:
        os.kill(frozen, signal.SIGCONT)
    assert 'greenroom_worker_up{worker="1"} 1' in metrics
    assert 'greenroom_worker_up{worker="2"} 0' in metrics


async def test_without_its_bus_a_server_is_ready_but_degraded(database: PostgresOptions, tmp_path: Path) -> None:
    settings = {"GREENROOM_REDIS_URL": f"unix://{tmp_path}/no-redis.sock"}
    with workers_server(database.conninfo, tmp_path, settings=settings) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})
