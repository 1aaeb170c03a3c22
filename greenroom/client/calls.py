"""One call to the server: a deadline over all of it, and as many tries as fit; it happens once all the same."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final, TypeVar

import anyio
import httpx
from pydantic import BaseModel, ValidationError

from greenroom.client.errors import NotGreenroom, Refused, Unreachable, refusal
from greenroom.client.pauses import jittered_pause_s
from greenroom.schema.ids import Ids
from greenroom.schema.wire import Wire

M = TypeVar("M", bound=Wire)

RETRY_BASE_S: Final = 0.1
PASSING_STATUSES: Final = frozenset({502, 503, 504})
"""What says that it is the moment and not the request; 502 and 504 come from a proxy before a server that restarts."""

KEYED_METHODS: Final = frozenset({"POST", "PATCH"})
"""What a server would do again for every try, without a key to know them by. The others have the same effect anyway."""

Params = Mapping[str, str | int | float]


class Calls:
    """Calls one server with one user's token.

    Args:
        timeout_s: of a call, its further tries included.
    """

    def __init__(self, http: httpx.AsyncClient, *, timeout_s: float, random: Random, ids: Ids) -> None:
        self._http = http
        self._timeout_s = timeout_s
        self._random = random
        self._ids = ids
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
    ) -> M:
        """Call, and read the answer.

        Raises:
            Refused, Unreachable, NotGreenroom
        """
        response = await self._call(method, path, params=params, body=body, headers=headers)
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
    ) -> None:
        """Call where there is nothing to read in the answer; raises as :meth:`ask`."""
        await self._call(method, path, params=None, body=body, headers=headers)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None,
        body: BaseModel | Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        sent = {**self.headers, **(headers or {})}
        if method in KEYED_METHODS:
            # The same for every try: whichever of them arrives, it happens once.
            sent["Idempotency-Key"] = self._ids.ulid()
        content = body.model_dump(mode="json", exclude_none=True) if isinstance(body, BaseModel) else body
        attempt = 0
        failure: Exception = Unreachable(f"{self._http.base_url} did not answer within {self._timeout_s:g} s")
        with anyio.move_on_after(self._timeout_s):
            while True:
                pause_s = jittered_pause_s(attempt, base_s=RETRY_BASE_S, random=self._random)
                try:
                    response = await self._http.request(method, path, params=params, json=content, headers=sent)
                except (httpx.TransportError, httpx.InvalidURL) as exc:
                    failure = Unreachable(f"{self._http.base_url} can't be reached: {exc or type(exc).__name__}")
                else:
                    if response.is_success:
                        return response
                    error = refusal(
                        response.status_code, response.content, retry_after=response.headers.get("Retry-After")
                    )
                    if not _passes(error, response.status_code):
                        raise error
                    failure = error
                    if isinstance(error, Refused) and error.retry_after_s is not None:
                        pause_s += error.retry_after_s
                attempt += 1
                await anyio.sleep(pause_s)
        raise failure


def _passes(error: Exception, status: int) -> bool:
    """Whether the same call may succeed in a moment."""
    is_under_way = isinstance(error, Refused) and error.code == "request_in_progress"
    return status in PASSING_STATUSES or is_under_way
