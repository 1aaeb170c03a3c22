"""The twin of what clicks tell about names of places."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.search.learning import Vote
from greenroom.schema.search.places import AliasSource, AliasState, RegionId, RegionKind
from greenroom.storage.memory.database import MemoryDatabase


class MemoryAliasEvidence:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def hold(self, worker: str, *, for_s: float) -> bool:
        async with self._database.operation("alias_evidence.hold"):
            tables, now = self._database.tables, self._database.clock()
            holder = tables.alias_learner
            if holder is not None and holder[0] != worker and holder[1] > now:
                return False
            tables.alias_learner = (worker, now + timedelta(seconds=for_s))
            return True

    async def undecided(self) -> int:
        async with self._database.operation("alias_evidence.undecided"):
            return sum(
                alias.source is AliasSource.LEARNED
                and alias.state is not AliasState.REVOKED
                and alias.decided_at is None
                for alias in self._database.tables.aliases.values()
            )

    async def votes(self, *, since: datetime, users_min: int, names_max: int, limit: int) -> list[Vote]:
        async with self._database.operation("alias_evidence.votes"):
            tables = self._database.tables
            found: list[Vote] = []
            for query_id, clicks in tables.search_clicks.items():
                record = tables.searches[query_id]
                name = record.taught_name
                found += [
                    Vote(name, record.user_id, click.at, self._areas(click.service_id))
                    for click in clicks
                    if name is not None and click.at >= since and click.service_id in tables.services
                ]
            clicked: defaultdict[str, int] = defaultdict(int)
            users: defaultdict[str, set[UserId]] = defaultdict(set)
            for vote in found:
                clicked[vote.name] += 1
                users[vote.name].add(vote.user_id)
            names = sorted(
                (name for name in clicked if len(users[name]) >= users_min),
                key=lambda name: (-clicked[name], name),
            )[:names_max]
            wanted = [vote for vote in found if vote.name in names and vote.regions]
            return sorted(wanted, key=lambda vote: (vote.at, vote.name), reverse=True)[:limit]

    def _areas(self, service_id: ServiceId) -> tuple[RegionId, ...]:
        tables = self._database.tables
        service = tables.services[service_id]
        row = tables.profiles.get(service.instructor_id)
        areas = () if row is None else row.profile.areas
        known = (tables.regions.get(area) for area in areas)
        return tuple(sorted(m.region.id for m in known if m is not None and m.region.kind is not RegionKind.CITY))
