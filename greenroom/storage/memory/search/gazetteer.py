"""Writing places in memory, and the aliases that operators look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.schema.errors import AliasNotFound, RegionNotFound
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import (
    Alias,
    AliasFilter,
    AliasId,
    AliasState,
    MappedRegion,
    NewAlias,
    Region,
    RegionId,
)
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.place_rows import one_dimension, storable


class MemoryGazetteer:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def upsert_regions(self, regions: Sequence[MappedRegion]) -> None:
        async with self._database.operation("gazetteer.upsert_regions"):
            tables = self._database.tables
            after = tables.regions | {mapped.region.id: mapped for mapped in regions}
            for mapped in regions:
                if not {mapped.region.city, mapped.region.parent_id} - {None} <= after.keys():
                    raise RegionNotFound("No such region.")
            renamed = {
                region_id
                for region_id, mapped in tables.regions.items()
                if normal_place_name(mapped.region.name) != normal_place_name(after[region_id].region.name)
            }
            tables.region_embeddings = {
                key: vector for key, vector in tables.region_embeddings.items() if key[1] not in renamed
            }
            tables.regions = after

    async def upsert_aliases(self, aliases: Sequence[NewAlias], *, now: datetime) -> int:
        async with self._database.operation("gazetteer.upsert_aliases"):
            tables = self._database.tables
            kept = storable(aliases)
            if any(alias.region_id not in tables.regions for _, alias in kept):
                raise RegionNotFound("No such region.")
            stored = {(normal_place_name(alias.name), alias.region_id): alias for alias in tables.aliases.values()}
            for normal, new in kept:
                old = stored.get((normal, new.region_id))
                if old is None:
                    alias_id = AliasId(max(tables.aliases, default=0) + 1)
                    tables.aliases[alias_id] = Alias(
                        alias_id, new.name, new.region_id, new.source, new.state, new.weight, now
                    )
                elif old.decided_at is None:
                    tables.aliases[old.id] = replace(
                        old, name=new.name, source=new.source, state=new.state, weight=new.weight
                    )
            return len(kept)

    async def aliases_page(self, wanted: AliasFilter, *, before: AliasId | None, limit: int) -> list[Alias]:
        async with self._database.operation("gazetteer.aliases_page"):
            newest_first = sorted(self._database.tables.aliases.values(), key=lambda alias: -alias.id)
            matching = (alias for alias in newest_first if self._matches(alias, wanted))
            return [alias for alias in matching if before is None or alias.id < before][:limit]

    def _matches(self, alias: Alias, wanted: AliasFilter) -> bool:
        region = self._database.tables.regions[alias.region_id].region
        names = normal_place_name(alias.name), normal_place_name(region.name)
        return (
            (wanted.state is None or alias.state is wanted.state)
            and (wanted.source is None or alias.source is wanted.source)
            and (wanted.text is None or any(_has(name, wanted.text) for name in names))
        )

    async def alias_of(self, name: str, region_id: RegionId) -> Alias | None:
        async with self._database.operation("gazetteer.alias_of"):
            normal = normal_place_name(name)
            for alias in self._database.tables.aliases.values():
                if alias.region_id == region_id and normal_place_name(alias.name) == normal:
                    return alias
            return None

    async def decide_alias(self, alias_id: AliasId, state: AliasState, *, decided_by: str, now: datetime) -> Alias:
        async with self._database.operation("gazetteer.decide_alias"):
            tables = self._database.tables
            if alias_id not in tables.aliases:
                raise AliasNotFound("No such alias.")
            decided = replace(tables.aliases[alias_id], state=state, decided_at=now, decided_by=decided_by)
            tables.aliases[alias_id] = decided
            return decided

    async def without_embedding(self, model: str, *, limit: int) -> list[Region]:
        async with self._database.operation("gazetteer.without_embedding"):
            tables = self._database.tables
            ids = sorted(i for i in tables.regions if (model, i) not in tables.region_embeddings)
            return [tables.regions[region_id].region for region_id in ids[:limit]]

    async def put_embeddings(self, model: str, vectors: Sequence[tuple[RegionId, Sequence[float]]]) -> None:
        async with self._database.operation("gazetteer.put_embeddings"):
            tables = self._database.tables
            by_id = dict(vectors)
            if not by_id:
                return
            one_dimension(by_id.values())
            tables.region_embeddings |= {
                (model, region_id): tuple(vector)
                for region_id, vector in by_id.items()
                if region_id in tables.regions
            }


def _has(name: str, text: str) -> bool:
    return name.startswith(text) if len(text) < AliasFilter.CONTAINED_LENGTH_MIN else text in name
