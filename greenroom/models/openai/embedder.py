"""Embeddings by the OpenAI API.

Vectors are asked for as bytes. Of numbers the client looks at each one: a batch of two hundred vectors of 1,536 then keeps the event
loop for 0.3 to 1 s, in which nobody is served; as bytes for 40 ms. A server that knows numbers alone is understood, too.
"""

from __future__ import annotations

import math
import sys
from array import array
from base64 import b64decode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import trio

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

AT_ONCE: Final = 50
"""Vectors that are looked at without a pause: some 5 ms."""


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
            answer = await client.embeddings.create(model=self._name, input=texts, encoding_format="base64")
        else:
            answer = await client.embeddings.create(
                model=self._name, input=texts, encoding_format="base64", dimensions=self._dimensions
            )
        vectors: list[Vector] = []
        for values in _in_order(answer, len(texts)):
            if vectors and not len(vectors) % AT_ONCE:
                await trio.lowlevel.checkpoint()
            vectors.append(_unit(_numbers(values), self._dimensions))
        return vectors


def _in_order(answer: CreateEmbeddingResponse, count: int) -> list[object]:
    try:
        # The client takes the answer as it comes, of whatever shape.
        by_index: dict[int, object] = {row.index: row.embedding for row in answer.data}
    except (AttributeError, TypeError) as exc:
        raise ModelAnswerInvalid("the answer has not the shape of the API") from exc
    if set(by_index) != set(range(count)):
        raise ModelAnswerInvalid(f"{len(by_index)} vectors for {count} texts")
    return [by_index[index] for index in range(count)]


def _numbers(values: object) -> list[float]:
    if isinstance(values, str):
        numbers = array("f")
        try:
            numbers.frombytes(b64decode(values, validate=True))
        except ValueError as exc:
            raise ModelAnswerInvalid("a vector that is no base64 of numbers") from exc
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tolist()
    if not isinstance(values, list):
        raise ModelAnswerInvalid("a vector of no dimensions")
    if not all(isinstance(value, int | float) for value in values):
        raise ModelAnswerInvalid("a vector with something in it that is no number")
    return values


def _unit(values: list[float], dimensions: int) -> Vector:
    if len(values) != dimensions:
        raise ModelAnswerInvalid(f"a vector of {len(values)} dimensions, not {dimensions}")
    length = math.hypot(*values)
    if not math.isfinite(length) or not length:
        raise ModelAnswerInvalid("a vector of no length, or without end")
    return tuple(value / length for value in values)
