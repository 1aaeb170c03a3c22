"""The shapes in which a search tells how it went."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

from pydantic import Field

from greenroom.schema.search.candidates import Funnel
from greenroom.schema.search.diagnostics import (
    BudgetUse,
    Diagnostics,
    Prompt,
    Skip,
    SkipReason,
    StageName,
    StageStatus,
    StageTiming,
)
from greenroom.schema.search.places import TierTrial
from greenroom.schema.wire import Wire

_TOLD: Final[Mapping[SkipReason, str]] = MappingProxyType(
    {
        SkipReason.BUDGET: "there was not enough time left for it",
        SkipReason.TIMEOUT: "it was not done in time",
        SkipReason.FAILED: "it does not work just now",
        SkipReason.BUSY: "too many searches need it just now",
        SkipReason.HIGH_LOAD: "too many searches run just now",
        SkipReason.TEXT_STRONG: "the words alone found enough",
        SkipReason.NOT_NEEDED: "it was not needed",
        SkipReason.OVERRIDE: "it was not wanted",
        SkipReason.NO_MODEL: "there is nothing to do it with",
        SkipReason.FALLBACK: "a simpler way took its place",
    }
)
"""All that anybody who searches is told: what a model's service or its wire says may name addresses, keys and versions."""


class SkipOut(Wire):
    """A stage that was left out, or whose outcome was not used."""

    stage: StageName = Field(description="What was left out.")
    reason: SkipReason = Field(
        description="Why; after `text_strong`, `not_needed` and `override` the answer is no worse."
    )
    detail: str = Field(
        description="The same for people; how it came about is in it only where diagnostics were asked for."
    )

    @classmethod
    def of(cls, skip: Skip) -> Self:
        """With all that is known of it: for operators."""
        return cls(stage=skip.stage, reason=skip.reason, detail=skip.detail)

    @classmethod
    def told(cls, skip: Skip) -> Self:
        """With a fixed phrase in place of what is known of it: for everybody."""
        return cls(stage=skip.stage, reason=skip.reason, detail=_TOLD[skip.reason])


class BudgetOut(Wire):
    """The time that the search had, and what was left out to keep within it."""

    limit_ms: float = Field(description="What it had.")
    used_ms: float = Field(description="What it took.")
    degraded: bool = Field(description="Something is missing that would have made the answer better.")
    skipped: list[SkipOut] = Field(description="What was left out, and why.")

    @classmethod
    def of(cls, use: BudgetUse, *, with_details: bool = True) -> Self:
        """``with_details``: for operators; else each skip is told with a fixed phrase."""
        told = SkipOut.of if with_details else SkipOut.told
        return cls(
            limit_ms=round(use.limit_ms, 1),
            used_ms=round(use.used_ms, 1),
            degraded=use.degraded,
            skipped=[told(skip) for skip in use.skipped],
        )


class StageOut(Wire):
    name: StageName
    start_ms: float
    duration_ms: float
    status: StageStatus

    @classmethod
    def of(cls, timing: StageTiming) -> Self:
        return cls(
            name=timing.name,
            start_ms=round(timing.start_ms, 2),
            duration_ms=round(timing.duration_ms, 2),
            status=timing.status,
        )


class TierOut(Wire):
    tier: int
    tried: bool
    confidence: float | None
    duration_ms: float
    result: str

    @classmethod
    def of(cls, trial: TierTrial) -> Self:
        return cls(
            tier=trial.tier.value,
            tried=trial.tried,
            confidence=None if trial.confidence is None else round(trial.confidence, 3),
            duration_ms=round(trial.duration_ms, 2),
            result=trial.result,
        )


class FunnelOut(Wire):
    """How many candidates each step left."""

    text: int
    vector: int
    fused: int
    filtered: int
    final: int

    @classmethod
    def of(cls, funnel: Funnel) -> Self:
        return cls(
            text=funnel.text,
            vector=funnel.vector,
            fused=funnel.fused,
            filtered=funnel.filtered,
            final=funnel.final,
        )


class PromptOut(Wire):
    purpose: str
    model: str
    request: str
    response: str | None
    error: str | None

    @classmethod
    def of(cls, prompt: Prompt) -> Self:
        return cls(
            purpose=prompt.purpose,
            model=prompt.model,
            request=prompt.request,
            response=prompt.response,
            error=prompt.error,
        )


class DiagnosticsOut(Wire):
    stages: list[StageOut]
    tiers: list[TierOut]
    funnel: FunnelOut
    prompts: list[PromptOut]

    @classmethod
    def of(cls, diagnostics: Diagnostics) -> Self:
        return cls(
            stages=[StageOut.of(stage) for stage in diagnostics.stages],
            tiers=[TierOut.of(trial) for trial in diagnostics.tiers],
            funnel=FunnelOut.of(diagnostics.funnel),
            prompts=[PromptOut.of(prompt) for prompt in diagnostics.prompts],
        )
