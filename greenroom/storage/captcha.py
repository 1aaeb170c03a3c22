"""Asking Cloudflare Turnstile whether a token was earned by a person.

A token is good for five minutes and for one check. A check is tried twice, under one key, so that the second try of one
whose answer was lost is not taken for a second use.

Source: https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Final, Protocol

import httpx
import structlog
import trio
from pydantic import BaseModel, ConfigDict, ValidationError

from greenroom.schema.errors import CaptchaUnavailable

_log = structlog.get_logger(__name__)

CHECK_TIMEOUT_S: Final = 2.0
"""For both tries."""

TRY_TIMEOUT_S: Final = 1.2
ANSWER_BYTES_MAX: Final = 16 * 1024

CONNECTIONS_MAX: Final = 8
"""At once; it is asked only after several wrong passwords."""

ACTION: Final = "login"
"""What a widget's ``data-action`` must say, if it says any."""

DUMMY_SECRETS: Final = frozenset(f"{kind}x0000000000000000000000000000000AA" for kind in (1, 2, 3))
"""Turnstile's own for tests: always passes, always fails, always spent."""


class Captcha(Protocol):
    """Port: tells tokens of people from others."""

    async def check(self, token: str) -> bool:
        """Whether this token was earned, here and lately, and not used before.

        Raises:
            CaptchaUnavailable: no answer, or none that is understood, in time.
        """
        ...


class _NoVerdict(Exception):
    """No answer in time, or one of another kind."""


class _Verdict(BaseModel):
    """Of the answer, what decides."""

    model_config = ConfigDict(extra="ignore", strict=True)

    success: bool
    hostname: str = ""
    action: str = ""


class Turnstile:
    """See the module. Made by :func:`open_turnstile`."""

    def __init__(
        self, http: httpx.AsyncClient, *, url: str, secret: str, hosts: Collection[str], key: Callable[[], str]
    ) -> None:
        self._http = http
        self._url = url
        self._secret = secret
        self._hosts = hosts
        self._key = key

    async def check(self, token: str) -> bool:
        form = {"secret": self._secret, "response": token, "idempotency_key": self._key()}
        with trio.move_on_after(CHECK_TIMEOUT_S):
            for _ in range(2):
                try:
                    return self._is_ours(await self._ask(form))
                except (httpx.HTTPError, ValidationError, _NoVerdict) as exc:
                    # Not what it says, which may repeat what was sent.
                    _log.warning("captcha_unavailable", reason=type(exc).__name__)
        raise CaptchaUnavailable("It can't be checked now that you are a person. Try again in a moment.")

    async def _ask(self, form: dict[str, str]) -> _Verdict:
        body = bytearray()
        with trio.move_on_after(TRY_TIMEOUT_S):
            headers = {"Accept-Encoding": "identity"}
            async with self._http.stream("POST", self._url, data=form, headers=headers) as answer:
                # A refused token comes with 200; 400 says that what was sent was no token at all.
                if answer.status_code not in {200, 400}:
                    raise _NoVerdict
                # What is too long is read to its end, or that of the time, and not kept: a response that is left in the
                # middle leaves its generators to the garbage collector.
                async for part in answer.aiter_raw():
                    body += part[: ANSWER_BYTES_MAX + 1 - len(body)]
            if len(body) > ANSWER_BYTES_MAX:
                raise _NoVerdict
            return _Verdict.model_validate_json(bytes(body))
        raise _NoVerdict

    def _is_ours(self, verdict: _Verdict) -> bool:
        is_here = not self._hosts or verdict.hostname.lower() in self._hosts
        return verdict.success and is_here and verdict.action in {"", ACTION}


@asynccontextmanager
async def open_turnstile(
    *, url: str, secret: str, hosts: Collection[str], key: Callable[[], str]
) -> AsyncIterator[Turnstile]:
    """
    Args:
        hosts: names, in lower case, of which one must be where the token was earned; none to take any.
        key: makes a UUID for each check.
    """
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
    timeout = httpx.Timeout(TRY_TIMEOUT_S)
    async with httpx.AsyncClient(limits=limits, timeout=timeout, follow_redirects=False, trust_env=False) as http:
        yield Turnstile(http, url=url, secret=secret, hosts=hosts, key=key)
