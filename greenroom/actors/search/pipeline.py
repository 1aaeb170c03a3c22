"""A search's way: understand, look up the place and the words, embed, decide the place, retrieve, rank, show.

::

    parse ─┬─ burst 1: place names (tiers 1-3), strength of the words ─┬─ location (tiers 4, 5) ─ burst 2: retrieval ─ ranking
           └─ embedding ────────────────────────────────────────────────┘                          └ hydration

1. Both bursts are short: no connection is held while a model is asked, nor while anything is decided.
2. What has to be done (parse, both bursts) is done in any case. All else is begun only if what is left of the budget covers
   what it takes lately and what has to come after it.
3. Nothing is waited for beyond the deadline. What is there by then is the answer, and says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from greenroom.actors.search.answer import CacheUse, SearchAnswer
from greenroom.actors.search.answer_cache import KeptAnswer
from greenroom.actors.search.hard_filters import centre_of, hard_filters, is_over, windows_in, zones_of
from greenroom.actors.search.page_cursor import cursor_after, position_of
from greenroom.actors.search.query_vector import QueryVector
from greenroom.actors.search.run import SearchRun
from greenroom.actors.search.stages.burst1 import first_look
from greenroom.actors.search.stages.burst2 import retrieve
from greenroom.actors.search.stages.embedding import begin_embedding
from greenroom.actors.search.stages.hydration import read_page, unread_page
from greenroom.actors.search.stages.location import locate, not_looked_up
from greenroom.actors.search.stages.vector import query_vector, wants_vector
from greenroom.schema.search.candidates import HardFilters, RetrievalQuery, TimeWindow
from greenroom.schema.search.diagnostics import StageName
from greenroom.schema.search.places import PlaceAnswer, Region
from greenroom.schema.search.understood import NoticeKind, PartKind, Understood, noticed


async def search_anew(run: SearchRun, understood: Understood, *, fingerprint: str) -> SearchAnswer:
    """Search; what comes of it is kept for a short time unless something is missing in it.

    Raises:
        InvalidInput: the city is unknown, or the cursor belongs to another search.
        Unavailable: the database can't answer, or has no connection free.
    """
    tools = run.tools
    cache = CacheUse.BYPASS if run.request.overrides.is_any else CacheUse.MISS
    doubtful = tools.reader.doubtful(run.request, understood)
    # What is meant is embedded: where a word may be misspelt, once that is known.
    embedding = None if doubtful else begin_embedding(run, understood)
    found = await first_look(run, understood, doubtful)
    if not found.is_placed:
        # Where it would be is not known; lessons anywhere would be an answer to something else.
        nothing = KeptAnswer(
            understood=understood, place=not_looked_up(understood), filters=HardFilters(), ranked=(), total=0
        )
        return await show(run, nothing, fingerprint=fingerprint, cache=cache)
    understood = found.spelt
    if doubtful:
        embedding = begin_embedding(run, understood)
    if found.strength is not None:
        understood = tools.reader.known(understood, found.strength.unknown)
    is_vector_wanted = wants_vector(run, understood, found.strength)
    if not is_vector_wanted and embedding is not None:
        embedding.abandon()
    place, understood = await locate(run, understood, found)
    vector = await query_vector(run, understood, embedding) if is_vector_wanted else None
    understood = tools.reader.dated(run.request.text, understood, timezones=_zones(run, place, found.here))
    query = _query(run, understood, place, found.here, vector)
    query, retrieved = await retrieve(run, query, place, is_near=understood.is_near)
    if is_over(query.filters.windows):
        is_past = is_over(_windows(run, replace(understood, denied_times=()), place, found.here, query.now))
        why = NoticeKind.PAST if is_past else NoticeKind.NO_TIME_LEFT
        understood = noticed(understood, why, understood.pieces(PartKind.WHEN))
    with run.trace.stage(StageName.RANKING):
        ranked = tuple(tools.rank(retrieved, query))
    run.trace.funnel = replace(retrieved.funnel, final=len(ranked))
    kept = KeptAnswer(
        understood=understood, place=place, filters=query.filters, ranked=ranked, total=retrieved.total
    )
    answer = await show(run, kept, fingerprint=fingerprint, cache=cache)
    # Where nothing was found, what is offered next is what is waited for: it is not to be missed for as long as an answer is kept.
    if answer.cache is CacheUse.MISS and ranked and not run.budget.use().degraded:
        tools.answers.put(fingerprint, tools.board.config.revision, kept)
    return answer


async def show(run: SearchRun, kept: KeptAnswer, *, fingerprint: str, cache: CacheUse) -> SearchAnswer:
    """Make a page of what was found, of lessons that are on offer and pass every hard filter now.

    Of a kept answer nothing is shown that there is no time to look at: it may be something else by now.

    Raises:
        InvalidInput: the cursor belongs to another search.
        Unavailable: the database can't answer.
    """
    start = position_of(run.request.after, fingerprint, kept.ranked)
    page = await read_page(run, kept, start)
    if page.is_cut and not page.hits and cache is not CacheUse.HIT:
        page = unread_page(run, kept, start)
    return SearchAnswer(
        query_id=run.query_id,
        hits=tuple(page.hits),
        position=start,
        next_cursor=cursor_after(fingerprint, kept.ranked, page.end),
        understood=kept.understood,
        place=kept.place,
        budget=run.budget.use(),
        cache=cache,
        total=kept.total - page.gone,
        diagnostics=run.trace.diagnostics(run.budget.use().skipped),
    )


def _zones(run: SearchRun, place: PlaceAnswer, here: Region | None) -> Sequence[str]:
    """Whose mornings may be meant."""
    return zones_of(place, here) or run.tools.board.timezones


def _windows(
    run: SearchRun, understood: Understood, place: PlaceAnswer, here: Region | None, now: datetime
) -> tuple[TimeWindow, ...]:
    """In which a lesson may lie, to each in their zone; empty for any time."""
    asked, denied = understood.asked_times, understood.denied_times
    return windows_in(_zones(run, place, here), lambda zone: run.tools.windows(asked, denied, now, zone))


def _query(
    run: SearchRun, understood: Understood, place: PlaceAnswer, here: Region | None, vector: QueryVector | None
) -> RetrievalQuery:
    """What is asked of the database, anywhere in the cities that come into question."""
    now = run.tools.wall()
    windows = _windows(run, understood, place, here, now)
    return RetrievalQuery(
        text=understood.service_text,
        categories=tuple((guess.category, guess.weight) for guess in understood.services),
        filters=hard_filters(run.request, understood, place, here, windows),
        vector=None if vector is None else vector.vector,
        model=None if vector is None else vector.model,
        near=centre_of(run.request, place),
        now=now,
    )
