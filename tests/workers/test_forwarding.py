"""Passing on to colleagues: who is turned away before anybody is asked, and what an answer made on the way looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from greenroom.http import request_body
from greenroom.http.serving import Fault, Limits, Server, listen
from greenroom.workers import forwarding
from greenroom.workers.colleagues import Colleagues, LocalListener
from greenroom.workers.forwarding import Forwarding
from tests.http.raw import read_to_end, statuses, without_lifespan
from tests.http.world import API_KEY, WAIT_S, a_world, assert_problem

LIMITS = Limits(drain_s=2.0, drain_idle_s=0.1)
KEY = {"X-API-Key": API_KEY}

App = Callable[[Any, Any, Any], Awaitable[None]]


async def answer(send: Any, body: bytes = b"{}", *, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


class Colleague:
    """Worker 2: does as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.act: App = self.say_hello

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await self.act(scope, receive, send)

    @staticmethod
    async def say_hello(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await answer(send)


@dataclass
class Pair:
    """Worker 1 behind a port, with the whole application, and what stands for worker 2."""

    server: Server
    colleague: Colleague
    stranger: httpx.AsyncClient
    operator: httpx.AsyncClient

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.server.addresses[0].rpartition(":")
        return host, int(port)


@asynccontextmanager
async def a_pair(tmp_path: Path) -> AsyncIterator[Pair]:
    colleagues, colleague = Colleagues(tmp_path, name="1", size=2), Colleague()
    async with a_world() as world, colleagues.connected(), trio.open_nursery() as nursery:
        second = LocalListener(tmp_path / "2.sock", limits=LIMITS)
        await nursery.start(Server(without_lifespan(colleague), [second], limits=LIMITS).run)
        first = await listen("127.0.0.1", 0, limits=LIMITS)
        server = Server(without_lifespan(Forwarding(world.app, colleagues)), first, limits=LIMITS)
        await nursery.start(server.run)

        def client(headers: dict[str, str]) -> httpx.AsyncClient:
            url = f"http://{server.addresses[0]}"
            return httpx.AsyncClient(base_url=url, headers=headers, timeout=WAIT_S, trust_env=False)

        async with client({}) as stranger, client(KEY) as operator:
            yield Pair(server, colleague, stranger, operator)
        nursery.cancel_scope.cancel()


PASSED_ON = [
    ("GET", "/metrics"),
    ("GET", "/api/v1/admin/workers"),
    ("GET", "/api/v1/admin/actors?worker=2"),
    ("POST", "/api/v1/admin/actors/greenroom/sweep/stop?worker=2"),
]


@pytest.mark.parametrize(("method", "path"), PASSED_ON)
async def test_strangers_are_turned_away_before_anybody_else_is_asked(
    tmp_path: Path, method: str, path: str
) -> None:
    async with a_pair(tmp_path) as pair:
        refused = await pair.stranger.request(method, path)

        assert_problem(refused, 401, "not_authenticated")
        assert refused.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert pair.colleague.asked == []


async def test_a_stranger_who_sends_no_body_is_not_waited_for(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as pair, await trio.open_tcp_stream(*pair.address) as stream:
        await stream.send_all(
            b"POST /api/v1/admin/x?worker=2 HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n"
        )

        assert statuses(await read_to_end(stream)) == [401]


async def test_an_operator_who_sends_no_body_is_waited_for_within_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "BODY_BEGIN_TIMEOUT_S", 0.2)
    async with a_pair(tmp_path) as pair, await trio.open_tcp_stream(*pair.address) as stream:
        await stream.send_all(
            b"POST /api/v1/admin/x?worker=2 HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n"
            b"X-API-Key: " + API_KEY.encode() + b"\r\n\r\n"
        )

        assert statuses(await read_to_end(stream)) == [408]
        assert pair.colleague.asked == []


async def test_answers_made_on_the_way_are_complete_problems(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as pair:
        too_long = await pair.operator.post("/api/v1/admin/x", params={"worker": "2"}, content=bytes(70_000))
        nobody = await pair.operator.get("/api/v1/admin/actors", params={"worker": "3"})

        assert_problem(too_long, 413, "body_too_large")
        assert_problem(nobody, 404, "not_found")
        for refusal in (too_long, nobody):
            assert refusal.headers["Cache-Control"] == "no-store"
            assert refusal.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_colleague_that_is_gone_before_it_answers_is_told(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as pair:
        (tmp_path / "2.sock").unlink()

        gone = await pair.operator.get("/api/v1/admin/actors", params={"worker": "2"})

        assert_problem(gone, 503, "unavailable")


async def test_a_colleague_that_goes_amid_its_answer_cuts_it_and_is_no_crash(tmp_path: Path) -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    async with a_pair(tmp_path) as pair:
        pair.colleague.act = half
        with pytest.raises(httpx.RemoteProtocolError):
            await pair.operator.get("/api/v1/admin/actors", params={"worker": "2"})

        assert pair.server.statistics().faults[Fault.APP_CRASHED] == 0


async def test_a_request_has_one_id_at_every_worker(tmp_path: Path) -> None:
    given: list[bytes] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        given.extend(value for name, value in scope["headers"] if name == b"x-request-id")
        await answer(send)

    async with a_pair(tmp_path) as pair:
        pair.colleague.act = note
        await pair.operator.get(
            "/api/v1/admin/actors", params={"worker": "2"}, headers={"X-Request-Id": "asked-0001"}
        )

        assert given == [b"asked-0001"]


async def test_this_worker_answers_for_itself_when_it_is_the_one_meant(tmp_path: Path) -> None:
    async with a_pair(tmp_path) as pair:
        tree = await pair.operator.get("/api/v1/admin/actors", params={"worker": "1", "depth": "1"})

        assert tree.json()["path"] == "/greenroom"
        assert pair.colleague.asked == []


async def test_everybody_is_asked_by_one_at_a_time_and_nobody_waits_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "TURN_TIMEOUT_S", 0.2)
    asked, may_answer = trio.Event(), trio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        asked.set()
        await may_answer.wait()
        await answer(send, b"# HELP a_metric One.\n# TYPE a_metric gauge\na_metric 1\n")

    async with a_pair(tmp_path) as pair, trio.open_nursery() as nursery:
        pair.colleague.act = slow
        first: list[httpx.Response] = []

        async def scrape() -> None:
            first.append(await pair.operator.get("/metrics"))

        nursery.start_soon(scrape)
        with trio.fail_after(WAIT_S):
            await asked.wait()
            second = await pair.operator.get("/metrics")
            may_answer.set()

        assert_problem(second, 503, "unavailable")
        assert pair.colleague.asked == ["/metrics"]
    assert 'a_metric{worker="2"} 1' in first[0].text
    assert 'greenroom_worker_up{worker="1"} 1' in first[0].text
