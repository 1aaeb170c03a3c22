"""One call to the server: a deadline over all of it, and another try where that is safe."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final, TypeVar

import anyio
import httpx
from pydantic import BaseModel, ValidationError

from greenroom.client.errors import NotGreenroom, Refused, Unreachable, refusal
from greenroom.client.pauses import jittered_pause_s
from greenroom.schema.wire import Wire

M = TypeVar("M", bound=Wire)

RETRY_BASE_S: Final = 0.1
PASSING_STATUSES: Final = frozenset({502, 503, 504})
"""What says that it is the moment and not the request; 502 and 504 come from a proxy before a server that restarts."""

Params = Mapping[str, str | int | float]


class Calls:
    """Calls one server with one user's token.

    Args:
        timeout_s: of a call, its further tries included.
    """

    def __init__(self, http: httpx.AsyncClient, *, timeout_s: float, random: Random) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._random = random
        self.token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    async def ask(
        self,
        answer: type[M],
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: BaseModel | Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
    ) -> M:
        """Call, and read the answer.

        Args:
            is_repeatable: asking twice has the effect of asking once, so a lost answer is asked for again.

        Raises:
            Refused, Unreachable, NotGreenroom
        """
        response = await self._call(
            method, path, params=params, body=body, headers=headers, is_repeatable=is_repeatable
        )
        try:
            return answer.model_validate_json(response.content, extra="ignore")
        except ValidationError as exc:
            raise NotGreenroom(f"{method} {path} was answered with something else than {answer.__name__}") from exc

    async def do(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
    ) -> None:
        """Call where there is nothing to read in the answer; raises as :meth:`ask`."""
        await self._call(method, path, params=None, body=body, headers=headers, is_repeatable=is_repeatable)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None,
        body: BaseModel | Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
        is_repeatable: bool,
    ) -> httpx.Response:
        content = body.model_dump(mode="json", exclude_none=True) if isinstance(body, BaseModel) else body
        attempt = 0
        failure: Exception = Unreachable(f"{self._http.base_url} did not answer within {self._timeout_s:g} s")
        with anyio.move_on_after(self._timeout_s):
            while True:
                pause_s = jittered_pause_s(attempt, base_s=RETRY_BASE_S, random=self._random)
                try:
                    response = await self._http.request(
                        method, path, params=params, json=content, headers={**self.headers, **(headers or {})}
                    )
                except (httpx.TransportError, httpx.InvalidURL) as exc:
                    failure = Unreachable(f"{self._http.base_url} can't be reached: {exc or type(exc).__name__}")
                    # A connection that was never made carried no request.
                    if not (is_repeatable or isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout)):
                        raise failure from exc
                else:
                    if response.is_success:
                        return response
                    error = refusal(
                        response.status_code, response.content, retry_after=response.headers.get("Retry-After")
                    )
                    if not is_repeatable or response.status_code not in PASSING_STATUSES:
                        raise error
                    failure = error
                    if isinstance(error, Refused) and error.retry_after_s is not None:
                        pause_s += error.retry_after_s
                attempt += 1
                await anyio.sleep(pause_s)
        raise failure
