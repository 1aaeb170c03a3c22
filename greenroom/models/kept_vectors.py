"""Vectors that were asked for lately, and one call for all who ask for the same at once.

The first to ask leads, the others wait for what it gets, each within its own time. A failure is theirs too, except the
leader's own: if it left or had less time than another, that one leads next. Failures are not kept.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from greenroom.models.ports import Embedder, ModelError, ModelTimeout, Vector
from greenroom.models.wrapped import WrappedEmbedder

KEPT_MAX: Final = 4_000
"""Vectors of 1,536 numbers take 6 KB each: 24 MB."""


@dataclass(frozen=True, slots=True)
class KeptVectorStatistics:
    """``kept`` now; the others count since the start."""

    kept: int
    hits: int
    misses: int
    followed: int


@dataclass(eq=False, slots=True)
class _Flight:
    over: trio.Event = field(default_factory=trio.Event)
    vector: Vector | None = None
    error: ModelError | None = None


class KeptVectors(WrappedEmbedder):
    """An embedder in front of another. Only single texts are kept: batches come from indexing, once each."""

    def __init__(self, embedder: Embedder, *, kept_max: int = KEPT_MAX) -> None:
        super().__init__(embedder)
        self._kept_max = kept_max
        self._kept: OrderedDict[str, array[float]] = OrderedDict()
        self._flights: dict[str, _Flight] = {}
        self._hits = 0
        self._misses = 0
        self._followed = 0

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """See :class:`~greenroom.models.ports.Embedder`."""
        if len(texts) != 1:
            return await self._embedder.embed(texts, timeout_s=timeout_s)
        key, deadline = _key(texts[0]), trio.current_time() + timeout_s
        while True:
            kept = self._kept.get(key)
            if kept is not None:
                await trio.lowlevel.checkpoint()
                self._hits += 1
                self._kept.move_to_end(key)
                return [tuple(kept)]
            flight = self._flights.get(key)
            if flight is None:
                return [await self._lead(key, deadline)]
            self._followed += 1
            vector = await self._follow(flight, deadline)
            if vector is not None:
                return [vector]

    def statistics(self) -> KeptVectorStatistics:
        return KeptVectorStatistics(
            kept=len(self._kept), hits=self._hits, misses=self._misses, followed=self._followed
        )

    async def _lead(self, key: str, deadline: float) -> Vector:
        self._misses += 1
        flight = self._flights[key] = _Flight()
        try:
            [vector] = await self._embedder.embed([key], timeout_s=deadline - trio.current_time())
        except ModelError as error:
            flight.error = error
            raise
        else:
            flight.vector = vector
            self._kept[key] = array("f", vector)
            while len(self._kept) > self._kept_max:
                self._kept.popitem(last=False)
            return vector
        finally:
            # Also when the leader was cancelled: those who wait then find neither, and one of them leads.
            del self._flights[key]
            flight.over.set()

    @staticmethod
    async def _follow(flight: _Flight, deadline: float) -> Vector | None:
        with trio.move_on_at(deadline):
            await flight.over.wait()
        if flight.vector is not None:
            return flight.vector
        if not flight.over.is_set() or trio.current_time() >= deadline:
            raise ModelTimeout("no answer in time")
        if flight.error is not None and not isinstance(flight.error, ModelTimeout):
            raise flight.error
        return None


def _key(text: str) -> str:
    return " ".join(text.split())
