"""What one search is at and was at: for the actor tree while it runs, for its diagnostics afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import trio

from greenroom.actors.search.stage_history import StageHistory
from greenroom.models.ports import ModelError, ModelTimeout
from greenroom.schema.errors import DomainError
from greenroom.schema.search.candidates import Funnel
from greenroom.schema.search.diagnostics import Diagnostics, Prompt, Skip, StageName, StageStatus, StageTiming
from greenroom.schema.search.places import TierTrial
from greenroom.supervisor import AskError, AskTimeout


class SearchTrace:
    """
    Args:
        began_at: when the request came.
        show: told the names of the stages that run, whenever they change; None for none.
    """

    def __init__(self, *, history: StageHistory, began_at: float, show: Callable[[str | None], None]) -> None:
        self._history = history
        self._show = show
        self._began_at = began_at
        self._running: dict[StageName, float] = {}
        self._stages: list[StageTiming] = []
        self.tiers: tuple[TierTrial, ...] = ()
        self.prompts: list[Prompt] = []
        self.funnel = Funnel()

    @property
    def running(self) -> tuple[StageName, ...]:
        return tuple(self._running)

    @contextmanager
    def stage(self, name: StageName, *, is_measured: bool = True) -> Iterator[None]:
        """Note how long the block takes, and whether it comes to a good end.

        Args:
            is_measured: it counts for what the stage is expected to take; False where that is measured elsewhere.
        """
        began_at = trio.current_time()
        self._running[name] = began_at
        self._tell()
        status = StageStatus.OK
        try:
            yield
        except (ModelTimeout, AskTimeout):
            status = StageStatus.TIMEOUT
            raise
        except trio.Cancelled:
            status = StageStatus.TIMEOUT
            raise
        except (ModelError, DomainError, AskError):
            status = StageStatus.FAILED
            raise
        finally:
            now = trio.current_time()
            del self._running[name]
            self._tell()
            if is_measured:
                self._history.add(name, now - began_at, now=now)
            self._stages.append(self._timing(name, began_at, now, status))

    def known(self, name: StageName) -> None:
        """Note a stage whose outcome was known before."""
        now = trio.current_time()
        self._stages.append(self._timing(name, now, now, StageStatus.CACHED))

    def diagnostics(self, skipped: Sequence[Skip]) -> Diagnostics:
        """How it went so far; stages that still run are told as timed out, those never begun as skipped."""
        now = trio.current_time()
        begun = {timing.name for timing in self._stages} | set(self._running)
        never = dict.fromkeys(skip.stage for skip in skipped if skip.stage not in begun)
        abandoned = [self._timing(name, began, now, StageStatus.TIMEOUT) for name, began in self._running.items()]
        omitted = [self._timing(name, now, now, StageStatus.SKIPPED) for name in never]
        stages = sorted((*self._stages, *abandoned, *omitted), key=lambda timing: timing.start_ms)
        return Diagnostics(stages=tuple(stages), tiers=self.tiers, funnel=self.funnel, prompts=tuple(self.prompts))

    def _timing(self, name: StageName, began_at: float, ended_at: float, status: StageStatus) -> StageTiming:
        return StageTiming(
            name,
            start_ms=(began_at - self._began_at) * 1000,
            duration_ms=(ended_at - began_at) * 1000,
            status=status,
        )

    def _tell(self) -> None:
        self._show(", ".join(self._running) or None)
