"""Any worker answers for all of them: what operators ask is passed on to the worker they mean.

- ``GET /metrics`` has the samples of all workers, with a ``worker`` label, and says which of them answered.
- A request below ``/api/v1/admin`` with ``worker=<name>`` in its query is answered by that worker, a stream of events too.
- ``GET /api/v1/admin/workers`` lists them, each with the root of its actor tree.

Credentials are passed on as they came; every worker authorises for itself.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AsyncExitStack
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlencode

import httpx
import trio
from hypercorn.typing import ASGIFramework

from greenroom.workers.colleagues import ANSWER_TIMEOUT_S, Answer, Colleagues
from greenroom.workers.exposition import merge_expositions

# ASGI's messages are plain dictionaries to whoever only passes them on.
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

ADMIN: Final = "/api/v1/admin/"
WORKERS: Final = "/api/v1/admin/workers"
METRICS: Final = "/metrics"

FORWARDED: Final = b"x-greenroom-worker"
"""Marks a request that was passed on already, so that none goes round in circles."""

BODY_BYTES_MAX: Final = 64 * 1024

ACTION_TIMEOUT_S: Final = 20.0
"""An operator's order may wait for an actor to stop and to start."""

_PASSED_ON: Final = frozenset({b"host", b"authorization", b"cookie", b"x-api-key", b"content-type", b"accept", b"origin",
                               b"sec-fetch-site", b"last-event-id", b"x-request-id", b"idempotency-key"})  # fmt: skip
_NOT_PASSED_BACK: Final = frozenset({"transfer-encoding", "connection", "keep-alive", "date", "content-length"})


class Forwarding:
    """Stands before a worker's application."""

    def __init__(self, app: ASGIFramework, colleagues: Colleagues) -> None:
        self._app = app
        self._colleagues = colleagues

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
                    others = urlencode([pair for pair in query if pair[0] != "worker"])
                    return await self._pass_on(scope, receive, send, name=named[-1], query=others)
        return await self._app(scope, receive, send)

    async def _merge_metrics(self, scope: Mapping[str, Any], send: Send) -> None:
        answers = await self._colleagues.ask_all(METRICS, headers=self._headers(scope))
        own = answers[self._colleagues.name]
        if own is not None and own.status != 200:
            return await _answer(send, own)
        good = {name: answer.body.decode() for name, answer in answers.items() if answer and answer.status == 200}
        present = "".join(
            f'greenroom_worker_up{{worker="{name}"}} {int(name in good)}\n' for name in self._colleagues.names
        )
        about = "# HELP greenroom_worker_up Whether the worker answered this scrape.\n# TYPE greenroom_worker_up gauge\n"
        content_type = own.content_type if own is not None else "text/plain; version=0.0.4; charset=utf-8"
        body = (merge_expositions(good) + about + present).encode()
        return await _answer(send, Answer(200, content_type, body))

    async def _list_workers(self, scope: Mapping[str, Any], send: Send) -> None:
        path = f"{ADMIN}actors?depth=1&children_max=1"
        answers = await self._colleagues.ask_all(path, headers=self._headers(scope))
        refusal = next((a for a in answers.values() if a is not None and a.status in {401, 403}), None)
        if refusal is not None:
            return await _answer(send, refusal)
        workers = [
            {
                "name": name,
                "is_asked": name == self._colleagues.name,
                "answers": answer is not None and answer.status == 200,
                "root": json.loads(answer.body) if answer is not None and answer.status == 200 else None,
            }
            for name, answer in answers.items()
        ]
        return await _answer(send, Answer(200, "application/json", json.dumps({"workers": workers}).encode()))

    async def _pass_on(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, *, name: str, query: str
    ) -> None:
        if name not in self._colleagues.names:
            return await _answer(send, _problem(404, "There is no such worker."))
        body = await _read_body(receive)
        if body is None:
            return await _answer(send, _problem(413, "The body is too long."))
        url = scope["path"] + (f"?{query}" if query else "")
        timeout = httpx.Timeout(ACTION_TIMEOUT_S, connect=ANSWER_TIMEOUT_S)
        has_begun = False
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(self._colleagues.client(name, timeout=timeout))
                headers = self._headers(scope)
                response = await stack.enter_async_context(
                    client.stream(scope["method"], url, headers=headers, content=body)
                )
                back = [
                    (key.lower(), value)
                    for key, value in response.headers.raw
                    if key.decode("latin-1").lower() not in _NOT_PASSED_BACK
                ]
                await send({"type": "http.response.start", "status": response.status_code, "headers": back})
                has_begun = True
                async for part in response.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            except httpx.HTTPError:
                if has_begun:
                    raise  # the connection is cut, which is how the client learns that this is not the end
                await _answer(send, _problem(503, "That worker does not answer now."))

    def _headers(self, scope: Mapping[str, Any]) -> dict[str, str]:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _PASSED_ON
        }
        return headers | {FORWARDED.decode(): self._colleagues.name}


def _problem(status: int, detail: str) -> Answer:
    body = {"type": "about:blank", "title": detail, "status": status, "detail": detail}
    return Answer(status, "application/problem+json", json.dumps(body).encode())


async def _answer(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _read_body(receive: Receive) -> bytes | None:
    """Read a request's body; None if it is too long. The serving loop bounds how long it may take."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise trio.BrokenResourceError("the client left")
        body += bytes(message.get("body", b""))
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return body
