"""Deciding which place a text means: tiers 1 to 3 by what was found already, then by meaning, then by a model's choice.

1. What a cheaper tier decides is decided; the others are not asked.
2. The model of tier 5 is asked beside tier 4 where embedding needs the network, and right after it where that takes no time. If it
   was not asked by then, or knew nobody among those it was offered, and tier 4 came up with others, it gets a last chance.
3. A tier is begun only if what remains covers what it took lately, and ended when nothing remains.
4. A model that fails or is late leaves the place as unknown as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import trio

from greenroom.actors.search.places.by_meaning import (
    NEAREST,
    MeaningThresholds,
    candidates_for_model,
    chosen,
    nearest_if_certain,
    resolved_as,
)
from greenroom.actors.search.places.by_name import borough_at_end, decide_by_name
from greenroom.actors.search.places.decision import PlaceDecision
from greenroom.actors.search.places.named_together import joined, parts_of
from greenroom.actors.search.stage_history import StageHistory
from greenroom.models.ports import Embedder, ModelBusy, ModelError, ModelTimeout, PlaceModel
from greenroom.schema.errors import DomainError
from greenroom.schema.search.diagnostics import Prompt, SkipReason, StageName
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import (
    PlaceAnswer,
    PlaceCandidate,
    PlaceOutcome,
    RegionId,
    Tier,
    TierTrial,
)
from greenroom.storage.ports import PlaceRows, Places

STAGES: Final = {Tier.EMBEDDING: StageName.TIER4, Tier.MODEL: StageName.TIER5}


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
        self._embedder = embedder
        self._model = model
        self._thresholds = thresholds
        self._model_timeout_s = model_timeout_s
        self._history = history

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
            answer = await self._decide_parts(text, cities, remaining_s) or answer
        trials = _trials_by_name(answer, (trio.current_time() - began_at) * 1000)
        if answer.outcome is not PlaceOutcome.UNKNOWN:
            return PlaceDecision(answer, trials)
        search = _ByMeaning(self, answer, sentence=sentence, cities=cities, barred=barred, remaining_s=remaining_s)
        found = await search.run() or borough_at_end(text, rows)
        if found is not None:
            answer = replace(found, text=text, candidates=found.candidates or answer.candidates)
        return PlaceDecision(
            answer, (*trials, *search.trials()), tuple(search.prompts), tuple(search.skipped.items())
        )

    async def _decide_parts(
        self, text: str, cities: Sequence[RegionId], remaining_s: Callable[[], float]
    ) -> PlaceAnswer | None:
        """Read the text as several places; a few short queries, and only where it is no name of one."""
        answers = []
        with trio.move_on_after(remaining_s()):
            for part in parts_of(text):
                try:
                    rows = await self._places.look_up(part, cities=cities)
                except DomainError:
                    return None
                answers.append(decide_by_name(part, rows, cities))
                if answers[-1].outcome is PlaceOutcome.UNKNOWN:
                    return None
            return joined(text, answers) if answers else None
        return None


class _ByMeaning:
    """Tiers 4 and 5 of one decision."""

    def __init__(
        self,
        resolver: PlaceResolver,
        unknown: PlaceAnswer,
        *,
        sentence: str,
        cities: Sequence[RegionId],
        barred: Mapping[Tier, SkipReason],
        remaining_s: Callable[[], float],
    ) -> None:
        self._resolver = resolver
        self._unknown = unknown
        self._text = unknown.text or ""
        self._sentence = sentence
        self._cities = cities
        self._barred = barred
        self._remaining_s = remaining_s
        self._nearest: list[PlaceCandidate] = []
        self._offered: set[RegionId] = set()
        self._trials: dict[Tier, TierTrial] = {}
        self.skipped: dict[Tier, SkipReason] = {}
        self.prompts: list[Prompt] = []

    async def run(self) -> PlaceAnswer | None:
        """Ask both tiers, as far as they may be asked; None if neither knows."""
        answers: list[PlaceAnswer] = []
        embedder = self._resolver._embedder
        with trio.move_on_after(self._remaining_s()):
            if embedder is None or embedder.is_local:
                await self._ask_embedding(answers)
            else:
                async with trio.open_nursery(strict_exception_groups=False) as nursery:

                    async def ask_model_beside() -> None:
                        await self._ask_model(answers)

                    nursery.start_soon(ask_model_beside)
                    await self._ask_embedding(answers)
                    if answers:
                        nursery.cancel_scope.cancel()
            if not answers:
                await self._ask_model(answers)
        return answers[0] if answers else None

    def trials(self) -> tuple[TierTrial, ...]:
        """What was tried, in the order of tiers."""
        not_needed = {tier: TierTrial(tier, False, None, 0.0, "not needed") for tier in STAGES}
        return tuple((not_needed | self._trials)[tier] for tier in STAGES)

    async def _ask_embedding(self, answers: list[PlaceAnswer]) -> None:
        embedder, thresholds = self._resolver._embedder, self._resolver._thresholds
        if embedder is None:
            self._note(Tier.EMBEDDING, "skipped: no_model")
            return
        if not self._may_begin(Tier.EMBEDDING):
            return
        began_at = trio.current_time()
        try:
            [vector] = await embedder.embed([normal_place_name(self._text)], timeout_s=self._remaining_s())
            if any(vector):
                self._nearest = await self._resolver._places.nearest(
                    vector, model=embedder.model, cities=self._cities, limit=NEAREST
                )
        except (ModelError, DomainError) as error:
            self._fail(Tier.EMBEDDING, error, began_at)
            return
        finally:
            self._measure(Tier.EMBEDDING, began_at)
        best = self._nearest[0].confidence if self._nearest else None
        certain = nearest_if_certain(self._text, self._nearest, self._cities, thresholds)
        self._note(Tier.EMBEDDING, "resolved" if certain else "miss", best, began_at)
        if certain is not None:
            shown = (*self._nearest, *self._unknown.candidates)
            answers.append(resolved_as(self._unknown, certain, Tier.EMBEDDING, certain.confidence, shown))

    async def _ask_model(self, answers: list[PlaceAnswer]) -> None:
        model, thresholds = self._resolver._model, self._resolver._thresholds
        offered = candidates_for_model(self._unknown.candidates, self._nearest, thresholds)
        if not {candidate.region.id for candidate in offered} - self._offered:
            # Nobody to choose among, or nobody new since it was last asked.
            if Tier.MODEL not in self._trials:
                self._note(Tier.MODEL, "skipped: no candidates")
            return
        if model is None:
            self._note(Tier.MODEL, "skipped: no_model")
            return
        if not self._may_begin(Tier.MODEL):
            return
        began_at = trio.current_time()
        self._offered.update(candidate.region.id for candidate in offered)
        timeout_s = min(self._resolver._model_timeout_s(), self._remaining_s())
        try:
            # The model keeps to its timeout itself; this holds it to it.
            with trio.fail_after(timeout_s):
                choice = await model.choose(
                    self._text, sentence=self._sentence, candidates=offered, timeout_s=timeout_s
                )
        except (ModelError, trio.TooSlowError) as error:
            self._fail(Tier.MODEL, error, began_at)
            return
        finally:
            self._measure(Tier.MODEL, began_at)
        self.prompts.append(choice.prompt)
        candidate = chosen(offered, choice, thresholds)
        self._note(Tier.MODEL, "resolved" if candidate else "miss", choice.confidence, began_at)
        if candidate is not None:
            shown = (*offered, *self._unknown.candidates)
            answers.append(resolved_as(self._unknown, candidate, Tier.MODEL, choice.confidence, shown))

    def _may_begin(self, tier: Tier) -> bool:
        reason = self._barred.get(tier)
        if reason is None:
            expected_s = self._resolver._history.expected_s(STAGES[tier], now=trio.current_time())
            if self._remaining_s() > expected_s:
                return True
            reason = SkipReason.BUDGET
        self.skipped[tier] = reason
        self._note(tier, f"skipped: {reason}")
        return False

    def _fail(self, tier: Tier, error: Exception, began_at: float) -> None:
        match error:
            case ModelTimeout() | trio.TooSlowError():
                reason = SkipReason.TIMEOUT
            case ModelBusy():
                reason = SkipReason.BUSY
            case _:
                reason = SkipReason.FAILED
        if isinstance(error, ModelError) and error.prompt is not None:
            self.prompts.append(error.prompt)
        self.skipped[tier] = reason
        self._note(tier, str(reason), None, began_at)

    def _measure(self, tier: Tier, began_at: float) -> None:
        now = trio.current_time()
        self._resolver._history.add(STAGES[tier], now - began_at, now=now)

    def _note(
        self, tier: Tier, result: str, confidence: float | None = None, began_at: float | None = None
    ) -> None:
        duration_ms = 0.0 if began_at is None else (trio.current_time() - began_at) * 1000
        self._trials[tier] = TierTrial(tier, began_at is not None, confidence, duration_ms, result)


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
