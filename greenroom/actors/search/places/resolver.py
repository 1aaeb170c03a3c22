"""Deciding which place a text means: by what burst 1 found for it, and where that tells nothing, by meaning.

What a cheaper tier decides is decided; the others are not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import trio

from greenroom.actors.search.places.by_meaning import MeaningThresholds
from greenroom.actors.search.places.by_name import borough_at_end, decide_by_name
from greenroom.actors.search.places.decision import PlaceDecision
from greenroom.actors.search.places.meaning_search import MeaningSearch, MeaningTools
from greenroom.actors.search.places.named_together import joined, parts_of
from greenroom.actors.search.stage_history import StageHistory
from greenroom.models.ports import Embedder, PlaceModel
from greenroom.schema.errors import DomainError
from greenroom.schema.search.diagnostics import SkipReason
from greenroom.schema.search.places import PlaceAnswer, PlaceOutcome, Region, RegionId, RegionKind, Tier, TierTrial
from greenroom.storage.ports import PlaceRows, Places

DEPTH_MAX: Final = 2
"""Lists within lists: "cobble hill-gowanus, brooklyn"."""


class PlaceResolver:
    """Stands behind :class:`~greenroom.actors.search.places.decision.DecidePlace`.

    Args:
        embedder: whose vectors of names are stored; None goes without tier 4.
        model: None goes without tier 5.
        model_timeout_s: longest wait for the model, as it is configured now.
        history: what tiers 4 and 5 took lately.
    """

    def __init__(
        self,
        places: Places,
        *,
        embedder: Embedder | None,
        model: PlaceModel | None,
        thresholds: MeaningThresholds,
        model_timeout_s: Callable[[], float],
        history: StageHistory,
    ) -> None:
        self._places = places
        self._tools = MeaningTools(places, embedder, model, thresholds, model_timeout_s, history)

    async def __call__(
        self,
        text: str,
        rows: PlaceRows,
        *,
        sentence: str,
        cities: Sequence[RegionId],
        barred: Mapping[Tier, SkipReason],
        remaining_s: Callable[[], float],
    ) -> PlaceDecision:
        began_at = trio.current_time()
        answer = decide_by_name(text, rows, cities)
        if answer.outcome is PlaceOutcome.UNKNOWN:
            with trio.move_on_after(remaining_s()):
                answer = await self._decide_parts(text, cities, depth=0) or answer
        trials = _trials_by_name(answer, (trio.current_time() - began_at) * 1000)
        if answer.outcome is not PlaceOutcome.UNKNOWN:
            return PlaceDecision(answer, trials)
        search = MeaningSearch(
            self._tools, answer, sentence=sentence, cities=cities, barred=barred, remaining_s=remaining_s
        )
        found = await search.run() or borough_at_end(text, rows)
        if found is not None:
            answer = replace(found, text=text, candidates=found.candidates or answer.candidates)
        return PlaceDecision(
            answer, (*trials, *search.trials()), tuple(search.prompts), tuple(search.skipped.items())
        )

    async def _decide_parts(self, text: str, cities: Sequence[RegionId], *, depth: int) -> PlaceAnswer | None:
        """Read the text as several places; a few short queries, and only where it is no name of one."""
        parts = parts_of(text)
        if parts is None or depth == DEPTH_MAX:
            return None
        try:
            answers = [await self._decide_part(part, cities, depth) for part in parts.texts]
            where = answers[-1].regions[0] if len(answers[-1].regions) == 1 else None
            if where is not None and where.kind is not RegionKind.NEIGHBOURHOOD:
                # What the last one contains is where the others are: "bay terrace - clearview, queens". But "brooklyn or queens".
                for at, part in enumerate(parts.texts[:-1]):
                    if not any(region.kind is not RegionKind.NEIGHBOURHOOD for region in answers[at].regions):
                        inside = await self._decide_part(f"{part} {where.name}", cities, depth)
                        answers[at] = inside if _is_better_inside(inside, answers[at], where) else answers[at]
        except DomainError:
            return None
        return joined(text, answers, all_must_be_known=parts.all_must_be_known)

    async def _decide_part(self, text: str, cities: Sequence[RegionId], depth: int) -> PlaceAnswer:
        answer = decide_by_name(text, await self._places.look_up(text, cities=cities), cities)
        if answer.outcome is PlaceOutcome.UNKNOWN:
            return await self._decide_parts(text, cities, depth=depth + 1) or answer
        return answer


def _is_better_inside(inside: PlaceAnswer, anywhere: PlaceAnswer, where: Region) -> bool:
    """Whether a part names something within a borough or city as surely as it does elsewhere; "hells kitchen" is nothing in Queens."""
    lies_there = bool(inside.regions) and all(region.id.startswith(f"{where.id}/") for region in inside.regions)
    return lies_there and (anywhere.tier is None or inside.tier is None or inside.tier <= anywhere.tier)


def _trials_by_name(answer: PlaceAnswer, duration_ms: float) -> tuple[TierTrial, ...]:
    """Tiers 1 to 3 are one query and one decision: those before the one that decided missed, those after it were not needed."""
    trials = []
    decided = answer.tier
    for tier in (Tier.EXACT, Tier.ALIAS, Tier.FUZZY):
        if decided is not None and tier > decided:
            trials.append(TierTrial(tier, False, None, 0.0, "not needed"))
        elif tier == decided:
            trials.append(TierTrial(tier, True, answer.confidence, duration_ms, answer.outcome.value))
        else:
            best = max((c.confidence for c in answer.candidates if c.tier is tier), default=None)
            trials.append(TierTrial(tier, True, best, 0.0, "miss"))
    return tuple(trials)
