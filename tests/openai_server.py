"""A server on loopback that speaks the OpenAI API, and can do what the real one does on a bad day.

What it answers is scripted: each request takes the next :class:`Turn`; without any left, the last one again.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from struct import pack
from typing import Any, Final

import h11
import trio

from greenroom.models.mock import MockEmbedder
from greenroom.models.ports import Vector

NATIVE_DIMENSIONS: Final = 1536


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """How one request is answered.

    Attributes:
        after_s: how long it thinks.
        hangs: it never answers.
        drops: it closes the connection instead of answering.
        status, headers: of a refusal; 200 answers.
        cut: only half of the JSON is sent, with the length of the whole of it.
        body: sent instead of what the API would say.
        dimensions: of the vectors, whatever was asked for.
        says: what the chat model says; a string goes out as it is.
        refusal: it declines to answer.
        finish_reason: of the chat.
    """

    after_s: float = 0.0
    hangs: bool = False
    drops: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    body: bytes | None = None
    dimensions: int | None = None
    says: object = None
    refusal: str | None = None
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    body: dict[str, Any]
    authorization: str


class OpenAIServer:
    """``asked`` is what it was asked, in order; ``in_flight_max`` how much at once."""

    def __init__(self, url: str) -> None:
        self.base_url = url
        self.asked: list[Asked] = []
        self.turns: list[Turn] = [Turn()]
        self.choose: Callable[[Asked], Turn] | None = None
        self.in_flight = 0
        self.in_flight_max = 0

    def script(self, *turns: Turn) -> None:
        self.turns = list(turns)

    async def serve(self, stream: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        async with stream:
            while True:
                asked = await _read(connection, stream)
                if asked is None:
                    return
                self.asked.append(asked)
                self.in_flight += 1
                self.in_flight_max = max(self.in_flight_max, self.in_flight)
                try:
                    if not await self._answer(connection, stream, asked):
                        return
                except trio.BrokenResourceError:
                    return
                finally:
                    self.in_flight -= 1
                if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                    return
                connection.start_next_cycle()

    async def _answer(self, connection: h11.Connection, stream: trio.SocketStream, asked: Asked) -> bool:
        turn = self.choose(asked) if self.choose else self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        await trio.sleep(turn.after_s)
        if turn.hangs:
            # As long as the other side is there.
            await stream.receive_some(1)
            return False
        if turn.drops:
            return False
        body = turn.body if turn.body is not None else json.dumps(await _body(turn, asked)).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body)), **turn.headers}
        head = h11.Response(status_code=turn.status, headers=list(headers.items()))
        await stream.send_all(connection.send(head) or b"")
        if turn.cut:
            await stream.send_all(body[: len(body) // 2])
            return False
        await stream.send_all(connection.send(h11.Data(data=body)) or b"")
        await stream.send_all(connection.send(h11.EndOfMessage()) or b"")
        return True


@asynccontextmanager
async def open_openai_server() -> AsyncIterator[OpenAIServer]:
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        server = OpenAIServer(f"http://127.0.0.1:{port}/v1")
        nursery.start_soon(trio.serve_listeners, server.serve, [listener])
        yield server
        nursery.cancel_scope.cancel()


async def _read(connection: h11.Connection, stream: trio.SocketStream) -> Asked | None:
    request, body = None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            try:
                connection.receive_data(await stream.receive_some(65_536))
            except trio.BrokenResourceError:
                return None
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert request is not None
            headers = {name.decode(): value.decode() for name, value in request.headers}
            return Asked(request.target.decode(), json.loads(body or b"{}"), headers.get("authorization", ""))
        else:
            return None


async def _body(turn: Turn, asked: Asked) -> object:
    if turn.status != 200:
        return {"error": {"message": "no", "type": "error", "code": "scripted"}}
    if asked.path.endswith("/embeddings"):
        dimensions = turn.dimensions or asked.body.get("dimensions") or NATIVE_DIMENSIONS
        vectors = await MockEmbedder(dimensions).embed(asked.body["input"], timeout_s=1)
        is_bytes = asked.body.get("encoding_format") == "base64"
        return {
            "object": "list",
            "model": asked.body["model"],
            "data": [
                {"object": "embedding", "index": index, "embedding": _bytes(vector) if is_bytes else list(vector)}
                for index, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
    said = turn.says if isinstance(turn.says, str) or turn.says is None else json.dumps(turn.says)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": asked.body["model"],
        "choices": [
            {
                "index": 0,
                "finish_reason": turn.finish_reason,
                "message": {"role": "assistant", "content": said, "refusal": turn.refusal},
            }
        ],
    }


def _bytes(vector: Vector) -> str:
    """Four bytes a number, little-endian, in base64."""
    return b64encode(pack(f"<{len(vector)}f", *vector)).decode()
