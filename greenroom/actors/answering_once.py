"""Requests that come with a key of the client's own are carried out once, and answered alike however often they come.

Three things may have become of such a request: it was answered, and the answer is kept; it is being carried out; or
whoever carried it out ended before it could write its answer. In that last case the request is carried out again, so
what it does must be repeatable by itself: a message, for example, goes under a client id that is made from the key.

Source: IETF draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeVar

import trio

from greenroom.schema.clock import WallClock
from greenroom.schema.errors import FieldError, InvalidInput, RequestInProgress, Unavailable
from greenroom.schema.idempotency import KeptAnswer, RequestKey
from greenroom.storage.ports import IdempotencyKeys

T = TypeVar("T")

KEEP: Final = timedelta(hours=24)

LEASE: Final = timedelta(seconds=30)
"""Longer than any request takes: nobody still carries out what is older."""

RETRY_AFTER_S: Final = 1.0
RELEASE_TIMEOUT_S: Final = 1.0


class AnsweringOnce:
    """Keeps answers by key."""

    def __init__(self, keys: IdempotencyKeys, *, wall: WallClock) -> None:
        self._keys = keys
        self._wall = wall

    async def answer(
        self,
        request: RequestKey,
        carry_out: Callable[[], Awaitable[T]],
        *,
        keep: Callable[[T], KeptAnswer],
        again: Callable[[KeptAnswer], T],
    ) -> T:
        """Carry out a request that is new; answer one that is known with the answer it had.

        What is raised is not kept. A refusal has changed nothing, so it is decided anew the next time; where the outcome
        is unknown (the database went away while committing), the request is carried out again, which is why what it does
        is repeatable by itself.

        Args:
            keep, again: to the form that is kept, and back.

        Raises:
            InvalidInput: the key was used for another request.
            RequestInProgress: the same request is being carried out.
        """
        known = await self._keys.claim(request, self._wall(), lease=LEASE, keep=KEEP)
        if known is not None:
            if known.fingerprint != request.fingerprint:
                reason = "was used for another request; take a new key for each"
                raise InvalidInput(FieldError(("header", "Idempotency-Key"), reason))
            if known.answer is None:
                raise RequestInProgress(RETRY_AFTER_S)
            return again(known.answer)
        try:
            answer = await carry_out()
        except BaseException:
            await self._release(request)
            raise
        # It has happened: that this can't be written down is no reason to say otherwise. A repetition finds the claim,
        # and after its lease the request's own means of being repeatable.
        with suppress(Unavailable):
            await self._keys.finish(request, keep(answer))
        return answer

    async def _release(self, request: RequestKey) -> None:
        # Shielded, as the client may have left; a claim that stays ends with its lease.
        with trio.move_on_after(RELEASE_TIMEOUT_S, shield=True):
            with suppress(Unavailable):
                await self._keys.release(request)
