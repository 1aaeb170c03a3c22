"""What searches of one worker work with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from greenroom.actors.search.answer import Ranked
from greenroom.actors.search.answer_cache import AnswerCache
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.places.decision import DecidePlace, SearchAreas
from greenroom.actors.search.query_vector import QueryVectors
from greenroom.actors.search.reader import Reader
from greenroom.schema.search.candidates import RetrievalQuery, Retrieved, TextStrength, TimeWindow
from greenroom.schema.search.understood import When
from greenroom.storage.ports.search import Places, Retrieval


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """
    Attributes:
        is_strong: whether words alone found enough for the vector leg to be left out.
        embedding_soft_timeout_s: from when the search began; None for as long as the budget allows.
    """

    board: SearchBoard
    answers: AnswerCache
    reader: Reader
    places: Places
    decide_place: DecidePlace
    areas: SearchAreas
    retrieval: Retrieval
    vectors: QueryVectors
    windows: Callable[[Sequence[When], Sequence[When], datetime, str], tuple[TimeWindow, ...]]
    """Of the times that will do and those that are denied, from a moment on, in a zone."""

    rank: Callable[[Retrieved, RetrievalQuery], Sequence[Ranked]]
    is_strong: Callable[[TextStrength], bool]
    wall: Callable[[], datetime]
    embedding_soft_timeout_s: float | None = None
