"""What was searched for: a record of each, and what many of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from greenroom.schema.search.aggregates import ClickThrough, Degradation, Latency, Span, Summary, TextCount, Tiers
from greenroom.schema.search.log import (
    ListedSearch,
    NewClick,
    QueryId,
    RecordedSearch,
    SearchesShown,
    SearchRecord,
)


class SearchLog(Protocol):
    """What was searched for and what came of it."""

    async def add_searches(self, records: Sequence[SearchRecord]) -> None:
        """Store at most WRITTEN_MAX searches, all or none; one that is stored already stays as it is."""
        ...

    async def add_clicks(self, clicks: Sequence[NewClick]) -> int:
        """Store at most WRITTEN_MAX clicks; return how many count.

        One counts if the same user's stored search showed the service, and it is the first on it.
        """
        ...

    async def page(self, shown: SearchesShown, *, before: QueryId | None, limit: int) -> list[ListedSearch]:
        """One page of searches with who searched and what was understood, newest first; ``before`` is exclusive, None for from
        the newest on."""
        ...

    async def get(self, query_id: QueryId) -> RecordedSearch | None:
        """A search with its details, while they are kept, and the clicks on its results, oldest first; None if it is not known."""
        ...

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        """Delete at most ``limit`` searches from before ``moment``, their details and clicks, the oldest first; return how many."""
        ...

    async def delete_details_before(self, moment: datetime, *, limit: int) -> int:
        """Delete the details alone, which are kept for a shorter time, of at most ``limit`` searches, the oldest first; return
        of how many."""
        ...


class SearchAnalytics(Protocol):
    """What many searches come to; see :mod:`greenroom.schema.search.aggregates`.

    Each reads all of a span, at most for as long as a statement may take.
    """

    async def summary(self, span: Span) -> Summary:
        """How many searches there were, by how many people, and what became of them."""
        ...

    async def popular(self, span: Span, *, limit: int) -> list[TextCount]:
        """What was searched for most often, at most ``limit`` texts, and never more than 100.

        Ties by text, but for which of them come last in a full list.
        """
        ...

    async def without_results(self, span: Span, *, limit: int) -> list[TextCount]:
        """As :meth:`popular`, of searches that found nothing, counting only these."""
        ...

    async def latency(self, span: Span) -> Latency:
        """How long searches took, and their stages, in milliseconds."""
        ...

    async def degradation(self, span: Span) -> Degradation:
        """How many searches did without something, and without what."""
        ...

    async def click_through(self, span: Span) -> ClickThrough:
        """How many of those that found something had a result opened, and at which position."""
        ...

    async def tiers(self, span: Span) -> Tiers:
        """Which tier found out which region a text means, and what each took."""
        ...
