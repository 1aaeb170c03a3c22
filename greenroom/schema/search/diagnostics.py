"""How a search went: what each stage took, what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greenroom.schema.search.candidates import Funnel
from greenroom.schema.search.places import TierTrial


class StageName(StrEnum):
    """Stages in the order in which they usually begin."""

    PARSE = "parse"
    MODEL_PARSE = "model_parse"
    BURST1 = "burst1"
    EMBEDDING = "embedding"
    LOCATION = "location"
    TIER4 = "tier4"
    TIER5 = "tier5"
    VECTOR = "vector"
    BURST2 = "burst2"
    RANKING = "ranking"
    HYDRATION = "hydration"


class StageStatus(StrEnum):
    OK = "ok"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"
    FAILED = "failed"
    CACHED = "cached"


class SkipReason(StrEnum):
    """Why a stage was left out, or its outcome not used."""

    BUDGET = "budget"
    """What was left did not cover what this stage took lately."""

    TIMEOUT = "timeout"
    FAILED = "failed"
    BUSY = "busy"
    """No slot for a model call came free."""

    HIGH_LOAD = "high_load"
    TEXT_STRONG = "text_strong"
    """Words alone found enough: not a degradation."""

    NOT_NEEDED = "not_needed"
    OVERRIDE = "override"
    NO_MODEL = "no_model"
    FALLBACK = "fallback"
    """Another model answered in its place."""


HARMLESS: frozenset[SkipReason] = frozenset({SkipReason.TEXT_STRONG, SkipReason.NOT_NEEDED, SkipReason.OVERRIDE})
"""Those that make an answer no worse."""


@dataclass(frozen=True, slots=True)
class Skip:
    stage: StageName
    reason: SkipReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StageTiming:
    """``start_ms`` counts from the request's begin."""

    name: StageName
    start_ms: float
    duration_ms: float
    status: StageStatus


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model was asked and said, cut to 4,000 characters each."""

    purpose: str
    model: str
    request: str
    response: str | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class BudgetUse:
    limit_ms: float
    used_ms: float
    skipped: tuple[Skip, ...]

    @property
    def degraded(self) -> bool:
        return any(skip.reason not in HARMLESS for skip in self.skipped)


@dataclass(frozen=True, slots=True)
class Diagnostics:
    stages: tuple[StageTiming, ...]
    tiers: tuple[TierTrial, ...]
    funnel: Funnel
    prompts: tuple[Prompt, ...]
