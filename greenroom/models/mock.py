"""Embeddings for tests and simulations: texts that share letters are close, always in the same way, at no cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final
from zlib import crc32

import trio

from greenroom.models.ports import Vector

MODEL: Final = "mock"
GRAM: Final = 3


class MockEmbedder:
    """A text's vector counts its words' trigrams, each hashed to a dimension and a sign.

    Source: K. Weinberger et al., "Feature hashing for large scale multitask learning" (2009).
    """

    is_local: Final = True

    def __init__(self, dimensions: int = 256) -> None:
        self._dimensions = dimensions

    @property
    def model(self) -> str:
        return f"{MODEL}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """See :class:`~greenroom.models.ports.Embedder`."""
        del timeout_s
        await trio.lowlevel.checkpoint()
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        counts = [0.0] * self._dimensions
        for word in text.casefold().split():
            padded = f" {word} "
            for start in range(len(padded) - GRAM + 1):
                hashed = crc32(padded[start : start + GRAM].encode())
                counts[(hashed >> 1) % self._dimensions] += 1.0 if hashed & 1 else -1.0
        length = math.hypot(*counts)
        return tuple(value / length for value in counts) if length else tuple(counts)
