"""Any worker answers for all of them: what operators ask is passed on to the worker they mean.

- ``GET /metrics`` has the samples of all workers, with a ``worker`` label, and says which of them answered.
- A request below ``/api/v1/admin`` with ``worker=<name>`` in its query is answered by that worker, a stream of events too.
- ``GET /api/v1/admin/actors/stream`` with ``worker=all`` is the streams of all of them as one.
- ``GET /api/v1/admin/workers`` lists them, each with the root of its actor tree.

This worker's own application is asked first, in this process: it turns strangers away, logs, counts, and makes the
headers of every answer that is made here. Only then are colleagues asked, who authorise once more, for themselves:
credentials are passed on as they came.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlencode

import httpx
import structlog
import trio
from hypercorn.typing import ASGIFramework

from greenroom.http.faults import HttpFault, RouteNotFound
from greenroom.http.openapi import ADMIN, WORKERS
from greenroom.http.operator_feed import RETRY_MS
from greenroom.http.problems import MEDIA_TYPE, problem_of, render
from greenroom.http.request_body import read_body
from greenroom.http.sse import MEDIA_TYPE as EVENT_STREAM
from greenroom.http.sse import encode_retry
from greenroom.schema.errors import DomainError, Unavailable
from greenroom.workers.colleagues import ANSWER_TIMEOUT_S, Answer, Colleagues
from greenroom.workers.everybody import Everybody
from greenroom.workers.exposition import merge_expositions

# ASGI's messages are plain dictionaries to whoever only passes them on.
Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

ROOT: Final = "/api/v1/admin/actors"
ROOT_ALONE: Final = "depth=1&children_max=1"
STREAM: Final = "/api/v1/admin/actors/stream"
EVERYBODY: Final = "all"
METRICS: Final = "/metrics"

FORWARDED: Final = b"x-greenroom-worker"
"""Marks a request that was passed on already, so that none goes round in circles."""

ACTION_TIMEOUT_S: Final = 20.0
"""An operator's order may wait for an actor to stop and to start."""

TURN_TIMEOUT_S: Final = 2 * ANSWER_TIMEOUT_S
"""One at a time asks everybody; how long another waits for that."""

_PASSED_ON: Final = frozenset({b"host", b"authorization", b"cookie", b"x-api-key", b"content-type", b"accept", b"origin",
                               b"sec-fetch-site", b"last-event-id", b"idempotency-key"})  # fmt: skip
_OF_A_BODY: Final = frozenset({b"content-type", b"content-length", b"transfer-encoding", b"expect"})
_NOT_PASSED_BACK: Final = frozenset(
    {b"transfer-encoding", b"connection", b"keep-alive", b"date", b"content-length"}
)

_log = structlog.get_logger(__name__)


class _Own(NamedTuple):
    """What this worker's application answered."""

    status: int
    headers: Headers
    body: bytes

    @property
    def request_id(self) -> str:
        return next((value.decode("latin-1") for name, value in self.headers if name == b"x-request-id"), "")


class Forwarding:
    """Stands before a worker's application."""

    def __init__(self, app: ASGIFramework, colleagues: Colleagues) -> None:
        self._app = app
        self._colleagues = colleagues
        self._asking_all = trio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not any(name == FORWARDED for name, _ in scope["headers"]):
            path, method = scope["path"], scope["method"]
            if method == "GET" and path == METRICS:
                return await self._merge_metrics(scope, send)
            if method == "GET" and path == WORKERS:
                return await self._list_workers(scope, send)
            if path.startswith(ADMIN):
                query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                named = [value for name, value in query if name == "worker"]
                if named:
                    others = urlencode([pair for pair in query if pair[0] != "worker"]).encode("latin-1")
                    if (named[-1], path, method) == (EVERYBODY, STREAM, "GET"):
                        return await self._follow_everybody(scope, send, query=others)
                    if named[-1] == self._colleagues.name or method == "OPTIONS":
                        scope = scope | {"query_string": others}
                    else:
                        return await self._pass_on(scope, receive, send, name=named[-1], query=others)
        return await self._app(scope, receive, send)

    async def _merge_metrics(self, scope: Scope, send: Send) -> None:
        own = await self._ask_own(scope, METRICS, scope["query_string"])
        if own.status != 200:
            return await _answer(send, own)
        try:
            answers = await self._ask_others(METRICS, scope, own)
        except Unavailable as exc:
            return await _refuse(send, own, exc)
        answers[self._colleagues.name] = Answer(own.status, own.body)
        good = {name: answer.body.decode() for name, answer in answers.items() if answer and answer.status == 200}
        present = "".join(
            f'greenroom_worker_up{{worker="{name}"}} {int(name in good)}\n' for name in self._colleagues.names
        )
        about = "# HELP greenroom_worker_up Whether the worker answered this scrape.\n# TYPE greenroom_worker_up gauge\n"
        return await _answer(send, own._replace(body=(merge_expositions(good) + about + present).encode()))

    async def _list_workers(self, scope: Scope, send: Send) -> None:
        own = await self._ask_own(scope, WORKERS, b"")
        if own.status != 200:
            return await _answer(send, own)
        try:
            answers = await self._ask_others(WORKERS, scope, own)
        except Unavailable as exc:
            return await _refuse(send, own, exc)
        answers[self._colleagues.name] = Answer(own.status, own.body)
        silent = {"answers": False, "pid": None, "started_at": None, "root": None}
        workers = []
        for name, answer in answers.items():
            is_there = answer is not None and answer.status == 200
            [told] = json.loads(answer.body)["workers"] if answer is not None and is_there else [silent]
            workers.append(told | {"name": name, "is_asked": name == self._colleagues.name})
        return await _answer(send, own._replace(body=json.dumps({"workers": workers}).encode()))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, *, name: str, query: bytes) -> None:
        # What any operator may read stands for whether this is one; the other worker asks for what the action takes.
        own = await self._ask_own(scope, ROOT, ROOT_ALONE.encode())
        if own.status != 200:
            return await _answer(send, own)
        if name not in self._colleagues.names:
            return await _refuse(send, own, RouteNotFound("There is no such worker."))
        try:
            body = await read_body(receive, _header(scope["headers"], b"content-length"))
        except HttpFault as fault:
            return await _refuse(send, own, fault)
        url = scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
        has_begun = False
        try:
            async with self._stream(name, scope["method"], url, self._headers(scope, own), body) as response:
                back = [(key.lower(), value) for key, value in response.headers.raw]
                await send(
                    {
                        "type": "http.response.start",
                        "status": response.status_code,
                        "headers": _without(back, _NOT_PASSED_BACK),
                    }
                )
                has_begun = True
                async for part in response.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except httpx.HTTPError as exc:
            _log.info("colleague_lost", worker_asked=name, request_id=own.request_id, reason=type(exc).__name__)
            if not has_begun:
                await _refuse(send, own, Unavailable("That worker does not answer now."))
            # Else the answer stays without its end, and the connection is cut: so the client learns that this is none.

    async def _follow_everybody(self, scope: Scope, send: Send, *, query: bytes) -> None:
        own = await self._ask_own(scope, ROOT, ROOT_ALONE.encode())
        if own.status != 200:
            await _answer(send, own)
            return
        everybody = Everybody(
            self._colleagues,
            stream=f"{STREAM}?{query.decode('latin-1')}",
            about=WORKERS,
            headers=self._headers(scope, own),
        )
        headers = _without(own.headers, frozenset({b"content-length", b"content-type"}))
        headers.append((b"content-type", EVENT_STREAM.encode()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(everybody.run)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": encode_retry(RETRY_MS), "more_body": True})
            while (part := await everybody.receive()) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _ask_own(self, scope: Scope, path: str, query: bytes) -> _Own:
        """Have this worker's application answer a GET with these credentials."""
        asked = scope | {
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": _without(scope["headers"], _OF_A_BODY),
        }
        start: Message = {}
        body = bytearray()

        async def receive() -> Message:
            await trio.lowlevel.checkpoint()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            await trio.lowlevel.checkpoint()
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(asked, receive, send)  # type: ignore[arg-type]
        return _Own(start["status"], [(name.lower(), value) for name, value in start["headers"]], bytes(body))

    async def _ask_others(self, path: str, scope: Scope, own: _Own) -> dict[str, Answer | None]:
        """Ask all colleagues, when it is our turn.

        Raises:
            Unavailable: it did not become our turn in time.
        """
        with trio.move_on_after(TURN_TIMEOUT_S) as waiting:
            async with self._asking_all:
                waiting.deadline = float("inf")  # what follows has a bound of its own
                return await self._colleagues.ask_others(path, headers=self._headers(scope, own))
        raise Unavailable("Too many ask for all workers at once.")

    @asynccontextmanager
    async def _stream(
        self, name: str, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> AsyncIterator[httpx.Response]:
        timeout = httpx.Timeout(ACTION_TIMEOUT_S, connect=ANSWER_TIMEOUT_S, pool=ANSWER_TIMEOUT_S)
        client = self._colleagues.client(name)
        async with client.stream(method, url, headers=headers, content=body, timeout=timeout) as response:
            yield response

    def _headers(self, scope: Scope, own: _Own) -> dict[str, str]:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _PASSED_ON
        }
        return headers | {FORWARDED.decode(): self._colleagues.name, "x-request-id": own.request_id}


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), None)


def _without(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    return [(name, value) for name, value in headers if name not in names]


async def _refuse(send: Send, own: _Own, error: HttpFault | DomainError) -> None:
    """Answer with a problem, and otherwise with what the application's answer carries."""
    problem, more = problem_of(error, own.request_id)
    headers = _without(own.headers, frozenset({b"content-type"}))
    headers += [(b"content-type", MEDIA_TYPE.encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in more.items()]
    await _answer(send, _Own(problem.status, headers, render(problem)))


async def _answer(send: Send, answer: _Own) -> None:
    headers = _without(answer.headers, frozenset({b"content-length"}))
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
