"""The vector of what is searched for: from the best model that services have vectors of, and that answers in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from greenroom.models.ports import Embedder, Vector


@dataclass(frozen=True, slots=True)
class QueryVector:
    model: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """
    Attributes:
        primary: the model of EMBEDDING_PROVIDER.
        local: what a late or failed call falls back to; the primary itself where that needs no network.
        known_models: the models that services have vectors of, now.
    """

    primary: Embedder
    local: Embedder
    known_models: Callable[[], frozenset[str]]

    @property
    def has_primary(self) -> bool:
        """Whether asking the primary is of any use."""
        return self.primary.model in self.known_models()

    @property
    def has_fallback(self) -> bool:
        return self.local is not self.primary and self.local.model in self.known_models()

    async def ask(self, embedder: Embedder, text: str, *, timeout_s: float) -> QueryVector | None:
        """Embed a text; None if the model knows none of its words.

        Raises:
            ModelError: it gave no usable answer in time.
        """
        [vector] = await embedder.embed([text], timeout_s=timeout_s)
        return QueryVector(embedder.model, vector) if any(vector) else None
