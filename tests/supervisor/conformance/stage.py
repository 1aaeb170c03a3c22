"""Actors that end when and how a test tells them to, and a record of every start and stop the kernel gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from greenroom.supervisor import (
    KILLED,
    NO_BACKOFF,
    NORMAL,
    SHUTDOWN,
    Actor,
    AutoShutdown,
    ChildSpec,
    DynamicSpec,
    ExitReason,
    Restart,
    Strategy,
    SupervisorSpec,
)
from tests.supervisor.conformance import otp

BUDGET_S = 0.25
"""Of every message. A power of two, so that times on the virtual clock add up exactly."""


class StageFrightError(Exception):
    """The start that a test asked to fail."""


class BlunderError(Exception):
    """The crash that a test asked for."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Tells a player to end by itself."""

    exit: otp.Exit


@dataclass(frozen=True, slots=True)
class Enter:
    """Nothing to do: tells a virtual player to be there."""


class Stage:
    """What the model's specs become in the kernel, and what the kernel does with them."""

    def __init__(self, failing_starts: Mapping[str, frozenset[int]]) -> None:
        self._failing_starts = failing_starts
        self._starts: dict[str, int] = {}
        self._steps: list[otp.Step] = []
        self.present: dict[str, None] = {}

    def taken_steps(self) -> list[otp.Step]:
        """The steps since the last call."""
        steps, self._steps = self._steps, []
        return steps

    def spec(self, model: otp.Supervisor) -> SupervisorSpec:
        return SupervisorSpec(
            model.name,
            tuple(self._child(child) for child in model.children),
            strategy=Strategy(model.strategy.value),
            intensity=model.intensity,
            period_s=model.period_s,
            consecutive_failures_max=model.failures_in_a_row_max,
            restart=Restart(model.restart.value),
            significant=model.significant,
            auto_shutdown=AutoShutdown(model.auto_shutdown.value),
            backoff=NO_BACKOFF,
        )

    def _child(self, model: otp.Worker | otp.Supervisor | otp.Dynamic) -> ChildSpec | SupervisorSpec | DynamicSpec:
        match model:
            case otp.Supervisor():
                return self.spec(model)
            case otp.Dynamic():
                return DynamicSpec(
                    model.name,
                    f"players of {model.name}",
                    lambda _key: Player(self),
                    restart=Restart(model.children_restart.value),
                    intensity=model.intensity,
                    period_s=model.period_s,
                    consecutive_failures_max=model.failures_in_a_row_max,
                    backoff=NO_BACKOFF,
                    message_budget_s=BUDGET_S,
                )
            case otp.Worker():
                return ChildSpec(
                    model.name,
                    lambda: Player(self),
                    restart=Restart(model.restart.value),
                    significant=model.significant,
                    message_budget_s=BUDGET_S,
                )

    def enter(self, path: str) -> None:
        assert path not in self.present, f"two live incarnations of {path}"
        self._starts[path] = self._starts.get(path, 0) + 1
        if self._starts[path] in self._failing_starts.get(path, ()):
            self._steps.append(otp.Step(otp.Verb.FAIL, path))
            raise StageFrightError(path)
        self._steps.append(otp.Step(otp.Verb.START, path))
        self.present[path] = None

    def leave(self, path: str, *, was_told_to: bool) -> None:
        del self.present[path]
        if was_told_to:
            self._steps.append(otp.Step(otp.Verb.STOP, path))


class Player(Actor[Leave | Enter]):
    """Starts and ends as the stage directs."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._is_leaving = False

    async def init(self) -> None:
        self._stage.enter(self.ctx.path)

    async def handle(self, message: Leave | Enter) -> None:
        if isinstance(message, Enter):
            return
        self._is_leaving = True
        match message.exit:
            case otp.Exit.NORMAL:
                self.ctx.stop(NORMAL)
            case otp.Exit.SHUTDOWN:
                self.ctx.stop(SHUTDOWN)
            case otp.Exit.SHUTDOWN_TERM:
                self.ctx.stop(ExitReason.shutdown("had enough"))
            case otp.Exit.ERROR:
                raise BlunderError(self.ctx.path)
            case otp.Exit.KILLED:
                self.ctx.stop(KILLED)
            case otp.Exit.BUDGET:
                await trio.sleep_forever()

    async def terminate(self, reason: ExitReason) -> None:
        self._stage.leave(self.ctx.path, was_told_to=not self._is_leaving)
