"""A sentence that a model reads: one actor per sentence, so that it is asked once however many wait for it.

Whoever asked first may have been answered long before: what it says is kept for the next who writes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import trio

from greenroom.actors.search.stage_history import StageHistory
from greenroom.actors.search.understanding.parse_cache import ModelFailed, ParseCache
from greenroom.models.ports import ModelError, SentenceModel
from greenroom.schema.search.diagnostics import Prompt, StageName
from greenroom.schema.search.understood import Understood
from greenroom.supervisor import Actor, ActorSystem, Address, Request

KIND: Final = "reading"


@dataclass(frozen=True, slots=True)
class ReadByModel:
    """What a model made of a sentence; ``prompt`` is None where it was known before."""

    understood: Understood
    prompt: Prompt | None


@dataclass(frozen=True, slots=True)
class ReadSentence(Request[ReadByModel]):
    """``rules`` is what the rules made of it."""

    text: str
    city: str | None
    rules: Understood


def reading_of(system: ActorSystem, text: str, city: str | None) -> Address[ReadSentence]:
    """Where a sentence is read; the first message starts its actor."""
    return system.virtual(KIND, blake2b(f"{city}\n{text}".encode(), digest_size=12).hexdigest())


class Reading(Actor[ReadSentence]):
    refusals = (ModelError,)

    def __init__(
        self,
        *,
        model: SentenceModel,
        cache: ParseCache,
        categories: Sequence[str],
        timeout_s: Callable[[], float],
        history: StageHistory,
    ) -> None:
        self._model = model
        self._cache = cache
        self._categories = categories
        self._timeout_s = timeout_s
        self._history = history

    async def handle(self, message: ReadSentence) -> ReadByModel:
        known = self._cache.get(message.text, city=message.city)
        if isinstance(known, Understood):
            return ReadByModel(known, None)
        if isinstance(known, ModelFailed):
            raise ModelError(known.detail)
        began_at = trio.current_time()
        try:
            parsed = await self._model.parse(
                message.text, known=message.rules, categories=self._categories, timeout_s=self._timeout_s()
            )
        except ModelError as error:
            self._cache.put_failure(message.text, ModelFailed(error.told), city=message.city)
            raise
        finally:
            now = trio.current_time()
            self._history.add(StageName.MODEL_PARSE, now - began_at, now=now)
        self._cache.put(message.text, parsed.understood, city=message.city)
        return ReadByModel(parsed.understood, parsed.prompt)
