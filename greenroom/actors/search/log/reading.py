"""What operators read of searches: one by one, and what many of them come to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenroom.actors.search.log.recent import RecentSearches
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import FieldError, InvalidInput, NotFound, Unavailable
from greenroom.schema.search.aggregates import SPAN_MAX, Span
from greenroom.schema.search.log import (
    ListedSearch,
    QueryId,
    RecordedSearch,
    SearchDetails,
    SearchesShown,
    SearchLine,
)
from greenroom.storage.ports import SearchAnalytics, SearchLog

SPAN_DEFAULT: Final = timedelta(hours=24)

_CURSOR: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class SearchNotFound(NotFound):
    """No such search, or it is no longer kept."""

    code = "search_not_found"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Newest first. ``next_cursor`` is None on the last page."""

    items: tuple[ListedSearch, ...]
    next_cursor: str | None


class SearchHistory:
    """
    Attributes:
        analytics: what many searches come to.
    """

    def __init__(
        self, *, log: SearchLog, analytics: SearchAnalytics, recent: RecentSearches, wall: WallClock
    ) -> None:
        self._log = log
        self.analytics = analytics
        self._recent = recent
        self._wall = wall

    async def page(self, shown: SearchesShown, *, limit: int, cursor: str | None) -> SearchPage:
        """Read a page of searches that were written.

        Raises:
            InvalidInput: not a cursor of this list.
        """
        if cursor is not None and _CURSOR.fullmatch(cursor) is None:
            raise InvalidInput(FieldError(("query", "cursor"), "is not a next_cursor that this list returned"))
        before = None if cursor is None else QueryId(cursor)
        found = await self._log.page(shown, before=before, limit=limit + 1)
        items = tuple(found[:limit])
        return SearchPage(items, items[-1].line.query_id if len(found) > limit else None)

    async def search(self, query_id: QueryId) -> RecordedSearch:
        """Read one search, be it that it was answered by this worker a moment ago and is not written yet, or never was.

        Raises:
            SearchNotFound: there is none.
            Unavailable: it is not at hand, and the database can't be asked.
        """
        recent = self._recent.get(query_id)
        try:
            found = await self._log.get(query_id)
        except Unavailable:
            if recent is None:
                raise
            found = None
        if found is not None and found.details is not None:
            return found
        if recent is not None:
            clicks, by = (found.clicks, found.by) if found is not None else ((), None)
            return RecordedSearch(SearchLine.of(recent), SearchDetails.of(recent), clicks, by)
        if found is None:
            raise SearchNotFound("There is no such search, or it is no longer kept.")
        return found

    def span(self, begin: datetime | None, end: datetime | None) -> Span:
        """The span that a query asks for: up to now where it has no end, a day long where it has no begin.

        Raises:
            InvalidInput: it is empty, or too long.
        """
        until = end or self._wall()
        since = begin or until - SPAN_DEFAULT
        if since >= until:
            name = "from" if begin is not None else "to"
            raise InvalidInput(FieldError(("query", name), "must be earlier than to, which is now if left out"))
        if until - since > SPAN_MAX:
            raise InvalidInput(FieldError(("query", "from"), f"must be at most {SPAN_MAX.days} days before to"))
        return Span(since, until)
