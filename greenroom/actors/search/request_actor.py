"""One search: an actor that lives for one request. What it is at shows in the tree while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.admission import Admission
from greenroom.actors.search.answer import CacheUse, SearchAnswer
from greenroom.actors.search.budget import RequestBudget
from greenroom.actors.search.pipeline import search_anew, show
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.run import SearchRun
from greenroom.actors.search.stage_history import StageHistory
from greenroom.actors.search.tools import Tools
from greenroom.actors.search.trace import SearchTrace
from greenroom.schema.errors import DomainError
from greenroom.supervisor import Actor, Request

KIND: Final = "search"


@dataclass(frozen=True, slots=True)
class RunSearch(Request[SearchAnswer]):
    """``arrived_at``: on Trio's clock; the budget counts from then."""

    request: SearchRequest
    arrived_at: float


class SearchActor(Actor[RunSearch]):
    """Answers one :class:`RunSearch` and ends."""

    refusals = (DomainError,)

    def __init__(self, query_id: str, *, tools: Tools, admission: Admission, history: StageHistory) -> None:
        self._query_id = query_id
        self._tools = tools
        self._admission = admission
        self._history = history
        self._run: SearchRun | None = None

    async def handle(self, message: RunSearch) -> SearchAnswer:
        try:
            return await self._search(self._begin(message))
        finally:
            # Also when the asker left and this was cancelled: what still runs beside it ends with the actor.
            self.ctx.stop()

    def view(self) -> Mapping[str, object]:
        """Never the sentence: it may say something about whoever typed it."""
        run = self._run
        if run is None:
            return {}
        return {
            "stages": list(run.trace.running),
            "remaining_ms": round(run.budget.remaining_s() * 1000),
            "skipped": [f"{skip.stage}: {skip.reason}" for skip in run.budget.use().skipped],
        }

    def _begin(self, message: RunSearch) -> SearchRun:
        request, config = message.request, self._tools.board.config
        is_high_load = self._admission.is_high_load() or request.overrides.simulate_high_load
        limit_ms = min(config.budget_ms, config.high_load_budget_ms) if is_high_load else config.budget_ms
        self._run = SearchRun(
            tools=self._tools,
            request=request,
            query_id=self._query_id,
            budget=RequestBudget(limit_ms / 1000, history=self._history, began_at=message.arrived_at),
            trace=SearchTrace(history=self._history, began_at=message.arrived_at, show=self._show),
            start_task=self.ctx.start_task,
            is_high_load=is_high_load,
        )
        return self._run

    async def _search(self, run: SearchRun) -> SearchAnswer:
        tools, request = self._tools, run.request
        understood = await tools.reader.read(
            request,
            system=self.ctx.system,
            budget=run.budget,
            trace=run.trace,
            may_ask_model=not run.is_high_load,
        )
        fingerprint = request.fingerprint(understood.text)
        if not request.overrides.is_any:
            kept = tools.answers.get(fingerprint, tools.board.config.revision)
            if kept is not None:
                return await show(run, kept, fingerprint=fingerprint, cache=CacheUse.HIT)
        with self._admission.uncached() as is_reduced:
            return await search_anew(replace(run, is_reduced=is_reduced), understood, fingerprint=fingerprint)

    def _show(self, activity: str | None) -> None:
        self.ctx.activity = activity
