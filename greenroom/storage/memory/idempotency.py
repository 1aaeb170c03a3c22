"""The twin of requests with a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from greenroom.schema.idempotency import KeptAnswer, KnownRequest, RequestKey
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.tables import KeyRow


class MemoryIdempotencyKeys:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def claim(
        self, request: RequestKey, now: datetime, *, lease: timedelta, keep: timedelta
    ) -> KnownRequest | None:
        async with self._database.operation("idempotency.claim"):
            rows = self._database.tables.idempotency_keys
            row = rows.get((request.owner, request.key))
            if row is not None and not _is_free(row, request, now, keep=keep):
                return row.known
            rows[request.owner, request.key] = KeyRow(KnownRequest(request.fingerprint, now, None), now + lease)
            return None

    async def finish(self, request: RequestKey, answer: KeptAnswer) -> None:
        async with self._database.operation("idempotency.finish"):
            if (row := self._open_row(request)) is not None:
                finished = replace(row, known=replace(row.known, answer=answer))
                self._database.tables.idempotency_keys[request.owner, request.key] = finished

    async def release(self, request: RequestKey) -> None:
        async with self._database.operation("idempotency.release"):
            if self._open_row(request) is not None:
                del self._database.tables.idempotency_keys[request.owner, request.key]

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        async with self._database.operation("idempotency.delete_before"):
            rows = self._database.tables.idempotency_keys
            by_age = sorted(rows, key=lambda place: rows[place].known.began_at)
            old = [place for place in by_age if rows[place].known.began_at < moment][:limit]
            for place in old:
                del rows[place]
            return len(old)

    def _open_row(self, request: RequestKey) -> KeyRow | None:
        row = self._database.tables.idempotency_keys.get((request.owner, request.key))
        is_open = row is not None and row.known.answer is None and row.known.fingerprint == request.fingerprint
        return row if is_open else None


def _is_free(row: KeyRow, request: RequestKey, now: datetime, *, keep: timedelta) -> bool:
    is_old = row.known.began_at < now - keep
    is_left = row.known.answer is None and row.claimed_until < now and row.known.fingerprint == request.fingerprint
    return is_old or is_left
