"""A limit holds for all workers together, whichever of them a request gets to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
import trio

from greenroom.storage.postgres import PostgresOptions
from tests.storage.bus.redis_server import RedisServer
from tests.workers.people import Pair, a_pair
from tests.workers.server import WorkersServer, workers_server

LIMIT = 10
KEY = "an-operators-key-for-tests"
SETTINGS = {
    "GREENROOM_LIMIT_SENDS_PER_MINUTE": str(LIMIT),
    "GREENROOM_ADMIN_API_KEY": KEY,
}
WAIT_S = 30.0


async def send(server: WorkersServer, pair: Pair, text: str) -> httpx.Response:
    """Send over a connection of its own, which any worker may accept."""
    async with httpx.AsyncClient(base_url=server.url, timeout=WAIT_S) as api:
        return await api.post(
            f"/api/v1/conversations/{pair.talk}/messages",
            json={"content": text},
            headers={"Authorization": f"Bearer {pair.student.token}"},
        )


async def metric(server: WorkersServer, name: str) -> dict[str, float]:
    """The samples of a metric, by the rest of their line."""
    async with httpx.AsyncClient(base_url=server.url, timeout=WAIT_S) as api:
        text = (await api.get("/metrics", headers={"X-API-Key": KEY})).text
    samples = [line.rpartition(" ") for line in text.splitlines() if line.startswith(name)]
    return {labels: float(value) for labels, _, value in samples}


@pytest.fixture(params=["redis", "postgres"])
def connected(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """What the workers share besides the database."""
    if request.param == "postgres":
        return {}
    redis: RedisServer = request.getfixturevalue("redis")
    return {"GREENROOM_REDIS_URL": redis.url}


async def test_one_more_than_the_limit_is_refused_whichever_worker_gets_it(
    database: PostgresOptions, tmp_path: Path, connected: Mapping[str, str]
) -> None:
    with workers_server(database.conninfo, tmp_path, settings={**SETTINGS, **connected}) as server:
        async with a_pair(server.url) as pair:
            answers = [await send(server, pair, f"m{n}") for n in range(LIMIT + 6)]
            served = await metric(server, "greenroom_http_requests_total")

    assert [answer.status_code for answer in answers] == [201] * LIMIT + [429] * 6
    assert answers[-1].headers["RateLimit-Policy"] == f'"sends";q={LIMIT};w=60'
    by_worker = [labels for labels in served if "/messages" in labels and 'status="201"' in labels]
    assert len(by_worker) == 2, "one worker alone was asked"


async def test_as_many_as_the_limit_pass_when_all_ask_at_once(
    database: PostgresOptions, tmp_path: Path, connected: Mapping[str, str]
) -> None:
    statuses: list[int] = []
    with workers_server(database.conninfo, tmp_path, settings={**SETTINGS, **connected}) as server:
        async with a_pair(server.url) as pair:

            async def try_one(text: str) -> None:
                statuses.append((await send(server, pair, text)).status_code)

            with trio.fail_after(WAIT_S):
                async with trio.open_nursery() as nursery:
                    for n in range(4 * LIMIT):
                        nursery.start_soon(try_one, f"m{n}")

            unconfirmed = sum((await metric(server, "greenroom_rate_limit_unconfirmed_total")).values())
            stored = await pair.student.messages(pair.talk, limit=100)

    # A machine that is busy may keep the home from answering in time; then a worker decides alone, and says so.
    assert LIMIT <= statuses.count(201) <= LIMIT + unconfirmed
    assert len(stored.items) == statuses.count(201)
    assert set(statuses) == {201, 429}


async def test_without_its_redis_nobody_is_refused_for_that_and_each_worker_keeps_the_limit(
    database: PostgresOptions, tmp_path: Path, redis: RedisServer
) -> None:
    settings = {**SETTINGS, "GREENROOM_REDIS_URL": redis.url}
    with workers_server(database.conninfo, tmp_path, settings=settings) as server:
        async with a_pair(server.url) as pair:
            redis.kill()
            answers = [await send(server, pair, f"m{n}") for n in range(3 * LIMIT)]
            up = await metric(server, "greenroom_rate_limit_home_up")
            unconfirmed = await metric(server, "greenroom_rate_limit_unconfirmed_total")

    allowed = [answer.status_code for answer in answers].count(201)
    assert [answer.status_code for answer in answers[:LIMIT]] == [201] * LIMIT
    assert LIMIT <= allowed <= 2 * LIMIT
    assert {answer.status_code for answer in answers} == {201, 429}
    assert set(up.values()) == {0.0}
    assert sum(unconfirmed.values()) > 0


async def test_wrong_passwords_add_up_over_all_workers(
    database: PostgresOptions, tmp_path: Path, connected: Mapping[str, str]
) -> None:
    outcomes: list[tuple[int, str]] = []
    with workers_server(database.conninfo, tmp_path, settings={**SETTINGS, **connected}) as server:
        async with a_pair(server.url):

            async def guess() -> None:
                async with httpx.AsyncClient(base_url=server.url, timeout=WAIT_S) as api:
                    body = {"email": "maya@example.com", "password": "not the password"}
                    answer = await api.post("/api/v1/auth/login", json=body)
                outcomes.append((answer.status_code, answer.json()["code"]))

            with trio.fail_after(WAIT_S):
                async with trio.open_nursery() as nursery:
                    for _ in range(15):
                        nursery.start_soon(guess)

    assert outcomes.count((401, "invalid_credentials")) == 5
    assert len(outcomes) == 15
    assert {code for status, code in outcomes if status == 429} <= {"account_locked", "rate_limited"}
