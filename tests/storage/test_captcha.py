"""Turnstile's check against a server on loopback that answers as told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from urllib.parse import parse_qsl

import pytest
import trio

from greenroom.schema.errors import CaptchaUnavailable
from greenroom.storage.captcha import ANSWER_BYTES_MAX, CHECK_TIMEOUT_S, Turnstile, open_turnstile

EARNED = {
    "success": True,
    "hostname": "lessons.example",
    "action": "login",
    "challenge_ts": "2026-03-01T09:00:00Z",
}
WAIT_S = 10.0


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def said(verdict: object) -> bytes:
    return http(json.dumps(verdict).encode())


@dataclass
class Siteverify:
    """Answers requests in turn with what is in ``answers``, the last for ever; None is no answer."""

    answers: list[bytes | None]
    forms: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def serve(self, stream: trio.SocketStream) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += await stream.receive_some()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += await stream.receive_some()
        self.forms.append(dict(parse_qsl(body.decode())))
        answer = self.answers[min(len(self.forms), len(self.answers)) - 1]
        if answer is None:
            await trio.sleep_forever()
        else:
            with suppress(trio.BrokenResourceError):  # it had enough
                await stream.send_all(answer)
        await stream.aclose()


@asynccontextmanager
async def asking(*answers: bytes | None) -> AsyncIterator[tuple[Turnstile, Siteverify]]:
    server, numbers = Siteverify(list(answers)), count()
    async with trio.open_nursery() as nursery:
        with trio.fail_after(WAIT_S):
            listener, *_ = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
            server.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/siteverify"
            key: Callable[[], str] = lambda: f"key-{next(numbers)}"  # noqa: E731
            async with open_turnstile(
                url=server.url, secret="s3cret", hosts=["lessons.example"], key=key
            ) as asked:
                yield asked, server
            nursery.cancel_scope.cancel()


async def test_a_token_that_was_earned_here_is_good() -> None:
    async with asking(said(EARNED)) as (turnstile, server):
        assert await turnstile.check("a-token")

    assert server.forms == [{"secret": "s3cret", "response": "a-token", "idempotency_key": "key-0"}]


@pytest.mark.parametrize(
    "verdict",
    [
        {"success": False, "error-codes": ["invalid-input-response"]},
        {"success": False, "error-codes": ["timeout-or-duplicate"], "hostname": "lessons.example"},
        EARNED | {"hostname": "elsewhere.example"},
        EARNED | {"action": "register"},
        {"success": True},
    ],
)
async def test_a_token_that_was_not_is_not(verdict: object) -> None:
    async with asking(said(verdict)) as (turnstile, _):
        assert not await turnstile.check("a-token")


async def test_a_refusal_with_status_400_is_a_refusal() -> None:
    async with asking(http(b'{"success": false}', "400 Bad Request")) as (turnstile, _):
        assert not await turnstile.check("not a token at all")


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>Sorry</html>"),
        http(b"", "500 Internal Server Error"),
        http(b"", "302 Found", Location="http://127.0.0.1:1/"),
        said({"success": "true"}),
        said([]),
        http(b'{"success": true, "x": "' + b"x" * ANSWER_BYTES_MAX + b'"}'),
        b"nothing like HTTP\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_of_another_kind_accepts_nobody(answer: bytes) -> None:
    async with asking(answer) as (turnstile, server):
        with pytest.raises(CaptchaUnavailable):
            await turnstile.check("a-token")

    assert len(server.forms) == 2


async def test_a_second_try_is_the_same_check() -> None:
    async with asking(b"", said(EARNED)) as (turnstile, server):
        assert await turnstile.check("a-token")

    first, second = server.forms
    assert first == second


async def test_no_answer_is_waited_for_two_seconds() -> None:
    async with asking(None) as (turnstile, _):
        began = trio.current_time()
        with pytest.raises(CaptchaUnavailable):
            await turnstile.check("a-token")

        assert trio.current_time() - began < 2 * CHECK_TIMEOUT_S


async def test_nobody_there_is_told_at_once() -> None:
    async with open_turnstile(url="http://127.0.0.1:1/", secret="s", hosts=[], key=lambda: "k") as turnstile:
        with pytest.raises(CaptchaUnavailable):
            await turnstile.check("a-token")
