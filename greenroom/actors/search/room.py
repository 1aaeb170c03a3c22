"""The search's part of the actor tree, and what it is put together from.

::

    search-board      keeps what operators change and what there is up to date
    searches/<id>     one per search that runs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import trio

from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.search.admission import HARD_FACTOR, Admission
from greenroom.actors.search.answer import Ranked
from greenroom.actors.search.answer_cache import AnswerCache
from greenroom.actors.search.board import BoardKeeper, SearchBoard
from greenroom.actors.search.desk import SearchDesk
from greenroom.actors.search.operating import SearchOperating
from greenroom.actors.search.pipeline import Tools
from greenroom.actors.search.places.areas import NearbyAreas
from greenroom.actors.search.places.by_meaning import MeaningThresholds
from greenroom.actors.search.places.resolver import PlaceResolver
from greenroom.actors.search.query_vector import QueryVectors
from greenroom.actors.search.reader import Reader
from greenroom.actors.search.request_actor import KIND, RunSearch, SearchActor
from greenroom.actors.search.stage_history import StageHistory
from greenroom.actors.search.understanding import load_lexicon
from greenroom.actors.search.understanding.time_windows import resolve_when
from greenroom.models.opening import Models, mock_models
from greenroom.schema.clock import WallClock
from greenroom.schema.ids import Ids
from greenroom.schema.search.candidates import TextStrength
from greenroom.schema.search_settings import SearchSettings
from greenroom.storage.ports import Storage
from greenroom.supervisor import ActorSystem, ChildSpec, DynamicSpec, MailboxSpec, Restart

SEARCHES_MAX: Final = 1_000 * HARD_FACTOR
"""As many as the highest soft cap lets in."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How is searched, and with which models."""

    settings: SearchSettings
    board: SearchBoard
    models: Models


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
    history: StageHistory
    children: tuple[ChildSpec | DynamicSpec, ...]

    def desk(self, system: ActorSystem, *, ids: Ids) -> SearchDesk:
        return SearchDesk(system=system, board=self.board, admission=self.admission, ids=ids)

    def operating(self, *, storage: Storage, trail: AuditTrail, wall: WallClock) -> SearchOperating:
        return SearchOperating(board=self.board, configs=storage.search_configs, trail=trail, wall=wall)


def build_search(
    storage: Storage, *, board: SearchBoard, models: Models, settings: SearchSettings, wall: WallClock
) -> SearchRoom:
    """Put the search of one worker together; nothing runs before its children are started."""
    history = StageHistory()
    admission = Admission()
    reader = Reader(lexicon=load_lexicon(), places=board.places, wall=wall)
    answers = AnswerCache(trio.current_time)
    board.on_change(answers.clear)
    board.on_change(reader.forget)
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
        understand=reader,
        places=storage.places,
        decide_place=resolver,
        areas=NearbyAreas(storage.places),
        retrieval=storage.retrieval,
        vectors=QueryVectors(
            primary=models.primary, local=models.local, known_models=lambda: board.embedding_models
        ),
        windows=resolve_when,
        rank=lambda retrieved, _query: [Ranked(each, each.fused_score) for each in retrieved.candidates],
        is_strong=is_strong,
        wall=wall,
        embedding_soft_timeout_s=None if soft_timeout_ms is None else soft_timeout_ms / 1000,
    )
    children = (
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
    )
    return SearchRoom(board=board, admission=admission, tools=tools, history=history, children=children)
