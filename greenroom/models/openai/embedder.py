"""Embeddings by the OpenAI API."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from greenroom.models.openai.calls import OpenAICalls
from greenroom.models.ports import ModelAnswerInvalid, Vector

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import CreateEmbeddingResponse

NATIVE_DIMENSIONS: Final = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
"""Source: https://platform.openai.com/docs/guides/embeddings. Asked for another size, the third generation shortens."""


class OpenAIEmbedder:
    is_local: Final = False

    def __init__(self, calls: OpenAICalls, *, model: str, dimensions: int) -> None:
        self._calls = calls
        self._name = model
        self._dimensions = dimensions

    @property
    def model(self) -> str:
        return f"{self._name}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """See :class:`~greenroom.models.ports.Embedder`."""
        filled = {number: text for number, text in enumerate(texts) if text.strip()}
        vectors: list[Vector] = [(0.0,) * self._dimensions] * len(texts)
        if filled:
            found = await self._calls.call(
                "embedding", lambda client: self._ask(client, list(filled.values())), timeout_s=timeout_s
            )
            for number, vector in zip(filled, found, strict=True):
                vectors[number] = vector
        return vectors

    async def _ask(self, client: AsyncOpenAI, texts: list[str]) -> list[Vector]:
        if self._dimensions == NATIVE_DIMENSIONS.get(self._name):
            # Servers that speak this API often know no other size and refuse to be asked.
            answer = await client.embeddings.create(model=self._name, input=texts, encoding_format="float")
        else:
            answer = await client.embeddings.create(
                model=self._name, input=texts, encoding_format="float", dimensions=self._dimensions
            )
        return self._checked(answer, len(texts))

    def _checked(self, answer: CreateEmbeddingResponse, count: int) -> list[Vector]:
        try:
            # The client takes the answer as it comes, of whatever shape.
            by_index = {row.index: row.embedding for row in answer.data}
        except (AttributeError, TypeError) as exc:
            raise ModelAnswerInvalid("the answer has not the shape of the API") from exc
        if set(by_index) != set(range(count)):
            raise ModelAnswerInvalid(f"{len(by_index)} vectors for {count} texts")
        return [self._unit(by_index[index]) for index in range(count)]

    def _unit(self, values: object) -> Vector:
        if not isinstance(values, list) or len(values) != self._dimensions:
            size = len(values) if isinstance(values, list) else "no"
            raise ModelAnswerInvalid(f"a vector of {size} dimensions, not {self._dimensions}")
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise ModelAnswerInvalid("a vector with something in it that is no number")
        length = math.hypot(*values)
        if not length:
            raise ModelAnswerInvalid("a vector of no length")
        return tuple(value / length for value in values)
