"""Finding services: the second burst of a search, and what a search has to know before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from greenroom.schema.ids import ServiceId
from greenroom.schema.search.candidates import (
    Card,
    HardFilters,
    RetrievalQuery,
    Retrieved,
    Spelling,
    TextStrength,
)


class Retrieval(Protocol):
    """Services by what a query asks for."""

    async def text_strength(self, text: str) -> TextStrength:
        """How well these words alone find something, and which of them are nowhere; part of the first burst."""
        ...

    async def spellings(self, text: str, words: Sequence[str]) -> Mapping[str, Sequence[Spelling]]:
        """What each of these words of a text that no lesson has may have been meant as: words of lessons with the same first letter, as
        long or nearly so, in no order. Words that some lesson has, also as one with their neighbour in the text, are left out.

        Args:
            words: in small letters, without accents.
        """
        ...

    async def retrieve(self, query: RetrievalQuery) -> Retrieved:
        """Find services, as one snapshot shows them: every one that is returned passed every hard filter of the query."""
        ...

    async def cards(self, service_ids: Sequence[ServiceId], *, filters: HardFilters, now: datetime) -> list[Card]:
        """What is shown of those of these that are on offer and pass every hard filter as they are now, in no order; one query.

        Args:
            now: times that are over by then are asked for no more.
        """
        ...

    async def embedding_models(self) -> list[str]:
        """Names of the models that services have vectors of."""
        ...

    async def timezones(self) -> list[str]:
        """The IANA names of the zones that instructors live in, in order; one probe of an index for each."""
        ...
