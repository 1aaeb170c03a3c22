"""A line in the log per search, with what each stage took: NL_SEARCH_PERF_LOG.

Never the sentence, nor what was understood of it: it may say something about whoever typed it, and logs travel further
than databases. ``query_id`` leads to it, for those who may see it.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from greenroom.actors.search.answer import SearchAnswer

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PerfLog:
    """
    Attributes:
        slow_ms: only searches that took at least so long.
    """

    slow_ms: float

    def note(self, answer: SearchAnswer) -> None:
        if answer.budget.used_ms < self.slow_ms:
            return
        _log.info(
            "search_timed",
            query_id=answer.query_id,
            used_ms=round(answer.budget.used_ms, 1),
            limit_ms=round(answer.budget.limit_ms),
            degraded=answer.budget.degraded,
            cache=answer.cache.value,
            place=answer.place.outcome.value,
            found=answer.total,
            shown=len(answer.hits),
            stages={timing.name.value: round(timing.duration_ms, 1) for timing in answer.diagnostics.stages},
            skipped=[f"{skip.stage.value}: {skip.reason.value}" for skip in answer.budget.skipped],
        )
