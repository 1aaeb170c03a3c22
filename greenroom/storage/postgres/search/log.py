"""What was searched for, in Postgres."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import trio
from pydantic import BaseModel, TypeAdapter, ValidationError

from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Role
from greenroom.schema.search.diagnostics_wire import BudgetOut, DiagnosticsOut
from greenroom.schema.search.log import (
    Click,
    Gist,
    ListedSearch,
    NewClick,
    QueryId,
    RecordedSearch,
    SearchDetails,
    Searcher,
    SearchesShown,
    SearchLine,
    SearchRecord,
)
from greenroom.schema.search.places import PlaceOutcome, RegionId, Tier
from greenroom.schema.search.wire import LocationOut, ParsedOut, PartOut
from greenroom.storage.postgres.columns import moments, texts
from greenroom.storage.postgres.pool import Pool

ADD_SEARCHES: Final = """
-- add_searches: with their details; those that are there stay.
WITH given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r (
        id text, user_id text, at timestamptz, used_ms real, limit_ms real, total integer, confidence real, tier smallint,
        is_counted boolean, is_degraded boolean, cache text, place_outcome text, text text, city text, place_text text,
        region_id text, taught_name text, skips text[], tier_ms real[], stages text[], stage_ms real[],
        position integer, shown text[], parsed json, location json, budget json, diagnostics json)),
added AS (
    INSERT INTO search_queries (id, user_id, at, used_ms, limit_ms, total, confidence, tier, is_counted, is_degraded, cache,
                                place_outcome, text, city, place_text, region_id, taught_name, skips, tier_ms, stages, stage_ms)
    SELECT id, user_id, at, used_ms, limit_ms, total, confidence, tier, is_counted, is_degraded, cache,
           place_outcome, text, city, place_text, region_id, taught_name, skips, tier_ms, stages, stage_ms FROM given
        ON CONFLICT (id) DO NOTHING
    RETURNING id)
INSERT INTO search_details (query_id, at, position, shown, parsed, location, budget, diagnostics)
SELECT id, at, position, shown, parsed, location, budget, diagnostics FROM given JOIN added USING (id)
"""

ADD_CLICKS: Final = """
-- add_clicks: those of whoever was shown the service, once each.
INSERT INTO search_clicks (query_id, service_id, user_id, position, at, searched_at, text_hash, is_counted, taught_name)
SELECT q.id, c.service_id, q.user_id, d.position + array_position(d.shown, c.service_id) - 1, c.at, q.at, q.text_hash,
       q.is_counted, q.taught_name
  FROM unnest(%(query_ids)s::text[], %(user_ids)s::text[], %(service_ids)s::text[], %(ats)s::timestamptz[])
       AS c (query_id, user_id, service_id, at)
  JOIN search_queries q ON q.id = c.query_id AND q.user_id = c.user_id
  JOIN search_details d ON d.query_id = q.id AND c.service_id = ANY(d.shown)
    ON CONFLICT (query_id, service_id) DO NOTHING
"""

PAGE: Final = """
-- searches_page: newest first; walks the primary key. The limit comes first: only of what is shown it is looked up who it was.
SELECT q.id, q.user_id, q.at, q.text, q.city, q.place_text, q.place_outcome, q.region_id, q.tier, q.confidence, q.cache,
       q.is_degraded, q.limit_ms, q.used_ms, q.total, u.display_name, u.role, u.is_active, (d.parsed -> 'parts')::text,
       ARRAY(SELECT json_array_elements(d.location -> 'excluded') ->> 'id')
  FROM (SELECT * FROM search_queries
         WHERE id < %(before)s AND used_ms >= %(slow_ms)s
         ORDER BY id DESC LIMIT %(limit)s) q
  LEFT JOIN users u ON u.id = q.user_id
  LEFT JOIN search_details d ON d.query_id = q.id
 ORDER BY q.id DESC
"""

PAGE_DEGRADED: Final = """
-- degraded_searches_page: the same, of those where something was missing.
SELECT q.id, q.user_id, q.at, q.text, q.city, q.place_text, q.place_outcome, q.region_id, q.tier, q.confidence, q.cache,
       q.is_degraded, q.limit_ms, q.used_ms, q.total, u.display_name, u.role, u.is_active, (d.parsed -> 'parts')::text,
       ARRAY(SELECT json_array_elements(d.location -> 'excluded') ->> 'id')
  FROM (SELECT * FROM search_queries
         WHERE is_degraded AND id < %(before)s AND used_ms >= %(slow_ms)s
         ORDER BY id DESC LIMIT %(limit)s) q
  LEFT JOIN users u ON u.id = q.user_id
  LEFT JOIN search_details d ON d.query_id = q.id
 ORDER BY q.id DESC
"""

PAGE_EMPTY: Final = """
-- empty_searches_page: the same, of those that found nothing.
SELECT q.id, q.user_id, q.at, q.text, q.city, q.place_text, q.place_outcome, q.region_id, q.tier, q.confidence, q.cache,
       q.is_degraded, q.limit_ms, q.used_ms, q.total, u.display_name, u.role, u.is_active, (d.parsed -> 'parts')::text,
       ARRAY(SELECT json_array_elements(d.location -> 'excluded') ->> 'id')
  FROM (SELECT * FROM search_queries
         WHERE total = 0 AND id < %(before)s AND used_ms >= %(slow_ms)s AND (is_degraded OR NOT %(is_degraded)s)
         ORDER BY id DESC LIMIT %(limit)s) q
  LEFT JOIN users u ON u.id = q.user_id
  LEFT JOIN search_details d ON d.query_id = q.id
 ORDER BY q.id DESC
"""

SEARCH: Final = """
-- search: by id.
SELECT q.id, q.user_id, q.at, q.text, q.city, q.place_text, q.place_outcome, q.region_id, q.tier, q.confidence, q.cache,
       q.is_degraded, q.limit_ms, q.used_ms, q.total, u.display_name, u.role, u.is_active
  FROM search_queries q LEFT JOIN users u ON u.id = q.user_id WHERE q.id = %(id)s
"""

DETAILS: Final = """
-- search_details: of one search.
SELECT position, shown, parsed::text, location::text, budget::text, diagnostics::text FROM search_details WHERE query_id = %(id)s
"""

CLICKS: Final = """
-- clicks: of one search, in their order.
SELECT service_id, position, at FROM search_clicks WHERE query_id = %(id)s ORDER BY at, position
"""

DELETE_BEFORE: Final = """
-- delete_searches_before: the oldest first; what hangs on them goes too.
DELETE FROM search_queries WHERE id IN (
    SELECT id FROM search_queries WHERE at < %(moment)s ORDER BY at LIMIT %(limit)s)
"""

DELETE_DETAILS_BEFORE: Final = """
-- delete_details_before: the oldest first.
DELETE FROM search_details WHERE query_id IN (
    SELECT query_id FROM search_details WHERE at < %(moment)s ORDER BY at LIMIT %(limit)s)
"""

AFTER_ALL: Final = QueryId("~")
"""Greater than any id."""

_PARTS: Final = TypeAdapter(list[PartOut])


class PostgresSearchLog:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add_searches(self, records: Sequence[SearchRecord]) -> None:
        rows = []
        for record in records:
            rows.append(_row(record))
            # A tenth of a millisecond each: a hundred at once would be felt by everybody else.
            await trio.lowlevel.checkpoint()
        if rows:
            await self._pool.run(ADD_SEARCHES, {"rows": f"[{','.join(rows)}]"})

    async def add_clicks(self, clicks: Sequence[NewClick]) -> int:
        if not clicks:
            return 0
        params = {
            "query_ids": texts(click.query_id for click in clicks),
            "user_ids": texts(click.user_id for click in clicks),
            "service_ids": texts(click.service_id for click in clicks),
            "ats": moments(click.at for click in clicks),
        }
        return await self._pool.run(ADD_CLICKS, params)

    async def page(self, shown: SearchesShown, *, before: QueryId | None, limit: int) -> list[ListedSearch]:
        query = PAGE_EMPTY if shown.is_empty else PAGE_DEGRADED if shown.is_degraded else PAGE
        params = {
            "before": before or AFTER_ALL,
            "slow_ms": shown.slow_ms or 0.0,
            "is_degraded": shown.is_degraded,
            "limit": limit,
        }
        return await self._pool.fetch(query, params, _listed)

    async def get(self, query_id: QueryId) -> RecordedSearch | None:
        params = {"id": query_id}
        async with self._pool.session() as session, session.pipeline():
            line = await session.send_for(SEARCH, params, _searched)
            details = await session.send_for(DETAILS, params, _details)
            clicks = await session.send_for(CLICKS, params, _click)
            lines = await line.rows()
            if not lines:
                return None
            (found, by), kept = lines[0], await details.rows()
            return RecordedSearch(found, kept[0] if kept else None, tuple(await clicks.rows()), by)

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        return await self._pool.run(DELETE_BEFORE, {"moment": moment, "limit": limit})

    async def delete_details_before(self, moment: datetime, *, limit: int) -> int:
        return await self._pool.run(DELETE_DETAILS_BEFORE, {"moment": moment, "limit": limit})


def _row(record: SearchRecord) -> str:
    """The columns of a search as one JSON object."""
    line, details = SearchLine.of(record), SearchDetails.of(record)
    columns = asdict(line) | {
        "id": line.query_id,
        "at": line.at.isoformat(),
        "is_counted": record.is_counted,
        "taught_name": record.taught_name,
        "skips": [f"{skip.stage} {skip.reason}" for skip in record.budget.skipped],
        "tier_ms": _tier_ms(record),
        "stages": [timing.name for timing in record.diagnostics.stages],
        "stage_ms": [timing.duration_ms for timing in record.diagnostics.stages],
        "position": details.position,
        "shown": details.shown,
    }
    models: dict[str, BaseModel] = {
        "parsed": details.parsed,
        "location": details.location,
        "budget": details.budget,
        "diagnostics": details.diagnostics,
    }
    # A NUL, which a model may have said, is valid in JSON and in no text of Postgres.
    shapes = "".join(
        f',"{name}":{model.model_dump_json()}'.replace("\\u0000", "\\ufffd") for name, model in models.items()
    )
    return json.dumps(columns)[:-1] + shapes + "}"


def _tier_ms(record: SearchRecord) -> list[float | None]:
    took = {trial.tier: trial.duration_ms for trial in record.diagnostics.tiers if trial.tried}
    return [took.get(tier) for tier in Tier] if took else []


def _line(
    query_id: str,
    user_id: str,
    at: datetime,
    text: str,
    city: str | None,
    place_text: str | None,
    place_outcome: str,
    region_id: str | None,
    tier: int | None,
    confidence: float,
    cache: str,
    is_degraded: bool,
    limit_ms: float,
    used_ms: float,
    total: int,
) -> SearchLine:
    return SearchLine(
        query_id=QueryId(query_id),
        user_id=UserId(user_id),
        at=at,
        text=text,
        city=None if city is None else RegionId(city),
        place_text=place_text,
        place_outcome=PlaceOutcome(place_outcome),
        region_id=None if region_id is None else RegionId(region_id),
        tier=None if tier is None else Tier(tier),
        confidence=confidence,
        cache=cache,
        is_degraded=is_degraded,
        limit_ms=limit_ms,
        used_ms=used_ms,
        total=total,
    )


def _searched(*columns: Any) -> tuple[SearchLine, Searcher | None]:
    *line, display_name, role, is_active = columns
    return _line(*line), None if display_name is None else Searcher(display_name, Role(role), is_active)


def _listed(*columns: Any) -> ListedSearch:
    *searched, parts, excluded = columns
    line, by = _searched(*searched)
    return ListedSearch(line, by, None if parts is None else _gist(parts, excluded))


def _gist(parts: str, excluded: Sequence[str]) -> Gist | None:
    try:
        return Gist.of(_PARTS.validate_json(parts), excluded)
    except ValidationError:
        return None  # as with the details


def _details(
    position: int, shown: Sequence[str], parsed: str, location: str, budget: str, diagnostics: str
) -> SearchDetails | None:
    try:
        return SearchDetails(
            position=position,
            shown=tuple(map(ServiceId, shown)),
            parsed=ParsedOut.model_validate_json(parsed),
            location=LocationOut.model_validate_json(location),
            budget=BudgetOut.model_validate_json(budget),
            diagnostics=DiagnosticsOut.model_validate_json(diagnostics),
        )
    except ValidationError:
        # These shapes are the API's and may change; what was written before a change is kept for some days only.
        return None


def _click(service_id: str, position: int, at: datetime) -> Click:
    return Click(ServiceId(service_id), position, at)
