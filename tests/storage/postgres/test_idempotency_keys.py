"""What the contract can't show of keys in Postgres: a race that is lost again and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from greenroom.schema.errors import RequestInProgress
from greenroom.schema.idempotency import RequestKey
from greenroom.storage.postgres.idempotency import CLAIM_ROUNDS, PostgresIdempotencyKeys
from greenroom.storage.postgres.pool import Pool


class AlwaysTaken:
    """A pool where the key is claimed whenever one claims it, and free whenever one looks."""

    def __init__(self) -> None:
        self.statements = 0

    async def fetch(self, *_: Any) -> Sequence[Any]:
        self.statements += 1
        return []


async def test_a_key_that_is_never_to_be_had_is_given_up() -> None:
    pool = AlwaysTaken()
    keys = PostgresIdempotencyKeys(cast(Pool, pool))
    request = RequestKey(owner="user:1", key="k", fingerprint=b"f")

    with pytest.raises(RequestInProgress):
        await keys.claim(
            request, datetime(2026, 1, 1, tzinfo=UTC), lease=timedelta(seconds=30), keep=timedelta(hours=24)
        )

    assert pool.statements == 2 * CLAIM_ROUNDS
