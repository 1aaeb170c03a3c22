"""The search's part of the actor tree, and what it is put together from.

::

    search-board      keeps what operators change and what there is up to date
    search-log        keeps what was searched for
    alias-learner     learns names of places from what is opened
    search-indexer    makes services findable by what they say now
    searches/<id>     one per search that runs
    readings/<hash>   one per sentence that a model reads
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.search.admission import HARD_FACTOR, Admission
from greenroom.actors.search.answer_cache import AnswerCache
from greenroom.actors.search.board import BoardKeeper, SearchBoard
from greenroom.actors.search.desk import SearchDesk
from greenroom.actors.search.indexing import Indexing, SearchIndexer
from greenroom.actors.search.learning.ballot import LearningRules
from greenroom.actors.search.learning.learner import AliasLearner
from greenroom.actors.search.learning.review import AliasReview
from greenroom.actors.search.log.reading import SearchHistory
from greenroom.actors.search.log.recent import RecentSearches
from greenroom.actors.search.log.recorder import Recorder
from greenroom.actors.search.log.writer import MAILBOX, NAME, LogCounts, SearchLogWriter
from greenroom.actors.search.operating import SearchOperating
from greenroom.actors.search.perf_log import PerfLog
from greenroom.actors.search.places.areas import NearbyAreas
from greenroom.actors.search.places.by_meaning import MeaningThresholds
from greenroom.actors.search.places.embedding import embed_regions
from greenroom.actors.search.places.resolver import PlaceResolver
from greenroom.actors.search.query_vector import QueryVectors
from greenroom.actors.search.ranking import rank
from greenroom.actors.search.reader import Reader
from greenroom.actors.search.reading import KIND as READING
from greenroom.actors.search.reading import Reading
from greenroom.actors.search.request_actor import KIND, RunSearch, SearchActor
from greenroom.actors.search.stage_history import StageHistory
from greenroom.actors.search.tally import SearchTally
from greenroom.actors.search.tools import Tools
from greenroom.actors.search.understanding import load_lexicon
from greenroom.actors.search.understanding.parse_cache import ParseCache
from greenroom.actors.search.understanding.time_left import windows_left
from greenroom.models.openai.sentence import PURPOSE as PARSING
from greenroom.models.opening import Models, mock_models
from greenroom.schema.clock import WallClock
from greenroom.schema.ids import Ids
from greenroom.schema.search.candidates import TextStrength
from greenroom.schema.search.log import WRITTEN_MAX
from greenroom.schema.search.taxonomy import load_taxonomy
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.ports import Storage
from greenroom.supervisor import ActorSystem, ChildSpec, DynamicSpec, MailboxSpec, Overflow, Restart

SEARCHES_MAX: Final = 1_000 * HARD_FACTOR
"""As many as the highest soft cap lets in."""


READINGS_MAX: Final = 200
"""Sentences that wait to be read by a model; more are read by rules alone."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How is searched, and with which models."""

    settings: SearchSettings
    board: SearchBoard
    models: Models
    learning: LearningRules = LearningRules()  # noqa: RUF009 - frozen


def plan_without_network() -> SearchPlan:
    """The defaults, with embeddings that need neither a network nor memory; for tests and simulations."""
    settings = SearchSettings.model_construct()
    return SearchPlan(settings=settings, board=SearchBoard(settings.config()), models=mock_models())


@dataclass(frozen=True, slots=True)
class SearchRoom:
    """Made by :func:`build_search`."""

    board: SearchBoard
    admission: Admission
    tools: Tools
    models: Models
    tally: SearchTally
    perf_log: PerfLog | None
    history: StageHistory
    recent: RecentSearches
    log_counts: LogCounts
    children: tuple[ChildSpec | DynamicSpec, ...]

    def desk(self, system: ActorSystem, *, ids: Ids, wall: WallClock) -> SearchDesk:
        recorder = Recorder(system=system, recent=self.recent, counts=self.log_counts, wall=wall)
        return SearchDesk(
            system=system,
            board=self.board,
            admission=self.admission,
            history=self.history,
            recorder=recorder,
            tally=self.tally,
            perf_log=self.perf_log,
            ids=ids,
        )

    def searches(self, storage: Storage, *, wall: WallClock) -> SearchHistory:
        return SearchHistory(
            log=storage.search_log, analytics=storage.search_analytics, recent=self.recent, wall=wall
        )

    def review(self, *, storage: Storage, trail: AuditTrail, wall: WallClock) -> AliasReview:
        return AliasReview(
            gazetteer=storage.gazetteer, places=storage.places, board=self.board, trail=trail, wall=wall
        )

    def operating(self, *, storage: Storage, trail: AuditTrail, wall: WallClock) -> SearchOperating:
        return SearchOperating(board=self.board, configs=storage.search_configs, trail=trail, wall=wall)


def build_search(storage: Storage, plan: SearchPlan, *, wall: WallClock, worker: str) -> SearchRoom:
    """Put the search of one worker together; nothing runs before its children are started.

    Args:
        worker: names this one among those that share the database.
    """
    board, models, settings = plan.board, plan.models, plan.settings
    history = StageHistory()
    admission = Admission(lambda: board.config)
    cache = None if models.sentence is None else ParseCache(trio.current_time)
    lexicon = load_lexicon()
    reader = Reader(
        lexicon=lexicon,
        board=board,
        cache=cache,
        wall=wall,
        why_away=lambda: _why_away(models, PARSING),
        is_english=models.is_english,
    )
    answers = AnswerCache(trio.current_time)
    board.on_change(answers.clear)
    board.on_change(reader.forget)
    if cache is not None:
        board.on_change(_forgetting_other_models(cache, board))
    resolver = PlaceResolver(
        storage.places,
        embedder=models.local,
        model=models.place,
        thresholds=MeaningThresholds(
            embedding_accepted_min=settings.location_tier4_high_confidence,
            model_candidates_max=settings.location_llm_top_k,
            model_embedding_min=settings.location_llm_embedding_threshold,
            model_accepted_min=settings.location_llm_confidence_threshold,
        ),
        model_timeout_s=lambda: board.config.location_timeout_ms / 1000,
        history=history,
    )
    soft_timeout_ms = settings.nl_search_embedding_soft_timeout_ms

    def is_strong(strength: TextStrength) -> bool:
        return (
            strength.best >= settings.nl_search_text_skip_vector_score_threshold
            and strength.hits >= settings.nl_search_text_skip_vector_min_results
        )

    tools = Tools(
        board=board,
        answers=answers,
        reader=reader,
        places=storage.places,
        decide_place=resolver,
        areas=NearbyAreas(storage.places),
        retrieval=storage.retrieval,
        vectors=QueryVectors(
            primary=models.primary, local=models.local, known_models=lambda: board.embedding_models
        ),
        windows=windows_left,
        rank=rank,
        is_strong=is_strong,
        wall=wall,
        embedding_soft_timeout_s=None if soft_timeout_ms is None else soft_timeout_ms / 1000,
    )
    recent, counts = RecentSearches(), LogCounts()

    def is_loaded() -> bool:
        return admission.is_high_load() or admission.is_shedding() or storage.health.is_pressed

    children: tuple[ChildSpec | DynamicSpec, ...] = (
        ChildSpec(
            "search-board",
            lambda: BoardKeeper(
                board=board,
                configs=storage.search_configs,
                retrieval=storage.retrieval,
                places=storage.places,
            ),
            mailbox=MailboxSpec(capacity=4),
        ),
        ChildSpec(
            NAME,
            lambda: SearchLogWriter(
                log=storage.search_log,
                counts=counts,
                timeout_s=settings.search_analytics_timeout_s,
                is_loaded=is_loaded,
            ),
            mailbox=MailboxSpec(capacity=MAILBOX, overflow=Overflow.DROP_NEWEST),
            batch_max=WRITTEN_MAX,
            shutdown_s=1.0,
        ),
        ChildSpec(
            "search-indexer",
            lambda: SearchIndexer(
                index=storage.search_index,
                indexing=Indexing(storage.search_index, models.embedders, load_taxonomy()),
                worker=worker,
                embed_places=lambda: embed_regions(storage.gazetteer, models.local),
            ),
            mailbox=MailboxSpec(capacity=4),
        ),
        ChildSpec(
            "alias-learner",
            lambda: AliasLearner(
                evidence=storage.alias_evidence,
                places=storage.places,
                gazetteer=storage.gazetteer,
                rules=plan.learning,
                wall=wall,
                worker=worker,
            ),
            mailbox=MailboxSpec(capacity=4),
        ),
        DynamicSpec(
            "searches",
            KIND,
            lambda key: SearchActor(key, tools=tools, admission=admission, history=history),
            # One search is asked one thing, and whoever asked asks again.
            restart=Restart.TEMPORARY,
            max_children=SEARCHES_MAX,
            cancellable=(RunSearch,),
            mailbox=MailboxSpec(capacity=1),
            shutdown_s=1.0,
        ),
        *_readings(models, cache, board, history),
    )
    return SearchRoom(
        board=board,
        admission=admission,
        tools=tools,
        models=models,
        tally=SearchTally(),
        perf_log=PerfLog(settings.nl_search_perf_log_slow_ms) if settings.nl_search_perf_log else None,
        history=history,
        recent=recent,
        log_counts=counts,
        children=children,
    )


def _why_away(models: Models, purpose: str) -> str | None:
    return None if models.calls is None else models.calls.outages.of(purpose)


def _readings(
    models: Models, cache: ParseCache | None, board: SearchBoard, history: StageHistory
) -> tuple[DynamicSpec, ...]:
    """None where no model reads."""
    model = models.sentence
    if model is None or cache is None:
        return ()
    categories = tuple(load_taxonomy().kinds)
    return (
        DynamicSpec(
            "readings",
            READING,
            lambda _key: Reading(
                model=model,
                cache=cache,
                categories=categories,
                timeout_s=lambda: board.config.parsing_timeout_ms / 1000,
                history=history,
            ),
            restart=Restart.TEMPORARY,
            max_children=READINGS_MAX,
            passivate_after_s=1.0,
            mailbox=MailboxSpec(capacity=100),
            shutdown_s=0.0,
        ),
    )


def _forgetting_other_models(cache: ParseCache, board: SearchBoard) -> Callable[[], None]:
    """What another model made of a sentence is not what this one would."""
    asked = board.config.parsing_model

    def forget() -> None:
        nonlocal asked
        if board.config.parsing_model != asked:
            asked = board.config.parsing_model
            cache.clear()

    return forget
