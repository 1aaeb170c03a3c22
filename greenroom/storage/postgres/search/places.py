"""Places in Postgres: which regions a text may name.

The form of an operator decides the plan: ``name % text`` walks the trigram index, while ``similarity(name, text) > x`` reads
every name; so would a walk along an index of what is active, hence ``state || ''``, which no index has. What ``%`` asks for is a
setting: it is set for the transaction, which also holds behind a transaction-mode pooler.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any, Final

from greenroom.schema.search.geojson import boundary_of
from greenroom.schema.search.geometry import contains
from greenroom.schema.search.place_names import NAME_LENGTH_MAX, compact, normal_place_name, splits
from greenroom.schema.search.places import PlaceCandidate, Point, Region, RegionId, RegionKind, Tier
from greenroom.storage.place_rows import NEAREST_WITHOUT_BOUNDARY_KM, SIMILAR_NAMES_MAX, nearest_first, rows_of
from greenroom.storage.ports import PlaceRows, RowsWithin
from greenroom.storage.postgres.columns import texts
from greenroom.storage.postgres.pool import Pool
from greenroom.storage.postgres.transactions import in_transaction

KM_PER_DEGREE: Final = 111.2

ASK_BY_INDEX: Final = """
-- ask_by_index: for this transaction. 0.3 is where one typing error is still found; a planner that takes the tables for small
-- would read them whole, at some microseconds a name.
SELECT set_config('pg_trgm.similarity_threshold', '0.3', true), set_config('enable_seqscan', 'off', true)
"""

LOOK_UP: Final = """
-- look_up_places: by name, by alias, and else by similarity; the text as a whole, and what is left of it within a city or borough
-- that it begins or ends with. Part 0 is the whole; tier 0 is such a container itself.
WITH held AS (
    SELECT s.part, s.rest, c.id AS container
      FROM unnest(%(rests)s::text[], %(containers)s::text[]) WITH ORDINALITY AS s (rest, container, part)
     CROSS JOIN LATERAL (
           SELECT id FROM region_boundaries WHERE compact_name = s.container
            UNION
           SELECT region_id FROM location_aliases WHERE compact_name = s.container AND state = 'active') n
      JOIN region_boundaries c ON c.id = n.id AND c.kind <> 'neighbourhood'
     WHERE cardinality(%(cities)s::text[]) = 0 OR c.city = ANY(%(cities)s::text[])),
asked AS (
    SELECT 0::bigint AS part, %(text)s::text AS text, '' AS container
     UNION ALL
    SELECT part, rest, container FROM held),
known AS (
    SELECT a.part, a.container, n.tier, n.confidence, n.name, n.region_id
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT 1 AS tier, 1::double precision AS confidence, name, id AS region_id FROM region_boundaries
            WHERE compact_name = replace(a.text, ' ', '')
            UNION ALL
           SELECT 2, weight, name, region_id FROM location_aliases
            WHERE compact_name = replace(a.text, ' ', '') AND state = 'active') n
      JOIN region_boundaries r ON r.id = n.region_id
     WHERE (a.part = 0 OR starts_with(r.id, a.container || '/'))
       AND (cardinality(%(cities)s::text[]) = 0 OR r.city = ANY(%(cities)s::text[]))),
similar_names AS (
    SELECT a.part, a.container, 3 AS tier, n.confidence, n.name, n.region_id
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT f.confidence, f.name, f.region_id
             FROM (SELECT similarity(normal_name, a.text) AS confidence, name, id AS region_id FROM region_boundaries
                    WHERE normal_name %% a.text
                    UNION ALL
                   SELECT similarity(normal_name, a.text), name, region_id FROM location_aliases
                    WHERE normal_name %% a.text AND state || '' = 'active' AND length(compact_name) >= 4) f
             JOIN region_boundaries r ON r.id = f.region_id
            WHERE (a.part = 0 OR starts_with(r.id, a.container || '/'))
              AND (cardinality(%(cities)s::text[]) = 0 OR r.city = ANY(%(cities)s::text[]))
            ORDER BY f.confidence DESC, r.prior DESC, f.region_id, f.name LIMIT %(rows_max)s) n
     WHERE length(replace(a.text, ' ', '')) >= 4 AND NOT EXISTS (SELECT FROM known))
SELECT f.part, f.container, f.tier, f.confidence, f.name,
       r.id, r.city, r.parent_id, r.kind, r.name, r.lat, r.lng, r.timezone, r.prior
  FROM (SELECT part, container, 0 AS tier, 0::double precision AS confidence, '' AS name, container AS region_id FROM held
         UNION ALL
        SELECT part, container, tier, confidence, name, region_id FROM known
         UNION ALL
        SELECT part, container, tier, round(confidence::numeric, 4)::double precision, name, region_id FROM similar_names) f
  JOIN region_boundaries r ON r.id = f.region_id
"""

NEAREST: Final = """
-- nearest_names: by cosine, of one model's vectors; there are some thousand at most, so all are compared. They are of unit length, but for
-- those of names that mean nothing to the model, which are near to nothing.
SELECT 4, (-(e.embedding <#> %(vector)s::real[]::vector))::double precision, r.name,
       r.id, r.city, r.parent_id, r.kind, r.name, r.lat, r.lng, r.timezone, r.prior
  FROM region_embeddings e
  JOIN region_boundaries r ON r.id = e.region_id
 WHERE e.model = %(model)s AND e.dimension = %(dimension)s
   AND (cardinality(%(cities)s::text[]) = 0 OR r.city = ANY(%(cities)s::text[]))
 ORDER BY e.embedding <#> %(vector)s::real[]::vector, r.id LIMIT %(limit)s
"""

REGIONS: Final = """
-- regions: by id.
SELECT id, city, parent_id, kind, name, lat, lng, timezone, prior FROM region_boundaries
 WHERE id = ANY(%(region_ids)s::text[])
"""

CITIES: Final = """
-- cities: by id.
SELECT id, city, parent_id, kind, name, lat, lng, timezone, prior FROM region_boundaries
 WHERE kind = 'city' ORDER BY id
"""

KNOWN_NAMES: Final = """
-- known_names: of regions and active aliases; reads both tables, once in a while.
SELECT name FROM (SELECT normal_name AS name FROM region_boundaries
                   UNION SELECT normal_name FROM location_aliases WHERE state = 'active') n
 ORDER BY length(name), name LIMIT %(limit)s
"""

NAMES_VERSION: Final = """
-- names_version: of active aliases: how many, the newest, and when one was decided on last. Reads them all, once in a while.
SELECT concat_ws('.', count(*), max(id), extract(epoch FROM max(decided_at))) FROM location_aliases WHERE state = 'active'
"""

AROUND: Final = """
-- regions_around: neighbourhoods with a centroid in a box; walks their latitudes.
SELECT id, city, parent_id, kind, name, lat, lng, timezone, prior FROM region_boundaries
 WHERE kind = 'neighbourhood' AND lat BETWEEN %(lat)s - %(lat_span)s AND %(lat)s + %(lat_span)s
   AND lng BETWEEN %(lng)s - %(lng_span)s AND %(lng)s + %(lng_span)s
"""

BOUNDED_AROUND: Final = """
-- regions_bounded_around: with a boundary whose box contains a point, smallest boxes first.
SELECT boundary, id, city, parent_id, kind, name, lat, lng, timezone, prior FROM region_boundaries
 WHERE min_lat <= %(lat)s AND max_lat >= %(lat)s AND min_lng <= %(lng)s AND max_lng >= %(lng)s
 ORDER BY CASE kind WHEN 'neighbourhood' THEN 1 WHEN 'borough' THEN 2 ELSE 3 END,
          (max_lat - min_lat) * (max_lng - min_lng), id
"""


@dataclass(frozen=True, slots=True)
class _Found:
    """A row of LOOK_UP."""

    part: int
    container: RegionId
    tier: int
    confidence: float
    matched_name: str
    region: Region


class PostgresPlaces:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look_up(self, text: str, *, cities: Sequence[RegionId]) -> PlaceRows:
        normal = normal_place_name(text)
        if not normal or len(normal) > NAME_LENGTH_MAX:
            return PlaceRows()
        parts = splits(normal)
        params = {
            "text": normal,
            "rests": texts(split.rest for split in parts),
            "containers": texts(compact(split.container) for split in parts),
            "cities": texts(cities),
            "rows_max": SIMILAR_NAMES_MAX,
        }
        async with in_transaction(self._pool, "BEGIN READ ONLY") as session:
            await session.send(ASK_BY_INDEX)
            sent = await session.send_for(LOOK_UP, params, _found)
        return _rows(await sent.rows(), {place: split.rest for place, split in enumerate(parts, 1)})

    async def nearest(
        self, vector: Sequence[float], *, model: str, cities: Sequence[RegionId], limit: int
    ) -> list[PlaceCandidate]:
        params = {
            "vector": list(vector),
            "model": model,
            "dimension": len(vector),
            "cities": texts(cities),
            "limit": limit,
        }
        return await self._pool.fetch(NEAREST, params, _candidate)

    async def regions(self, region_ids: Sequence[RegionId]) -> list[Region]:
        return await self._pool.fetch(REGIONS, {"region_ids": texts(region_ids)}, region)

    async def cities(self) -> list[Region]:
        return await self._pool.fetch(CITIES, None, region)

    async def known_names(self, *, limit: int) -> frozenset[str]:
        return frozenset(await self._pool.fetch(KNOWN_NAMES, {"limit": limit}, str))

    async def names_version(self) -> str:
        return (await self._pool.fetch(NAMES_VERSION, None, str))[0]

    async def near(self, centre: Point, *, within_km: float, limit: int) -> list[Region]:
        lat_span = within_km / KM_PER_DEGREE
        params = {
            "lat": centre.lat,
            "lng": centre.lng,
            "lat_span": lat_span,
            # Towards the poles degrees of longitude shrink to nothing; there everything is near.
            "lng_span": lat_span / max(0.01, cos(radians(centre.lat))),
        }
        return nearest_first(await self._pool.fetch(AROUND, params, region), centre, within_km)[:limit]

    async def containing(self, point: Point) -> Region | None:
        params = {"lat": point.lat, "lng": point.lng}
        around = await self._pool.fetch(BOUNDED_AROUND, params, _bounded)
        found = next((region for boundary, region in around if contains(boundary_of(boundary), point)), None)
        if found is not None and found.kind is RegionKind.NEIGHBOURHOOD:
            return found
        nearest = await self.near(point, within_km=NEAREST_WITHOUT_BOUNDARY_KM, limit=1)
        return nearest[0] if nearest else found


def region(
    region_id: RegionId,
    city: RegionId,
    parent_id: RegionId | None,
    kind: str,
    name: str,
    lat: float,
    lng: float,
    timezone: str,
    prior: float,
) -> Region:
    return Region(region_id, city, parent_id, RegionKind(kind), name, Point(lat, lng), timezone, prior)


def _found(part: int, container: RegionId, tier: int, confidence: float, name: str, *columns: Any) -> _Found:
    return _Found(part, container, tier, confidence, name, region(*columns))


def _candidate(tier: int, confidence: float, name: str, *columns: Any) -> PlaceCandidate:
    return PlaceCandidate(region(*columns), Tier(tier), confidence, name)


def _bounded(boundary: dict[str, Any], *columns: Any) -> tuple[dict[str, Any], Region]:
    return boundary, region(*columns)


def _rows(found: Iterable[_Found], rests: dict[int, str]) -> PlaceRows:
    containers: dict[tuple[int, RegionId], Region] = {}
    candidates: defaultdict[tuple[int, RegionId], list[PlaceCandidate]] = defaultdict(list)
    for row in found:
        if row.tier == 0:
            containers[row.part, row.container] = row.region
        else:
            candidate = PlaceCandidate(row.region, Tier(row.tier), row.confidence, row.matched_name)
            candidates[row.part, row.container].append(candidate)
    within = tuple(
        RowsWithin(rests[part], region, rows_of(candidates[part, container]))
        for (part, container), region in sorted(containers.items(), key=lambda item: item[0])
    )
    return rows_of(candidates[0, RegionId("")], within)
