"""Writing places in Postgres, and the aliases that operators look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from greenroom.schema.errors import AliasNotFound
from greenroom.schema.search.geojson import geometry_of
from greenroom.schema.search.geometry import box_of
from greenroom.schema.search.place_names import compact, normal_place_name
from greenroom.schema.search.places import (
    Alias,
    AliasFilter,
    AliasId,
    AliasSource,
    AliasState,
    MappedRegion,
    NewAlias,
    Region,
    RegionId,
)
from greenroom.storage.place_rows import one_dimension, storable
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.search.places import region

UPSERT_REGIONS: Final = """
-- upsert_regions: all or none; references are checked once all are there. What a former name meant is dropped.
WITH renamed AS (
    DELETE FROM region_embeddings e
     USING unnest(%(ids)s::text[], %(normal_names)s::text[]) AS n (id, normal_name)
      JOIN region_boundaries r ON r.id = n.id AND r.normal_name <> n.normal_name
     WHERE e.region_id = r.id)
INSERT INTO region_boundaries (id, city, parent_id, kind, name, normal_name, compact_name, lat, lng, boundary,
                               min_lat, min_lng, max_lat, max_lng, timezone, prior, source)
SELECT * FROM unnest(
    %(ids)s::text[], %(cities)s::text[], %(parent_ids)s::text[], %(kinds)s::text[], %(names)s::text[], %(normal_names)s::text[],
    %(compact_names)s::text[], %(lats)s::double precision[], %(lngs)s::double precision[], %(boundaries)s::jsonb[],
    %(min_lats)s::double precision[], %(min_lngs)s::double precision[], %(max_lats)s::double precision[],
    %(max_lngs)s::double precision[], %(timezones)s::text[], %(priors)s::double precision[], %(sources)s::text[])
    ON CONFLICT (id) DO UPDATE SET
       (city, parent_id, kind, name, normal_name, compact_name, lat, lng, boundary, min_lat, min_lng, max_lat, max_lng,
        timezone, prior, source)
     = (excluded.city, excluded.parent_id, excluded.kind, excluded.name, excluded.normal_name, excluded.compact_name,
        excluded.lat, excluded.lng, excluded.boundary, excluded.min_lat, excluded.min_lng, excluded.max_lat,
        excluded.max_lng, excluded.timezone, excluded.prior, excluded.source)
"""

UPSERT_ALIASES: Final = """
-- upsert_aliases: all or none. What an operator decided stays decided.
INSERT INTO location_aliases AS l (name, normal_name, compact_name, region_id, source, state, weight, created_at)
SELECT name, normal_name, compact_name, region_id, source, state, weight, %(now)s
  FROM unnest(%(names)s::text[], %(normal_names)s::text[], %(compact_names)s::text[], %(region_ids)s::text[],
              %(sources)s::text[], %(states)s::text[], %(weights)s::double precision[])
       WITH ORDINALITY AS n (name, normal_name, compact_name, region_id, source, state, weight, place)
 ORDER BY place
    ON CONFLICT (normal_name, region_id) DO UPDATE
   SET name = excluded.name, source = excluded.source, state = excluded.state, weight = excluded.weight
 WHERE l.decided_at IS NULL
"""

ALIASES_PAGE: Final = """
-- aliases_page: newest first. Walks the index on (source, state, id) once for each of the nine there can be, and no further than
-- a page in any.
SELECT a.id, name, region_id, source, state, weight, created_at, decided_at, decided_by
  FROM unnest(%(sources)s::text[]) AS s (wanted_source)
 CROSS JOIN unnest(%(states)s::text[]) AS t (wanted_state)
 CROSS JOIN LATERAL (
       SELECT * FROM location_aliases WHERE source = wanted_source AND state = wanted_state AND id < %(before)s
        ORDER BY id DESC LIMIT %(limit)s) a
 ORDER BY a.id DESC LIMIT %(limit)s
"""

NAMED_ALIASES_PAGE: Final = """
-- named_aliases_page: the same, of those whose name or region's name is like a pattern. Found by their trigrams: all that are, for
-- each page.
WITH named AS MATERIALIZED (
    SELECT id FROM location_aliases WHERE normal_name LIKE %(pattern)s
     UNION
    SELECT a.id FROM region_boundaries r JOIN location_aliases a ON a.region_id = r.id WHERE r.normal_name LIKE %(pattern)s)
SELECT id, name, region_id, source, state, weight, created_at, decided_at, decided_by FROM named JOIN location_aliases USING (id)
 WHERE source = ANY(%(sources)s::text[]) AND state = ANY(%(states)s::text[]) AND id < %(before)s
 ORDER BY id DESC LIMIT %(limit)s
"""

ALIAS_OF: Final = """
-- alias_of: by its name and region, which are its key.
SELECT id, name, region_id, source, state, weight, created_at, decided_at, decided_by FROM location_aliases
 WHERE normal_name = %(normal_name)s AND region_id = %(region_id)s
"""

DECIDE_ALIAS: Final = """
-- decide_alias: by an operator.
UPDATE location_aliases SET state = %(state)s, decided_at = %(now)s, decided_by = %(decided_by)s WHERE id = %(id)s
RETURNING id, name, region_id, source, state, weight, created_at, decided_at, decided_by
"""

WITHOUT_EMBEDDING: Final = """
-- regions_without_embedding: of one model, by id.
SELECT id, city, parent_id, kind, name, lat, lng, timezone, prior FROM region_boundaries r
 WHERE NOT EXISTS (SELECT FROM region_embeddings e WHERE e.model = %(model)s AND e.region_id = r.id)
 ORDER BY id LIMIT %(limit)s
"""

PUT_EMBEDDINGS: Final = """
-- put_embeddings: of regions that exist. The vectors come as one array, one behind the other.
INSERT INTO region_embeddings (region_id, model, dimension, embedding)
SELECT n.region_id, %(model)s, %(dimension)s,
       (%(numbers)s::real[])[(n.place - 1) * %(dimension)s + 1 : n.place * %(dimension)s]::vector
  FROM unnest(%(region_ids)s::text[]) WITH ORDINALITY AS n (region_id, place)
  JOIN region_boundaries r ON r.id = n.region_id
    ON CONFLICT (model, region_id) DO UPDATE SET dimension = excluded.dimension, embedding = excluded.embedding
"""

NEWEST: Final = 2**63 - 1


class PostgresGazetteer:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def upsert_regions(self, regions: Sequence[MappedRegion]) -> None:
        by_id = {mapped.region.id: mapped for mapped in regions}
        if by_id:
            await self._pool.run(UPSERT_REGIONS, _region_columns(list(by_id.values())))

    async def upsert_aliases(self, aliases: Sequence[NewAlias], *, now: datetime) -> int:
        kept = storable(aliases)
        if kept:
            await self._pool.run(UPSERT_ALIASES, {**_alias_columns(kept), "now": now})
        return len(kept)

    async def aliases_page(self, wanted: AliasFilter, *, before: AliasId | None, limit: int) -> list[Alias]:
        params = {
            "sources": texts(AliasSource if wanted.source is None else [wanted.source]),
            "states": texts(AliasState if wanted.state is None else [wanted.state]),
            "before": NEWEST if before is None else before,
            "limit": limit,
        }
        if wanted.text is None:
            return await self._pool.fetch(ALIASES_PAGE, params, _alias)
        return await self._pool.fetch(NAMED_ALIASES_PAGE, {**params, "pattern": _pattern(wanted.text)}, _alias)

    async def alias_of(self, name: str, region_id: RegionId) -> Alias | None:
        params = {"normal_name": normal_place_name(name), "region_id": region_id}
        found = await self._pool.fetch(ALIAS_OF, params, _alias)
        return found[0] if found else None

    async def decide_alias(self, alias_id: AliasId, state: AliasState, *, decided_by: str, now: datetime) -> Alias:
        params = {"id": alias_id, "state": state, "decided_by": decided_by, "now": now}
        async with self._pool.session() as session:
            decided = await session.fetch(DECIDE_ALIAS, params, _alias)
        if not decided:
            raise AliasNotFound("No such alias.")
        return decided[0]

    async def without_embedding(self, model: str, *, limit: int) -> list[Region]:
        return await self._pool.fetch(WITHOUT_EMBEDDING, {"model": model, "limit": limit}, region)

    async def put_embeddings(self, model: str, vectors: Sequence[tuple[RegionId, Sequence[float]]]) -> None:
        by_id = dict(vectors)
        if not by_id:
            return
        params = {
            "model": model,
            "dimension": one_dimension(by_id.values()),
            "region_ids": texts(by_id),
            "numbers": [number for vector in by_id.values() for number in vector],
        }
        await self._pool.run(PUT_EMBEDDINGS, params)


def _region_columns(regions: Sequence[MappedRegion]) -> dict[str, Any]:
    plain = [mapped.region for mapped in regions]
    normal_names = [normal_place_name(r.name) for r in plain]
    boundaries = [mapped.boundary for mapped in regions]
    boxes = [None if boundary is None else box_of(boundary) for boundary in boundaries]
    return {
        "ids": texts(r.id for r in plain),
        "cities": texts(r.city for r in plain),
        "parent_ids": texts(r.parent_id for r in plain),
        "kinds": texts(r.kind for r in plain),
        "names": texts(r.name for r in plain),
        "normal_names": texts(normal_names),
        "compact_names": texts(map(compact, normal_names)),
        "lats": [r.centroid.lat for r in plain],
        "lngs": [r.centroid.lng for r in plain],
        "boundaries": texts(None if b is None else json.dumps(geometry_of(b)) for b in boundaries),
        "min_lats": [box and box.min_lat for box in boxes],
        "min_lngs": [box and box.min_lng for box in boxes],
        "max_lats": [box and box.max_lat for box in boxes],
        "max_lngs": [box and box.max_lng for box in boxes],
        "timezones": texts(r.timezone for r in plain),
        "priors": [r.prior for r in plain],
        "sources": texts(mapped.source for mapped in regions),
    }


def _pattern(text: str) -> str:
    """Of a text in normal form, which has none of the characters that mean something in a pattern."""
    return f"{text}%" if len(text) < AliasFilter.CONTAINED_LENGTH_MIN else f"%{text}%"


def _alias_columns(aliases: Sequence[tuple[str, NewAlias]]) -> dict[str, Any]:
    return {
        "names": texts(alias.name for _, alias in aliases),
        "normal_names": texts(normal for normal, _ in aliases),
        "compact_names": texts(compact(normal) for normal, _ in aliases),
        "region_ids": texts(alias.region_id for _, alias in aliases),
        "sources": texts(alias.source for _, alias in aliases),
        "states": texts(alias.state for _, alias in aliases),
        "weights": [alias.weight for _, alias in aliases],
    }


def _alias(
    alias_id: AliasId,
    name: str,
    region_id: RegionId,
    source: str,
    state: str,
    weight: float,
    created_at: datetime,
    decided_at: datetime | None,
    decided_by: str | None,
) -> Alias:
    return Alias(
        alias_id,
        name,
        region_id,
        AliasSource(source),
        AliasState(state),
        weight,
        created_at,
        decided_at,
        decided_by,
    )
