"""What services are found by, and the bounds of writing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from greenroom.schema.ids import ServiceId
from greenroom.schema.search.indexing import IndexedModel, IndexedText, ServiceText


@dataclass(frozen=True, slots=True)
class VectorCount:
    """How far a model has got."""

    services: int
    with_vector: int

    @property
    def missing(self) -> int:
        """Services that can't be found by meaning with this model yet."""
        return self.services - self.with_vector


class SearchIndex(Protocol):
    """What services are found by, in words and in meaning. Filters need no index: they see every change at once.

    Any number of workers may write at the same time; they wait for each other.
    """

    async def hold(self, worker: str, *, for_s: float) -> bool:
        """Take or keep the right to look for what is to be indexed; return whether this worker has it.

        It keeps workers from doing the same work; that two write at the same time does no harm. A time below zero gives it up.
        """
        ...

    async def changed(self, *, limit: int) -> list[ServiceText]:
        """At most ``limit`` services that are not indexed as they are now, longest waiting first."""
        ...

    async def put(self, indexed: Sequence[IndexedText], vectors: Mapping[str, Sequence[Sequence[float]]]) -> int:
        """Index services anew, all or none; those that changed since they were read stay among the changed ones.

        Args:
            indexed: at most INDEXED_MAX, each service once; one that is gone, or held by somebody who writes it now, is left out.
            vectors: by model, one per service in the same order, of unit length or zero.

        Returns:
            how many were indexed.

        Raises:
            InvalidInput: a model that was not added, or a vector that is not of its dimension.
        """
        ...

    async def clear(self, *, limit: int) -> int:
        """Drop what is left in the index of deleted services, at most ``limit`` of them; return how many there were."""
        ...

    async def models(self) -> list[IndexedModel]:
        """Every model there is room for, ready or not; at most MODELS_MAX."""
        ...

    async def add_model(self, model: str, dimension: int) -> None:
        """Make room for vectors of a model; nothing if there is.

        Raises:
            InvalidInput: it is there with another dimension, or there are MODELS_MAX others.
        """
        ...

    async def without_vector(self, model: str, *, after: ServiceId | None, limit: int) -> list[ServiceText]:
        """At most ``limit`` services that have no vector of a model, by id, after one; None for from the first on."""
        ...

    async def put_vectors(self, model: str, vectors: Sequence[tuple[ServiceText, Sequence[float]]]) -> int:
        """Store vectors of one model, those of services that are gone or changed since aside; return how many were stored.

        Raises:
            InvalidInput: as with :meth:`put`.
        """
        ...

    async def count(self, model: str) -> VectorCount:
        """How many services there are, and how many of them have a vector of a model: reads through all of them."""
        ...

    async def make_ready(self, model: str) -> bool:
        """Search with a model from now on if every service has a vector of it; return whether that is so."""
        ...

    async def drop_model(self, model: str) -> None:
        """Forget a model and its vectors; nothing if it is not there."""
        ...


MODELS_MAX: Final = 4
"""One that is searched with, one that needs no network, and one to take the place of each."""

INDEXED_MAX: Final = 500
"""Services per call: some 20,000 postings, written in a fraction of a second."""
