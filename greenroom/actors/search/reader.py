"""Reading a sentence: by rules, at once, or by what a model made of the same one before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

import trio

from greenroom.actors.search.request import SearchRequest
from greenroom.actors.search.understanding import Lexicon, understand
from greenroom.schema.search.place_names import normal_place_name
from greenroom.schema.search.understood import Understood

KEPT_MAX: Final = 2_000
"""Sentences of some 3 KB each as understood: 6 MB."""


class KnownPlaces:
    """Names of places, as a sentence may have them without "in" or "near" before."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()

    def take(self, names: frozenset[str]) -> bool:
        """Go by these from now on; False if they are those that were known."""
        if names == self._names:
            return False
        self._names = names
        return True

    def __call__(self, words: tuple[str, ...]) -> bool:
        return normal_place_name(" ".join(words)) in self._names

    def __len__(self) -> int:
        return len(self._names)


class Reader:
    """Stands behind :class:`~greenroom.actors.search.pipeline.Understand`.

    Args:
        wall: says what day it is, for dates without a year.
    """

    def __init__(self, *, lexicon: Lexicon, places: KnownPlaces, wall: Callable[[], datetime]) -> None:
        self._lexicon = lexicon
        self._places = places
        self._wall = wall
        self._read: OrderedDict[tuple[str, date], Understood] = OrderedDict()

    async def __call__(self, request: SearchRequest, *, may_ask_model: bool) -> Understood:
        del may_ask_model
        await trio.lowlevel.checkpoint()
        key = (request.text, self._wall().date())
        found = self._read.get(key)
        if found is not None:
            self._read.move_to_end(key)
            return found
        understood = understand(request.text, lexicon=self._lexicon, is_place=self._places, today=key[1])
        self._read[key] = understood
        if len(self._read) > KEPT_MAX:
            self._read.popitem(last=False)
        return understood

    def forget(self) -> None:
        """What places there are has changed, and so may be what a sentence means."""
        self._read.clear()
