"""Requests that carry a key, and their answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from greenroom.schema.idempotency import KeptAnswer, KnownRequest, RequestKey


class IdempotencyKeys(Protocol):
    """Requests that carry a key, and their answers."""

    async def claim(
        self, request: RequestKey, now: datetime, *, lease: timedelta, keep: timedelta
    ) -> KnownRequest | None:
        """Claim a key for this request: None if it is now the caller's to carry out, else what is known of it.

        A claim that was neither finished nor released, of the same fingerprint, can be taken over when ``lease`` has
        passed; any key can be used anew when ``keep`` has.

        Raises:
            RequestInProgress: others claim and release it all the time.
        """
        ...

    async def finish(self, request: RequestKey, answer: KeptAnswer) -> None:
        """Keep the answer of a claimed request."""
        ...

    async def release(self, request: RequestKey) -> None:
        """Forget a claimed request that has no answer: it may be tried again at once."""
        ...

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        """Delete at most ``limit`` keys of requests that began before ``moment``; return how many."""
        ...
