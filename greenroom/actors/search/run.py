"""One search on its way: what was asked for, what it works with, and what it may still take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from greenroom.actors.search.budget import RequestBudget
from greenroom.actors.search.pending import Pending, StartTask, begin
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.tools import Tools
from greenroom.actors.search.trace import SearchTrace
from greenroom.schema.search.diagnostics import StageName

T = TypeVar("T")

LAST_STAGES: Final = (StageName.BURST2, StageName.RANKING)
"""What everything optional has to leave time for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchRun:
    """
    Attributes:
        is_high_load: no language model is asked.
        is_reduced: no model that has to be called is, as too many searches run already.
        start_task: runs stages beside each other, in the search's actor.
    """

    tools: Tools
    request: SearchRequest
    query_id: str
    budget: RequestBudget
    trace: SearchTrace
    start_task: StartTask
    is_high_load: bool
    is_reduced: bool = False

    def begin(self, fn: Callable[[], Awaitable[T]], name: StageName) -> Pending[T]:
        """Begin a stage beside whatever else runs; it ends with the budget."""
        return begin(self.start_task, fn, deadline=self.budget.deadline, name=name.value)
