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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from greenroom.actors.search.answer import CacheUse, Hit, Ranked, SearchAnswer
from greenroom.actors.search.answer_cache import AnswerCache, KeptAnswer
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.budget import RequestBudget
from greenroom.actors.search.hard_filters import (
    centre_of,
    hard_filters,
    is_over,
    likely_cities,
    windows_in,
    within_areas,
    zones_of,
)
from greenroom.actors.search.page_cursor import cursor_after, position_of
from greenroom.actors.search.pending import Pending, StartTask, TooLate, begin, together
from greenroom.actors.search.places.decision import DecidePlace, PlaceDecision, SearchAreas
from greenroom.actors.search.places.denied import DENIED_MAX, denied_regions
from greenroom.actors.search.query_vector import QueryVector, QueryVectors
from greenroom.actors.search.reader import Reader
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.trace import SearchTrace
from greenroom.actors.search.understanding.unknown_words import is_all_at_random
from greenroom.models.ports import ModelBusy, ModelError, ModelTimeout
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.ids import ServiceId
from greenroom.schema.search.candidates import (
    Card,
    Funnel,
    HardFilters,
    RetrievalQuery,
    Retrieved,
    TextStrength,
    TimeWindow,
)
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.places import (
    PlaceAnswer,
    PlaceOutcome,
    Region,
    RegionId,
    Tier,
)
from greenroom.schema.search.understood import NoticeKind, PartKind, Understood, When, noticed
from greenroom.storage.ports.search import PlaceRows, Places, Retrieval

LAST_STAGES: Final = (StageName.BURST2, StageName.RANKING)
"""What everything optional has to leave time for."""

TIER_STAGES: Final = {Tier.EMBEDDING: StageName.TIER4, Tier.MODEL: StageName.TIER5}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What searches of one worker work with."""

    board: SearchBoard
    answers: AnswerCache
    reader: Reader
    places: Places
    decide_place: DecidePlace
    areas: SearchAreas
    retrieval: Retrieval
    vectors: QueryVectors
    windows: Callable[[Sequence[When], datetime, str], tuple[TimeWindow, ...]]
    rank: Callable[[Retrieved, RetrievalQuery], Sequence[Ranked]]
    is_strong: Callable[[TextStrength], bool]
    """Whether words alone found enough for the vector leg to be left out."""

    wall: Callable[[], datetime]
    embedding_soft_timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Burst1:
    """What was found out in time.

    Attributes:
        is_placed: nothing that was asked for about the place is missing.
        rows: what the place that was asked for may be; None where none was.
        denied: the same of places where it must not be, by their texts.
        strength: None where the sentence has no words for a lesson, or it was late.
        here: the city that was asked for, or where the asker is.
    """

    is_placed: bool
    rows: PlaceRows | None
    denied: Mapping[str, PlaceRows]
    strength: TextStrength | None
    here: Region | None


@dataclass(slots=True)
class _Page:
    """A page that fills; ``end`` is where in the ranking it ends, ``gone`` how many were left out of it.

    ``is_cut``: there was no time to fill it.
    """

    hits: list[Hit]
    end: int
    gone: int = 0
    is_cut: bool = False

    def add(self, ranked: Sequence[Ranked], cards: Mapping[ServiceId, Card]) -> None:
        """Go on over ``ranked``, of which only what has a card is shown."""
        self.hits += [Hit(each, card) for each in ranked if (card := cards.get(each.candidate.service_id))]
        self.gone += sum(each.candidate.service_id not in cards for each in ranked)
        self.end += len(ranked)


class Pipeline:
    """One search from its parse to its answer.

    Args:
        is_reduced: does without models, as too many searches run already.
        start_task: runs stages beside each other, in the search's actor.
    """

    def __init__(
        self,
        tools: Tools,
        request: SearchRequest,
        *,
        query_id: str,
        budget: RequestBudget,
        trace: SearchTrace,
        is_reduced: bool,
        is_high_load: bool,
        start_task: StartTask,
    ) -> None:
        self._tools = tools
        self._request = request
        self._query_id = query_id
        self._budget = budget
        self._trace = trace
        self._is_reduced = is_reduced
        self._is_high_load = is_high_load
        self._start_task = start_task

    async def run(self, understood: Understood, *, fingerprint: str) -> SearchAnswer:
        """Search anew; what comes of it is kept for a short time unless something is missing in it.

        Raises:
            InvalidInput: the city is unknown, or the cursor belongs to another search.
            Unavailable: the database can't answer, or has no connection free.
        """
        tools, request, budget = self._tools, self._request, self._budget
        vector_for = tools.reader.meaning(understood)
        embedding = self._begin_embedding(understood, vector_for)
        found = await self._burst1(understood)
        if not found.is_placed:
            # Where it would be is not known; lessons anywhere would be an answer to something else.
            return await self._empty(understood, fingerprint)
        if found.strength is not None:
            understood = tools.reader.known(understood, found.strength.unknown)
        wants_vector = self._wants_vector(understood, found.strength)
        if not wants_vector and embedding is not None:
            embedding.abandon()
        decision = await self._decide_place(understood, found.rows, found.here)
        # "In chicago, not in chinatown" denies Chicago's, wherever the asker is.
        cities = {region.city for region in decision.answer.regions} or likely_cities(self._request, found.here)
        denied = denied_regions(understood.denied_places[:DENIED_MAX], found.denied, tuple(cities))
        self._trace.tiers, place = decision.trials, replace(decision.answer, excluded=denied.regions)
        understood = noticed(understood, NoticeKind.UNKNOWN_PLACE, denied.unknown)
        understood = noticed(understood, NoticeKind.NOT_HEEDED, understood.denied_places[DENIED_MAX:])
        self._trace.prompts.extend(decision.prompts)
        vector = await self._vector(vector_for, embedding) if wants_vector else None
        zones = zones_of(place, found.here) or tools.board.timezones
        understood = tools.reader.dated(request.text, understood, timezones=zones)
        query, retrieved = await self._burst2(understood, place, found.here, zones, vector)
        if is_over(query.filters.windows):
            understood = noticed(understood, NoticeKind.PAST, understood.pieces(PartKind.WHEN))
        with self._trace.stage(StageName.RANKING):
            ranked = tuple(tools.rank(retrieved, query))
        self._trace.funnel = Funnel(
            text=retrieved.funnel.text,
            vector=retrieved.funnel.vector,
            fused=retrieved.funnel.fused,
            filtered=retrieved.funnel.filtered,
            final=len(ranked),
        )
        kept = KeptAnswer(
            understood=understood, place=place, filters=query.filters, ranked=ranked, total=retrieved.total
        )
        answer = await self.show(kept, fingerprint=fingerprint, cache=self._cache_use)
        # Where nothing was found, what is offered next is what is waited for: it is not to be missed for as long as an answer is kept.
        if answer.cache is CacheUse.MISS and ranked and not budget.use().degraded:
            tools.answers.put(fingerprint, tools.board.config.revision, kept)
        return answer

    async def show(self, kept: KeptAnswer, *, fingerprint: str, cache: CacheUse) -> SearchAnswer:
        """Make a page of what was found, of lessons that are on offer and pass every hard filter now.

        Of a kept answer nothing is shown that there is no time to look at: it may be something else by now.

        Raises:
            InvalidInput: the cursor belongs to another search.
            Unavailable: the database can't answer.
        """
        start = position_of(self._request.after, fingerprint, kept.ranked)
        page = await self._page(kept, start)
        if page.is_cut and not page.hits and cache is not CacheUse.HIT:
            found = kept.ranked[start : start + self._request.limit]
            page = _Page([Hit(each, None) for each in found], start + len(found))
        return SearchAnswer(
            query_id=self._query_id,
            hits=tuple(page.hits),
            position=start,
            next_cursor=cursor_after(fingerprint, kept.ranked, page.end),
            understood=kept.understood,
            place=kept.place,
            budget=self._budget.use(),
            cache=cache,
            total=kept.total - page.gone,
            diagnostics=self._trace.diagnostics(self._budget.use().skipped),
        )

    async def _empty(self, understood: Understood, fingerprint: str) -> SearchAnswer:
        is_named = understood.place_text is not None
        place = PlaceAnswer(
            understood.place_text, PlaceOutcome.NOT_LOOKED_UP if is_named else PlaceOutcome.NOT_ASKED
        )
        kept = KeptAnswer(understood=understood, place=place, filters=HardFilters(), ranked=(), total=0)
        return await self.show(kept, fingerprint=fingerprint, cache=self._cache_use)

    @property
    def _cache_use(self) -> CacheUse:
        """Of an answer that was searched for anew."""
        return CacheUse.BYPASS if self._request.overrides.is_any else CacheUse.MISS

    # Stages, in their order.

    def _begin_embedding(self, understood: Understood, text: str) -> Pending[QueryVector | None] | None:
        """Begin to embed in parallel with burst 1; None if it is left out, which is then noted."""
        vectors, budget = self._tools.vectors, self._budget
        if not understood.names_lesson:
            # A place or a price is no lesson to be like: its meaning is that of whatever has the same words.
            self._budget.skip(StageName.EMBEDDING, SkipReason.NOT_NEEDED)
            return None
        if self._request.overrides.skip_embedding:
            self._budget.skip(StageName.EMBEDDING, SkipReason.OVERRIDE)
            return None
        if self._request.overrides.skip_vector:
            return None
        if not vectors.has_primary:
            if not vectors.has_fallback:
                self._budget.skip(
                    StageName.EMBEDDING, SkipReason.NO_MODEL, "no service has a vector of the model yet"
                )
            return None
        if not vectors.primary.is_local:
            if self._is_reduced:
                self._budget.skip(StageName.EMBEDDING, SkipReason.HIGH_LOAD)
                return None
            if not budget.covers(StageName.EMBEDDING, before=LAST_STAGES):
                return None
        timeout_s = min(
            self._tools.board.config.embedding_timeout_ms / 1000, budget.remaining_before(*LAST_STAGES)
        )

        async def embed() -> QueryVector | None:
            with self._trace.stage(StageName.EMBEDDING):
                return await vectors.ask(vectors.primary, text, timeout_s=timeout_s)

        return begin(self._start_task, embed, deadline=budget.deadline, name="embedding")

    async def _burst1(self, understood: Understood) -> _Burst1:
        tools, request = self._tools, self._request
        cities = (request.city,) if request.city is not None else ()
        rows: list[PlaceRows] = []
        denied: dict[str, PlaceRows] = {}
        texts_denied = understood.denied_places[:DENIED_MAX]
        strengths: list[TextStrength] = []
        here: list[Region | None] = []

        async def look_up() -> None:
            if understood.place_text is not None:
                rows.append(await tools.places.look_up(understood.place_text, cities=cities))

        async def look_up_denied() -> None:
            for text in texts_denied:
                denied[text] = await tools.places.look_up(text, cities=cities)

        async def weigh() -> None:
            if understood.service_text:
                strengths.append(await tools.retrieval.text_strength(understood.service_text))

        async def locate() -> None:
            if request.city is not None:
                here.append(await self._city(request.city))
            elif request.near is not None:
                here.append(await tools.places.containing(request.near))

        async def all_of_it() -> None:
            with self._trace.stage(StageName.BURST1):
                await together(look_up, look_up_denied, weigh, locate)

        looking = begin(self._start_task, all_of_it, deadline=self._budget.deadline, name="burst1")
        try:
            # Later than that there would be no time left to find anything.
            await looking.result(by=self._budget.deadline - self._budget.reserved_s(*LAST_STAGES))
        except TooLate:
            looking.abandon()
            self._budget.skip(StageName.BURST1, SkipReason.TIMEOUT)
        wants_rows = understood.place_text is not None
        wants_here = request.city is not None or request.near is not None
        return _Burst1(
            is_placed=(bool(rows) or not wants_rows)
            and (bool(here) or not wants_here)
            and denied.keys() >= set(texts_denied),
            rows=rows[0] if rows else None,
            denied=denied,
            strength=strengths[0] if strengths else None,
            here=here[0] if here else None,
        )

    async def _city(self, city: RegionId) -> Region:
        found = await self._tools.places.regions([city])
        if not found or found[0].id != found[0].city:
            raise InvalidInput(FieldError(("query", "city"), "is no city that we know"))
        return found[0]

    def _wants_vector(self, understood: Understood, strength: TextStrength | None) -> bool:
        if not understood.names_lesson:
            self._budget.skip(StageName.VECTOR, SkipReason.NOT_NEEDED)
            return False
        if self._request.overrides.skip_vector:
            self._budget.skip(StageName.VECTOR, SkipReason.OVERRIDE)
            return False
        if strength is not None and self._tools.is_strong(strength):
            self._budget.skip(
                StageName.VECTOR, SkipReason.TEXT_STRONG, f"{strength.hits} hits, best {strength.best:.2f}"
            )
            return False
        if strength is not None and is_all_at_random(understood, strength.unknown):
            self._budget.skip(StageName.VECTOR, SkipReason.NOT_NEEDED)
            return False
        return self._budget.covers(StageName.VECTOR, before=LAST_STAGES)

    async def _decide_place(
        self, understood: Understood, rows: PlaceRows | None, here: Region | None
    ) -> PlaceDecision:
        request, budget = self._request, self._budget
        if understood.place_text is None or rows is None:
            return PlaceDecision(PlaceAnswer(None, PlaceOutcome.NOT_ASKED))
        with self._trace.stage(StageName.LOCATION):
            decision = await self._tools.decide_place(
                understood.place_text,
                rows,
                sentence=understood.text,
                cities=likely_cities(request, here),
                barred=self._barred_tiers(),
                remaining_s=lambda: budget.remaining_before(*LAST_STAGES),
            )
        for tier, reason in decision.skipped:
            self._budget.skip(TIER_STAGES[tier], reason)
        return decision

    def _barred_tiers(self) -> Mapping[Tier, SkipReason]:
        overrides = self._request.overrides
        barred: dict[Tier, SkipReason] = {}
        if overrides.skip_tier4:
            barred[Tier.EMBEDDING] = SkipReason.OVERRIDE
        if self._is_reduced or self._is_high_load:
            barred[Tier.MODEL] = SkipReason.HIGH_LOAD
        if overrides.skip_tier5:
            barred[Tier.MODEL] = SkipReason.OVERRIDE
        return barred

    async def _vector(self, text: str, embedding: Pending[QueryVector | None] | None) -> QueryVector | None:
        """The vector of the primary model if it comes in time, else of the local one."""
        if self._request.overrides.skip_embedding:
            self._budget.skip(StageName.VECTOR, SkipReason.OVERRIDE)
            return None
        if embedding is not None:
            by = self._budget.deadline - self._budget.reserved_s(StageName.VECTOR, *LAST_STAGES)
            soft_s = self._tools.embedding_soft_timeout_s
            if soft_s is not None:
                by = min(by, self._budget.began_at + soft_s)
            try:
                return await embedding.result(by=by)
            except (TooLate, ModelTimeout):
                embedding.abandon()
                self._budget.skip(StageName.EMBEDDING, SkipReason.TIMEOUT)
            except ModelBusy as exc:
                self._budget.skip(StageName.EMBEDDING, SkipReason.BUSY, str(exc))
            except ModelError as exc:
                self._budget.skip(StageName.EMBEDDING, SkipReason.FAILED, str(exc))
        return await self._local_vector(text)

    async def _local_vector(self, text: str) -> QueryVector | None:
        vectors = self._tools.vectors
        if not vectors.has_fallback:
            self._budget.skip(StageName.VECTOR, SkipReason.NO_MODEL)
            return None
        try:
            vector = await vectors.ask(vectors.local, text, timeout_s=self._budget.remaining_before(*LAST_STAGES))
        except ModelError as exc:
            self._budget.skip(StageName.VECTOR, SkipReason.FAILED, str(exc))
            return None
        self._budget.skip(StageName.EMBEDDING, SkipReason.FALLBACK, vectors.local.model)
        return vector

    async def _burst2(
        self,
        understood: Understood,
        place: PlaceAnswer,
        here: Region | None,
        zones: Sequence[str],
        vector: QueryVector | None,
    ) -> tuple[RetrievalQuery, Retrieved]:
        now = self._tools.wall()
        windows = windows_in(zones, lambda zone: self._tools.windows(understood.asked_times, now, zone))
        query = RetrievalQuery(
            text=understood.service_text,
            categories=tuple((guess.category, guess.weight) for guess in understood.services),
            filters=hard_filters(self._request, understood, place, here, windows),
            vector=None if vector is None else vector.vector,
            model=None if vector is None else vector.model,
            near=centre_of(self._request, place),
            now=now,
        )

        async def retrieve() -> tuple[RetrievalQuery, Retrieved]:
            with self._trace.stage(StageName.BURST2):
                areas = await self._tools.areas(place, is_near=understood.is_near)
                narrowed = replace(query, filters=within_areas(query.filters, areas))
                return narrowed, await self._tools.retrieval.retrieve(narrowed)

        retrieving = begin(self._start_task, retrieve, deadline=self._budget.deadline, name="burst2")
        try:
            return await retrieving.result()
        except TooLate:
            self._budget.skip(StageName.BURST2, SkipReason.TIMEOUT)
            return query, Retrieved((), 0, Funnel())

    async def _page(self, kept: KeptAnswer, start: int) -> _Page:
        """Up to a page's worth of hits; in the place of those that are gone, or pass the filters no more, the next ones."""
        page = _Page([], start)
        if start >= len(kept.ranked):
            return page
        if not self._budget.covers(StageName.HYDRATION):
            page.is_cut = True
            return page

        async def read() -> None:
            with self._trace.stage(StageName.HYDRATION):
                while wanted := kept.ranked[page.end : page.end + self._request.limit - len(page.hits)]:
                    ids = [each.candidate.service_id for each in wanted]
                    cards = await self._tools.retrieval.cards(ids, filters=kept.filters, now=self._tools.wall())
                    page.add(wanted, {card.service_id: card for card in cards})

        try:
            await begin(self._start_task, read, deadline=self._budget.deadline, name="hydration").result()
        except TooLate:
            self._budget.skip(StageName.HYDRATION, SkipReason.TIMEOUT)
            page.is_cut = True
        return page
