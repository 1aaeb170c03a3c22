"""The twin of what was searched for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from greenroom.schema.search.log import (
    Click,
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
from greenroom.storage.memory.database import MemoryDatabase


class MemorySearchLog:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add_searches(self, records: Sequence[SearchRecord]) -> None:
        async with self._database.operation("search_log.add_searches"):
            tables = self._database.tables
            for record in records:
                if record.query_id not in tables.searches:
                    tables.searches[record.query_id] = record
                    tables.search_details[record.query_id] = SearchDetails.of(record)

    async def add_clicks(self, clicks: Sequence[NewClick]) -> int:
        async with self._database.operation("search_log.add_clicks"):
            tables, count = self._database.tables, 0
            for click in clicks:
                record = tables.searches.get(click.query_id)
                details = tables.search_details.get(click.query_id)
                if record is None or details is None or record.user_id != click.user_id:
                    continue
                kept = tables.search_clicks.setdefault(click.query_id, [])
                is_first = all(one.service_id != click.service_id for one in kept)
                if is_first and click.service_id in details.shown:
                    position = details.position + details.shown.index(click.service_id)
                    kept.append(Click(click.service_id, position, click.at))
                    count += 1
            return count

    async def page(self, shown: SearchesShown, *, before: QueryId | None, limit: int) -> list[ListedSearch]:
        async with self._database.operation("search_log.page"):
            newest_first = sorted(self._database.tables.searches.items(), reverse=True)
            lines = (
                SearchLine.of(record) for query_id, record in newest_first if before is None or query_id < before
            )
            fitting = [line for line in lines if shown.fits(line)][:limit]
            details = self._database.tables.search_details
            return [RecordedSearch(each, details.get(each.query_id), by=self._by(each)).listed for each in fitting]

    async def get(self, query_id: QueryId) -> RecordedSearch | None:
        async with self._database.operation("search_log.get"):
            tables = self._database.tables
            record = tables.searches.get(query_id)
            if record is None:
                return None
            clicks = sorted(tables.search_clicks.get(query_id, ()), key=lambda click: (click.at, click.position))
            line, details = SearchLine.of(record), tables.search_details.get(query_id)
            return RecordedSearch(line, details, tuple(clicks), self._by(line))

    def _by(self, line: SearchLine) -> Searcher | None:
        user = self._database.tables.users.get(line.user_id)
        return None if user is None else Searcher(user.display_name, user.role, user.is_active)

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        async with self._database.operation("search_log.delete_before"):
            tables = self._database.tables
            old = _older(list(tables.searches.values()), moment)[:limit]
            for record in old:
                del tables.searches[record.query_id]
                tables.search_details.pop(record.query_id, None)
                tables.search_clicks.pop(record.query_id, None)
            return len(old)

    async def delete_details_before(self, moment: datetime, *, limit: int) -> int:
        async with self._database.operation("search_log.delete_details_before"):
            tables = self._database.tables
            old = _older([tables.searches[query_id] for query_id in tables.search_details], moment)[:limit]
            for record in old:
                del tables.search_details[record.query_id]
            return len(old)


def _older(records: Sequence[SearchRecord], moment: datetime) -> list[SearchRecord]:
    return sorted((r for r in records if r.at < moment), key=lambda r: r.at)
