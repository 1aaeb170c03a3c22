"""What clicks tell about names of places, in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from greenroom.schema.ids import UserId
from greenroom.schema.search.learning import Vote
from greenroom.schema.search.places import RegionId
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.reading_many import reading_many

HOLD: Final = """
-- hold_learning: by the database's clock, which all workers share.
INSERT INTO alias_learner AS l (worker, until) VALUES (%(worker)s, clock_timestamp() + make_interval(secs => %(for_s)s))
    ON CONFLICT (is_only) DO UPDATE SET worker = excluded.worker, until = excluded.until
 WHERE l.worker = excluded.worker OR l.until <= clock_timestamp()
"""

UNDECIDED: Final = """
-- undecided_aliases: learned ones; reads all aliases, once in a while.
SELECT count(*) FROM location_aliases WHERE source = 'learned' AND state <> 'revoked' AND decided_at IS NULL
"""

VOTES: Final = """
-- alias_votes: reads search_clicks_taught alone to find the names, and then the newest clicks of these.
WITH names AS MATERIALIZED (
    SELECT taught_name FROM search_clicks WHERE taught_name IS NOT NULL AND at >= %(since)s
     GROUP BY taught_name HAVING count(DISTINCT user_id) >= %(users_min)s
     ORDER BY count(*) DESC, taught_name LIMIT %(names_max)s)
SELECT c.taught_name, c.user_id, c.at, a.regions
  FROM search_clicks c
  JOIN names USING (taught_name)
  JOIN services s ON s.id = c.service_id
 CROSS JOIN LATERAL (
       SELECT array_agg(r.id ORDER BY r.id) AS regions FROM instructor_service_areas i JOIN region_boundaries r ON r.id = i.region_id
        WHERE i.instructor_id = s.instructor_id AND r.kind <> 'city') a
 WHERE c.taught_name IS NOT NULL AND c.at >= %(since)s AND a.regions IS NOT NULL
 ORDER BY c.at DESC, c.taught_name DESC LIMIT %(limit)s
"""


class PostgresAliasEvidence:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def hold(self, worker: str, *, for_s: float) -> bool:
        return await self._pool.run(HOLD, {"worker": worker, "for_s": for_s}) == 1

    async def undecided(self) -> int:
        return (await self._pool.fetch(UNDECIDED, None, int))[0]

    async def votes(self, *, since: datetime, users_min: int, names_max: int, limit: int) -> list[Vote]:
        params = {"since": since, "users_min": users_min, "names_max": names_max, "limit": limit}
        async with reading_many(self._pool) as session:
            return await session.fetch(VOTES, params, _vote)


def _vote(name: str, user_id: str, at: datetime, regions: Sequence[str]) -> Vote:
    return Vote(name, UserId(user_id), at, tuple(map(RegionId, regions)))
