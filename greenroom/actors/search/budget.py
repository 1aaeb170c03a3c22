"""The budget of one search: a single deadline, and what had to be left out to keep it."""

from __future__ import annotations

from typing import Final

import trio

from greenroom.actors.search.stage_history import StageHistory
from greenroom.schema.search.diagnostics import BudgetUse, Skip, SkipReason, StageName

LEAVING_SHARE_MAX: Final = 0.2
"""Of a budget, kept for the way out of an answer: more would make it worse rather than later."""


class RequestBudget:
    """
    Args:
        limit_s: from when the request came to when its answer leaves.
        history: what stages, and the way out, took lately.
        began_at: when the request came.

    Attributes:
        deadline: when the answer has to be made, so that there is time left to render it.
    """

    def __init__(self, limit_s: float, *, history: StageHistory, began_at: float) -> None:
        self._limit_s = limit_s
        self._history = history
        self._skipped: list[Skip] = []
        self.began_at = began_at
        # Twice: its answer has to wait for the loop on its way out, and its request may have on its way in, which nobody saw.
        leaving_s = 2 * history.leaving_s(now=trio.current_time())
        self.deadline = began_at + limit_s - min(leaving_s, limit_s * LEAVING_SHARE_MAX)

    def remaining_s(self) -> float:
        return max(0.0, self.deadline - trio.current_time())

    def reserved_s(self, *stages: StageName) -> float:
        """What these stages are expected to take, which the others must leave them."""
        now = trio.current_time()
        return sum(self._history.expected_s(stage, now=now) for stage in stages)

    def remaining_before(self, *stages: StageName) -> float:
        """What is left for anything that comes before these stages."""
        return max(0.0, self.remaining_s() - self.reserved_s(*stages))

    def covers(self, stage: StageName, *, before: tuple[StageName, ...] = ()) -> bool:
        """Whether what is left covers what this stage is expected to take; if not, that is noted as a skip.

        Args:
            before: stages that have to run after it in any case.
        """
        left_s = self.remaining_before(*before)
        expected_s = self._history.expected_s(stage, now=trio.current_time())
        if left_s > 0 and expected_s <= left_s:
            return True
        self.skip(
            stage, SkipReason.BUDGET, f"{left_s * 1000:.0f} ms left, it takes {expected_s * 1000:.0f} ms lately"
        )
        return False

    def skip(self, stage: StageName, reason: SkipReason, detail: str = "") -> None:
        """Note that a stage was left out, or its outcome not used; once per stage and reason."""
        if all((skip.stage, skip.reason) != (stage, reason) for skip in self._skipped):
            self._skipped.append(Skip(stage, reason, detail))

    def use(self) -> BudgetUse:
        used_s = trio.current_time() - self.began_at
        return BudgetUse(limit_ms=self._limit_s * 1000, used_ms=used_s * 1000, skipped=tuple(self._skipped))
