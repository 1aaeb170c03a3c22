"""The second burst of the database: lessons that pass every hard filter, by words and by meaning."""

from __future__ import annotations

from dataclasses import replace

from greenroom.actors.search.hard_filters import within_areas
from greenroom.actors.search.pending import TooLate
from greenroom.actors.search.run import SearchRun
from greenroom.schema.search.candidates import Funnel, RetrievalQuery, Retrieved
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.places import PlaceAnswer


async def retrieve(
    run: SearchRun, query: RetrievalQuery, place: PlaceAnswer, *, is_near: bool
) -> tuple[RetrievalQuery, Retrieved]:
    """Find what is asked for within the areas of the place; nothing if it takes too long, which is then noted.

    Args:
        is_near: the place's neighbourhood counts as well.

    Returns:
        The query as it was asked, with the areas in it, and what it found.

    Raises:
        Unavailable: the database can't answer, or has no connection free.
    """

    async def ask() -> tuple[RetrievalQuery, Retrieved]:
        with run.trace.stage(StageName.BURST2):
            areas = await run.tools.areas(place, is_near=is_near)
            narrowed = replace(query, filters=within_areas(query.filters, areas))
            return narrowed, await run.tools.retrieval.retrieve(narrowed)

    try:
        return await run.begin(ask, StageName.BURST2).result()
    except TooLate:
        run.budget.skip(StageName.BURST2, SkipReason.TIMEOUT)
        return query, Retrieved((), 0, Funnel())
