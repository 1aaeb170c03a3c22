"""Searching as a signed-in user deals with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import trio

from greenroom.actors.asking import ask
from greenroom.actors.identity import Identity
from greenroom.actors.search.admission import Admission
from greenroom.actors.search.answer import CacheUse, SearchAnswer
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.log.recorder import Recorder
from greenroom.actors.search.perf_log import PerfLog
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.request_actor import KIND, RunSearch
from greenroom.actors.search.stage_history import StageHistory
from greenroom.actors.search.tally import SearchTally
from greenroom.schema.errors import DomainError
from greenroom.schema.ids import Ids
from greenroom.supervisor import ActorSystem

GRACE_S: Final = 1.0
"""For an answer on top of its budget. Not used up by a search that works: it answers at its deadline."""


class SearchDesk:
    """
    Attributes:
        recorder: is told of every answer, and takes clicks.
    """

    def __init__(
        self,
        *,
        system: ActorSystem,
        board: SearchBoard,
        admission: Admission,
        history: StageHistory,
        recorder: Recorder,
        tally: SearchTally,
        perf_log: PerfLog | None,
        ids: Ids,
    ) -> None:
        self._system = system
        self._board = board
        self._admission = admission
        self._history = history
        self._tally = tally
        self._perf_log = perf_log
        self._ids = ids
        self.recorder = recorder

    def check_door(self) -> None:
        """Refuse whom :meth:`search` would refuse in any case, at next to no cost.

        Raises:
            SearchesBusy: too many searches are in flight.
        """
        self._admission.check()

    async def search(
        self, identity: Identity, request: SearchRequest, *, arrived_at: float | None = None
    ) -> SearchAnswer:
        """Answer one search within its budget.

        Args:
            arrived_at: when it came, on Trio's clock, which the budget counts from; now by default.

        Raises:
            PermissionDenied: overrides and diagnostics are for admins.
            InvalidInput: the city is unknown, or the cursor belongs to another search.
            SearchesBusy: too many searches are in flight; nothing was begun.
            Unavailable: the database can't answer.
        """
        identity.require("search:read")
        if request.overrides.is_any or request.wants_diagnostics:
            identity.require("operations:read")
        request = replace(request, user_id=identity.user.id)
        if arrived_at is None:
            arrived_at = trio.current_time()
        async with self._admission.admitted():
            address = self._system.virtual(KIND, self._ids.ulid())
            try:
                answer = await ask(
                    self._system,
                    address,
                    RunSearch(request, arrived_at),
                    timeout_s=self._board.config.budget_ms / 1000 + GRACE_S,
                )
            except DomainError:
                self._tally.failed()
                raise
            if answer.cache is not CacheUse.HIT:
                self._admission.answered(answer.budget, answer.diagnostics.stages, now=trio.current_time())
        self._tally.answered(answer)
        if self._perf_log is not None:
            self._perf_log.note(answer)
        self.recorder.answered(request, answer)
        return answer

    def rendered(self, answer: SearchAnswer, *, arrived_at: float) -> None:
        """Learn, of an answer that is about to be written, how long it took to get there: later ones leave time for that."""
        now = trio.current_time()
        self._history.left(now - arrived_at - answer.budget.used_ms / 1000, now=now)
