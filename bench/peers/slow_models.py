"""A server that speaks the OpenAI API and takes its time: every answer after so many seconds.

``python -m bench.peers.slow_models SECONDS`` prints its port and serves until it is ended.
"""

from __future__ import annotations

import json
import sys

import trio
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

from greenroom.http.serving import Limits, Server, listen
from greenroom.models.mock import MockEmbedder


def application(seconds: float) -> ASGIFramework:
    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        body = b""
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return
            body += event["body"]
            if not event["more_body"]:
                break
        asked = json.loads(body)
        await trio.sleep(seconds)
        said = json.dumps(await _said(asked)).encode()
        headers = [(b"content-length", str(len(said)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said, "more_body": False})

    return answer


async def _said(asked: dict[str, object]) -> dict[str, object]:
    """Embeddings, or a chat that declines: what it says is of no use to anybody, as late as it comes."""
    if "input" in asked:
        texts = [str(text) for text in asked["input"]] if isinstance(asked["input"], list) else []
        vectors = await MockEmbedder(256).embed(texts, timeout_s=1)
        data = [{"object": "embedding", "index": n, "embedding": list(v)} for n, v in enumerate(vectors)]
        return {
            "object": "list",
            "data": data,
            "model": asked["model"],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
    message = {"role": "assistant", "content": None, "refusal": "no"}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": asked["model"], "choices": [choice]}


async def main() -> None:
    limits = Limits()
    listeners = await listen("127.0.0.1", 0, limits=limits)
    print(listeners[0].socket.getsockname()[1], flush=True)
    await Server(application(float(sys.argv[1])), listeners, limits=limits).run()


if __name__ == "__main__":
    trio.run(main)
