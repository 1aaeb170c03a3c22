"""Limits in Postgres, for several workers without a Redis: one upsert settles many subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg

from greenroom.schema.errors import Unavailable
from greenroom.schema.rate_limits import DEBT_CAPACITIES_MAX, Standing
from greenroom.storage.limits.home import Claim, HomeAway
from greenroom.storage.postgres.pool import Pool

FORGET_MAX: Final = 5_000
"""In one statement, so that none holds many rows for long."""

FORGET_ROUNDS_MAX: Final = 200
"""Together a million each time: more names than can be made up in between, so that the table does not grow for good."""

SETTLE: Final = """
-- settle_limits: charge and grant, a row each, in the order of keys so that two settlements can't wait for each other.
WITH moment AS MATERIALIZED (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us
), claims AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::text[], %(spent)s::bigint[], %(wanted)s::bigint[], %(intervals)s::bigint[],
                         %(capacities)s::bigint[])
               AS c (key, spent, wanted, interval_us, capacity_us)
)
INSERT INTO rate_limits AS l (key, paid_at_us, granted)
SELECT key, now_us + new_debt_us, new_granted
  FROM claims, moment,
       settled_limit(0, spent, wanted, interval_us, capacity_us, capacity_us * %(capacities_max)s)
 ORDER BY key
    ON CONFLICT (key) DO UPDATE SET (paid_at_us, granted) = (
       SELECT now_us + new_debt_us, new_granted
         FROM claims c, moment,
              settled_limit(l.paid_at_us - now_us, spent, wanted, interval_us, capacity_us,
                            capacity_us * %(capacities_max)s)
        WHERE c.key = l.key)
RETURNING key, granted, paid_at_us - (SELECT now_us FROM moment)
"""

FORGET: Final = """
-- forget_limits: debts that are paid off.
DELETE FROM rate_limits WHERE key IN (
    SELECT key FROM rate_limits
     WHERE paid_at_us < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
     ORDER BY key LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


class PostgresHome:
    """See the module. It takes one connection of the pool, and only while it settles."""

    name = "postgres"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def settle(self, claims: Sequence[Claim]) -> list[Standing]:
        params = {
            "keys": [claim.key for claim in claims],
            "spent": [claim.spent for claim in claims],
            "wanted": [claim.wanted for claim in claims],
            "intervals": [claim.policy.interval_us for claim in claims],
            "capacities": [claim.policy.capacity_us for claim in claims],
            "capacities_max": DEBT_CAPACITIES_MAX,
        }
        try:
            # Not a read: were it tried again after the connection was lost, it might be charged twice.
            async with self._pool.session() as session:
                rows = await session.fetch(SETTLE, params, _row)
        except (Unavailable, psycopg.Error) as exc:
            # Whatever is wrong with the table is no reason to refuse a request.
            raise HomeAway(str(exc)) from exc
        found = dict(rows)
        return [found[claim.key] for claim in claims]

    async def forget(self) -> None:
        try:
            for _ in range(FORGET_ROUNDS_MAX):
                if await self._pool.run(FORGET, {"limit": FORGET_MAX}) < FORGET_MAX:
                    return
        except (Unavailable, psycopg.Error) as exc:
            raise HomeAway(str(exc)) from exc


def _row(key: str, granted: int, debt_us: int) -> tuple[str, Standing]:
    return key, Standing(granted, debt_us)
