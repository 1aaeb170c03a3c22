"""Which models are away, by what became of the last calls for each purpose; an outage is one line in the log, not one per call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from greenroom.models.ports import ModelBusy, ModelError, ModelUnavailable

TIMEOUTS_MIN: Final = 5
"""In a row: one call that took too long is no outage, a provider that swallows packets has nothing else."""

KNOWN_S: Final = 60.0
"""For so long after a call that failed a model is taken to be away; who has not been asked since may be back."""

WARNED_EVERY_S: Final = 300.0
"""Of one purpose: a model that comes and goes is not worth more."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Outage:
    """``failures`` in a row, the last of them ``error`` at ``at``."""

    failures: int
    error: ModelError
    at: float

    @property
    def is_one(self) -> bool:
        return isinstance(self.error, ModelUnavailable) or self.failures >= TIMEOUTS_MIN


class Outages:
    """
    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._failing: dict[str, _Outage] = {}
        self._warned_at: dict[str, float] = {}

    def failed(self, purpose: str, error: ModelError) -> None:
        """Note a call that came to nothing as nobody answered. One that had to wait for its turn says nothing of the model."""
        if isinstance(error, ModelBusy):
            return
        before = self._failing.get(purpose)
        outage = self._failing[purpose] = _Outage(1 if before is None else before.failures + 1, error, self._now())
        if (
            outage.is_one
            and outage.at >= self._warned_at.get(purpose, outage.at - WARNED_EVERY_S) + WARNED_EVERY_S
        ):
            self._warned_at[purpose] = outage.at
            _log.warning("model_away", purpose=purpose, error=type(error).__name__, reason=str(error))

    def answered(self, purpose: str) -> None:
        """Note a call that was answered, however badly."""
        self._failing.pop(purpose, None)

    def of(self, purpose: str) -> str | None:
        """Why a model is taken to be away, for people; None if it is not known to be."""
        outage = self._failing.get(purpose)
        if outage is None or not outage.is_one or outage.at + KNOWN_S < self._now():
            return None
        return outage.error.told
