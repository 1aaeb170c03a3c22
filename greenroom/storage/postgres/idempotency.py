"""Requests with a key, and their answers, in Postgres."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from greenroom.schema.errors import RequestInProgress
from greenroom.schema.idempotency import KeptAnswer, KnownRequest, RequestKey
from greenroom.storage.postgres.pool import Pool

CLAIM_ROUNDS: Final = 5
"""Each is lost only to somebody who claimed and released the same key in between: so often it is in use all the time."""

RETRY_AFTER_S: Final = 1.0

CLAIM: Final = """
-- claim_key: insert it, or take over what nobody carries out any more; a row comes back to whoever has it now.
INSERT INTO idempotency_keys AS k (owner, key, fingerprint, began_at, claimed_until)
VALUES (%(owner)s, %(key)s, %(fingerprint)s, %(now)s, %(claimed_until)s)
    ON CONFLICT (owner, key) DO UPDATE
   SET fingerprint = EXCLUDED.fingerprint, began_at = EXCLUDED.began_at, claimed_until = EXCLUDED.claimed_until,
       status = NULL, content_type = NULL, body = NULL
 WHERE k.began_at < %(kept_since)s
    OR (k.status IS NULL AND k.claimed_until < %(now)s AND k.fingerprint = EXCLUDED.fingerprint)
RETURNING key
"""

KNOWN: Final = """
-- known_request: what a key was used for.
SELECT fingerprint, began_at, status, content_type, body FROM idempotency_keys WHERE owner = %(owner)s AND key = %(key)s
"""

FINISH: Final = """
-- finish_request: keep its answer.
UPDATE idempotency_keys SET status = %(status)s, content_type = %(content_type)s, body = %(body)s
 WHERE owner = %(owner)s AND key = %(key)s AND fingerprint = %(fingerprint)s AND status IS NULL
"""

RELEASE: Final = """
-- release_key: it had no effect.
DELETE FROM idempotency_keys
 WHERE owner = %(owner)s AND key = %(key)s AND fingerprint = %(fingerprint)s AND status IS NULL
"""

DELETE_BEFORE: Final = """
-- delete_keys_before: the oldest first.
DELETE FROM idempotency_keys WHERE (owner, key) IN (
    SELECT owner, key FROM idempotency_keys WHERE began_at < %(moment)s ORDER BY began_at LIMIT %(limit)s)
"""


class PostgresIdempotencyKeys:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(
        self, request: RequestKey, now: datetime, *, lease: timedelta, keep: timedelta
    ) -> KnownRequest | None:
        params = {**_names(request), "now": now, "claimed_until": now + lease, "kept_since": now - keep}
        for _ in range(CLAIM_ROUNDS):
            if await self._pool.fetch(CLAIM, params, str):
                return None
            # It may be released between the two; then it is free, and claimed in the next round.
            known = await self._pool.fetch(KNOWN, _names(request), _known)
            if known:
                return known[0]
        raise RequestInProgress(RETRY_AFTER_S)

    async def finish(self, request: RequestKey, answer: KeptAnswer) -> None:
        kept = {"status": answer.status, "content_type": answer.content_type, "body": answer.body}
        await self._pool.run(FINISH, {**_names(request), **kept})

    async def release(self, request: RequestKey) -> None:
        await self._pool.run(RELEASE, _names(request))

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        return await self._pool.run(DELETE_BEFORE, {"moment": moment, "limit": limit})


def _names(request: RequestKey) -> dict[str, object]:
    return {"owner": request.owner, "key": request.key, "fingerprint": request.fingerprint}


def _known(
    fingerprint: bytes, began_at: datetime, status: int | None, content_type: str | None, body: bytes | None
) -> KnownRequest:
    answer = None if status is None else KeptAnswer(status, content_type, bytes(body or b""))
    return KnownRequest(bytes(fingerprint), began_at, answer)
