"""Embeddings without a network: WordLlama's static word vectors, averaged over a text.

A text of a line takes about 0.03 ms, so small requests are computed where they are; the model is some 80 MB in memory.
Source: https://github.com/dleemiller/WordLlama (MIT); its weights come with its package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from greenroom.models.ports import ModelTimeout, Vector
from greenroom.schema.search_settings import LOCAL_DIMENSIONS

if TYPE_CHECKING:
    from wordllama.inference import WordLlamaInference

MODEL: Final = "wordllama-l2-supercat"
INLINE_MAX: Final = 8
"""Texts that are computed on the spot; more go to a thread, as the event loop would feel them."""


class LocalEmbedder:
    """It is loaded when it is first asked, or by :meth:`load` before that: some 0.5 s, in a thread.

    Raises:
        ValueError: there are no vectors of this size.
    """

    is_local: Final = True

    def __init__(self, dimensions: int = 256) -> None:
        if dimensions not in LOCAL_DIMENSIONS:
            raise ValueError(f"local embeddings have {', '.join(map(str, LOCAL_DIMENSIONS))} dimensions")
        self._dimensions = dimensions
        self._inference: WordLlamaInference | None = None
        # One at a time: loading it twice would take twice the memory.
        self._thread = trio.CapacityLimiter(1)

    @property
    def model(self) -> str:
        return f"{MODEL}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    async def load(self) -> None:
        """Have it ready for the first text."""
        await trio.to_thread.run_sync(self._loaded, limiter=self._thread, abandon_on_cancel=True)

    async def embed(self, texts: Sequence[str], *, timeout_s: float) -> list[Vector]:
        """See :class:`~greenroom.models.ports.Embedder`."""
        if self._inference is not None and len(texts) <= INLINE_MAX:
            await trio.lowlevel.checkpoint()
            return self._compute(texts)
        with trio.move_on_after(timeout_s):
            return await trio.to_thread.run_sync(
                self._compute, texts, limiter=self._thread, abandon_on_cancel=True
            )
        raise ModelTimeout(f"{len(texts)} texts were not embedded within {timeout_s:g} s")

    def _loaded(self) -> WordLlamaInference:
        if self._inference is None:
            self._inference = _load(self._dimensions)
        return self._inference

    def _compute(self, texts: Sequence[str]) -> list[Vector]:
        # The tokenizer makes nothing of an empty text, and an average of nothing is not a number.
        filled = [text if text.strip() else "." for text in texts]
        rows = self._loaded().embed(filled).tolist()
        return [
            _unit(row) if text.strip() else (0.0,) * self._dimensions
            for text, row in zip(texts, rows, strict=True)
        ]


def _load(dimensions: int) -> WordLlamaInference:
    # Not imported at the top: it takes 0.2 s and 30 MB, which only those should pay who search.
    import wordllama

    inference: WordLlamaInference = wordllama.WordLlama.load(
        # It looks for its tokenizer beside its code and in a cache only under other names than its wheel has.
        cache_dir=Path(wordllama.__file__).parent,
        trunc_dim=dimensions,
        disable_download=True,
    )
    return inference


def _unit(row: Sequence[float]) -> Vector:
    length = math.hypot(*row)
    return tuple(value / length for value in row) if length else tuple(row)
