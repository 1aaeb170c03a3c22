"""Which place is meant, and which ones it must not be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from greenroom.actors.search.hard_filters import likely_cities
from greenroom.actors.search.places.decision import PlaceDecision
from greenroom.actors.search.places.denied import DENIED_MAX, denied_regions
from greenroom.actors.search.run import LAST_STAGES, SearchRun
from greenroom.actors.search.stages.burst1 import FirstLook
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Tier
from greenroom.schema.search.understood import NoticeKind, Understood, noticed

TIER_STAGES: Final = {Tier.EMBEDDING: StageName.TIER4, Tier.MODEL: StageName.TIER5}


async def locate(run: SearchRun, understood: Understood, found: FirstLook) -> tuple[PlaceAnswer, Understood]:
    """Decide the place; what could not be left out although the sentence denies it becomes a notice of what was understood."""
    decision = await _decide(run, understood, found)
    # "In chicago, not in chinatown" denies Chicago's, wherever the asker is.
    cities = {region.city for region in decision.answer.regions} or likely_cities(run.request, found.here)
    denied = denied_regions(understood.denied_places[:DENIED_MAX], found.denied, tuple(cities))
    run.trace.tiers = decision.trials
    run.trace.prompts.extend(decision.prompts)
    understood = noticed(understood, NoticeKind.UNKNOWN_PLACE, denied.unknown)
    understood = noticed(understood, NoticeKind.NOT_HEEDED, understood.denied_places[DENIED_MAX:])
    return replace(decision.answer, excluded=denied.regions), understood


def not_looked_up(understood: Understood) -> PlaceAnswer:
    """What is said of the place where the time ended before it was looked up."""
    is_named = understood.place_text is not None
    return PlaceAnswer(understood.place_text, PlaceOutcome.NOT_LOOKED_UP if is_named else PlaceOutcome.NOT_ASKED)


async def _decide(run: SearchRun, understood: Understood, found: FirstLook) -> PlaceDecision:
    if understood.place_text is None or found.rows is None:
        return PlaceDecision(PlaceAnswer(None, PlaceOutcome.NOT_ASKED))
    with run.trace.stage(StageName.LOCATION):
        decision = await run.tools.decide_place(
            understood.place_text,
            found.rows,
            sentence=understood.text,
            cities=likely_cities(run.request, found.here),
            barred=_barred_tiers(run),
            remaining_s=lambda: run.budget.remaining_before(*LAST_STAGES),
        )
    for tier, reason in decision.skipped:
        run.budget.skip(TIER_STAGES[tier], reason)
    return decision


def _barred_tiers(run: SearchRun) -> Mapping[Tier, SkipReason]:
    overrides = run.request.overrides
    barred: dict[Tier, SkipReason] = {}
    if overrides.skip_tier4:
        barred[Tier.EMBEDDING] = SkipReason.OVERRIDE
    if run.is_reduced or run.is_high_load:
        barred[Tier.MODEL] = SkipReason.HIGH_LOAD
    if overrides.skip_tier5:
        barred[Tier.MODEL] = SkipReason.OVERRIDE
    return barred
