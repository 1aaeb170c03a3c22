"""What a hostile page, a curious reader of logs, or a bug may not get."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import trio

from greenroom.http.app import OPERATIONS
from greenroom.logs import configure_logging
from tests.http.raw import WAIT_S, read_to_end
from tests.http.world import PASSWORD, World, a_world, assert_problem, example_path, some_settings

ALLOWED = "https://app.example"
EVIL = "https://evil.example"
UNMATCHED = 'greenroom_http_requests_total{method="GET",route="(unmatched)",status="404"}'
SUFFIX = "https://app.example.evil.example"


@pytest.fixture
async def site() -> AsyncIterator[World]:
    async with a_world(settings=some_settings(allowed_origins=(ALLOWED,))) as running:
        yield running


def from_browser(world: World, fetch_site: str | None, origin: str | None) -> dict[str, str]:
    headers = {"Cookie": f"greenroom={world.maya.token}"}
    if fetch_site is not None:
        headers["Sec-Fetch-Site"] = fetch_site
    if origin is not None:
        headers["Origin"] = f"http://{world.host}" if origin == "own" else origin
    return headers


def is_trusted(fetch_site: str | None, origin: str | None) -> bool:
    """The table itself: an allowed origin, else what Sec-Fetch-Site says, else our own origin."""
    if origin == ALLOWED:
        return True
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    return origin == "own"


@pytest.mark.parametrize("fetch_site", [None, "same-origin", "same-site", "cross-site", "none", "garbage"])
async def test_a_cookie_counts_only_from_our_own_pages(site: World, fetch_site: str | None) -> None:
    for origin in (None, "null", "", EVIL, SUFFIX, "own", ALLOWED, ALLOWED.upper(), "http://", "own.evil"):
        headers = from_browser(site, fetch_site, origin)
        for method, path, body in (
            ("POST", "/api/v1/conversations", {"participant_id": site.tomas.id}),
            ("POST", "/api/v1/events/ticket", None),
        ):
            answer = await site.nobody.request(method, path, headers=headers, json=body)

            if is_trusted(fetch_site, origin):
                assert answer.is_success, (fetch_site, origin)
            else:
                assert_problem(answer, 403, "cross_site_request")


@pytest.mark.parametrize(
    ("fetch_site", "origin", "status"),
    [("same-origin", None, 200), (None, "own", 200), ("cross-site", ALLOWED, 200), ("cross-site", EVIL, 403),
     (None, None, 403), ("same-site", None, 403)],
)  # fmt: skip
async def test_a_stream_opened_by_cookie_needs_the_same_proof(
    site: World, fetch_site: str | None, origin: str | None, status: int
) -> None:
    async with site.nobody.stream(
        "GET", "/api/v1/events", headers=from_browser(site, fetch_site, origin)
    ) as answer:
        assert answer.status_code == status


async def test_reading_by_cookie_and_anything_by_token_need_no_proof(site: World) -> None:
    by_cookie = await site.nobody.get("/api/v1/conversations", headers=from_browser(site, "cross-site", EVIL))
    by_token = await site.maya.api.post(
        "/api/v1/events/ticket", headers={"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    )

    assert by_cookie.status_code == 200
    assert "Access-Control-Allow-Origin" not in by_cookie.headers  # so a page of another origin can't see it
    assert by_token.status_code == 200


async def test_only_listed_origins_may_read_answers(site: World) -> None:
    for origin, is_allowed in ((ALLOWED, True), (EVIL, False), ("null", False), (SUFFIX, False), ("*", False)):
        answer = await site.maya.api.get("/api/v1/unread", headers={"Origin": origin})

        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)
        assert "Origin" in answer.headers["Vary"]


async def test_preflights_of_listed_origins_are_answered_and_others_not(site: World) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    allowed = await site.nobody.options("/api/v1/conversations", headers=asked | {"Origin": ALLOWED})
    refused = await site.nobody.options("/api/v1/conversations", headers=asked | {"Origin": EVIL})

    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    assert_problem(refused, 405)
    assert "Access-Control-Allow-Origin" not in refused.headers


def assert_hardened(headers: httpx.Headers) -> None:
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "base-uri 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cache-Control"]
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", headers["X-Request-Id"])
    assert "Server" not in headers


async def test_every_answer_carries_the_protective_headers(world: World) -> None:
    for api in (world.nobody, world.maya.api, world.operator):
        for operation in OPERATIONS:
            if operation.opens_stream and api is not world.nobody:
                continue
            answer = await api.request(operation.method, example_path(operation))
            assert_hardened(answer.headers)
            if operation.path.startswith("/api"):
                assert answer.headers["Cache-Control"] == "no-store"
    for answer in (
        await world.nobody.get("/"),
        await world.nobody.get("/nowhere"),
        await world.nobody.delete("/api/v1/unread"),
        await world.nobody.post("/api/v1/auth/login", content=bytes(70_000)),
        await world.nobody.get("/", headers={"X": "a" * 17_000}),
    ):
        assert_hardened(answer.headers)
    async with world.maya.api.stream("GET", "/api/v1/events") as stream:
        assert_hardened(stream.headers)


async def test_bytes_that_are_no_request_are_refused_in_the_same_form(world: World) -> None:
    host, _, port = world.host.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        received = await read_to_end(stream)

    head, _, body = received.partition(b"\r\n\r\n")
    headers = httpx.Headers([tuple(line.split(b": ", 1)) for line in head.split(b"\r\n")[1:]])
    assert_hardened(headers)
    assert headers["Connection"] == "close"
    problem = json.loads(body)
    assert problem["status"] == 400
    assert problem["request_id"] == headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("abcdefgh", True), ("req-1.2_3-XYZ", True), ("short", False), ("x" * 65, False), ("has space", False),
     ("<script>alert(1)</script>", False), ("caf\u00e9caf\u00e9", False), ("\x1b[31mredredred", False)],
)  # fmt: skip
async def test_a_sane_request_id_is_kept_and_any_other_replaced(world: World, given: str, is_kept: bool) -> None:
    answer = await world.nobody.get("/health/live", headers={"X-Request-Id": given.encode("latin-1")})

    assert (answer.headers["X-Request-Id"] == given) is is_kept


async def test_a_bug_is_told_to_nobody_and_logged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    configure_logging(world.settings.model_copy(update={"log_level": "info", "log_format": "json"}), stream=log)

    async def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret-detail")

    monkeypatch.setattr(world.core.messaging, "unread", crash)

    answer = await world.maya.api.get("/api/v1/unread")

    problem = assert_problem(answer, 500, "internal_error")
    assert "secret-detail" not in answer.text
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    crash_line = next(line for line in lines if line["event"] == "request_crashed")
    assert crash_line["request_id"] == problem["request_id"]
    assert "secret-detail" in crash_line["exception"]


async def test_nothing_secret_or_private_reaches_logs_metrics_or_answers_of_others(world: World) -> None:
    log = io.StringIO()
    configure_logging(world.settings.model_copy(update={"log_level": "debug", "log_format": "json"}), stream=log)
    canaries = {
        "password": "canary-password-1",
        "wrong password": "canary-password-2",
        "content": "canary-content",
        "query": "canary-query",
        "path": "canary-path",
        "email": "canary@example.com",
        "agent": "canary-agent",
        "key": "canary-operator-key",
    }
    account = {"email": canaries["email"], "password": canaries["password"]}
    joined = await world.nobody.post(
        "/api/v1/auth/register", json=account | {"display_name": "C", "role": "student"}
    )
    token = joined.json()["access_token"]
    talk = await world.talk()

    await world.nobody.post("/api/v1/auth/login", json=account | {"password": canaries["wrong password"]})
    await world.say(talk, canaries["content"])
    await world.maya.api.get(f"/api/v1/unread?{canaries['query']}={canaries['query']}")
    await world.nobody.get(f"/{canaries['path']}", headers={"User-Agent": canaries["agent"]})
    ticket = (await world.maya.api.post("/api/v1/events/ticket")).json()["ticket"]
    async with world.nobody.stream("GET", "/api/v1/events", params={"ticket": ticket}):
        pass
    await world.nobody.get("/api/v1/admin/actors", headers={"X-API-Key": canaries["key"]})
    metrics = (await world.operator.get("/metrics")).text

    written = log.getvalue() + metrics
    assert "/api/v1/conversations/{conversation_id}/messages" in written
    for name, canary in (canaries | {"token": token, "ticket": ticket, "hers": world.maya.token}).items():
        assert canary not in written, name


async def test_the_number_of_series_does_not_grow_with_what_clients_send(world: World) -> None:
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        await world.nobody.request(f"ODD{asked}", "/api/v1/unread")
        await world.nobody.get(f"/nowhere/{asked}")

    async def series() -> set[str]:
        """Every series by name and labels, once all that was asked is counted: an answer may be read before it is."""
        with trio.fail_after(WAIT_S):
            while True:
                text = (await world.operator.get("/metrics")).text
                samples = {
                    name: float(value)
                    for name, _, value in (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
                }
                if samples.get(UNMATCHED) == asked and any('route="/metrics"' in name for name in samples):
                    # Actors have work of their own, whose first time may come between.
                    return {name for name in samples if not name.startswith("greenroom_actor_")}
                await trio.sleep(0.01)

    await ask()
    before = await series()

    for _ in range(50):
        await ask()

    assert await series() == before


async def test_a_password_is_not_repeated_in_a_refusal(world: World) -> None:
    body = {"email": "x", "password": "short", "display_name": "", "role": "admin", "extra": PASSWORD}

    answer = await world.nobody.post("/api/v1/auth/register", json=body)

    assert_problem(answer, 422)
    assert PASSWORD not in answer.text
    assert '"short"' not in answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("app.example", 401),
        ("App.Example:8443", 401),
        ("[::1]:8000", 401),
        ("app.example.evil.example", 421),
        ("evil.example", 421),
    ],
)
async def test_a_server_with_names_is_asked_by_those_only(host: str, status: int) -> None:
    async with a_world(settings=some_settings(allowed_hosts="app.example, [::1]")) as world:
        for path in ("/api/v1/auth/me", "/api/v1/sync"):
            refused = await world.nobody.get(path, headers={"Host": host})
            assert_problem(refused, status, "misdirected_request" if status == 421 else None)
        page = await world.nobody.get("/", headers={"Host": host})
        assert (page.status_code == 421) == (status == 421)


async def test_health_is_asked_by_any_name() -> None:
    async with a_world(settings=some_settings(allowed_hosts="app.example")) as world:
        assert (await world.nobody.get("/health/live", headers={"Host": "10.0.0.7"})).status_code == 200
