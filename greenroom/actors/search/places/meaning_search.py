"""Tiers 4 and 5 of one decision: what a place's text is near to in meaning, and what a language model makes of it.

1. The model is asked beside tier 4 where embedding needs the network, and right after it where that takes no time. If it was not
   asked by then, or knew nobody among those it was offered, and tier 4 came up with others, it gets a last chance.
2. A tier is begun only if what remains covers what it took lately, and ended when nothing remains.
3. A model that fails or is late leaves the place as unknown as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from greenroom.actors.search.places.spelling import has_every_word
from greenroom.actors.search.stage_history import StageHistory
from greenroom.models.ports import Embedder, ModelBusy, ModelError, ModelTimeout, PlaceModel
from greenroom.schema.errors import DomainError
from greenroom.schema.search.diagnostics import Prompt, SkipReason, StageName
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.places import PlaceAnswer, PlaceCandidate, RegionId, Tier, TierTrial
from greenroom.storage.ports import Places

STAGES: Final = {Tier.EMBEDDING: StageName.TIER4, Tier.MODEL: StageName.TIER5}


@dataclass(frozen=True, slots=True)
class MeaningTools:
    """
    Attributes:
        embedder: whose vectors of names are stored; None goes without tier 4.
        model: None goes without tier 5.
        model_timeout_s: longest wait for the model, as it is configured now.
        history: what tiers 4 and 5 took lately.
    """

    places: Places
    embedder: Embedder | None
    model: PlaceModel | None
    thresholds: MeaningThresholds
    model_timeout_s: Callable[[], float]
    history: StageHistory


class MeaningSearch:
    """Tiers 4 and 5 of one decision.

    Args:
        unknown: what the names told: whom they brought into question.
        barred: tiers that must not be tried, and what to say for it.
    """

    def __init__(
        self,
        tools: MeaningTools,
        unknown: PlaceAnswer,
        *,
        sentence: str,
        cities: Sequence[RegionId],
        barred: Mapping[Tier, SkipReason],
        remaining_s: Callable[[], float],
    ) -> None:
        self._tools = tools
        self._unknown = unknown
        self._text = unknown.text or ""
        self._sentence = sentence
        self._cities = cities
        self._barred = barred
        self._remaining_s = remaining_s
        self._nearest: list[PlaceCandidate] = []
        self._offered: set[RegionId] = set()
        self._running: dict[Tier, float] = {}
        self._trials: dict[Tier, TierTrial] = {}
        self.skipped: dict[Tier, SkipReason] = {}
        self.prompts: list[Prompt] = []

    async def run(self) -> PlaceAnswer | None:
        """Ask both tiers, as far as they may be asked and as long as there is time; None if neither knows."""
        answers: list[PlaceAnswer] = []
        with trio.move_on_after(self._remaining_s()) as scope:
            await self._ask(answers)
        if scope.cancelled_caught:
            for tier, began_at in self._running.items():
                self._give_up(tier, SkipReason.TIMEOUT, began_at)
        return answers[0] if answers else None

    async def _ask(self, answers: list[PlaceAnswer]) -> None:
        embedder = self._tools.embedder
        if embedder is None or embedder.is_local:
            await self._ask_embedding(answers)
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._ask_model, answers)
                await self._ask_embedding(answers)
                if answers:
                    nursery.cancel_scope.cancel()
        if not answers:
            await self._ask_model(answers)

    def trials(self) -> tuple[TierTrial, ...]:
        """What was tried, in the order of tiers."""
        not_needed = {tier: TierTrial(tier, False, None, 0.0, "not needed") for tier in STAGES}
        return tuple((not_needed | self._trials)[tier] for tier in STAGES)

    async def _ask_embedding(self, answers: list[PlaceAnswer]) -> None:
        embedder = self._tools.embedder
        if embedder is None:
            self._note(Tier.EMBEDDING, "skipped: no_model")
            return
        if not self._may_begin(Tier.EMBEDDING):
            return
        began_at = trio.current_time()
        try:
            with self._measured(Tier.EMBEDDING, began_at):
                self._nearest = await self._names_near(embedder)
        except (ModelError, DomainError) as error:
            self._fail(Tier.EMBEDDING, error, began_at)
            return
        best = self._nearest[0].confidence if self._nearest else None
        certain = nearest_if_certain(self._text, self._nearest, self._cities, self._tools.thresholds)
        if certain is not None and embedder.is_local and not self._is_borne_out(certain):
            certain = None
        self._note(Tier.EMBEDDING, "miss" if certain is None else "resolved", best, began_at)
        if certain is not None:
            shown = (*self._nearest, *self._unknown.candidates)
            answers.append(resolved_as(self._unknown, certain, Tier.EMBEDDING, certain.confidence, shown))

    def _is_borne_out(self, candidate: PlaceCandidate) -> bool:
        """Whether the words say so too. A small model makes names of pieces: to it, Maywood is Inwood at 0.95."""
        return has_every_word(normal_place_name(self._text), normal_place_name(candidate.matched_name))

    async def _names_near(self, embedder: Embedder) -> list[PlaceCandidate]:
        [vector] = await embedder.embed([normal_place_name(self._text)], timeout_s=self._remaining_s())
        if not any(vector):
            return []
        places = self._tools.places
        return await places.nearest(vector, model=embedder.model, cities=self._cities, limit=NEAREST)

    async def _ask_model(self, answers: list[PlaceAnswer]) -> None:
        model, thresholds = self._tools.model, self._tools.thresholds
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
        timeout_s = min(self._tools.model_timeout_s(), self._remaining_s())
        try:
            # The model keeps to its timeout itself; this holds it to it.
            with self._measured(Tier.MODEL, began_at), trio.fail_after(timeout_s):
                choice = await model.choose(
                    self._text, sentence=self._sentence, candidates=offered, timeout_s=timeout_s
                )
        except (ModelError, trio.TooSlowError) as error:
            self._fail(Tier.MODEL, error, began_at)
            return
        self.prompts.append(choice.prompt)
        candidate = chosen(offered, choice, thresholds)
        self._note(Tier.MODEL, "miss" if candidate is None else "resolved", choice.confidence, began_at)
        if candidate is not None:
            shown = (*offered, *self._unknown.candidates)
            answers.append(resolved_as(self._unknown, candidate, Tier.MODEL, choice.confidence, shown))

    def _may_begin(self, tier: Tier) -> bool:
        reason = self._barred.get(tier)
        if reason is None:
            expected_s = self._tools.history.expected_s(STAGES[tier], now=trio.current_time())
            if self._remaining_s() > expected_s:
                return True
            reason = SkipReason.BUDGET
        self.skipped[tier] = reason
        self._note(tier, f"skipped: {reason}")
        return False

    @contextmanager
    def _measured(self, tier: Tier, began_at: float) -> Iterator[None]:
        self._running[tier] = began_at
        try:
            yield
            del self._running[tier]
        except (ModelError, DomainError, trio.TooSlowError):
            del self._running[tier]
            raise
        finally:
            now = trio.current_time()
            self._tools.history.add(STAGES[tier], now - began_at, now=now)

    def _fail(self, tier: Tier, error: Exception, began_at: float) -> None:
        if isinstance(error, ModelError) and error.prompt is not None:
            self.prompts.append(error.prompt)
        match error:
            case ModelTimeout() | trio.TooSlowError():
                self._give_up(tier, SkipReason.TIMEOUT, began_at)
            case ModelBusy():
                self._give_up(tier, SkipReason.BUSY, began_at)
            case _:
                self._give_up(tier, SkipReason.FAILED, began_at)

    def _give_up(self, tier: Tier, reason: SkipReason, began_at: float) -> None:
        self.skipped[tier] = reason
        self._note(tier, str(reason), None, began_at)

    def _note(
        self, tier: Tier, result: str, confidence: float | None = None, began_at: float | None = None
    ) -> None:
        duration_ms = 0.0 if began_at is None else (trio.current_time() - began_at) * 1000
        self._trials[tier] = TierTrial(tier, began_at is not None, confidence, duration_ms, result)
