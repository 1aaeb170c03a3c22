"""Places, in memory: every name is compared, which the twin's few names allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Final

from greenroom.schema.search.geometry import box_of, contains
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, Split, compact, normal_place_name, splits
from greenroom.schema.search.places import (
    AliasState,
    Boundary,
    PlaceCandidate,
    Point,
    Region,
    RegionId,
    RegionKind,
    Tier,
)
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.search.trigrams import similarity
from greenroom.storage.place_rows import NEAREST_WITHOUT_BOUNDARY_KM, nearest_first, rows_of
from greenroom.storage.ports import PlaceRows, RowsWithin

SIMILARITY_MIN: Final = 0.3
FUZZY_LENGTH_MIN: Final = 4

_SMALLEST_FIRST: Final = (RegionKind.NEIGHBOURHOOD, RegionKind.BOROUGH, RegionKind.CITY)


@dataclass(frozen=True, slots=True)
class _Name:
    tier: Tier
    name: str
    normal: str
    weight: float
    region: Region


class MemoryPlaces:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def look_up(self, text: str, *, cities: Sequence[RegionId]) -> PlaceRows:
        async with self._database.operation("places.look_up"):
            normal = normal_place_name(text)
            if not normal or len(normal) > NAME_LENGTH_MAX:
                return PlaceRows()
            names = [name for name in self._names() if not cities or name.region.city in cities]
            parts = [(split, region) for split in splits(normal) for region in _containers(names, split)]
            whole = list(_same(names, normal))
            inside = [list(_same(_inside(names, region), split.rest)) for split, region in parts]
            if not whole and not any(inside):
                whole = list(_similar(names, normal))
                inside = [list(_similar(_inside(names, region), split.rest)) for split, region in parts]
            within = (RowsWithin(s.rest, region, rows_of(c)) for (s, region), c in zip(parts, inside, strict=True))
            return rows_of(whole, tuple(within))

    async def nearest(
        self, vector: Sequence[float], *, model: str, cities: Sequence[RegionId], limit: int
    ) -> list[PlaceCandidate]:
        async with self._database.operation("places.nearest"):
            tables = self._database.tables
            candidates = [
                PlaceCandidate(region, Tier.EMBEDDING, _cosine(vector, other), region.name)
                for (other_model, region_id), other in tables.region_embeddings.items()
                if other_model == model and len(other) == len(vector)
                for region in [tables.regions[region_id].region]
                if not cities or region.city in cities
            ]
            return sorted(candidates, key=lambda c: (-c.confidence, c.region.id))[:limit]

    async def regions(self, region_ids: Sequence[RegionId]) -> list[Region]:
        async with self._database.operation("places.regions"):
            stored = self._database.tables.regions
            return [stored[region_id].region for region_id in dict.fromkeys(region_ids) if region_id in stored]

    async def cities(self) -> list[Region]:
        async with self._database.operation("places.cities"):
            return sorted(self._of_kind(RegionKind.CITY), key=lambda region: region.id)

    async def known_names(self, *, limit: int) -> frozenset[str]:
        async with self._database.operation("places.known_names"):
            names = {name.normal for name in self._names()}
            return frozenset(sorted(names, key=lambda name: (len(name), name))[:limit])

    async def names_version(self) -> str:
        async with self._database.operation("places.names_version"):
            aliases = self._database.tables.aliases.values()
            active = [alias for alias in aliases if alias.state is AliasState.ACTIVE]
            decided = [alias.decided_at for alias in active if alias.decided_at is not None]
            return f"{len(active)}.{max((alias.id for alias in active), default=0)}.{max(decided, default=None)}"

    async def near(self, centre: Point, *, within_km: float, limit: int) -> list[Region]:
        async with self._database.operation("places.near"):
            return self._near(centre, within_km)[:limit]

    async def containing(self, point: Point) -> Region | None:
        async with self._database.operation("places.containing"):
            found = min(
                (
                    (_SMALLEST_FIRST.index(mapped.region.kind), _size(mapped.boundary), mapped.region.id)
                    for mapped in self._database.tables.regions.values()
                    if mapped.boundary is not None and contains(mapped.boundary, point)
                ),
                default=None,
            )
            region = self._database.tables.regions[found[2]].region if found is not None else None
            if region is not None and region.kind is RegionKind.NEIGHBOURHOOD:
                return region
            nearest = self._near(point, NEAREST_WITHOUT_BOUNDARY_KM)
            return nearest[0] if nearest else region

    def _near(self, centre: Point, within_km: float) -> list[Region]:
        return nearest_first(self._of_kind(RegionKind.NEIGHBOURHOOD), centre, within_km)

    def _of_kind(self, kind: RegionKind) -> Iterator[Region]:
        return (mapped.region for mapped in self._database.tables.regions.values() if mapped.region.kind is kind)

    def _names(self) -> Iterator[_Name]:
        tables = self._database.tables
        for mapped in tables.regions.values():
            region = mapped.region
            yield _Name(Tier.EXACT, region.name, _normal(region.name), 1.0, region)
        for alias in tables.aliases.values():
            if alias.state is AliasState.ACTIVE:
                region = tables.regions[alias.region_id].region
                yield _Name(Tier.ALIAS, alias.name, _normal(alias.name), alias.weight, region)


@lru_cache(maxsize=10_000)
def _normal(name: str) -> str:
    return normal_place_name(name)


def _containers(names: Sequence[_Name], split: Split) -> list[Region]:
    named = {
        name.region.id: name.region
        for name in names
        if name.region.kind is not RegionKind.NEIGHBOURHOOD and compact(name.normal) == compact(split.container)
    }
    return [named[region_id] for region_id in sorted(named)]


def _inside(names: Sequence[_Name], container: Region) -> list[_Name]:
    return [name for name in names if name.region.id.startswith(f"{container.id}/")]


def _same(names: Sequence[_Name], normal: str) -> Iterator[PlaceCandidate]:
    for name in names:
        if compact(name.normal) == compact(normal):
            yield PlaceCandidate(name.region, name.tier, name.weight, name.name)


def _similar(names: Sequence[_Name], normal: str) -> Iterator[PlaceCandidate]:
    if len(compact(normal)) < FUZZY_LENGTH_MIN:
        return
    for name in names:
        is_long_enough = name.tier is Tier.EXACT or len(compact(name.normal)) >= FUZZY_LENGTH_MIN
        score = similarity(name.normal, normal)
        if is_long_enough and score >= SIMILARITY_MIN:
            yield PlaceCandidate(name.region, Tier.FUZZY, round(score, 4), name.name)


def _size(boundary: Boundary) -> float:
    box = box_of(boundary)
    return (box.max_lat - box.min_lat) * (box.max_lng - box.min_lng)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = sqrt(sum(x * x for x in one)) * sqrt(sum(x * x for x in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / length if length else 0.0
