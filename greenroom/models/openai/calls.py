"""Calls to the OpenAI API: so many at a time, each within its time with all its retries, each failure by its name.

1. A slot is waited for within the call's own time. What is gated is the call, not the search around it.
2. A call that may go better a second time (429, 5xx, no connection) is repeated while time is left, after a pause that
   doubles, with full jitter, or that the server asks for.
3. Nothing else is repeated: not a timeout, which has used the time up, nor an answer that can't be used.

Source on jitter: M. Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from greenroom.models.outages import Outages
from greenroom.models.ports import (
    ModelAnswerInvalid,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelTimeout,
    ModelUnavailable,
    NoSlot,
)

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

T = TypeVar("T")

PAUSE_FIRST_S: Final = 0.05
PAUSE_MAX_S: Final = 1.0

ATTEMPT_S_MIN: Final = 0.02
"""An attempt with less time left than this is not begun."""

WAITING_MAX: Final = 100
"""Calls that wait for a slot; more are refused at once."""


class OpenAICalls:
    """Made by :func:`open_openai`.

    Args:
        concurrency: calls on the wire at once, on this worker.
        retries: how often a call is repeated; asked anew for each.

    Attributes:
        outages: what is known of models that are away.
    """

    def __init__(self, client: AsyncOpenAI, *, concurrency: int, retries: Callable[[], int], rng: Random) -> None:
        self._client = client
        self._slots = trio.Semaphore(concurrency, max_value=concurrency)
        self._retries = retries
        self._rng = rng
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self.outages = Outages(trio.current_time)

    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """How often a purpose came to an outcome ("ok" or the error's name), since the start."""
        return dict(self._outcomes)

    async def call(self, purpose: str, attempt: Callable[[AsyncOpenAI], Awaitable[T]], *, timeout_s: float) -> T:
        """Carry out one call, with its retries.

        Raises:
            ModelError: it gave no usable answer in time.
        """
        try:
            answer = await self._gated(attempt, trio.current_time() + timeout_s)
        except ModelError as exc:
            self._outcomes[purpose, type(exc).__name__] += 1
            if isinstance(exc, ModelRefused | ModelAnswerInvalid):
                self.outages.answered(purpose)
            else:
                self.outages.failed(purpose, exc)
            raise
        self._outcomes[purpose, "ok"] += 1
        self.outages.answered(purpose)
        return answer

    async def _gated(self, attempt: Callable[[AsyncOpenAI], Awaitable[T]], deadline: float) -> T:
        if self._slots.statistics().tasks_waiting >= WAITING_MAX:
            raise NoSlot("too many calls wait for a slot")
        with trio.move_on_at(deadline) as waiting:
            await self._slots.acquire()
        if waiting.cancelled_caught:
            raise NoSlot("no slot for a call came free in time")
        try:
            return await self._repeated(attempt, deadline)
        finally:
            self._slots.release()

    async def _repeated(self, attempt: Callable[[AsyncOpenAI], Awaitable[T]], deadline: float) -> T:
        retries = self._retries()
        for number in range(retries + 1):
            try:
                with trio.fail_at(deadline):
                    return await self._once(attempt)
            except trio.TooSlowError as exc:
                raise ModelTimeout("no answer in time") from exc
            except _Repeatable as exc:
                pause_s = exc.retry_after_s
                if pause_s is None:
                    pause_s = self._rng.uniform(0, min(PAUSE_MAX_S, PAUSE_FIRST_S * 2**number))
                is_last = number == retries
                if is_last or trio.current_time() + pause_s + ATTEMPT_S_MIN > deadline:
                    raise exc.error from exc
                await trio.sleep(pause_s)
        raise AssertionError("unreachable")

    async def _once(self, attempt: Callable[[AsyncOpenAI], Awaitable[T]]) -> T:
        import openai

        try:
            return await attempt(self._client)
        except openai.APITimeoutError as exc:
            raise ModelTimeout("no answer in time") from exc
        except openai.RateLimitError as exc:
            raise _Repeatable(ModelBusy(f"limited by the provider: {_said(exc)}"), _retry_after_s(exc)) from exc
        except openai.InternalServerError as exc:
            raise _Repeatable(ModelUnavailable(f"failed: {_said(exc)}"), _retry_after_s(exc)) from exc
        except openai.APIStatusError as exc:
            raise ModelUnavailable(f"not accepted: {_said(exc)}") from exc
        except openai.APIResponseValidationError as exc:
            raise ModelAnswerInvalid("the answer has not the shape of the API") from exc
        except openai.APIConnectionError as exc:
            raise _Repeatable(ModelUnavailable(f"can't be reached: {exc.__cause__ or exc}")) from exc
        except openai.ContentFilterFinishReasonError as exc:
            raise ModelRefused("the provider's filter withheld the answer") from exc
        except (openai.OpenAIError, ValueError) as exc:
            # A body that is no JSON comes out as the JSON decoder's ValueError.
            raise ModelAnswerInvalid("the answer can't be read") from exc


class _Repeatable(Exception):
    """Wraps an error that another attempt may not meet; never leaves this module."""

    def __init__(self, error: ModelError, retry_after_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after_s = retry_after_s


@asynccontextmanager
async def open_openai(
    *,
    api_key: str,
    base_url: str | None,
    timeout_s: float,
    concurrency: int,
    retries: Callable[[], int],
    rng: Random,
) -> AsyncIterator[OpenAICalls]:
    """Open a client for the life of a worker.

    Args:
        timeout_s: of whatever has no timeout of its own, connecting among it.
    """
    # Imported here: it takes half a second and 40 MB, which only those should pay who have a key.
    import openai

    async with openai.AsyncOpenAI(
        api_key=api_key,
        base_url=base_url,
        timeout=timeout_s,
        # Its own retries know nothing of a deadline over all of them.
        max_retries=0,
        organization=None,
        project=None,
    ) as client:
        yield OpenAICalls(client, concurrency=concurrency, retries=retries, rng=rng)


def _said(exc: APIStatusError) -> str:
    return f"{exc.status_code} {exc.code or ''}".strip()


def _retry_after_s(exc: APIStatusError) -> float | None:
    """The pause the server asks for; None if it doesn't, or not in seconds."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(exc.response.headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None
