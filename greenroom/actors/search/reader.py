"""Reading a sentence: by rules, at once, and by a model where there is one and time for it.

Rules take a millisecond, a model a second. So the rules' reading is what a search begins with, unless the model's of the same
sentence is known, or is lately so quick that what is left of the budget covers it. Else the model reads it for the next time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

import trio

from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.budget import RequestBudget
from greenroom.actors.search.reading import ReadByModel, ReadSentence, reading_of
from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.trace import SearchTrace
from greenroom.actors.search.understanding import Lexicon, understand
from greenroom.actors.search.understanding.meaning import meaning_text
from greenroom.actors.search.understanding.merging import merged
from greenroom.actors.search.understanding.parse_cache import ModelFailed, ParseCache
from greenroom.actors.search.understanding.spelling import corrected, doubtful_words, meant_words
from greenroom.actors.search.understanding.unknown_words import unknown_told
from greenroom.models.ports import ModelError
from greenroom.schema.search.candidates import Spelling
from greenroom.schema.search.diagnostics import SkipReason, StageName
from greenroom.schema.search.understood import Understood
from greenroom.storage.retrieval.free_time import zone_of
from greenroom.supervisor import ActorSystem, AskError, AskTimeout

KEPT_MAX: Final = 2_000
"""Sentences of some 3 KB each as understood: 6 MB."""

STAGES_AFTER: Final = (StageName.BURST1, StageName.EMBEDDING, StageName.BURST2, StageName.RANKING)


class Reader:
    """
    Args:
        cache: what a model made of sentences; None where there is no model to ask.
        wall: says what day it is, for dates without a year.
        why_away: why the model is taken to be away; None if it is not known to be.
        is_english: whether a word in small letters is one, which is then not taken for another.
    """

    def __init__(
        self,
        *,
        lexicon: Lexicon,
        board: SearchBoard,
        cache: ParseCache | None,
        wall: Callable[[], datetime],
        why_away: Callable[[], str | None] = lambda: None,
        is_english: Callable[[str], bool] = lambda word: False,
    ) -> None:
        self._lexicon = lexicon
        self._board = board
        self._cache = cache
        self._wall = wall
        self._why_away = why_away
        self._is_english = is_english
        self._read: OrderedDict[tuple[str, date], Understood] = OrderedDict()

    async def read(
        self,
        request: SearchRequest,
        *,
        system: ActorSystem,
        budget: RequestBudget,
        trace: SearchTrace,
        may_ask_model: bool,
    ) -> Understood:
        """Understand a sentence somehow; what a model would have added, and why it did not, is in the budget's skips."""
        with trace.stage(StageName.PARSE):
            await trio.lowlevel.checkpoint()
            rules = self._by_rules(request.text, self._today(self._zones(request)))
        if self._cache is None:
            return rules
        known = self._cache.get(request.text, city=request.city)
        if isinstance(known, ModelFailed):
            budget.skip(StageName.MODEL_PARSE, SkipReason.FAILED, known.detail)
            return rules
        if known is None:
            if not may_ask_model:
                budget.skip(StageName.MODEL_PARSE, SkipReason.HIGH_LOAD)
                return rules
            read = await self._by_model(request, rules, system, budget, trace)
            if read is None:
                return rules
            known = read.understood
            if read.prompt is not None:
                trace.prompts.append(read.prompt)
        else:
            trace.known(StageName.MODEL_PARSE)
        return merged(request.text, rules, known, lexicon=self._lexicon)

    def meaning(self, understood: Understood) -> str:
        """What is embedded of a sentence."""
        return meaning_text(understood, lexicon=self._lexicon)

    def doubtful(self, request: SearchRequest, understood: Understood) -> Sequence[str]:
        """Words of the lesson that may be misspelt, if no lesson has them."""
        return doubtful_words(
            request.text,
            understood,
            lexicon=self._lexicon,
            is_place=self._board.places,
            is_english=self._is_english,
        )

    def spelt(self, understood: Understood, spellings: Mapping[str, Sequence[Spelling]]) -> Understood:
        """The same with words that no lesson has taken for those that were meant; ``spellings`` are what these may be."""
        meant = meant_words(spellings, is_place=self._board.places)
        return corrected(understood, meant, lexicon=self._lexicon) if meant else understood

    def known(self, understood: Understood, unknown: Sequence[str]) -> Understood:
        """The same, told which of the lesson's words mean nothing; ``unknown`` are those that no lesson has."""
        return unknown_told(understood, unknown, lexicon=self._lexicon) if unknown else understood

    def dated(self, text: str, understood: Understood, *, timezones: Sequence[str]) -> Understood:
        """The same with dates that lack a year as one means them in these zones: the place was not known while the sentence was read."""
        if not understood.has_date:
            return understood
        rules = self._by_rules(text, self._today(timezones))
        understood = replace(understood, denied_times=rules.denied_times)
        if not rules.asks_date:
            # It is over there: nothing is left of it, which is told.
            return understood
        return replace(
            understood, when=replace(understood.when, on=rules.when.on, until=rules.when.until), times=rules.times
        )

    def _zones(self, request: SearchRequest) -> Sequence[str]:
        known = None if request.city is None else self._board.city_zones.get(request.city)
        return self._board.timezones if known is None else (known,)

    def _today(self, timezones: Sequence[str]) -> date:
        """The earliest day that it is in any of them: what is not over yet somewhere is still to come."""
        now = self._wall()
        return min(now.astimezone(zone_of(timezone)).date() for timezone in timezones)

    def forget(self) -> None:
        """What places there are has changed, and so may be what a sentence means."""
        self._read.clear()

    def _by_rules(self, text: str, today: date) -> Understood:
        key = (text, today)
        found = self._read.get(key)
        if found is not None:
            self._read.move_to_end(key)
            return found
        understood = understand(text, lexicon=self._lexicon, is_place=self._board.places, today=today)
        self._read[key] = understood
        if len(self._read) > KEPT_MAX:
            self._read.popitem(last=False)
        return understood

    async def _by_model(
        self,
        request: SearchRequest,
        rules: Understood,
        system: ActorSystem,
        budget: RequestBudget,
        trace: SearchTrace,
    ) -> ReadByModel | None:
        """What the model says, if it is likely to say it in time; else it is asked for the next time."""
        address = reading_of(system, request.text, request.city)
        message = ReadSentence(request.text, request.city, rules)
        left_s = budget.remaining_before(*STAGES_AFTER)
        expected_s = budget.reserved_s(StageName.MODEL_PARSE)
        if not 0 < expected_s <= left_s:
            # Also of a model that is away: so it is found out when it is back.
            address.tell(message)
            detail = (
                f"{left_s * 1000:.0f} ms left, it takes {expected_s * 1000:.0f} ms lately" if expected_s else ""
            )
            why_away = self._why_away()
            if why_away is None:
                budget.skip(StageName.MODEL_PARSE, SkipReason.BUDGET, detail)
            else:
                budget.skip(StageName.MODEL_PARSE, SkipReason.FAILED, why_away)
            return None
        try:
            with trace.stage(StageName.MODEL_PARSE, is_measured=False):
                return await address.ask(message, timeout=left_s)
        except AskTimeout:
            budget.skip(StageName.MODEL_PARSE, SkipReason.TIMEOUT)
        except AskError:
            budget.skip(StageName.MODEL_PARSE, SkipReason.BUSY)
        except ModelError as error:
            if error.prompt is not None:
                trace.prompts.append(error.prompt)
            budget.skip(StageName.MODEL_PARSE, SkipReason.FAILED, error.told)
        return None
