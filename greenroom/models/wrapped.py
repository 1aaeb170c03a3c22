"""What an embedder in front of another says of itself: what the other does."""

from __future__ import annotations

from greenroom.models.ports import Embedder


class WrappedEmbedder:
    """Base of those that answer by another: its vectors are theirs, so they are of its model and as long."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model(self) -> str:
        return self._embedder.model

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    @property
    def is_local(self) -> bool:
        return self._embedder.is_local
